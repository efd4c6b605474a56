#include "tools/dns_question.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <array>
#include <random>

#include "dns/wire.h"

namespace demarc::tools {
namespace {

constexpr int pointers_max = 32;  // of one compressed name; more is a loop

/// Takes an answer apart; every read is checked, a failed one makes the rest fail.
class Reader {
 public:
  explicit Reader(std::string_view message) : message_(message) {}

  [[nodiscard]] bool failed() const noexcept { return failed_; }
  [[nodiscard]] std::size_t at() const noexcept { return at_; }
  void go_to(std::size_t at) {
    failed_ = failed_ || at > message_.size();
    at_ = at;
  }

  std::uint32_t number(std::size_t bytes) {
    std::uint32_t value = 0;
    if (failed_ || message_.size() - at_ < bytes) {
      failed_ = true;
      return 0;
    }
    for (std::size_t i = 0; i < bytes; ++i) {
      value = (value << 8U) | static_cast<std::uint8_t>(message_[at_++]);
    }
    return value;
  }

  /// Uncompressed wire bytes of a name, pointers followed (RFC 1035 §4.1.4).
  std::string name() {
    std::string wire;
    std::size_t from = at_, after = 0;
    for (int pointers = 0; !failed_;) {
      if (from >= message_.size() || wire.size() > dns::name_size_max) break;
      const auto length = static_cast<std::uint8_t>(message_[from]);
      if ((length & 0xc0U) == 0xc0U) {
        if (from + 1 >= message_.size() || ++pointers > pointers_max) break;
        if (after == 0) after = from + 2;
        from = static_cast<std::size_t>(length & 0x3fU) << 8U |
               static_cast<std::uint8_t>(message_[from + 1]);
        continue;
      }
      if (length > 63 || from + 1 + length > message_.size()) break;
      wire += message_.substr(from, 1U + length);
      from += 1U + length;
      if (length != 0) continue;
      at_ = after != 0 ? after : from;
      return wire;
    }
    failed_ = true;
    return {};
  }

  std::string_view bytes(std::size_t from, std::size_t size) const {
    return message_.substr(std::min(from, message_.size()), size);
  }

 private:
  std::string_view message_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

void take_record(Reader& reader, WireAnswer& answer) {
  (void)reader.name();
  const auto type = reader.number(2);
  (void)reader.number(2);
  const auto ttl = reader.number(4);
  const auto size = reader.number(2);
  const std::size_t data = reader.at();
  reader.go_to(data + size);
  if (reader.failed()) return;
  if (!answer.ttl) answer.ttl = ttl;
  if (type == dns::rrtype::a && size == 4) {
    Reader address(reader.bytes(data, 4));
    answer.addresses.push_back(geo::Address::ipv4(address.number(4)));
  }
  if (type == dns::rrtype::cname) {
    reader.go_to(data);
    const std::string wire = reader.name();
    reader.go_to(data + size);
    answer.cname =
        zones::Name::from_wire({reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size()});
  }
}

std::string question(const zones::Name& name, std::uint16_t id) {
  std::string message(dns::header_size, '\0');
  message[0] = static_cast<char>(id >> 8U);
  message[1] = static_cast<char>(id & 0xffU);
  message[5] = 1;  // QDCOUNT
  message += name.wire();
  message += std::string("\0\1\0\1", 4);  // A, IN
  return message;
}

}  // namespace

std::optional<WireAnswer> parse_dns_answer(std::string_view message, std::uint16_t id) {
  Reader reader(message);
  const auto found_id = reader.number(2);
  const auto flags = reader.number(2);
  const auto questions = reader.number(2);
  const auto answers = reader.number(2);
  (void)reader.number(4);
  if (reader.failed() || found_id != id || (flags & 0x8000U) == 0) return std::nullopt;
  for (std::uint32_t i = 0; i < questions && !reader.failed(); ++i) {
    (void)reader.name();
    (void)reader.number(4);
  }
  WireAnswer answer{.rcode = flags & 0xfU, .addresses = {}, .cname = {}, .ttl = {}};
  for (std::uint32_t i = 0; i < answers && !reader.failed(); ++i) take_record(reader, answer);
  if (reader.failed()) return std::nullopt;
  return answer;
}

Result<WireAnswer, SystemError> ask_dns(const dns::Endpoint& server, const zones::Name& name,
                                        Milliseconds timeout) {
  const auto id = static_cast<std::uint16_t>(std::random_device{}());
  sockaddr_storage storage{};
  const auto size = dns::write_socket_address(server, storage);
  const Descriptor socket(::socket(storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return system_error("socket");
  const timeval wait{.tv_sec = timeout.count() / 1000, .tv_usec = timeout.count() % 1000 * 1000};
  ::setsockopt(socket.number(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  if (::connect(socket.number(), reinterpret_cast<const sockaddr*>(&storage), size) != 0) {
    return system_error("connect to " + dns::to_text(server));
  }
  const std::string message = question(name, id);
  if (::send(socket.number(), message.data(), message.size(), 0) < 0) {
    return system_error("send to " + dns::to_text(server));
  }
  std::array<char, 4096> buffer{};
  const auto got = ::recv(socket.number(), buffer.data(), buffer.size(), 0);
  if (got < 0) return system_error("no answer from " + dns::to_text(server));
  const auto answer = parse_dns_answer({buffer.data(), static_cast<std::size_t>(got)}, id);
  if (!answer) return failure("what " + dns::to_text(server) + " sent is no answer");
  return *answer;
}

}  // namespace demarc::tools
