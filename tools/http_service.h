// Read-only HTTP for monitors and applications: /metrics (Prometheus text), /status and /mode/NAME
// (JSON; zones/mode_signal.h), /healthz. It changes nothing; orders and approvals go over the
// control socket. What is posted to /observations is evidence, and signed (health/observations.h).
// Off unless demarcd.yaml has `http`.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "dns/sockets.h"
#include "geo/base/result.h"
#include "tools/event_loop.h"

namespace demarc::tools {

/// The texts are made on the loop's thread, when somebody asks.
struct HttpTexts {
  std::function<std::string()> metrics;
  std::function<std::string()> status;
  /// Of the service of this name; nothing, and so 404, if there is none.
  std::function<std::optional<std::string>(const std::string& name)> mode;
  /// Takes what a vantage pushed, on the service's own threads; the error says why not.
  std::function<Result<void, std::string>(const std::string& message)> observe;
};

class HttpService {
 public:
  /// Listens and starts its threads. A loop that does not answer within two seconds gives 503.
  [[nodiscard]] static Result<std::unique_ptr<HttpService>, SystemError> start(
      EventLoop& loop, const dns::Endpoint& endpoint, HttpTexts texts);
  ~HttpService();

 private:
  HttpService();
  struct Server;
  std::unique_ptr<Server> server_;
};

}  // namespace demarc::tools
