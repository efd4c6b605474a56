#include "dns/query.h"

#include <algorithm>
#include <optional>

#include "dns/client_subnet.h"
#include "dns/wire.h"

namespace demarc::dns {

namespace {

constexpr std::size_t record_fixed_size = 10;  // TYPE, CLASS, TTL, RDLENGTH
constexpr std::uint8_t pointer_bits = 0xc0;

// What of the packet is still to be read.
class Cursor {
 public:
  explicit Cursor(std::span<const std::uint8_t> packet) noexcept : packet_(packet) {}

  [[nodiscard]] std::span<const std::uint8_t> rest() const noexcept { return packet_.subspan(at_); }
  [[nodiscard]] bool at_end() const noexcept { return at_ == packet_.size(); }
  [[nodiscard]] std::size_t position() const noexcept { return at_; }

  /// The next `size` bytes; nothing if there are fewer.
  std::optional<std::span<const std::uint8_t>> take(std::size_t size) noexcept {
    if (packet_.size() - at_ < size) return std::nullopt;
    at_ += size;
    return packet_.subspan(at_ - size, size);
  }

  /// Passes a name, compressed or not, without following pointers; false if it is cut short.
  bool skip_name() noexcept {
    while (at_ < packet_.size()) {
      const std::uint8_t length = packet_[at_];
      if ((length & pointer_bits) == pointer_bits) return take(2).has_value();
      if ((length & pointer_bits) != 0 || !take(std::size_t{length} + 1)) return false;
      if (length == 0) return true;
    }
    return false;
  }

