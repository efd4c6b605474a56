#include "health/datagram_probes.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "health/dns_probe.h"
#include "health/icmp_echo.h"
#include "health/judgement.h"
#include "health/socket_address.h"

namespace demarc::health {
namespace {

using std::chrono::microseconds;
using zones::ProbeScheme;

constexpr std::size_t datagram_max = 4096;
constexpr int datagrams_a_turn = 16;  // of one probe: nobody's flood holds up the others

int protocol_of(const Probe& probe, geo::Family family) noexcept {
  if (probe.scheme != ProbeScheme::icmp) return 0;
  return family == geo::Family::ipv4 ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6};
}

/// What we lack is no failure of theirs.
ProbeResult our_fault(std::string detail) {
  return {.outcome = ProbeOutcome::silent, .detail = std::move(detail)};
}

}  // namespace

void DatagramProbes::start(TargetId target, const Probe& probe, Clock::time_point now) {
  Running running{.probe = probe,
                  .socket = {},
                  .token = random_(),
                  .request = {},
                  .started = now,
                  .again = now + probe.timing.timeout / 2,
                  .deadline = now + probe.timing.timeout};
  const auto give_up = [&](ProbeResult result) { ended_.push_back({target, std::move(result)}); };
  if (probe.addresses.empty()) return give_up(our_fault("no address to ask"));
  const geo::Address& address = probe.addresses.front();
  if (probe.scheme == ProbeScheme::icmp) {
    running.request = write_echo(address.family, running.token);
  } else {
    auto question = write_dns_question(probe, static_cast<std::uint16_t>(running.token));
    if (!question) return give_up(our_fault("no question to ask"));
    running.request = std::move(*question);
  }
  const SocketAddress to = socket_address(address, probe.connect_port);
  running.socket =
      Descriptor(::socket(to.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                          protocol_of(probe, address.family)));
  if (!running.socket.is_open()) {
    const bool is_forbidden = errno == EACCES || errno == EPERM;
    return give_up(our_fault(is_forbidden && probe.scheme == ProbeScheme::icmp
                                 ? "ICMP is not permitted here: net.ipv4.ping_group_range"
                                 : fmt::format("no socket: {}", std::strerror(errno))));
  }
  if (::connect(running.socket.number(), to.pointer(), to.size) != 0 ||
      ::send(running.socket.number(), running.request.data(), running.request.size(),
             MSG_NOSIGNAL) < 0) {
    return give_up(judge_silence(probe, fmt::format("cannot send: {}", std::strerror(errno))));
  }
  running_.insert_or_assign(target, std::move(running));
}

std::optional<ProbeResult> DatagramProbes::receive(const Running& running) {
  std::array<std::uint8_t, datagram_max> buffer{};
  for (int i = 0; i < datagrams_a_turn; ++i) {
    const ssize_t got = ::recv(running.socket.number(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return std::nullopt;
    if (got < 0) {
      return judge_silence(running.probe,
                           errno == ECONNREFUSED ? "connection refused" : std::strerror(errno));
    }
    const std::span bytes(buffer.data(), static_cast<std::size_t>(got));
    if (running.probe.scheme == ProbeScheme::icmp) {
      if (!is_echo_reply(running.probe.addresses.front().family, running.token, bytes)) continue;
      return ProbeResult{.outcome = ProbeOutcome::pass, .detail = "echo"};
    }
    auto result = judge_dns_answer(running.probe, static_cast<std::uint16_t>(running.token), bytes);
    if (result) return result;
  }
  return std::nullopt;
}

void DatagramProbes::collect(Clock::time_point now, std::vector<FinishedProbe>& finished) {
  std::ranges::move(std::exchange(ended_, {}), std::back_inserter(finished));
  for (auto at = running_.begin(); at != running_.end();) {
    auto& [target, running] = *at;
    auto result = receive(running);
    const bool is_timeout = !result && now >= running.deadline;
    if (is_timeout) {
      result = judge_silence(
          running.probe, fmt::format("timeout after {} ms", running.probe.timing.timeout.count()));
    }
    if (!result) {
      send_again(running, now);
      ++at;
      continue;
    }
    result->latency = std::chrono::duration_cast<microseconds>(now - running.started);
    finished.push_back({target, std::move(*result), is_timeout});
    at = running_.erase(at);
  }
}

void DatagramProbes::send_again(Running& running, Clock::time_point now) {
  if (now < running.again) return;
  running.again = Clock::time_point::max();
  // What cannot be sent is not answered, and that is judged at the deadline.
  (void)::send(running.socket.number(), running.request.data(), running.request.size(),
               MSG_NOSIGNAL);
}

void DatagramProbes::add_descriptors(std::vector<int>& descriptors) const {
  for (const auto& [target, running] : running_) descriptors.push_back(running.socket.number());
}

DatagramProbes::Clock::time_point DatagramProbes::next_deadline() const noexcept {
  if (!ended_.empty()) return Clock::time_point::min();
  auto next = Clock::time_point::max();
  for (const auto& [target, running] : running_) {
    next = std::min({next, running.again, running.deadline});
  }
  return next;
}

}  // namespace demarc::health
