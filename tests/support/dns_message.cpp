// tests/support/dns_message.h: written from RFC 1035, 6891, 7871, 8914 and 9460, not from dns/, so
// that a mistake there is not repeated here.
#include "tests/support/dns_message.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace demarc::testing {

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint16_t option_subnet = 8;
constexpr std::uint16_t option_ede = 15;
constexpr std::uint16_t udp_size = 1'232;

void put16(Bytes& out, unsigned value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value & 0xff));
}

void put_name(Bytes& out, std::string_view name) {
  while (!name.empty() && name != ".") {
    const std::size_t dot = std::min(name.find('.'), name.size());
    if (dot == 0 || dot > 63) throw std::invalid_argument("not a name");
    out.push_back(static_cast<std::uint8_t>(dot));
    std::ranges::copy(name.substr(0, dot), std::back_inserter(out));
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  out.push_back(0);
}

void put_subnet(Bytes& out, const geo::Prefix& subnet) {
  const unsigned address_bytes = (subnet.length + 7U) / 8U;  // no more than needed (RFC 7871 §6)
  put16(out, option_subnet);
  put16(out, 4 + address_bytes);
  put16(out, subnet.address.family == geo::Family::ipv4 ? 1 : 2);
  out.push_back(subnet.length);
  out.push_back(0);
  std::copy_n(subnet.address.bytes.begin(), address_bytes, std::back_inserter(out));
}

/// Reads forward; after the first read beyond the end everything is zero and `good` false.
class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> message) : message_(message) {}

  [[nodiscard]] bool is_good() const { return good_; }
  [[nodiscard]] bool is_at_end() const { return at_ == message_.size(); }

  unsigned u8() {
    if (at_ >= message_.size()) good_ = false;
    return good_ ? message_[at_++] : 0;
  }
  unsigned u16() {
    const unsigned high = u8();
    return high << 8 | u8();
  }
  std::uint32_t u32() {
    const std::uint32_t high = u16();
    return high << 16 | u16();
  }
  std::span<const std::uint8_t> take(std::size_t size) {
    if (size > message_.size() - at_) good_ = false;
    if (!good_) return {};
    at_ += size;
    return message_.subspan(at_ - size, size);
  }
  /// A name with compression (RFC 1035 §4.1.4), as it came; pointers only backwards, so it ends.
  std::string name() {
    std::string text;
    std::size_t at = at_;
    std::size_t lowest = at_;
    bool has_jumped = false;
    for (;;) {
      if (at >= message_.size()) return broken();
      const unsigned length = message_[at];
      if (length >= 0xc0) {
        if (at + 1 >= message_.size()) return broken();
        const std::size_t to = (length & 0x3fU) << 8 | message_[at + 1];
        if (to >= lowest) return broken();
        if (!std::exchange(has_jumped, true)) at_ = at + 2;
        at = lowest = to;
        continue;
      }
      if (length > 63 || at + 1 + length > message_.size()) return broken();
      ++at;
      if (length == 0) break;
      if (!text.empty()) text += '.';
      for (unsigned i = 0; i < length; ++i) text += static_cast<char>(message_[at + i]);
      at += length;
    }
    if (!has_jumped) at_ = at;
    return text;
  }
  void go_to(std::size_t at) { at_ = at; }
  [[nodiscard]] std::size_t position() const { return at_; }

 private:
  std::string broken() {
    good_ = false;
    return {};
  }
  std::span<const std::uint8_t> message_;
  std::size_t at_ = 0;
  bool good_ = true;
};

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// Precondition: 4 or 16 bytes.
geo::Address to_address(std::span<const std::uint8_t> bytes) {
  geo::Address address{.family = bytes.size() == 4 ? geo::Family::ipv4 : geo::Family::ipv6};
  std::ranges::copy(bytes, address.bytes.begin());
  return address;
}

void take_options(DnsReply& reply, std::span<const std::uint8_t> rdata) {
  Reader options(rdata);
  while (options.is_good() && !options.is_at_end()) {
    const unsigned code = options.u16();
    Reader value(options.take(options.u16()));
    if (code == option_ede) reply.ede.push_back(static_cast<std::uint16_t>(value.u16()));
    if (code != option_subnet) continue;
    value.u16();  // the family
    reply.source_prefix = value.u8();
    reply.scope_prefix = value.u8();
  }
}

