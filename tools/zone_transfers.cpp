#include "tools/zone_transfers.h"

#include <array>
#include <random>

#include <sys/socket.h>

#include "dns/sockets.h"
#include "dns/transfer_serials.h"
#include "tools/clock.h"
#include "tools/log.h"

namespace demarc::tools {
namespace {

constexpr int answers_per_event = 64;  // then the loop's other work has its turn
constexpr std::size_t answer_bytes_max = 1500;

std::function<std::uint16_t()> random_ids() {
  return [device = std::make_shared<std::random_device>()] {
    return static_cast<std::uint16_t>((*device)());
  };
}

}  // namespace

ZoneTransfers::ZoneTransfers(EventLoop& loop, Controller& controller)
    : loop_(loop), controller_(controller), queue_(random_ids()) {}

ZoneTransfers::~ZoneTransfers() {
  *is_alive_ = false;
  for (const Descriptor* socket : {&socket_v4_, &socket_v6_}) {
    if (socket->is_open()) loop_.unwatch(socket->number());
  }
}

void ZoneTransfers::prepare(const dns::Snapshot* before, const dns::Snapshot& next) {
  if (next.transfers == nullptr) {
    queue_ = dns::NotifyQueue(random_ids());
    return;
  }
  if (before == nullptr || before->transfers != next.transfers) queue_.configure(*next.transfers);
  note(next);
  if (has_begun_) change_all(before, next);
}

// A crash before the save forgets one serial at most, which dns::begin_serials() allows for.
void ZoneTransfers::note(const dns::Snapshot& now) {
  zones::SerialBook book = controller_.steering().state().serials;
  if (!dns::note_serials(now, book)) return;
  controller_.steering().remember_serials(std::move(book));
  // Not amid a step, which may yet find that its crossings were not made.
  loop_.post([this, is_alive = is_alive_] {
    if (*is_alive) controller_.save_now();
  });
}

void ZoneTransfers::change_all(const dns::Snapshot* before, const dns::Snapshot& now) {
  const MonotonicTime time = read_clocks().monotonic;
  for (std::uint32_t zone = 0; zone < now.serials.size(); ++zone) {
    const dns::TransferZone* const transfer = now.transfers->find(zone);
    if (transfer == nullptr) continue;
    const auto known = before != nullptr && before->transfers != nullptr
                           ? before->transfers->find_apex(transfer->apex)
                           : std::nullopt;
    if (known && before->serials[*known] == now.serials[zone]) continue;
    queue_.change(transfer->apex, now.serials[zone], time);
  }
}

void ZoneTransfers::begin(const dns::Snapshot& now) {
  has_begun_ = true;
  if (now.transfers == nullptr) return;
  change_all(nullptr, now);
  send_due();
}

void ZoneTransfers::send_due() {
  if (!has_begun_) return;
  const auto due = queue_.take_due(read_clocks());
  for (const dns::NotifyMessage& message : due.messages) send(message);
  for (const dns::NotifyOutcome& outcome : due.given_up) tell(outcome);
}

// What cannot be sent is tried again like what is not answered.
void ZoneTransfers::send(const dns::NotifyMessage& message) {
  const int socket = socket_for(message.address.family);
  if (socket < 0) return;
  sockaddr_storage storage{};
  const socklen_t size = dns::write_socket_address({message.address, message.port}, storage);
  const ssize_t sent = ::sendto(socket, message.bytes.data(), message.bytes.size(), MSG_NOSIGNAL,
                                reinterpret_cast<const sockaddr*>(&storage), size);
  if (sent >= 0) ++counts_.sent;
}

int ZoneTransfers::socket_for(geo::Family family) {
  const bool is_ipv4 = family == geo::Family::ipv4;
  Descriptor& socket = is_ipv4 ? socket_v4_ : socket_v6_;
  if (socket.is_open()) return socket.number();
  Descriptor opened(
      ::socket(is_ipv4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int number = opened.number();
  if (!opened.is_open() || !loop_.watch(number, [this, number] { receive(number); })) {
    log_warning("notify-no-socket error={}", system_error("open a socket").error().text());
    return -1;
  }
  socket = std::move(opened);
  return number;
}

void ZoneTransfers::receive(int socket) {
  std::array<std::uint8_t, answer_bytes_max> bytes{};
  for (int count = 0; count < answers_per_event; ++count) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    const ssize_t got = ::recvfrom(socket, bytes.data(), bytes.size(), 0,
                                   reinterpret_cast<sockaddr*>(&storage), &size);
    if (got < 0) return;
    const dns::Endpoint from = dns::read_socket_address(storage);
    const auto outcome = queue_.take_answer(from.address, from.port,
                                            std::span(bytes).first(static_cast<std::size_t>(got)),
                                            read_clocks().wall);
    if (outcome) tell(*outcome);
  }
}

void ZoneTransfers::tell(const dns::NotifyOutcome& outcome) {
  const std::string zone = outcome.apex.text_without_dot();
  const std::string to = dns::to_text({outcome.target.address, outcome.target.port});
  switch (outcome.kind) {
    case dns::NotifyOutcome::Kind::taken:
      ++counts_.taken;
      return;
    case dns::NotifyOutcome::Kind::refused:
      ++counts_.refused;
      return log_warning("notify-refused zone={} serial={} to={} rcode={}", zone, outcome.serial,
                         to, outcome.rcode);
    case dns::NotifyOutcome::Kind::unanswered:
      ++counts_.unanswered;
      return log_warning("notify-unanswered zone={} serial={} to={} tries={}", zone, outcome.serial,
                         to, dns::notify_tries_max);
  }
}

}  // namespace demarc::tools