 private:
  std::span<const std::uint8_t> packet_;
  std::size_t at_ = 0;
};

// RFC 7873 §4: a client cookie alone, or one with a server cookie of 8 to 32 bytes.
bool is_cookie_size(std::size_t size) noexcept { return size == 8 || (size >= 16 && size <= 40); }

Reading read_client_subnet(std::span<const std::uint8_t> data, Edns& edns) noexcept {
  const auto subnet = parse_client_subnet(data);
  if (!subnet || !edns.client_subnet.empty()) return Reading::format_error;
  edns.client_subnet = data;
  edns.subnet = *subnet;
  return Reading::good;
}

// Unknown options are ignored (RFC 6891 §6.1.2); of several cookies the first counts.
Reading read_option(std::uint16_t code, std::span<const std::uint8_t> data, Edns& edns) noexcept {
  switch (code) {
    case edns::client_subnet:
      return read_client_subnet(data, edns);
    case edns::cookie:
      if (!is_cookie_size(data.size())) return Reading::format_error;
      if (edns.cookie.empty()) edns.cookie = data;
      return Reading::good;
    case edns::nsid:
      edns.wants_nsid = true;
      return Reading::good;
    case edns::zone_version:
      if (!data.empty()) return Reading::format_error;  // RFC 9660 §3
      edns.wants_zone_version = true;
      return Reading::good;
    case edns::padding:
      edns.wants_padding = true;
      return Reading::good;
    case edns::keepalive:
      edns.wants_keepalive = true;
      return Reading::good;
    default:
      return Reading::good;
  }
}

Reading read_options(std::span<const std::uint8_t> options, Edns& edns) noexcept {
  Cursor cursor(options);
  while (!cursor.at_end()) {
    const auto head = cursor.take(edns::option_header_size);
    if (!head) return Reading::format_error;
    const auto data = cursor.take(get16(head->data() + 2));
    if (!data) return Reading::format_error;
    const Reading reading = read_option(get16(head->data()), *data, edns);
    if (reading != Reading::good) return reading;
  }
  return Reading::good;
}

// `fixed` is the OPT from its TYPE on: CLASS holds the size, TTL the version and the flags.
Reading read_opt(std::span<const std::uint8_t> fixed, std::span<const std::uint8_t> rdata,
                 Edns& edns) noexcept {
  if (edns.present) return Reading::format_error;
  edns.present = true;
  edns.udp_size = get16(fixed.data() + 2);
  edns.version = fixed[5];
  edns.dnssec_ok = (fixed[6] & 0x80) != 0;
  if (edns.version != 0) return Reading::bad_version;  // its options need not look like ours
  const Reading reading = read_options(rdata, edns);
  if (reading != Reading::good) edns.client_subnet = edns.cookie = {};
  return reading;
}

enum class Section : std::uint8_t { answer_or_authority, additional };

Reading read_record(Cursor& cursor, Section section, Query& query) noexcept {
  const std::size_t start = cursor.position();
  if (!cursor.skip_name()) return Reading::format_error;
  const bool owner_is_root = cursor.position() == start + 1;
  const auto fixed = cursor.take(record_fixed_size);
  if (!fixed) return Reading::format_error;
  const auto rdata = cursor.take(get16(fixed->data() + 8));
  if (!rdata) return Reading::format_error;
  const std::uint16_t type = get16(fixed->data());
  if (type != rrtype::opt && type != rrtype::tsig) return Reading::good;
  if (section != Section::additional) return Reading::format_error;
  if (type == rrtype::tsig) {
    if (query.tsig_at == 0) query.tsig_at = static_cast<std::uint16_t>(start);
    return Reading::good;
  }
  return owner_is_root ? read_opt(*fixed, *rdata, query.edns) : Reading::format_error;
}

bool skip_questions(Cursor& cursor, unsigned count) noexcept {
  for (unsigned index = 0; index < count; ++index) {
    if (!cursor.skip_name() || !cursor.take(4)) return false;
  }
  return true;
}

bool read_question(Cursor& cursor, Query& query) noexcept {
  const auto rest = cursor.rest();
  const std::size_t name_size = query.qname.read(rest);
  if (name_size == 0) return false;
  const auto question = cursor.take(name_size + 4);
  if (!question) return false;
  query.question = *question;
  query.qtype = get16(question->data() + name_size);
  query.qclass = get16(question->data() + name_size + 2);
  return true;
}

Reading read_records(Cursor& cursor, std::span<const std::uint8_t> header, Query& query) noexcept {
  const unsigned before_additional = get16(header.data() + 6) + get16(header.data() + 8);
  const unsigned count = before_additional + get16(header.data() + 10);
  // A record takes eleven bytes at least: the packet's end bounds this loop, whatever `count` says.
  for (unsigned index = 0; index < count; ++index) {
    const auto section =
        index < before_additional ? Section::answer_or_authority : Section::additional;
    const Reading reading = read_record(cursor, section, query);
    if (reading != Reading::good) return reading;
  }
  return cursor.at_end() ? Reading::good : Reading::format_error;
}

// What is no ordinary query: read as far as to know whether the answer has an OPT (RFC 6891 §7).
Reading read_odd(Cursor& cursor, std::span<const std::uint8_t> header, Query& query) noexcept {
  const unsigned question_count = get16(header.data() + 4);
  const Reading rest = skip_questions(cursor, question_count) ? read_records(cursor, header, query)
                                                              : Reading::format_error;
  if (rest != Reading::good) query.edns.client_subnet = query.edns.cookie = {};
  if ((query.flags & opcode_mask) != 0) return Reading::not_implemented;
  const bool asks_for_cookie =
      rest == Reading::good && question_count == 0 && !query.edns.cookie.empty();
  return asks_for_cookie ? Reading::cookie_only : Reading::format_error;
}

}  // namespace

Reading read_query(std::span<const std::uint8_t> packet, Query& query) noexcept {
  if (packet.size() < header_size || (packet[2] & qr_bit) != 0) return Reading::silence;
  query.id = get16(packet.data());
  query.flags = packet[2];
  query.tsig_at = 0;
  query.question = {};
  query.edns = {};
  Cursor cursor(packet);
  cursor.take(header_size);
  const unsigned question_count = get16(packet.data() + 4);
  if ((query.flags & opcode_mask) != 0 || question_count != 1) {
    return read_odd(cursor, packet.first(header_size), query);
  }
  if (!read_question(cursor, query)) return Reading::format_error;
  return read_records(cursor, packet.first(header_size), query);
}

}  // namespace demarc::dns
