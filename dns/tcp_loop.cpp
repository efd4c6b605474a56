#include "dns/tcp_loop.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "dns/coarse_clocks.h"

namespace demarc::dns {

namespace {

constexpr int tick_ms = 100;  // how often the thread looks at timeouts and at the stop flag
constexpr int event_count_max = 64;
constexpr int accepts_per_event = 16;  // then the others have their turn
constexpr std::size_t unsent_buffer_count = 64;
// The answers of one write: one of any length always finds room behind half a buffer of others.
constexpr std::size_t answers_size_max = 2 * (message_size_max + 2);
constexpr std::uint64_t listener_tag = std::uint64_t{1} << 32;

}  // namespace

TcpLoop::TcpLoop(std::span<const TcpListener> listeners, const TcpLimits& limits,
                 const Published& published, TcpSeats seats, Worker& worker)
    : listeners_(listeners.begin(), listeners.end()),
      connections_(limits, worker.random.next()),
      published_(published),
      seats_(std::move(seats)),
      worker_(worker),
      answers_(answers_size_max),
      unsent_buffers_(unsent_buffer_count),
      transfers_(seats_.transfers.size()) {
  for (std::size_t place = transfers_.size(); place-- > 0;) {
    free_transfers_.push_back(static_cast<std::uint32_t>(place));
  }
  worker_.transfer_places = static_cast<unsigned>(free_transfers_.size());
  for (auto& buffer : unsent_buffers_) {
    buffer.resize(answers_size_max);
    free_unsent_.push_back(static_cast<std::uint32_t>(free_unsent_.size()));
  }
}

TcpLoop::~TcpLoop() {
  for (auto id = connections_.next_open(0); id; id = connections_.next_open(*id + 1)) close(*id);
}

Result<void, SystemError> TcpLoop::open() {
  epoll_ = Descriptor(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_.is_open()) return system_error("make an epoll");
  for (const TcpListener& listener : listeners_) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = listener_tag | static_cast<std::uint32_t>(listener.socket);
    if (epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, listener.socket, &event) != 0) {
      return system_error("wait for TCP connections");
    }
  }
  return {};
}

void TcpLoop::run(const std::atomic<bool>& stopping) noexcept {
  std::array<epoll_event, event_count_max> events;
  std::int64_t next_tick_ms = 0;
  while (!stopping.load(std::memory_order_relaxed)) {
    const int count = epoll_wait(epoll_.number(), events.data(), event_count_max, tick_ms);
    worker_.now = read_coarse_clocks();
    if (count > 0) {
      const Snapshot& snapshot = published_.next_batch(seats_.queries);
      for (int index = 0; index < count; ++index) {
        handle(events[static_cast<std::size_t>(index)].data.u64, snapshot);
      }
      published_.park(seats_.queries);
    }
    if (worker_.now.monotonic_ms < next_tick_ms) continue;
    next_tick_ms = worker_.now.monotonic_ms + tick_ms;
    close_expired();
    if (accepting_ == Accepting::paused) set_accepting(Accepting::running);
  }
}

