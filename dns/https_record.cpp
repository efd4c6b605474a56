#include "dns/https_record.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

#include "dns/wire.h"

namespace demarc::dns {

namespace {

// SvcParamKeys (RFC 9460 §14.3.2).
constexpr std::uint16_t alpn_key = 1;
constexpr std::uint16_t no_default_alpn_key = 2;
constexpr std::uint16_t port_key = 3;
constexpr std::uint16_t ipv4hint_key = 4;
constexpr std::uint16_t ipv6hint_key = 6;

constexpr std::size_t parameter_head_size = 4;  // the key and the value's size
constexpr std::size_t parameters_at = 3;        // behind SvcPriority and the root as TargetName

constexpr std::uint16_t key_of(geo::Family family) noexcept {
  return family == geo::Family::ipv4 ? ipv4hint_key : ipv6hint_key;
}

constexpr std::size_t size_of(geo::Family family) noexcept {
  return family == geo::Family::ipv4 ? 4 : 16;
}

void append16(std::vector<std::uint8_t>& bytes, std::size_t value) {
  bytes.push_back(static_cast<std::uint8_t>(value >> 8));
  bytes.push_back(static_cast<std::uint8_t>(value));
}

}  // namespace

std::vector<std::uint8_t> https_front(const zones::HttpsBinding& binding) {
  std::vector<std::uint8_t> bytes{0, 1, 0};  // priority 1, the root
  std::size_t ids_size = 0;
  for (const std::string& id : binding.alpn) ids_size += 1 + id.size();
  append16(bytes, alpn_key);
  append16(bytes, ids_size);
  for (const std::string& id : binding.alpn) {
    bytes.push_back(static_cast<std::uint8_t>(id.size()));
    bytes.insert(bytes.end(), id.begin(), id.end());
  }
  if (!binding.has_default_alpn) {
    append16(bytes, no_default_alpn_key);
    append16(bytes, 0);
  }
  if (binding.port != zones::https_port) {
    append16(bytes, port_key);
    append16(bytes, 2);
    append16(bytes, binding.port);
  }
  return bytes;
}

std::vector<std::uint8_t> https_rdata(const zones::HttpsBinding& binding,
                                      std::span<const geo::Address> addresses) {
  const auto front = https_front(binding);
  const std::size_t hints_size =
      2 * parameter_head_size + addresses.size() * size_of(geo::Family::ipv6);
  std::vector<std::uint8_t> bytes(std::min(front.size() + hints_size, https_rdata_size_max));
  HintWriter writer(front, bytes);
  for (const geo::Family family : {geo::Family::ipv4, geo::Family::ipv6}) {
    writer.begin(family);
    for (const geo::Address& address : addresses) {
      if (address.family == family) writer.add(address.bytes.data());
    }
  }
  bytes.resize(writer.finish());
  return bytes;
}

HintWriter::HintWriter(std::span<const std::uint8_t> front, std::span<std::uint8_t> out) noexcept
    : out_(out), size_(front.size()) {
  assert(front.size() <= out.size());
  std::ranges::copy(front, out.begin());
}

void HintWriter::begin(geo::Family family) noexcept {
  end();
  address_size_ = size_of(family);
  if (!has_room_for(parameter_head_size)) return;
  hints_at_ = size_;
  put16(out_.data() + size_, key_of(family));
  size_ += parameter_head_size;
}

void HintWriter::add(const std::uint8_t* address) noexcept {
  if (hints_at_ == 0 || !has_room_for(address_size_)) return;
  std::memcpy(out_.data() + size_, address, address_size_);
  size_ += address_size_;
}

void HintWriter::add_once(const std::uint8_t* address) noexcept {
  if (hints_at_ == 0) return;
  for (std::size_t at = hints_at_ + parameter_head_size; at < size_; at += address_size_) {
    if (std::memcmp(out_.data() + at, address, address_size_) == 0) return;
  }
  add(address);
}

// A hint without an address would be malformed (§7.3).
void HintWriter::end() noexcept {
  if (hints_at_ == 0) return;
  const std::size_t value_size = size_ - hints_at_ - parameter_head_size;
  if (value_size == 0) {
    size_ = hints_at_;
  } else {
    put16(out_.data() + hints_at_ + 2, value_size);
  }
  hints_at_ = 0;
}

std::size_t HintWriter::finish() noexcept {
  end();
  return size_;
}

std::span<const std::uint8_t> hints_of(std::span<const std::uint8_t> rdata,
                                       geo::Family family) noexcept {
  std::size_t at = parameters_at;
  while (at + parameter_head_size <= rdata.size()) {
    const std::size_t size = get16(rdata.data() + at + 2);
    const std::size_t value_at = at + parameter_head_size;
    if (size > rdata.size() - value_at) break;
    if (get16(rdata.data() + at) == key_of(family)) return rdata.subspan(value_at, size);
    at = value_at + size;
  }
  return {};
}

}  // namespace demarc::dns
