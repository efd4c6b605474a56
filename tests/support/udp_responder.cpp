// The questions come from our own clients and dig: one question, an OPT without or with ECS.
#include "tests/support/udp_responder.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <iterator>
#include <string_view>
#include <system_error>

namespace demarc::testing {

namespace {

constexpr std::size_t header_size = 12;

void put(std::vector<std::uint8_t>& out, std::initializer_list<int> bytes) {
  for (const int byte : bytes) out.push_back(static_cast<std::uint8_t>(byte));
}

/// The question's end, or 0 if there is no whole one.
std::size_t question_end(std::span<const std::uint8_t> query) {
  std::size_t at = header_size;
  while (at < query.size() && query[at] != 0) at += query[at] + 1U;
  return at + 5 <= query.size() ? at + 5 : 0;
}

std::string_view first_label(std::span<const std::uint8_t> query) {
  return {reinterpret_cast<const char*>(query.data()) + header_size + 1, query[header_size]};
}

/// Header and question as asked, one A record, an OPT with ECS and EDE.
std::vector<std::uint8_t> build_answer(std::span<const std::uint8_t> query, std::size_t end) {
  const bool has_edns = query[11] != 0;
  std::vector<std::uint8_t> out(query.begin(), query.begin() + static_cast<std::ptrdiff_t>(end));
  out[2] = 0x84;  // QR, AA
  out[3] = 0;
  out[7] = 1;  // answers
  put(out, {0xc0, header_size, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 192, 0, 2, 10});
  if (!has_edns) return out;
  put(out, {0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 17});
  put(out, {0, 8, 0, 7, 0, 1, 24, 16, 192, 0, 2});  // ECS, scope 16
  put(out, {0, 15, 0, 2, 0, 14});                   // EDE 14
  return out;
}

}  // namespace

UdpResponder::UdpResponder() {
  socket_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  stop_event_ = eventfd(0, EFD_CLOEXEC);
  sockaddr_in address{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (socket_ < 0 || stop_event_ < 0 || bind(socket_, generic, size) != 0 ||
      getsockname(socket_, generic, &size) != 0) {
    throw std::system_error(errno, std::generic_category(), "UDP responder");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { answer_all(); });
}

UdpResponder::~UdpResponder() {
  eventfd_write(stop_event_, 1);
  thread_.join();
  close(stop_event_);
  close(socket_);
}

void UdpResponder::answer_all() const {
  std::array<std::uint8_t, 4096> buffer{};
  for (;;) {
    pollfd waiting[] = {{stop_event_, POLLIN, 0}, {socket_, POLLIN, 0}};
    poll(waiting, 2, -1);
    if (waiting[0].revents != 0) return;
    sockaddr_storage from{};
    socklen_t from_size = sizeof from;
    auto* const peer = reinterpret_cast<sockaddr*>(&from);
    const ssize_t got = recvfrom(socket_, buffer.data(), buffer.size(), 0, peer, &from_size);
    if (got < static_cast<ssize_t>(header_size)) continue;
    const std::span query(buffer.data(), static_cast<std::size_t>(got));
    const std::size_t end = question_end(query);
    if (end == 0) continue;
    const std::string_view label = first_label(query);
    if (label == "silent") continue;
    std::vector<std::uint8_t> answer = build_answer(query, end);
    if (label == "wrong") answer[header_size + 1] = 'x';
    for (int copies = label == "twice" ? 2 : 1; copies > 0; --copies) {
      sendto(socket_, answer.data(), answer.size(), 0, peer, from_size);
    }
  }
}

}  // namespace demarc::testing
