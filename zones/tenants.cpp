#include "zones/tenants.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

#include "zones/tenant_map_builder.h"

namespace demarc::zones {
namespace {

constexpr std::string_view base32 = "abcdefghijklmnopqrstuvwxyz234567";
constexpr unsigned line_bits = 24;
constexpr std::uint32_t line_mask = (1U << line_bits) - 1;
static_assert(tenants_max < line_mask);

std::uint64_t mixed(std::uint64_t value) noexcept {
  constexpr std::uint64_t multiplier = 0xd6e8'feb8'6659'fd93;
  __extension__ using Wide = unsigned __int128;
  const Wide product = Wide{value} * multiplier;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

/// The five bits of a base32 letter; 32 for any other letter.
std::uint32_t base32_value(char letter) noexcept {
  if (letter >= 'a' && letter <= 'z') return static_cast<std::uint32_t>(letter - 'a');
  if (letter >= '2' && letter <= '7') return static_cast<std::uint32_t>(letter - '2' + 26);
  return 32;
}

std::uint64_t first_eight(const std::array<std::uint8_t, 16>& bytes) noexcept {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

}  // namespace

TenantMap::TenantMap(const Classes& classes, std::string digest) {
  TenantMapBuilder builder;
  for (const auto& [key, tenant_class] : classes) {
    const std::size_t set = builder.set_of(key.first, {.labels = TenantLabels::plain, .key = {}});
    const auto kind = builder.kind_of(set, {.service = key.first,
                                            .tenant_class = tenant_class,
                                            .regions = {},
                                            .regulated = true,
                                            .sensitivity = Sensitivity::high});
    builder.add(set, key.second, *kind, {});
  }
  *this = builder.finish_with(std::move(digest));
}

void TenantMap::Slots::resize(std::size_t line_count) {
  // At most half full: a name that is not there costs two steps.
  slots_.assign(std::bit_ceil(std::max<std::size_t>(2 * line_count, 2)), 0);
}

void TenantMap::Slots::insert(std::uint64_t hash, std::uint32_t line) noexcept {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at] != 0) at = (at + 1) & mask;
  slots_[at] = static_cast<Slot>(hash >> 56) << line_bits | (line + 1);
}

template <typename IsMeant>
std::optional<std::uint32_t> TenantMap::Slots::find(std::uint64_t hash,
                                                    const IsMeant& is_meant) const noexcept {
  const std::size_t mask = slots_.size() - 1;
  const auto tag = static_cast<Slot>(hash >> 56);
  for (std::size_t at = hash & mask; slots_[at] != 0; at = (at + 1) & mask) {
    const std::uint32_t line = (slots_[at] & line_mask) - 1;
    if (slots_[at] >> line_bits == tag && is_meant(line)) return line;
  }
  return std::nullopt;
}

std::uint64_t TenantMap::hash_of(std::string_view name) const noexcept {
  std::uint64_t hash = seed_ ^ name.size();
  for (; name.size() >= 8; name.remove_prefix(8)) {
    std::uint64_t word = 0;
    std::memcpy(&word, name.data(), sizeof word);
    hash = mixed(hash ^ word);
  }
  std::uint64_t rest = 0;
  std::memcpy(&rest, name.data(), name.size());
  return mixed(mixed(hash ^ rest) ^ seed_);
}

const TenantMap::Set* TenantMap::find_set(ServiceId service, std::uint32_t& index) const noexcept {
  const std::size_t at = index_of(service);
  if (at >= set_of_service_.size() || set_of_service_[at] == 0) return nullptr;
  index = set_of_service_[at] - 1;
  return &sets_[index];
}

std::optional<std::uint32_t> TenantMap::find_name(const Set& set,
                                                  std::string_view name) const noexcept {
  return set.by_name.find(hash_of(name),
                          [&](std::uint32_t line) { return set.name(line) == name; });
}

std::optional<std::uint32_t> TenantMap::find_opaque(const Set& set,
                                                    std::string_view label) const noexcept {
  if (label.size() != opaque_label_size) return std::nullopt;
  Opaque wanted{};
  std::uint32_t bits = 0;
  unsigned count = 0;
  std::size_t filled = 0;
  for (const char letter : label) {
    const std::uint32_t value = base32_value(letter);
    if (value == 32) return std::nullopt;
    bits = bits << 5 | value;
    count += 5;
    if (count < 8 || filled == wanted.size()) continue;
    count -= 8;
    wanted[filled++] = static_cast<std::uint8_t>(bits >> count);
  }
  const auto rest = static_cast<std::uint8_t>(bits & 3);
  return set.by_opaque.find(first_eight(wanted), [&](std::uint32_t line) {
    return set.opaque[line] == wanted && set.lines[line].opaque_rest == rest;
  });
}

std::optional<TenantId> TenantMap::find(ServiceId service, std::string_view tenant) const noexcept {
  TenantId id;
  const Set* const set = find_set(service, id.set);
  if (set == nullptr) return std::nullopt;
  const auto line = find_name(*set, tenant);
  if (!line) return std::nullopt;
  id.line = *line;
  return id;
}

std::optional<TenantId> TenantMap::find_label(ServiceId service,
                                              std::span<const std::uint8_t> label) const noexcept {
  TenantId id;
  const Set* const set = find_set(service, id.set);
  if (set == nullptr) return std::nullopt;
  const std::string_view text(reinterpret_cast<const char*>(label.data()), label.size());
  std::optional<std::uint32_t> line;
  if (set->labels != TenantLabels::opaque) line = find_name(*set, text);
  if (!line && set->labels != TenantLabels::plain) line = find_opaque(*set, text);
  if (!line) return std::nullopt;
  id.line = *line;
  return id;
}

std::optional<ServiceId> TenantMap::class_of(ServiceId service, std::string_view tenant) const {
  const auto id = find(service, tenant);
  return id ? std::optional(kind(*id).tenant_class) : std::nullopt;
}

std::size_t TenantMap::regulated_in(ServiceId tenant_class) const {
  const auto found = counts_.find(tenant_class);
  return found == counts_.end() ? 0 : found->second.second;
}

std::size_t TenantMap::tenants_in(ServiceId tenant_class) const {
  const auto found = counts_.find(tenant_class);
  return found == counts_.end() ? 0 : found->second.first;
}

std::string_view TenantMap::name(TenantId id) const noexcept { return sets_[id.set].name(id.line); }

const TenantKind& TenantMap::kind(TenantId id) const noexcept {
  const Set& set = sets_[id.set];
  return set.kinds[set.lines[id.line].kind];
}

std::optional<std::string> TenantMap::opaque_label(TenantId id) const {
  const Set& set = sets_[id.set];
  if (set.opaque.empty()) return std::nullopt;
  std::string label;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const std::uint8_t byte : set.opaque[id.line]) {
    bits = bits << 8 | byte;
    for (count += 8; count >= 5;) {
      count -= 5;
      label += base32[bits >> count & 31];
    }
  }
  label += base32[(bits << 2 | set.lines[id.line].opaque_rest) & 31];  // three bits and the rest
  return label;
}

std::size_t TenantMap::size() const noexcept {
  std::size_t count = 0;
  for (const Set& set : sets_) count += set.lines.size();
  return count;
}

std::size_t TenantMap::size_bytes() const noexcept {
  std::size_t bytes = set_of_service_.capacity() * sizeof(std::uint32_t);
  for (const Set& set : sets_) {
    bytes += set.lines.capacity() * sizeof(Line) + set.names.capacity() +
             set.opaque.capacity() * sizeof(Opaque) + set.by_name.size_bytes() +
             set.by_opaque.size_bytes() + set.kinds.capacity() * sizeof(TenantKind);
  }
  return bytes;
}

std::string_view to_text(Sensitivity sensitivity) noexcept {
  return sensitivity == Sensitivity::low ? "low" : "high";
}

}  // namespace demarc::zones
