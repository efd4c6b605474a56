// The server: sockets and threads of all listen addresses. Everything else of the room is below it;
// tools/ starts it once the first snapshot is published (dns/published.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "dns/published.h"
#include "dns/sockets.h"
#include "dns/tcp_connections.h"
#include "dns/worker.h"
#include "geo/base/result.h"

namespace demarc::dns {

struct ServerConfig {
  std::vector<Endpoint> listen;      // port 0: any free one, the same for UDP and TCP
  std::vector<Endpoint> tls_listen;  // DNS over TLS (RFC 7858)
  unsigned threads = 1;              // UDP threads for each address
  bool steers_by_cpu = false;        // a datagram stays on the CPU that received it
  std::uint64_t seed = 0;            // of the random numbers that draw answers
  TcpLimits tcp;                     // over all addresses
  RateLimit rate_limit;              // over UDP
  /// Who sends a PROXY header of version 2 before datagrams and connections, and must.
  std::vector<geo::Prefix> proxy_peers;
};

/// Control thread only. The order is bind(), serve(), stop().
class Server {
 public:
  /// Opens all sockets, so that a port that is taken shows before anything runs.
  [[nodiscard]] static Result<std::unique_ptr<Server>, SystemError> bind(
      const ServerConfig& config);
  ~Server();  // stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Starts the threads: one for each UDP socket, one for all TCP. They block all signals, which
  /// are for the control thread. `published` outlives stop().
  [[nodiscard]] Result<void, SystemError> serve(Published& published);

  /// Ends and joins all threads, within a fifth of a second; the sockets stay bound until the
  /// destructor. Harmless if called twice.
  void stop();

  /// The addresses with the ports they really have, in the order of the configuration.
  [[nodiscard]] const std::vector<Endpoint>& bound() const noexcept { return bound_; }

  [[nodiscard]] const std::vector<Endpoint>& tls_bound() const noexcept { return tls_bound_; }

  /// Sums over all threads; monotonic. May be called while they run.
  [[nodiscard]] CounterValues counters() const noexcept;

  /// Queries that each UDP thread took: those of the first address, then of the next. As above.
  [[nodiscard]] std::vector<std::uint64_t> udp_queries_by_thread() const;

 private:
  struct UdpSocket {
    Descriptor socket;
    bool names_source = false;
    unsigned thread = 0;  // among those of its address
  };
  // The sockets of one address.
  struct Listening {
    Descriptor tcp;
    std::vector<UdpSocket> udp;
    Endpoint endpoint;
  };

  explicit Server(const ServerConfig& config) : config_(config) {}
  [[nodiscard]] static Result<Listening, SystemError> open(const Endpoint& wanted,
                                                           const ServerConfig& config);
  void start_threads(Published& published);

  ServerConfig config_;
  std::vector<Descriptor> tcp_listeners_;
  std::vector<Descriptor> tls_listeners_;
  std::vector<UdpSocket> udp_sockets_;
  std::vector<Endpoint> bound_;
  std::vector<Endpoint> tls_bound_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> threads_;
  std::atomic<bool> stopping_{false};
};

}  // namespace demarc::dns
