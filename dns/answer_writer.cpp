#include "dns/answer_writer.h"

#include <algorithm>

#include "dns/client_subnet.h"
#include "dns/wire.h"

namespace demarc::dns {

namespace {

constexpr std::uint16_t pointer_mark = 0xc000;
// A pointer has 14 bits; what a longer QNAME may add to it has to fit as well.
constexpr std::size_t pointer_target_max = 0x3fff - name_size_max;
// The longest question and the longest OPT with an ECS option stand beside the body.
constexpr std::size_t body_size_max = message_size_max - header_size - name_size_max - 4 -
                                      edns::opt_size - edns::option_header_size -
                                      client_subnet_size_max;

std::size_t label_size(std::string_view name) { return static_cast<std::uint8_t>(name[0]) + 1U; }

// The name at the start of `bytes`. Precondition: there is one, as the loader checked.
std::string_view first_name(std::string_view bytes) {
  std::size_t size = 0;
  while (size < bytes.size() && bytes[size] != '\0') size += label_size(bytes.substr(size));
  return bytes.substr(0, size + 1);
}

}  // namespace

CompressibleNames compressible_names(std::uint16_t type) noexcept {
  switch (type) {
    case rrtype::ns:
    case rrtype::md:
    case rrtype::mf:
    case rrtype::cname:
    case rrtype::mb:
    case rrtype::mg:
    case rrtype::mr:
    case rrtype::ptr:
      return {0, 1};
    case rrtype::mx:
      return {2, 1};
    case rrtype::soa:
    case rrtype::minfo:
      return {0, 2};
    default:
      return {};
  }
}

std::string to_lower(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter | 0x20) : letter;
  });
  return lower;
}

std::string_view target_of(std::uint16_t type, std::string_view rdata) {
  switch (type) {
    case rrtype::ns:
      return first_name(rdata);
    case rrtype::mx:
      return rdata.size() > 2 ? first_name(rdata.substr(2)) : std::string_view{};
    case rrtype::srv:
      return rdata.size() > 6 ? first_name(rdata.substr(6)) : std::string_view{};
    case rrtype::svcb:
    case rrtype::https:
      return rdata.size() > 2 ? first_name(rdata.substr(2)) : std::string_view{};
    default:
      return {};
  }
}

void AnswerWriter::begin(std::string_view qname, Shift shift) {
  qname_ = qname;
  shift_ = shift;
  compresses_ = true;
  knows_qname_ = false;
  is_optional_ = false;
  positions_.clear();
  out_.body.clear();
  out_.patches.clear();
  out_.targets.clear();
  out_.counts = {};
  out_.next_owner = 0;
  out_.soa_zone_plus_1 = 0;
  out_.fits = true;
  is_full_ = false;
}

void AnswerWriter::add(Section section, std::string_view owner, const zones::RRset& rrset,
                       std::uint32_t ttl) {
  for (const std::string_view rdata : rrset.rdata()) {
    if (!add_record(section, {.owner = owner, .type = rrset.type, .ttl = ttl, .rdata = rdata})) {
      return;
    }
  }
}

void AnswerWriter::add_cname(std::string_view owner, std::uint32_t ttl, std::string_view target) {
  add_record(Section::answer, {.owner = owner, .type = rrtype::cname, .ttl = ttl, .rdata = target});
}

// False: there is no room for it, nor for any other.
bool AnswerWriter::add_record(Section section, const Record& record) {
  if (is_full_) return false;
  const std::size_t size_before = out_.body.size();
  const std::size_t patches_before = out_.patches.size();
  write_record(record);
  if (out_.body.size() <= body_size_max) {
    ++out_.counts[static_cast<std::size_t>(section)];
    return true;
  }
  is_full_ = true;
  out_.fits = is_optional_;
  out_.body.resize(size_before);
  out_.patches.resize(patches_before);
  return false;
}

void AnswerWriter::add_target(std::string_view name, std::uint32_t node) {
  const auto is_same = [&](const SteeredTarget& target) { return target.node == node; };
  if (out_.targets.size() == steered_targets_max || std::ranges::any_of(out_.targets, is_same)) {
    return;
  }
  SteeredTarget target{.name_at = 0, .node = node};
  if (const auto known = positions_.find(std::string(name)); known != positions_.end()) {
    target.name_at = known->second;
  }
  out_.targets.push_back(target);
}

