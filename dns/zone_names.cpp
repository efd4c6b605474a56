#include "dns/zone_names.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <numeric>

namespace demarc::dns {

namespace {

// Names that share an entry of the index: a line of memory or two.
constexpr std::size_t tag_names = 8;

std::string_view as_text(std::span<const std::uint8_t> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

/// ZoneNames as find_match() sees it.
struct NamesOfZones {
  const ZoneNames& names;

  [[nodiscard]] std::optional<FoundName> find(std::uint64_t hash,
                                              std::span<const std::uint8_t> name) const noexcept {
    const auto index = names.find_index(hash, name);
    if (!index) return std::nullopt;
    return FoundName{names.id_at(*index), names.flags_[*index]};
  }
  [[nodiscard]] std::optional<FoundName> find_wildcard(const NameKey& qname,
                                                       std::size_t encloser) const noexcept {
    const auto suffix = qname.suffix(encloser);
    std::array<std::uint8_t, name_size_max + 2> name{1, '*'};
    std::ranges::copy(suffix, name.data() + 2);
    return find(qname.wildcard_hash(encloser), std::span(name).first(suffix.size() + 2));
  }
};

NodeId ZoneNames::id_at(std::size_t index) const noexcept {
  // The last part that begins at or before it, so that empty ones are passed over.
  const auto next = std::ranges::upper_bound(part_begins_, static_cast<std::uint32_t>(index));
  const auto part = static_cast<std::uint32_t>(next - part_begins_.begin() - 1);
  return part << node_place_bits | static_cast<std::uint32_t>(index - part_begins_[part]);
}

Match ZoneNames::find(const NameKey& qname) const noexcept {
  return find_match(NamesOfZones{*this}, qname, label_count_max_);
}

// After each change of the order.
void ZoneNames::index_names() {
  const std::size_t entries = std::bit_ceil(std::max<std::size_t>(names_.size() / tag_names, 1));
  const auto bits = static_cast<unsigned>(std::countr_zero(entries));
  tag_shift_ = 32 - bits;
  tag_begins_.assign(entries + 1, 0);
  for (const Name& name : names_) ++tag_begins_[(std::uint64_t{name.tag} >> tag_shift_) + 1];
  std::partial_sum(tag_begins_.begin(), tag_begins_.end(), tag_begins_.begin());
}

std::optional<std::size_t> ZoneNames::find_index(
    std::uint64_t hash, std::span<const std::uint8_t> name) const noexcept {
  const auto tag = static_cast<std::uint32_t>(hash >> 32);
  const std::uint64_t entry = std::uint64_t{tag} >> tag_shift_;
  for (std::size_t index = tag_begins_[entry]; index < tag_begins_[entry + 1]; ++index) {
    if (names_[index].tag == tag && is_named(names_[index].source, as_text(name))) return index;
  }
  return std::nullopt;
}

bool ZoneNames::is_named(std::uint32_t source, std::string_view name) const noexcept {
  if ((source & is_extra) != 0) {
    const Extra& extra = extras_[source & ~is_extra];
    return extra.is_found_by_name &&
           std::string_view(extra_names_).substr(extra.name_at, extra.name_size) == name;
  }
  const std::uint32_t zone = zone_of_source(source);
  const zones::RRsets& rrsets = repository_->zones[zone].rrsets;
  const std::string_view labels = rrsets.record(source - record_begins_[zone]).labels;
  const std::string_view apex = rrsets.apex().wire();
  return name.size() == labels.size() + apex.size() && name.starts_with(labels) &&
         name.ends_with(apex);
}

std::uint32_t ZoneNames::zone_of_source(std::uint32_t source) const noexcept {
  // Of zones without records, which begin where the next one does, this is the last: the right one.
  const auto next = std::ranges::upper_bound(record_begins_, source);
  return static_cast<std::uint32_t>(next - record_begins_.begin() - 1);
}

const ZoneNames::Extra* ZoneNames::extra(std::size_t index) const noexcept {
  const std::uint32_t source = names_[index].source;
  return (source & is_extra) != 0 ? &extras_[source & ~is_extra] : nullptr;
}

std::uint32_t ZoneNames::special(NodeId id) const noexcept {
  if (has(id, Node::is_cut)) return id;
  const auto found = specials_.find(index_of(id));
  return found == specials_.end() ? 0 : found->second;
}

std::uint32_t ZoneNames::zone(NodeId id) const noexcept {
  const std::size_t index = index_of(id);
  const Extra* const one = extra(index);
  return one != nullptr ? one->zone : zone_of_source(names_[index].source);
}

bool ZoneNames::is_found_by_name(NodeId id) const noexcept {
  const Extra* const one = extra(index_of(id));
  return one == nullptr || one->is_found_by_name;
}

std::string_view ZoneNames::owner(NodeId id, NameBuffer& buffer) const noexcept {
  const std::size_t index = index_of(id);
  auto* const text = reinterpret_cast<char*>(buffer.data());
  if (const Extra* const one = extra(index)) {
    std::memcpy(text, extra_names_.data() + one->name_at, one->name_size);
    return {text, one->name_size};
  }
  const std::uint32_t source = names_[index].source;
  const std::uint32_t zone = zone_of_source(source);
  const zones::RRsets& rrsets = repository_->zones[zone].rrsets;
  const std::string_view labels = rrsets.record(source - record_begins_[zone]).labels;
  const std::string_view apex = rrsets.apex().wire();
  std::memcpy(text, labels.data(), labels.size());
  std::memcpy(text + labels.size(), apex.data(), apex.size());
  return {text, labels.size() + apex.size()};
}

ZoneNames::Records ZoneNames::records(NodeId id) const noexcept {
  const std::size_t index = index_of(id);
  const Extra* const one = extra(index);
  const std::uint32_t source = one != nullptr ? one->source : names_[index].source;
  if (source == no_records) return {};
  const std::uint32_t zone = zone_of_source(source);
  const zones::RRsets& rrsets = repository_->zones[zone].rrsets;
  const std::size_t begin = source - record_begins_[zone];
  return {.all = &rrsets, .begin = begin, .end = rrsets.owner_end(begin)};
}

std::optional<zones::RRset> ZoneNames::find_rrset(NodeId id, std::uint16_t type) const noexcept {
  const Records records = this->records(id);
  for (std::size_t at = records.begin; at < records.end;) {
    const zones::RRset rrset = records.all->at(at, records.end);
    if (rrset.type == type) return rrset;
    at += rrset.count;
  }
  return std::nullopt;
}

void ZoneNames::fetch(std::size_t index) const noexcept {
  const std::uint32_t source = names_[index].source;
  if ((source & is_extra) != 0) return;
  const std::uint32_t zone = zone_of_source(source);
  repository_->zones[zone].rrsets.fetch(source - record_begins_[zone]);
}

}  // namespace demarc::dns