// What kind of event it is does not matter: reading and writing find out. So an event for a place
// that was given to another client a moment ago does no harm.
void TcpLoop::handle(std::uint64_t tag, const Snapshot& snapshot) noexcept {
  if ((tag & listener_tag) != 0) {
    return accept_from(static_cast<int>(tag & 0x7fff'ffff), snapshot);
  }
  const auto id = static_cast<ConnectionId>(tag);
  if (connections_.at(id).socket >= 0) serve(id, snapshot);
}

bool TcpLoop::is_tls(int listener) const noexcept {
  return std::ranges::any_of(listeners_, [listener](const TcpListener& known) {
    return known.socket == listener && known.is_tls;
  });
}

void TcpLoop::accept_from(int listener, const Snapshot& snapshot) noexcept {
  const bool has_tls = is_tls(listener);
  const TlsContext* const tls = has_tls ? snapshot.identity->tls.get() : nullptr;
  for (int count = 0; count < accepts_per_event; ++count) {
    sockaddr_storage storage{};
    socklen_t size = sizeof(storage);
    const int socket = accept4(listener, reinterpret_cast<sockaddr*>(&storage), &size,
                               SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket >= 0 && has_tls && tls == nullptr) {  // nothing to show
      ::close(socket);
      continue;
    }
    if (socket >= 0) {
      const auto id = welcome(socket, read_socket_address(storage).address, tls);
      // Its first query is mostly there already: so no event is waited for.
      if (id) serve(*id, snapshot);
      continue;
    }
    if (errno == ECONNABORTED || errno == EINTR) continue;
    const bool lacks_resources = errno == EMFILE || errno == ENFILE || errno == ENOBUFS;
    if (lacks_resources) make_room();
    return;
  }
}

std::optional<ConnectionId> TcpLoop::welcome(int socket, const geo::Address& client,
                                             const TlsContext* tls) noexcept {
  // A proxy has many connections, as it has many clients; TLS ends at us, so there is none before.
  const bool is_from_proxy = tls == nullptr && is_proxy(worker_.proxy_peers, client);
  if (!is_from_proxy && connections_.has_too_many(client)) {
    worker_.counters.tcp_refused.add();
    ::close(socket);
    return std::nullopt;
  }
  if (connections_.is_full()) {
    if (const auto idle = connections_.longest_idle()) close(*idle);
    worker_.counters.tcp_evicted.add();
  }
  const auto id = connections_.take(socket, client, worker_.now.monotonic_ms);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = id.value_or(0);
  if (!id) {
    ::close(socket);
    return std::nullopt;
  }
  connections_.at(*id).awaits_proxy_header = is_from_proxy;
  if (tls != nullptr) {
    connections_.at(*id).tls = TlsSession::begin(*tls, socket);
    if (connections_.at(*id).tls == nullptr) {
      close(*id);
      return std::nullopt;
    }
    worker_.counters.tls_connections.add();
  }
  if (epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, socket, &event) != 0) {
    close(*id);
    return std::nullopt;
  }
  worker_.counters.tcp_connections.add();
  return id;
}

// Without a pause, the listener would stay readable and the loop spin.
void TcpLoop::make_room() noexcept {
  if (const auto idle = connections_.longest_idle()) {
    worker_.counters.tcp_evicted.add();
    close(*idle);
  }
  set_accepting(Accepting::paused);
}

void TcpLoop::set_accepting(Accepting accepting) noexcept {
  accepting_ = accepting;
  for (const TcpListener& listener : listeners_) {
    epoll_event event{};
    event.events = accepting == Accepting::running ? std::uint32_t{EPOLLIN} : 0;
    event.data.u64 = listener_tag | static_cast<std::uint32_t>(listener.socket);
    epoll_ctl(epoll_.number(), EPOLL_CTL_MOD, listener.socket, &event);
  }
}

void TcpLoop::close_expired() noexcept {
  for (const ConnectionId id : connections_.expired(worker_.now.monotonic_ms)) {
    worker_.counters.tcp_timeouts.add();
    close(id);
  }
}

void TcpLoop::close(ConnectionId id) noexcept {
  TcpConnection& connection = connections_.at(id);
  release_unsent(connection);
  end_transfer(connection);
  if (connection.tls) connection.tls->end();
  connection.tls.reset();
  ::close(connection.socket);  // which takes it out of the epoll, too
  connections_.give_back(id);
}

void TcpLoop::release_unsent(TcpConnection& connection) noexcept {
  if (connection.unsent) free_unsent_.push_back(*connection.unsent);
  connection.unsent.reset();
  connection.blocked_since_ms = TcpConnection::not_waiting;
}

void TcpLoop::wait_for(ConnectionId id, std::uint32_t events) noexcept {
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  epoll_ctl(epoll_.number(), EPOLL_CTL_MOD, connections_.at(id).socket, &event);
}

}  // namespace demarc::dns