void AnswerWriter::optional_from_here() {
  is_optional_ = true;
  out_.required_size = out_.body.size();
  out_.required_additional_count = out_.counts[static_cast<std::size_t>(Section::additional)];
}

const Rendered& AnswerWriter::finish() {
  if (!is_optional_) optional_from_here();
  if (!out_.fits) {
    out_.body.clear();
    out_.patches.clear();
    out_.targets.clear();
    out_.counts = {};
    out_.soa_zone_plus_1 = 0;
  }
  return out_;
}

void AnswerWriter::write_record(const Record& record) {
  if (record.owner == qname_ && compresses_) {
    write_pointer(header_size, shift_ == Shift::all);
  } else {
    write_name(record.owner);
  }
  append16(record.type);
  append16(rrclass::in);
  append16(record.ttl >> 16);
  append16(record.ttl & 0xffff);
  const std::size_t length_at = out_.body.size();
  append16(0);
  if (record.type == rrtype::cname) {
    const std::size_t target_at = header_size + qname_.size() + 4 + out_.body.size();
    out_.next_owner = target_at <= pointer_target_max ? static_cast<std::uint16_t>(target_at) : 0;
  }
  write_rdata(record.type, record.rdata);
  put16(out_.body.data() + length_at, out_.body.size() - length_at - 2);
}

void AnswerWriter::write_rdata(std::uint16_t type, std::string_view rdata) {
  if (type == rrtype::dname) return write_target(rdata);
  const CompressibleNames names = compressible_names(type);
  const auto append = [this](std::string_view bytes) {
    out_.body.insert(out_.body.end(), bytes.begin(), bytes.end());
  };
  append(rdata.substr(0, names.offset));
  rdata.remove_prefix(std::min(names.offset, rdata.size()));
  for (std::size_t index = 0; index < names.count && !rdata.empty(); ++index) {
    const std::string_view name = first_name(rdata);
    write_name(name);
    rdata.remove_prefix(name.size());
  }
  append(rdata);
}

// Never compressed itself (RFC 6672 §2.5); the CNAME that it makes points to it.
void AnswerWriter::write_target(std::string_view name) {
  const std::string lower = to_lower(name);
  for (std::size_t begin = 0; name[begin] != '\0'; begin += label_size(name.substr(begin))) {
    const std::size_t position = header_size + qname_.size() + 4 + out_.body.size() + begin;
    if (!compresses_ || position > pointer_target_max) break;
    positions_.emplace(lower.substr(begin), static_cast<std::uint16_t>(position));
  }
  out_.body.insert(out_.body.end(), name.begin(), name.end());
}

void AnswerWriter::write_name(std::string_view name) {
  if (compresses_ && !knows_qname_) learn_qname();
  std::string lower = to_lower(name);
  std::size_t begin = 0;
  while (name[begin] != '\0') {
    if (compresses_) {
      if (const auto known = positions_.find(lower.substr(begin)); known != positions_.end()) {
        write_pointer(known->second, true);
        return;
      }
    }
    const std::size_t position = header_size + qname_.size() + 4 + out_.body.size();
    if (compresses_ && position <= pointer_target_max) {
      positions_.emplace(lower.substr(begin), static_cast<std::uint16_t>(position));
    }
    const std::string_view label = name.substr(begin, label_size(name.substr(begin)));
    out_.body.insert(out_.body.end(), label.begin(), label.end());
    begin += label.size();
  }
  out_.body.push_back(0);
}

// Only where it is needed: most answers (A, AAAA, TXT) have no name but the owner.
void AnswerWriter::learn_qname() {
  knows_qname_ = true;
  // Under a wildcard the QNAME's first labels are the client's own: only what follows `*` is known.
  std::size_t begin = shift_ == Shift::below_owner ? label_size(qname_) : 0;
  for (; qname_[begin] != '\0'; begin += label_size(qname_.substr(begin))) {
    positions_.emplace(qname_.substr(begin), static_cast<std::uint16_t>(header_size + begin));
  }
}

void AnswerWriter::write_pointer(std::uint16_t target, bool moves) {
  if (moves && shift_ != Shift::none) {
    out_.patches.push_back(static_cast<std::uint16_t>(out_.body.size()));
  }
  append16(pointer_mark | std::size_t{target});
}

void AnswerWriter::append16(std::size_t value) {
  out_.body.push_back(static_cast<std::uint8_t>(value >> 8));
  out_.body.push_back(static_cast<std::uint8_t>(value));
}

}  // namespace demarc::dns