void take_record(DnsReply& reply, Reader& reader, std::vector<DnsRecord>& section) {
  DnsRecord record{.owner = lower(reader.name())};
  record.type = static_cast<std::uint16_t>(reader.u16());
  reader.u16();  // the class; OPT has its size here
  record.ttl = reader.u32();
  const std::size_t size = reader.u16();
  const std::size_t start = reader.position();
  const auto rdata = reader.take(size);
  if (!reader.is_good()) return;
  if (record.type == rr::OPT) {
    reply.has_edns = true;
    reply.rcode |= record.ttl >> 24 << 4;
    take_options(reply, rdata);
    return;
  }
  const std::size_t address_size = record.type == rr::A ? 4 : record.type == rr::AAAA ? 16 : 0;
  if (address_size != 0 && size == address_size) record.address = to_address(rdata);
  if (record.type == rr::CNAME || record.type == rr::NS) {
    reader.go_to(start);
    record.target = lower(reader.name());
  }
  record.rdata.assign(rdata.begin(), rdata.end());
  section.push_back(std::move(record));
}

/// Keys 4 and 6 of SvcParams are lists of addresses.
void take_hints(const DnsRecord& record, std::vector<geo::Address>& found) {
  Reader reader(record.rdata);
  reader.u16();  // the priority
  reader.name();
  while (reader.is_good() && !reader.is_at_end()) {
    const unsigned key = reader.u16();
    const auto value = reader.take(reader.u16());
    const std::size_t each = key == 4 ? 4 : key == 6 ? 16 : 0;
    for (std::size_t at = 0; each != 0 && at + each <= value.size(); at += each) {
      found.push_back(to_address(value.subspan(at, each)));
    }
  }
}

}  // namespace

std::vector<geo::Address> DnsReply::addresses() const {
  std::vector<geo::Address> found;
  for (const auto* const section : {&answer, &authority, &additional}) {
    for (const DnsRecord& record : *section) {
      if (record.address) found.push_back(*record.address);
      if (record.type == rr::HTTPS) take_hints(record, found);
    }
  }
  return found;
}

std::vector<std::uint8_t> build_query(std::uint16_t id, const DnsQuestion& question) {
  const bool edns = question.edns || question.subnet.has_value();
  Bytes out;
  put16(out, id);
  put16(out, 0);  // a query, no RD
  for (const unsigned count : {1U, 0U, 0U, edns ? 1U : 0U}) put16(out, count);
  put_name(out, question.name);
  put16(out, question.type);
  put16(out, 1);  // IN
  if (!edns) return out;
  Bytes options;
  if (question.subnet) put_subnet(options, *question.subnet);
  out.push_back(0);  // OPT: root, type, size, extended RCODE and flags, length
  put16(out, rr::OPT);
  put16(out, udp_size);
  put16(out, 0);
  put16(out, 0);
  put16(out, static_cast<unsigned>(options.size()));
  std::ranges::copy(options, std::back_inserter(out));
  return out;
}

std::optional<DnsReply> parse_reply(std::span<const std::uint8_t> bytes) {
  Reader reader(bytes);
  DnsReply reply;
  reply.id = static_cast<std::uint16_t>(reader.u16());
  const unsigned flags = reader.u16();
  reply.is_authoritative = (flags & 0x0400U) != 0;
  reply.is_truncated = (flags & 0x0200U) != 0;
  reply.rcode = flags & 0x0fU;
  const unsigned questions = reader.u16();
  const unsigned counts[] = {reader.u16(), reader.u16(), reader.u16()};
  if (!reader.is_good() || (flags & 0x8000U) == 0 || questions != 1) return std::nullopt;
  reply.qname = reader.name();
  reply.qtype = static_cast<std::uint16_t>(reader.u16());
  reader.u16();  // the class
  std::vector<DnsRecord>* const sections[] = {&reply.answer, &reply.authority, &reply.additional};
  for (std::size_t i = 0; i < std::size(sections); ++i) {
    for (unsigned record = 0; record < counts[i] && reader.is_good(); ++record) {
      take_record(reply, reader, *sections[i]);
    }
  }
  if (!reader.is_good() || !reader.is_at_end()) return std::nullopt;
  reply.bytes.assign(bytes.begin(), bytes.end());
  return reply;
}

}  // namespace demarc::testing
