#include "dns/reply.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

#include "dns/client_subnet.h"
#include "dns/https_record.h"
#include "dns/wire.h"

namespace demarc::dns {

namespace {

constexpr std::uint16_t pointer_mark = 0xc000;
constexpr std::size_t pointer_target_max = 0x3fff;
constexpr std::size_t padding_block = 468;  // of answers (RFC 8467 §4.1)

std::size_t opt_size(const Edns& edns) noexcept {
  if (!edns.present) return 0;
  if (edns.client_subnet.empty()) return edns::opt_size;
  return edns::opt_size + edns::option_header_size + edns.client_subnet.size();
}

// Whether an earlier part has the same record: two records of a service may share an address.
bool is_drawn_before(const Drawn& drawn, std::size_t parts,
                     std::span<const std::uint8_t> record) noexcept {
  for (std::size_t index = 0; index < parts; ++index) {
    const RecordBytes& part = drawn.parts[index];
    for (std::size_t at = 0; at < part.bytes.size(); at += part.stride) {
      if (std::ranges::equal(part.bytes.subspan(at, part.stride), record)) return true;
    }
  }
  return false;
}

}  // namespace

std::size_t reply_size_max(const Query& query, Transport transport) noexcept {
  if (is_stream(transport)) return message_size_max;
  if (!query.edns.present) return udp_size_without_edns;
  return std::clamp<std::size_t>(query.edns.udp_size, udp_size_without_edns, udp_size_max);
}

Reply::Reply(const Query& query, Transport transport, std::span<std::uint8_t> out) noexcept
    : query_(query), out_(out.data()), transport_(transport) {
  assert(out.size() >= reply_size_min);
  message_limit_ = std::min(reply_size_max(query, transport), out.size());
  body_limit_ = message_limit_ - opt_size(query.edns);
  if (!query.question.empty()) {
    std::memcpy(out_ + header_size, query.question.data(), query.question.size());
  }
  body_at_ = header_size + query.question.size();
  size_ = body_at_;
}

std::uint8_t* Reply::add_option(std::uint16_t code, std::size_t data_size) noexcept {
  assert(size_ == body_at_ && query_.edns.present);
  std::uint8_t* const option = options_.data() + options_size_;
  const std::size_t size = edns::option_header_size + data_size;
  assert(options_size_ + size <= options_.size() && body_limit_ - size_ > size);
  put16(option, code);
  put16(option + 2, data_size);
  options_size_ += size;
  body_limit_ -= size;
  return option + edns::option_header_size;
}

void Reply::set_nsid(std::string_view nsid) noexcept {
  const std::size_t size = std::min(nsid.size(), nsid_size_max);
  std::memcpy(add_option(edns::nsid, size), nsid.data(), size);
}

void Reply::set_cookie(const std::array<std::uint8_t, cookie_size>& cookie) noexcept {
  std::memcpy(add_option(edns::cookie, cookie.size()), cookie.data(), cookie.size());
}

void Reply::set_keepalive(std::uint16_t idle) noexcept {
  put16(add_option(edns::keepalive, 2), idle);
}

void Reply::set_zone_version(ZoneVersion version) noexcept {
  std::uint8_t* const data = add_option(edns::zone_version, edns::zone_version_size);
  data[0] = version.label_count;
  data[1] = 0;  // TYPE: the SOA serial
  put32(data + 2, version.serial);
}

bool Reply::append(const Answer& answer, std::size_t shift) noexcept {
  if (is_truncated_ || !answer.fits || answer.required_size > body_limit_ - size_) {
    return does_not_fit();
  }
  const bool is_whole = answer.body.size() <= body_limit_ - size_;
  const std::size_t size = is_whole ? answer.body.size() : answer.required_size;
  std::uint8_t* const body = out_ + size_;
  std::memcpy(body, answer.body.data(), size);
  if (shift != 0) {
    for (std::size_t at = 0; at < answer.patches.size(); at += 2) {
      const std::size_t position = get16(answer.patches.data() + at);
      if (position >= size) break;  // they are in order
      put16(body + position, get16(body + position) + shift);
    }
  }
  size_ += size;
  answer_count_ += answer.answer_count;
  authority_count_ += answer.authority_count;
  additional_count_ += is_whole ? answer.additional_count : answer.required_additional_count;
  return true;
}

std::uint16_t Reply::append_name_record(std::uint16_t owner_at, std::uint16_t type,
                                        std::uint32_t ttl, std::span<const std::uint8_t> head,
                                        std::uint16_t tail_at) noexcept {
  const std::size_t rdata_size = head.size() + (tail_at != 0 ? 2 : 0);
  if (is_truncated_ || rr_rdata_at + rdata_size > body_limit_ - size_) {
    does_not_fit();
    return 0;
  }
  std::uint8_t* const record = out_ + size_;
  put16(record, std::size_t{pointer_mark} | owner_at);
  put16(record + 2, type);
  put16(record + 4, rrclass::in);
  put32(record + rr_ttl_at, ttl);
  put16(record + rr_rdata_at - 2, rdata_size);
  std::ranges::copy(head, record + rr_rdata_at);
  if (tail_at != 0) put16(record + rr_rdata_at + head.size(), std::size_t{pointer_mark} | tail_at);
  const auto rdata_at = static_cast<std::uint16_t>(size_ + rr_rdata_at);
  size_ += rr_rdata_at + rdata_size;
  ++answer_count_;
  return rdata_at;
}

bool Reply::append(const Drawn& drawn, std::uint16_t owner, std::optional<std::uint32_t> ttl_max,
                   bool may_repeat) noexcept {
  const std::size_t first_record = size_;
  for (std::size_t index = 0; index < drawn.part_count; ++index) {
    const RecordBytes& part = drawn.parts[index];
    if (may_repeat && index > 0) {
      if (!append_once(part, first_record)) return false;
      continue;
    }
    if (is_truncated_ || part.bytes.size() > body_limit_ - size_) return does_not_fit();
    std::memcpy(out_ + size_, part.bytes.data(), part.bytes.size());
    size_ += part.bytes.size();
    answer_count_ += part.count;
  }
  if (drawn.part_count == 0 || (owner == header_size && !ttl_max)) return true;
  // All parts have the same stride: they are of one type, or a single CNAME.
  for (std::size_t at = first_record; at < size_; at += drawn.parts[0].stride) {
    put16(out_ + at, std::size_t{pointer_mark} | owner);
    if (ttl_max) lower_ttl(at + 2, *ttl_max);
  }
  return true;
}

// Those of `part` whose RDATA is not among the records from `first_record` on.
bool Reply::append_once(const RecordBytes& part, std::size_t first_record) noexcept {
  const std::size_t rdata_size = part.stride - rr_rdata_at;
  for (std::size_t from = 0; from < part.bytes.size(); from += part.stride) {
    const std::uint8_t* const record = part.bytes.data() + from;
    bool is_there = false;
    for (std::size_t at = first_record; at < size_ && !is_there; at += part.stride) {
      is_there = std::memcmp(out_ + at + rr_rdata_at, record + rr_rdata_at, rdata_size) == 0;
    }
    if (is_there) continue;
    if (is_truncated_ || part.stride > body_limit_ - size_) return does_not_fit();
    std::memcpy(out_ + size_, record, part.stride);
    size_ += part.stride;
    ++answer_count_;
  }
  return true;
}

void Reply::append_additional(const Drawn& drawn, std::span<const std::uint8_t> owner,
                              std::uint16_t& owner_at,
                              std::optional<std::uint32_t> ttl_max) noexcept {
  std::size_t size = owner_at == 0 ? owner.size() : 0;
  for (std::size_t index = 0; index < drawn.part_count; ++index) {
    size += drawn.parts[index].bytes.size();
  }
  if (is_truncated_ || size > body_limit_ - size_ || size_ > pointer_target_max) return;
  for (std::size_t index = 0; index < drawn.part_count; ++index) {
    const RecordBytes& part = drawn.parts[index];
    for (std::size_t from = 0; from < part.bytes.size(); from += part.stride) {
      const auto record = part.bytes.subspan(from, part.stride);
      if (is_drawn_before(drawn, index, record)) continue;
      if (owner_at == 0) {
        owner_at = static_cast<std::uint16_t>(size_);
        std::ranges::copy(owner, out_ + size_);
        size_ += owner.size();
      } else {
        put16(out_ + size_, std::size_t{pointer_mark} | owner_at);
        size_ += 2;
      }
      const std::size_t owner_end = size_;
      std::ranges::copy(record.subspan(2), out_ + size_);
      size_ += record.size() - 2;
      if (ttl_max) lower_ttl(owner_end, *ttl_max);
      ++additional_count_;
    }
  }
}

void Reply::append_hinted(const RecordBytes& https, std::uint16_t owner_at,
                          std::optional<std::uint32_t> ttl_max) noexcept {
  const std::uint32_t ttl = get32(https.bytes.data() + rr_ttl_at);
  for (const geo::Family family : {geo::Family::ipv4, geo::Family::ipv6}) {
    const bool is_ipv4 = family == geo::Family::ipv4;
    const std::size_t address_size = is_ipv4 ? 4 : 16;
    const auto hints = hints_of(https.bytes.subspan(rr_rdata_at), family);
    const std::size_t count = hints.size() / address_size;
    if (is_truncated_ || count * (rr_rdata_at + address_size) > body_limit_ - size_) continue;
    for (std::size_t index = 0; index < count; ++index) {
      std::uint8_t* const record = out_ + size_;
      put16(record, std::size_t{pointer_mark} | owner_at);
      put16(record + rr_type_at, is_ipv4 ? rrtype::a : rrtype::aaaa);
      put16(record + rr_type_at + 2, rrclass::in);
      put32(record + rr_ttl_at, ttl_max ? std::min(ttl, *ttl_max) : ttl);
      put16(record + rr_rdata_at - 2, address_size);
      std::memcpy(record + rr_rdata_at, hints.data() + index * address_size, address_size);
      size_ += rr_rdata_at + address_size;
      ++additional_count_;
    }
  }
}

void Reply::lower_ttl(std::size_t owner_end, std::uint32_t ttl_max) noexcept {
  std::uint8_t* const ttl = out_ + owner_end + 4;  // after TYPE and CLASS
  if (get32(ttl) > ttl_max) put32(ttl, ttl_max);
}

void Reply::set_soa_serial(std::uint32_t serial) noexcept {
  constexpr std::size_t numbers_size = 20;  // serial, refresh, retry, expire, minimum
  if (size_ - body_at_ > numbers_size) put32(out_ + size_ - numbers_size, serial);
}

void Reply::append_chaos_text(std::string_view text) noexcept {
  const std::size_t text_size = std::min(text.size(), chaos_text_size_max);
  std::uint8_t* const record = out_ + size_;
  if (rr_rdata_at + 1 + text_size > body_limit_ - size_) {
    does_not_fit();
    return;
  }
  put16(record, pointer_mark | header_size);
  put16(record + 2, rrtype::txt);
  put16(record + 4, rrclass::ch);
  put32(record + rr_ttl_at, 0);
  put16(record + rr_rdata_at - 2, 1 + text_size);
  record[rr_rdata_at] = static_cast<std::uint8_t>(text_size);
  std::memcpy(record + rr_rdata_at + 1, text.data(), text_size);
  size_ += rr_rdata_at + 1 + text_size;
  ++answer_count_;
}

void Reply::append_any_hinfo() noexcept {
  static constexpr std::array<std::uint8_t, 21> hinfo{0xc0, 0x0c,  // the QNAME
                                                      0,    rrtype::hinfo,
                                                      0,    rrclass::in,  // TYPE, CLASS
                                                      0,    0,
                                                      0x0e, 0x10,  // TTL: an hour
                                                      0,    9,     // RDLENGTH
                                                      7,    'R',
                                                      'F',  'C',
                                                      '8',  '4',
                                                      '8',  '2',
                                                      0};  // CPU; OS is empty
  assert(hinfo.size() <= body_limit_ - size_);
  std::memcpy(out_ + size_, hinfo.data(), hinfo.size());
  size_ += hinfo.size();
  ++answer_count_;
}

void Reply::fail() noexcept {
  size_ = body_at_;
  answer_count_ = authority_count_ = additional_count_ = 0;
  is_authoritative_ = false;
  is_truncated_ = false;
  rcode_ = Rcode::servfail;
}

void Reply::truncate() noexcept {
  size_ = body_at_;
  answer_count_ = authority_count_ = additional_count_ = 0;
  is_truncated_ = true;
}

bool Reply::does_not_fit() noexcept {
  const bool has_longer_transport = transport_ == Transport::udp;
  if (has_longer_transport) {
    truncate();
  } else {
    fail();
  }
  return false;
}

std::size_t Reply::finish() noexcept {
  if (query_.edns.present) write_opt();
  put16(out_, query_.id);
  out_[2] =
      static_cast<std::uint8_t>(qr_bit | (query_.flags & (opcode_mask | rd_bit)) |
                                (is_authoritative_ ? aa_bit : 0) | (is_truncated_ ? tc_bit : 0));
  out_[3] = static_cast<std::uint8_t>(rcode_) & rcode_mask;
  put16(out_ + 4, query_.question.empty() ? 0 : 1);
  put16(out_ + 6, answer_count_);
  put16(out_ + 8, authority_count_);
  put16(out_ + 10, additional_count_);
  return size_;
}

// The constructor kept room for all but the extended error.
void Reply::write_opt() noexcept {
  std::uint8_t* const opt = out_ + size_;
  opt[0] = 0;  // the root
  put16(opt + 1, rrtype::opt);
  put16(opt + 3, udp_size_max);
  opt[5] = static_cast<std::uint8_t>(static_cast<unsigned>(rcode_) >> 4);
  opt[6] = 0;                                          // the version
  put16(opt + 7, query_.edns.dnssec_ok ? 0x8000 : 0);  // echoed (RFC 3225 §3)
  size_ += edns::opt_size;
  if (!query_.edns.client_subnet.empty()) {
    size_ += write_client_subnet(query_.edns.client_subnet, scope_prefix_,
                                 {out_ + size_, message_limit_ - size_});
  }
  std::memcpy(out_ + size_, options_.data(), options_size_);
  size_ += options_size_;
  size_ += write_extended_error(size_);
  if (transport_ == Transport::tls && query_.edns.wants_padding) size_ += write_padding(size_);
  put16(opt + 9, static_cast<std::size_t>(out_ + size_ - opt) - edns::opt_size);
  ++additional_count_;
}

// To a multiple of the block, as far as the message may grow.
std::size_t Reply::write_padding(std::size_t at) noexcept {
  const std::size_t unpadded = at + edns::option_header_size;
  if (unpadded > message_limit_) return 0;
  const std::size_t wanted = (padding_block - unpadded % padding_block) % padding_block;
  const std::size_t size = std::min(wanted, message_limit_ - unpadded);
  put16(out_ + at, edns::padding);
  put16(out_ + at + 2, size);
  std::memset(out_ + unpadded, 0, size);
  return edns::option_header_size + size;
}

std::size_t Reply::write_extended_error(std::size_t at) noexcept {
  if (!extended_error_) return 0;
  const std::size_t data_size = 2 + extended_error_->text.size();
  if (edns::option_header_size + data_size > message_limit_ - at) return 0;
  put16(out_ + at, edns::extended_error);
  put16(out_ + at + 2, data_size);
  put16(out_ + at + 4, extended_error_->code);
  std::ranges::copy(extended_error_->text, out_ + at + 6);
  return edns::option_header_size + data_size;
}

}  // namespace demarc::dns
