// One small request to a server outside, from its start to its end: for alerts, advice and lag.
// health/alerts/deliverer.h, health/advisor.h and health/lag_prober.h use it; probes are many at
// once and have health/curl_transfers.h. Only the .cpp knows libcurl.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "geo/base/moment.h"
#include "geo/base/result.h"
#include "zones/model.h"

namespace demarc::health {

/// No answer that Demarc asks for is larger; a request may set less.
inline constexpr std::size_t answer_max_bytes = 65'536;

struct HttpRequest {
  std::string method = "GET";
  std::string url;  // http or https
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;  // sent with POST and PUT
  Milliseconds timeout{4'000};
  std::size_t answer_max = answer_max_bytes;  // a longer one is an error, not cut off
  std::string ca_file;                        // PEM with the only CAs trusted; empty: the system's
  std::optional<zones::ProbeAt> connect_to;   // instead of the URL's own address
};

struct HttpAnswer {
  int status = 0;
  std::string body;
};

/// Used by one thread; stop() alone may be called by any. Every request is a connection of its own.
/// Redirects, proxies, netrc and compression are off; https verifies chain, time and host name.
class HttpClient {
 public:
  HttpClient();
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Waits for the whole answer, whatever its status, at most the request's timeout. The error is
  /// one short line for people; a server that answers slowly, endlessly or not at all is one.
  [[nodiscard]] Result<HttpAnswer, std::string> send(const HttpRequest& request);

  /// Makes the present send() and all later ones return "stopped". Any thread.
  void stop() noexcept;

 private:
  struct Transfer;
  struct Multi;
  std::unique_ptr<Multi> multi_;
  std::atomic<bool> is_stopped_{false};
};

/// What is wrong with a URL that an editor wrote; nothing: it is http or https with a host, without
/// user name, password or fragment.
[[nodiscard]] std::optional<std::string> find_url_error(std::string_view url);

}  // namespace demarc::health
