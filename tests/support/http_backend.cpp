// One thread accepts, each connection has one of its own; close() and the destructor shut every
// socket down, which ends whatever its thread is doing.
#include "tests/support/http_backend.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "tests/support/http2_answer.h"

namespace demarc::testing {

namespace {

constexpr int backlog = 512;
constexpr std::chrono::milliseconds dribble_pause{5};

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  SocketAddress(const std::string& address, std::uint16_t port) {
    auto* const v4 = reinterpret_cast<sockaddr_in*>(&storage);
    auto* const v6 = reinterpret_cast<sockaddr_in6*>(&storage);
    if (inet_pton(AF_INET, address.c_str(), &v4->sin_addr) == 1) {
      v4->sin_family = AF_INET;
      v4->sin_port = htons(port);
      size = sizeof *v4;
    } else if (inet_pton(AF_INET6, address.c_str(), &v6->sin6_addr) == 1) {
      v6->sin6_family = AF_INET6;
      v6->sin6_port = htons(port);
      size = sizeof *v6;
    } else {
      throw std::invalid_argument("not an address: " + address);
    }
  }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

int bound_socket(const SocketAddress& address) {
  const int socket = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) fail("socket");
  const int on = 1;  // two sockets may share the port as long as at most one listens
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(socket, address.get(), address.size) != 0) {
    const int error_number = errno;
    ::close(socket);
    errno = error_number;
    fail("bind");
  }
  return socket;
}

std::uint16_t port_of(int socket) {
  sockaddr_in6 address{};  // the port of both families is in the same place
  socklen_t size = sizeof address;
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) fail("getsockname");
  return ntohs(address.sin6_port);
}

void block_signals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

void close_with_reset(int socket) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

constexpr std::size_t body_max_bytes = 1U << 20U;

constexpr std::string_view endless_start = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";

}  // namespace

std::string Received::header(const std::string& name) const {
  const std::string start = "\r\n" + name + ": ";
  const auto at = head.find(start);
  if (at == std::string::npos) return {};
  const auto from = at + start.size();
  return head.substr(from, head.find("\r\n", from) - from);
}

HttpBackend::HttpBackend(BackendOptions options)
    : options_(std::move(options)), tls_(options_.tls, options_.alpn) {
  reserved_ = bound_socket({options_.address, options_.port});
  port_ = port_of(reserved_);
  reopen();
}

HttpBackend::~HttpBackend() {
  close();
  ::close(reserved_);
}

void HttpBackend::behave(Behaviour behaviour) {
  const std::scoped_lock lock(mutex_);
  behaviour_ = std::move(behaviour);
}

void HttpBackend::reopen() {
  const std::scoped_lock one_at_a_time(listening_);
  if (accepting_.joinable()) return;
  listener_ = bound_socket({options_.address, port_});
  if (listen(listener_, backlog) != 0) fail("listen");
  stop_event_ = eventfd(0, EFD_CLOEXEC);
  if (stop_event_ < 0) fail("eventfd");
  {
    const std::scoped_lock lock(mutex_);
    is_ending_ = false;
  }
  accepting_ = std::thread(&HttpBackend::accept_all, this, listener_, stop_event_);
}

void HttpBackend::close() {
  const std::scoped_lock one_at_a_time(listening_);
  if (!accepting_.joinable()) return;
  eventfd_write(stop_event_, 1);
  accepting_.join();
  ::close(stop_event_);
  ::close(listener_);
  std::list<Connection> ending;
  {
    const std::scoped_lock lock(mutex_);
    is_ending_ = true;
    for (const Connection& connection : open_) {
      if (!connection.is_done) ::shutdown(connection.socket, SHUT_RDWR);
    }
    ending.swap(open_);
  }
  ended_.notify_all();
  for (Connection& connection : ending) connection.thread.join();
}

void HttpBackend::accept_all(int listener, int stop_event) {
  block_signals();
  for (;;) {
    pollfd waiting[] = {{stop_event, POLLIN, 0}, {listener, POLLIN, 0}};
    if (poll(waiting, 2, -1) < 0 && errno != EINTR) return;
    if (waiting[0].revents != 0) return;
    if (waiting[1].revents == 0) continue;
    const int socket = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    reap();
    begin(socket);
  }
}

