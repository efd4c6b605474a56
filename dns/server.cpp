#include "dns/server.h"

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "dns/cpu_steering.h"
#include "dns/tcp_loop.h"
#include "dns/udp_loop.h"

namespace demarc::dns {

namespace {

// With port 0 the kernel picks one that is free for TCP; UDP may have it taken.
constexpr int port_attempts_max = 32;

// Threads inherit the signal mask: those made while this lives get no signals.
class BlockedSignals {
 public:
  BlockedSignals() noexcept {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

Result<Server::Listening, SystemError> Server::open(const Endpoint& wanted,
                                                    const ServerConfig& config) {
  Listening listening{{}, {}, wanted};
  auto tcp = open_tcp_listener(wanted);
  if (!tcp) return std::unexpected(tcp.error());
  listening.tcp = std::move(*tcp);
  const auto port = bound_port(listening.tcp);
  if (!port) return std::unexpected(port.error());
  listening.endpoint.port = *port;
  const unsigned threads = std::max(config.threads, 1U);
  for (unsigned index = 0; index < threads; ++index) {
    auto udp = open_udp_socket(listening.endpoint);
    if (!udp) return std::unexpected(udp.error());
    listening.udp.push_back({std::move(*udp), is_any_address(wanted.address), index});
  }
  if (config.steers_by_cpu && threads > 1) {
    const int one = listening.udp.front().socket.number();
    if (auto steered = steer_by_cpu(one, threads); !steered) {
      return std::unexpected(std::move(steered.error()));
    }
  }
  return listening;
}

Result<std::unique_ptr<Server>, SystemError> Server::bind(const ServerConfig& config) {
  std::unique_ptr<Server> server(new Server(config));
  for (const Endpoint& wanted : config.listen) {
    auto listening = open(wanted, config);
    for (int attempt = 1; !listening && wanted.port == 0 && attempt < port_attempts_max &&
                          listening.error().error_number == EADDRINUSE;
         ++attempt) {
      listening = open(wanted, config);
    }
    if (!listening) return std::unexpected(listening.error());
    server->tcp_listeners_.push_back(std::move(listening->tcp));
    std::ranges::move(listening->udp, std::back_inserter(server->udp_sockets_));
    server->bound_.push_back(listening->endpoint);
  }
  for (const Endpoint& wanted : config.tls_listen) {
    auto listener = open_tcp_listener(wanted);
    if (!listener) return std::unexpected(listener.error());
    const auto port = bound_port(*listener);
    if (!port) return std::unexpected(port.error());
    server->tls_listeners_.push_back(std::move(*listener));
    server->tls_bound_.push_back({wanted.address, *port});
  }
  for (std::size_t index = 0; index <= server->udp_sockets_.size(); ++index) {
    // Seeds far apart: one thread's numbers are not another's, shifted by one.
    const std::uint64_t seed = Random(config.seed + index).next();
    server->workers_.push_back(std::make_unique<Worker>(seed));
    server->workers_.back()->proxy_peers = config.proxy_peers;
    if (config.rate_limit.per_second != 0) {
      server->workers_.back()->limiter.emplace(config.rate_limit, config.threads, config.seed);
    }
  }
  return server;
}

Server::~Server() { stop(); }

Result<void, SystemError> Server::serve(Published& published) {
  stopping_ = false;
  try {
    start_threads(published);
  } catch (const std::system_error& error) {
    stop();
    return std::unexpected(SystemError{"start a query thread", error.code().value()});
  }
  return {};
}

void Server::start_threads(Published& published) {
  const BlockedSignals blocked;
  std::vector<TcpListener> listeners;
  for (const Descriptor& listener : tcp_listeners_) listeners.push_back({listener.number(), false});
  for (const Descriptor& listener : tls_listeners_) listeners.push_back({listener.number(), true});
  TcpSeats seats{published.add_seat(), {}};
  for (std::size_t index = 0; index < config_.tcp.transfers; ++index) {
    seats.transfers.push_back(&published.add_seat());
  }
  auto tcp = std::make_unique<TcpLoop>(listeners, config_.tcp, published, std::move(seats),
                                       *workers_.front());
  if (const auto opened = tcp->open(); !opened) {
    throw std::system_error(opened.error().error_number, std::generic_category());
  }
  threads_.emplace_back([this, loop = std::move(tcp)] { loop->run(stopping_); });
  for (std::size_t index = 0; index < udp_sockets_.size(); ++index) {
    const UdpSocket& udp = udp_sockets_[index];
    auto loop = std::make_unique<UdpLoop>(udp.socket.number(),
                                          udp.names_source ? NamesSource::yes : NamesSource::no,
                                          published, published.add_seat(), *workers_[index + 1]);
    threads_.emplace_back([this, loop = std::move(loop), index = udp.thread] {
      if (config_.steers_by_cpu) stay_on_cpus(index, std::max(config_.threads, 1U));
      loop->run(stopping_);
    });
  }
}

void Server::stop() {
  stopping_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

CounterValues Server::counters() const noexcept {
  CounterValues sum;
  for (const auto& worker : workers_) sum += worker->counters.values();
  return sum;
}

std::vector<std::uint64_t> Server::udp_queries_by_thread() const {
  std::vector<std::uint64_t> queries;
  for (std::size_t index = 0; index < udp_sockets_.size(); ++index) {
    queries.push_back(workers_[index + 1]->counters.udp_queries.value());
  }
  return queries;
}

}  // namespace demarc::dns
