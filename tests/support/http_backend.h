// A small real HTTP server on loopback that a test kills, slows and breaks while it runs: what
// health probes ask, and what the drill's backends are. tests/support/stream.h is its connections.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/certificates.h"
#include "tests/support/stream.h"

namespace demarc::testing {

/// How the next requests are answered; one that has begun goes on as it was.
enum class Conduct : std::uint8_t {
  answer,           // `status` with a small body, after `delay`
  hang,             // reads the request, says nothing
  redirect,         // 302 to `location`
  endless_body,     // 200, and a body that never ends, as fast as it is read
  dribble,          // 200, and a body that never ends, a byte every few milliseconds
  endless_headers,  // 200, and header lines without end
  cut_short,        // 200, and less body than promised
  garbage,          // bytes that are no HTTP
  reset,            // RST instead of an answer
};

struct Behaviour {
  Conduct conduct = Conduct::answer;
  int status = 200;
  std::chrono::milliseconds delay{0};
  std::string location;
  std::string body = "ok\n";                                  // with Conduct::answer
  std::string headers;                                        // likewise: whole lines
  std::vector<std::pair<std::string, std::string>> trailers;  // of HTTP/2
};

/// One request as it was read.
struct Received {
  std::string head;  // request line and headers
  std::string body;
  [[nodiscard]] std::string header(const std::string& name) const;  // "" if it has none
};

struct BackendOptions {
  std::string address = "127.0.0.1";  // or "::1"
  std::uint16_t port = 0;             // 0: any free one
  std::optional<TlsIdentity> tls;     // none: plain HTTP
  Alpn alpn = Alpn::none;             // h2: a TLS client that does not offer it is refused
  bool speaks_http2 = false;          // to a client that begins with its preface
};

/// All members may be called from any thread. Throws std::system_error if it cannot listen.
/// One request a connection ("Connection: close"); the port stays its own while it is closed.
class HttpBackend {
 public:
  explicit HttpBackend(BackendOptions options = {});
  ~HttpBackend();  // ends every connection
  HttpBackend(const HttpBackend&) = delete;
  HttpBackend& operator=(const HttpBackend&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

  void behave(Behaviour behaviour);
  void ok() { behave({}); }
  void status(int status) { behave({.status = status}); }
  void answer_with(std::string body, int status = 200) {
    behave({.status = status, .body = std::move(body)});
  }
  void slow(std::chrono::milliseconds delay) { behave({.delay = delay}); }
  void hang() { behave({.conduct = Conduct::hang}); }

  /// Stops listening and ends its connections: connecting is refused. Nothing if closed already.
  void close();
  /// Listens again on the same port. Nothing if open already.
  void reopen();

  /// Connections taken, and requests read, since the start.
  [[nodiscard]] std::size_t connections() const noexcept { return connections_; }
  [[nodiscard]] std::size_t requests() const noexcept { return requests_; }
  /// Connections that are open now.
  [[nodiscard]] std::size_t open_connections() const;
  /// The last request's line and headers; "" before the first.
  [[nodiscard]] std::string last_request() const;
  /// Every request with its body, in the order they were read; a body above 1 MiB is cut.
  [[nodiscard]] std::vector<Received> received() const;
  /// The server name that the last TLS client sent (RFC 6066 §3); "" for none.
  [[nodiscard]] std::string last_server_name() const;
  /// Handshakes that resumed a session of before.
  [[nodiscard]] std::size_t resumptions() const noexcept { return resumptions_; }

 private:
  struct Connection {
    int socket = -1;
    bool is_done = false;
    std::thread thread;
  };
  void accept_all(int listener, int stop_event);
  void begin(int socket);
  void reap();
  void serve(Connection& connection);
  void answer(Stream& stream, const Behaviour& behaviour);
  bool pause(std::chrono::milliseconds time);

  const BackendOptions options_;
  const TlsServer tls_;
  int reserved_ = -1;  // bound, never listening: keeps the port ours
  std::uint16_t port_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable ended_;
  Behaviour behaviour_;
  std::list<Connection> open_;
  std::string last_request_;
  std::vector<Received> received_;
  std::string last_server_name_;
  bool is_ending_ = false;  // the connections have to end

  std::mutex listening_;  // close() and reopen(), one at a time
  int listener_ = -1;
  int stop_event_ = -1;
  std::thread accepting_;

  std::atomic<std::size_t> connections_{0};
  std::atomic<std::size_t> resumptions_{0};
  std::atomic<std::size_t> requests_{0};
};

}  // namespace demarc::testing