void HttpBackend::begin(int socket) {
  ++connections_;
  const std::scoped_lock lock(mutex_);
  Connection& connection = open_.emplace_back();
  connection.socket = socket;
  connection.thread = std::thread([this, &connection] { serve(connection); });
}

void HttpBackend::reap() {
  const std::scoped_lock lock(mutex_);
  for (auto at = open_.begin(); at != open_.end();) {
    if (!at->is_done) {
      ++at;
      continue;
    }
    at->thread.join();  // it has nothing left to do but return
    at = open_.erase(at);
  }
}

void HttpBackend::serve(Connection& connection) {
  block_signals();
  int socket = -1;
  {
    const std::scoped_lock lock(mutex_);
    socket = connection.socket;
  }
  {
    Stream stream(socket, tls_);
    {
      const std::scoped_lock lock(mutex_);
      last_server_name_ = stream.server_name();
      if (stream.is_resumed()) ++resumptions_;
    }
    const auto head = stream.is_good() ? stream.read_head() : std::nullopt;
    if (head) {
      Received received{*head, {}};
      const std::string length = received.header("Content-Length");
      if (!length.empty()) {
        received.body = stream.read_body(std::min(std::stoul(length), body_max_bytes));
      }
      Behaviour behaviour;
      {
        const std::scoped_lock lock(mutex_);
        last_request_ = *head;
        received_.push_back(std::move(received));
        behaviour = behaviour_;
      }
      ++requests_;
      if (behaviour.conduct == Conduct::reset) close_with_reset(socket);
      if (options_.speaks_http2 && is_http2_preface(*head)) {
        answer_http2(stream, behaviour.status, behaviour.body, behaviour.trailers);
      } else {
        answer(stream, behaviour);
      }
    }
  }
  const std::scoped_lock lock(mutex_);
  ::close(socket);
  connection.is_done = true;
}

void HttpBackend::answer(Stream& stream, const Behaviour& behaviour) {
  const auto simple = [&behaviour](int status, std::string_view more) {
    return fmt::format("HTTP/1.1 {} Test\r\n{}Content-Length: {}\r\nConnection: close\r\n\r\n{}",
                       status, more, behaviour.body.size(), behaviour.body);
  };
  switch (behaviour.conduct) {
    case Conduct::answer:
      if (pause(behaviour.delay)) stream.write(simple(behaviour.status, behaviour.headers));
      return;
    case Conduct::hang:
      stream.wait_for_end();
      return;
    case Conduct::redirect:
      stream.write(simple(302, fmt::format("Location: {}\r\n", behaviour.location)));
      return;
    case Conduct::endless_body: {
      const std::string block(16'384, 'x');
      bool good = stream.write(endless_start);
      while (good) good = stream.write(block);
      return;
    }
    case Conduct::dribble: {
      bool good = stream.write(endless_start);
      while (good && pause(dribble_pause)) good = stream.write("x");
      return;
    }
    case Conduct::endless_headers: {
      bool good = stream.write("HTTP/1.1 200 OK\r\n");
      while (good) good = stream.write("X-More: 0123456789012345678901234567890123456789\r\n");
      return;
    }
    case Conduct::cut_short:
      stream.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nok\n");
      return;
    case Conduct::garbage:
      stream.write("\x01\x02SSH-2.0-not-http\r\n\r\n");
      return;
    case Conduct::reset:
      return;
  }
}

bool HttpBackend::pause(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return !ended_.wait_for(lock, time, [this] { return is_ending_; });
}

std::size_t HttpBackend::open_connections() const {
  const std::scoped_lock lock(mutex_);
  std::size_t count = 0;
  for (const Connection& connection : open_) count += connection.is_done ? 0 : 1;
  return count;
}

std::string HttpBackend::last_request() const {
  const std::scoped_lock lock(mutex_);
  return last_request_;
}

std::vector<Received> HttpBackend::received() const {
  const std::scoped_lock lock(mutex_);
  return received_;
}

std::string HttpBackend::last_server_name() const {
  const std::scoped_lock lock(mutex_);
  return last_server_name_;
}

}  // namespace demarc::testing
