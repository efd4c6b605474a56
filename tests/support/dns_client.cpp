// The id of a question in flight is its place in the window and a few bits that change with every
// use, so that a late answer to an earlier question is not taken for this one's.
#include "tests/support/dns_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <strings.h>
#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <vector>

namespace demarc::testing {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t window_max = 4'096;
constexpr unsigned window_bits = 12;
constexpr unsigned tries_max = 3;
constexpr int receive_buffer_bytes = 4 << 20;
constexpr std::size_t datagram_max = 65'535;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

int connect_to(const std::string& address, std::uint16_t port) {
  sockaddr_in v4{.sin_family = AF_INET, .sin_port = htons(port)};
  sockaddr_in6 v6{.sin6_family = AF_INET6, .sin6_port = htons(port)};
  const bool is_v4 = inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1;
  if (!is_v4 && inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) != 1) {
    throw std::invalid_argument("not an address: " + address);
  }
  const auto* const to =
      is_v4 ? reinterpret_cast<const sockaddr*>(&v4) : reinterpret_cast<const sockaddr*>(&v6);
  const int socket = ::socket(to->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) fail("socket");
  setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
  if (connect(socket, to, static_cast<socklen_t>(is_v4 ? sizeof v4 : sizeof v6)) != 0) {
    close(socket);
    fail("connect");
  }
  return socket;
}

bool is_same_name(std::string_view asked, const std::string& answered) {
  if (asked.ends_with('.')) asked.remove_suffix(1);
  return asked.size() == answered.size() &&
         strncasecmp(asked.data(), answered.data(), asked.size()) == 0;
}

struct Slot {
  std::size_t question = 0;
  std::uint16_t id = 0;
  unsigned tries = 0;  // 0: free
  Clock::time_point deadline;
};

}  // namespace

/// One ask_all(): the window and what became of it.
struct DnsClient::Batch {
  int socket;
  std::uint16_t& generation;
  std::span<const DnsQuestion> questions;
  std::chrono::milliseconds timeout;
  std::vector<Slot> slots;
  std::size_t next = 0;  // the first question not asked yet
  std::size_t in_flight = 0;
  AskAllResult result;

  void send(Slot& slot) {
    ++slot.tries;
    slot.deadline = Clock::now() + timeout;
    const auto query = build_query(slot.id, questions[slot.question]);
    // A refused port shows as an error on the next call; the tries and the deadline handle it.
    static_cast<void>(::send(socket, query.data(), query.size(), MSG_NOSIGNAL));
  }

  void fill() {
    for (std::size_t at = 0; at < slots.size() && next < questions.size(); ++at) {
      if (slots[at].tries == 0) begin(at);
    }
  }

  void begin(std::size_t at) {
    slots[at].question = next++;
    slots[at].id =
        static_cast<std::uint16_t>(at | static_cast<unsigned>(++generation) << window_bits);
    ++in_flight;
    send(slots[at]);
  }

  void end(Slot& slot) {
    slot.tries = 0;
    --in_flight;
  }

  void resend_late() {
    const auto now = Clock::now();
    for (Slot& slot : slots) {
      if (slot.tries == 0 || now < slot.deadline) continue;
      if (slot.tries < tries_max) {
        ++result.resent;
        send(slot);
      } else {
        ++result.lost;
        end(slot);
      }
    }
  }

  [[nodiscard]] bool is_expected(const DnsReply& reply) const {
    const std::size_t at = reply.id & (window_max - 1);
    if (at >= slots.size() || slots[at].tries == 0 || slots[at].id != reply.id) return false;
    const DnsQuestion& question = questions[slots[at].question];
    return reply.qtype == question.type && is_same_name(question.name, reply.qname);
  }

  void take(std::span<const std::uint8_t> bytes,
            const std::function<void(std::size_t, const DnsReply&)>& taker) {
    const auto reply = parse_reply(bytes);
    if (!reply || !is_expected(*reply)) {
      ++result.strange;
      return;
    }
    const std::size_t at = reply->id & (window_max - 1);
    Slot& slot = slots[at];
    ++result.answered;
    taker(slot.question, *reply);
    end(slot);
    if (next < questions.size()) begin(at);
  }
};

DnsClient::DnsClient(const std::string& address, std::uint16_t port)
    : socket_(connect_to(address, port)) {}

DnsClient::~DnsClient() { close(socket_); }

std::optional<DnsReply> DnsClient::ask(const DnsQuestion& question,
                                       std::chrono::milliseconds timeout) {
  std::optional<DnsReply> found;
  ask_all({&question, 1}, [&](std::size_t, const DnsReply& reply) { found = reply; }, 1, timeout);
  return found;
}

AskAllResult DnsClient::ask_all(std::span<const DnsQuestion> questions,
                                const std::function<void(std::size_t, const DnsReply&)>& take,
                                std::size_t window, std::chrono::milliseconds timeout) {
  Batch batch{
      .socket = socket_, .generation = generation_, .questions = questions, .timeout = timeout};
  batch.slots.resize(std::clamp<std::size_t>(window, 1, window_max));
  std::vector<std::uint8_t> buffer(datagram_max);
  auto next_check = Clock::now();
  batch.fill();
  while (batch.in_flight > 0) {
    pollfd readable{socket_, POLLIN, 0};
    poll(&readable, 1, 10);
    for (;;) {
      const ssize_t got = recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got < 0) break;
      batch.take({buffer.data(), static_cast<std::size_t>(got)}, take);
    }
    if (Clock::now() < next_check) continue;
    next_check = Clock::now() + std::chrono::milliseconds{10};
    batch.resend_late();
    batch.fill();
  }
  return batch.result;
}

}  // namespace demarc::testing
