#include "dns/name_key.h"

#include <cstring>

namespace demarc::dns {

namespace {

constexpr std::size_t label_size_max = 63;
constexpr std::uint64_t root_hash = 0x9e37'79b9'7f4a'7c15;
constexpr std::uint64_t multiplier = 0xd6e8'feb8'6659'fd93;
constexpr std::uint64_t each_byte = 0x0101'0101'0101'0101;

std::uint64_t load64(const std::uint8_t* at) noexcept {
  std::uint64_t value = 0;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

std::uint64_t mix(std::uint64_t value) noexcept {
  __extension__ using Wide = unsigned __int128;
  const Wide product = Wide{value} * multiplier;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// `label` starts with its length byte, so that "a.b" and "ab" differ; eight bytes more are
// readable.
std::uint64_t hash_label(std::uint64_t hash, const std::uint8_t* label, std::size_t size) noexcept {
  for (; size > 8; size -= 8, label += 8) hash = mix(hash ^ load64(label));
  const std::uint64_t mask = ~std::uint64_t{0} >> (64 - 8 * size);
  return mix(hash ^ (load64(label) & mask));
}

}  // namespace

std::size_t NameKey::read(std::span<const std::uint8_t> bytes) noexcept {
  std::size_t at = 0;
  std::size_t labels = 0;
  while (true) {
    if (at >= bytes.size()) return 0;
    const std::size_t length = bytes[at];
    if (length > label_size_max) return 0;  // a pointer or a reserved label type
    label_at_[labels] = static_cast<std::uint8_t>(at);
    at += length + 1;
    if (length == 0) break;
    if (at >= name_size_max) return 0;  // no room for the root
    ++labels;
  }
  size_ = at;
  label_count_ = labels;
  std::memcpy(lower_.data(), bytes.data(), at);
  lower_letters();
  hash_suffixes();
  return at;
}

// Length bytes are at most 63 and so never look like a letter: the whole name is lowered as it is,
// eight bytes at a time. A byte's top bit becomes 1 where it holds `A` to `Z`.
void NameKey::lower_letters() noexcept {
  std::memset(lower_.data() + size_, 0, padding);
  for (std::size_t at = 0; at < size_; at += 8) {
    const std::uint64_t word = load64(lower_.data() + at);
    const std::uint64_t low_bits = word & (0x7f * each_byte);
    const std::uint64_t from_a = low_bits + (0x80 - 'A') * each_byte;
    const std::uint64_t after_z = low_bits + (0x7f - 'Z') * each_byte;
    const std::uint64_t is_upper = ~word & (from_a ^ after_z) & (0x80 * each_byte);
    const std::uint64_t lowered = word | (is_upper >> 2);
    std::memcpy(lower_.data() + at, &lowered, sizeof(lowered));
  }
}

// From the root leftwards, so that one pass gives the hash of every suffix.
void NameKey::hash_suffixes() noexcept {
  std::uint64_t hash = root_hash;
  hashes_[label_count_] = hash;
  for (std::size_t label = label_count_; label-- > 0;) {
    const std::uint8_t* const at = lower_.data() + label_at_[label];
    hash = hash_label(hash, at, std::size_t{*at} + 1);
    hashes_[label] = hash;
  }
}

std::uint64_t NameKey::wildcard_hash(std::size_t first) const noexcept {
  static constexpr std::array<std::uint8_t, 8> asterisk{1, '*'};
  return hash_label(hashes_[first], asterisk.data(), 2);
}

}  // namespace demarc::dns
