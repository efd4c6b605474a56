// How dns/zone_names.h is filled: owners of records first, ordered by hash; then the names that no
// record has (services, and what lies between a name and its apex); then what each of them is.

#include <algorithm>
#include <bit>
#include <cassert>
#include <limits>
#include <unordered_map>

#include "dns/zone_names.h"
#include "zones/mode_signal.h"

namespace demarc::dns {

namespace {

// Names in a part: so many are compared, and made anew, where one of them changes.
constexpr std::size_t part_names = 1024;
// Parts may become so many times too large or too small before they are cut anew.
constexpr std::size_t kept_part_factor = 4;

std::string_view as_text(std::span<const std::uint8_t> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::span<const std::uint8_t> as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

bool is_wildcard(std::string_view labels) noexcept { return labels.starts_with("\1*"); }

}  // namespace

class NameCollector {
 public:
  explicit NameCollector(const zones::Repository& repository)
      : repository_(repository), names_(repository) {}

  Result<ZoneNames, SystemError> collect(ZoneNames::PartCount part_count) {
    if (!count_records()) return failure("the zones have 2,147,483,648 records or more");
    find_parents();
    for (std::uint32_t zone = 0; zone < repository_.zones.size(); ++zone) add_owners(zone);
    std::ranges::sort(names_.names_);
    names_.index_names();
    add_extras();
    merge_extras();
    split(part_count);
    if (has_too_many_names()) return failure("the zones have more names than can be told apart");
    set_flags();
    return std::move(names_);
  }

 private:
  using Extra = ZoneNames::Extra;

  struct Deep {
    std::uint32_t zone = 0;
    std::uint32_t source = 0;
  };
  struct Steered {
    zones::ServiceId service{};
    std::uint32_t zone = 0;
  };
  struct ParentSide {
    std::uint32_t child = 0;  // the zone
    ZoneNames::Name name;
  };

  bool count_records() {
    std::size_t count = 0;
    for (const zones::Zone& zone : repository_.zones) {
      names_.record_begins_.push_back(static_cast<std::uint32_t>(count));
      count += zone.rrsets.record_count();
      if (count >= ZoneNames::is_extra) return false;
    }
    names_.names_.reserve(count);
    return true;
  }

  void find_parents() {
    names_.places_.resize(repository_.zones.size());
    for (std::uint32_t zone = 0; zone < repository_.zones.size(); ++zone) {
      apexes_.emplace(repository_.zones[zone].apex.wire(), zone);
    }
    for (std::uint32_t zone = 0; zone < repository_.zones.size(); ++zone) {
      const zones::Name& apex = repository_.zones[zone].apex;
      if (apex.is_root()) continue;
      const std::uint32_t parent = zone_of(apex.parent().wire(), zone);
      if (parent == zone) continue;
      names_.places_[zone].parent = parent;
      names_.places_[parent].has_child = true;
    }
  }

  /// The zone with the longest apex that `name` is at or below; `zone` if there is none.
  [[nodiscard]] std::uint32_t zone_of(std::string_view name, std::uint32_t zone) const {
    while (true) {
      if (const auto found = apexes_.find(name); found != apexes_.end()) return found->second;
      if (name.size() <= 1) return zone;
      name.remove_prefix(static_cast<std::uint8_t>(name[0]) + 1U);
    }
  }

  // What a zone has below the apex of another is hidden by it.
  void add_owners(std::uint32_t zone) {
    const zones::RRsets& rrsets = repository_.zones[zone].rrsets;
    const std::string_view apex = rrsets.apex().wire();
    const std::size_t apex_labels = rrsets.apex().label_count();
    std::string owner;
    NameKey key;
    for (std::size_t at = 0, end = 0; at < rrsets.record_count(); at = end) {
      end = rrsets.owner_end(at);
      owner = rrsets.record(at).labels;
      const bool has_wildcard_label = is_wildcard(owner);
      owner += apex;
      key.read(as_bytes(owner));
      const auto source = static_cast<std::uint32_t>(names_.record_begins_[zone] + at);
      if (names_.places_[zone].has_child && zone_of(owner, zone) != zone) {
        add_parent_side(zone, owner, key, source);
        continue;
      }
      names_.names_.push_back({static_cast<std::uint32_t>(key.hash(0) >> 32), source});
      names_.label_count_max_ = std::max(names_.label_count_max_, key.label_count());
      if (key.label_count() > apex_labels + 1) deep_.push_back({zone, source});
      if (has_wildcard_label) wildcards_.push_back(source);
      const bool may_be_cut = owner.size() != apex.size() && !has_wildcard_label;
      if (note_types(rrsets, at, end) && may_be_cut) cuts_.push_back(source);
    }
  }

  // Whether there is NS among them. Below an apex that makes a delegation (RFC 1034 §4.2.1); at a
  // wildcard it is mere data, as RFC 4592 §4.2 leaves it undefined.
  bool note_types(const zones::RRsets& rrsets, std::size_t at, std::size_t end) {
    bool has_ns = false;
    for (; at < end; ++at) {
      const std::uint16_t type = rrsets.record(at).type;
      has_ns = has_ns || type == rrtype::ns;
      names_.has_dnames_ = names_.has_dnames_ || type == rrtype::dname;
    }
    return has_ns;
  }

  // Only DS queries for the child's apex come here, by way of its zone.
  void add_parent_side(std::uint32_t zone, std::string_view owner, const NameKey& key,
                       std::uint32_t source) {
    const auto child = apexes_.find(owner);
    if (child == apexes_.end() || names_.places_[child->second].parent != zone) return;
    append_extra(key, 0, zone);
    parent_sides_.push_back({.child = child->second, .name = extra_order_.back()});
    names_.extras_.back().source = source;
    names_.extras_.back().is_found_by_name = false;
  }

  // Extras are collected beside the ordered owners, and ordered at the end.
  void append_extra(const NameKey& key, std::size_t label, std::uint32_t zone) {
    const auto name = key.suffix(label);
    const auto number = static_cast<std::uint32_t>(names_.extras_.size());
    extra_order_.push_back(
        {static_cast<std::uint32_t>(key.hash(label) >> 32), ZoneNames::is_extra | number});
    names_.extras_.push_back({.name_at = names_.extra_names_.size(),
                              .zone = zone,
                              .name_size = static_cast<std::uint8_t>(name.size())});
    names_.extra_names_ += as_text(name);
    names_.label_count_max_ = std::max(names_.label_count_max_, key.label_count() - label);
  }

  void add_extra(const NameKey& key, std::size_t label, std::uint32_t zone) {
    append_extra(key, label, zone);
    extra_by_hash_.emplace(key.hash(label), static_cast<std::uint32_t>(names_.extras_.size() - 1));
  }

  void add_extras() {
    NameKey key;
    for (std::uint32_t zone = 0; zone < repository_.zones.size(); ++zone) {
      key.read(repository_.zones[zone].apex.bytes());
      if (!exists(key, 0)) add_extra(key, 0, zone);
    }
    for (std::uint32_t zone = 0; zone < repository_.zones.size(); ++zone) {
      key.read(repository_.zones[zone].apex.bytes());
      // What lies between a zone and the one above exists (RFC 8020).
      if (const auto parent = names_.places_[zone].parent; parent) ensure_above(key, *parent);
      add_services(zone);
    }
    std::string owner;
    for (const Deep& deep : deep_) {
      owner = owner_of(deep.zone, deep.source);
      key.read(as_bytes(owner));
      ensure_above(key, deep.zone);
    }
  }

  void merge_extras() {
    const std::size_t owners = names_.names_.size();
    std::ranges::sort(extra_order_);
    names_.names_.insert(names_.names_.end(), extra_order_.begin(), extra_order_.end());
    std::inplace_merge(names_.names_.begin(),
                       names_.names_.begin() + static_cast<std::ptrdiff_t>(owners),
                       names_.names_.end());
    names_.index_names();
  }

  // Of one part, whose nodes are counted in some bits of their ids; and of all.
  [[nodiscard]] bool has_too_many_names() const {
    for (std::size_t part = 0; part < names_.part_count(); ++part) {
      if (names_.part_begin(part + 1) - names_.part_begin(part) > node_place_max) return true;
    }
    return names_.extras_.size() >= ZoneNames::is_extra ||
           names_.size() > std::numeric_limits<std::uint32_t>::max();
  }

  void add_services(std::uint32_t zone) {
    for (const zones::ServiceId id : repository_.zones[zone].services) {
      const zones::Service& service = repository_.service(id);
      const bool is_here = service.owner.is_at_or_below(repository_.zones[zone].apex) &&
                           zone_of(service.owner.wire(), zone) == zone;
      if (!is_here) continue;
      steered_.push_back({.service = id, .zone = zone});
      ensure(service.owner, zone);
      if (const auto mode = mode_of(steered_.back())) ensure(*mode, zone);
    }
  }

  void ensure(const zones::Name& name, std::uint32_t zone) {
    NameKey key;
    key.read(name.bytes());
    if (exists(key, 0)) return;
    add_extra(key, 0, zone);
    ensure_above(key, zone);
  }

  // The first one that exists has all those above it.
  void ensure_above(const NameKey& key, std::uint32_t zone) {
    for (std::size_t label = 1; label <= key.label_count() && !exists(key, label); ++label) {
      add_extra(key, label, zone);
    }
  }

  [[nodiscard]] bool exists(const NameKey& key, std::size_t label) const {
    const auto [first, last] = extra_by_hash_.equal_range(key.hash(label));
    const auto is_same = [&](const auto& known) {
      return name_of(names_.extras_[known.second]) == as_text(key.suffix(label));
    };
    return std::any_of(first, last, is_same) ||
           names_.find_index(key.hash(label), key.suffix(label)).has_value();
  }

  [[nodiscard]] std::string owner_of(std::uint32_t zone, std::uint32_t source) const {
    const zones::RRsets& rrsets = repository_.zones[zone].rrsets;
    std::string owner(rrsets.record(source - names_.record_begins_[zone]).labels);
    return owner += rrsets.apex().wire();
  }

  [[nodiscard]] std::size_t choose(ZoneNames::PartCount wanted) const {
    if (wanted.exact != 0) return wanted.exact;
    const std::size_t suiting =
        std::clamp<std::size_t>(std::bit_floor(names_.size() / part_names), 1, table_parts_max);
    const bool still_suits = wanted.last != 0 && wanted.last <= suiting * kept_part_factor &&
                             suiting <= wanted.last * kept_part_factor;
    return still_suits ? wanted.last : suiting;
  }

  void split(ZoneNames::PartCount wanted) {
    const std::size_t part_count = choose(wanted);
    const auto shift = static_cast<unsigned>(32 - std::countr_zero(part_count));
    for (std::size_t part = 0; part < part_count; ++part) {
      const std::uint64_t first_tag = std::uint64_t{part} << shift;
      const auto begin =
          std::ranges::lower_bound(names_.names_, first_tag, {}, &ZoneNames::Name::tag);
      names_.part_begins_.push_back(static_cast<std::uint32_t>(begin - names_.names_.begin()));
    }
    names_.part_begins_.push_back(static_cast<std::uint32_t>(names_.size()));
  }

  void set_flags() {
    names_.flags_.assign(names_.size(), 0);
    for (std::uint32_t zone = 0; zone < repository_.zones.size(); ++zone) {
      names_.flags_[index_of(repository_.zones[zone].apex.wire())] |= Node::is_apex;
    }
    for (const std::uint32_t source : wildcards_) {
      const std::uint32_t zone = names_.zone_of_source(source);
      flag_wildcard_above(owner_of(zone, source));
    }
    // A wildcard service, or an empty non-terminal named `*`.
    for (const Extra& extra : names_.extras_) {
      if (extra.is_found_by_name && is_wildcard(name_of(extra))) {
        flag_wildcard_above(name_of(extra));
      }
    }
    for (const Steered& one : steered_) flag_service(one);
    for (const ParentSide& side : parent_sides_) {
      const auto at = std::ranges::lower_bound(names_.names_, side.name);
      names_.places_[side.child].parent_side =
          names_.id_at(static_cast<std::size_t>(at - names_.names_.begin()));
    }
    flag_cuts();
  }

  // Above the apex of a zone is nothing, where no other zone of ours is.
  void flag_wildcard_above(std::string_view wildcard) {
    NameKey key;
    key.read(as_bytes(wildcard));
    const auto above = names_.find_index(key.hash(1), key.suffix(1));
    if (above) names_.flags_[*above] |= Node::has_wildcard;
  }

  [[nodiscard]] std::string_view name_of(const Extra& extra) const {
    return std::string_view(names_.extra_names_).substr(extra.name_at, extra.name_size);
  }

  void flag_service(const Steered& steered) {
    const zones::Service& service = repository_.service(steered.service);
    const std::size_t index = index_of(service.owner.wire());
    names_.flags_[index] |= Node::is_service;
    if (service.home_kind == zones::HomeKind::tenant) names_.flags_[index] |= Node::has_tenants;
    names_.specials_[index] = static_cast<std::uint32_t>(zones::index_of(steered.service));
    const auto mode = mode_of(steered);
    if (!mode) return;
    const std::size_t mode_index = index_of(mode->wire());
    names_.flags_[mode_index] |= Node::leads_to_service;
    names_.specials_[mode_index] = static_cast<std::uint32_t>(zones::index_of(steered.service));
  }

  /// The name that tells the service's mode, unless it lies in another zone of ours.
  [[nodiscard]] std::optional<zones::Name> mode_of(const Steered& steered) const {
    auto mode = zones::mode_owner(repository_.service(steered.service));
    if (mode && zone_of(mode->wire(), steered.zone) != steered.zone) mode.reset();
    return mode;
  }

  void flag_cuts() {
    constexpr std::uint8_t lost = Node::is_service | Node::has_tenants | Node::leads_to_service;
    is_cut_.assign(names_.size(), false);
    for (const std::uint32_t source : cuts_) {
      const std::uint32_t zone = names_.zone_of_source(source);
      const std::size_t index = index_of(owner_of(zone, source));
      names_.flags_[index] =
          static_cast<std::uint8_t>((names_.flags_[index] | Node::is_cut) & ~lost);
      names_.specials_.erase(index);
      is_cut_[index] = true;
      names_.places_[zone].has_cut = true;
    }
    if (cuts_.empty()) return;
    ZoneNames::NameBuffer buffer;
    NameKey key;
    for (std::size_t index = 0; index < names_.size(); ++index) {
      const NodeId id = names_.id_at(index);
      if (!names_.places_[names_.zone(id)].has_cut) continue;
      key.read(as_bytes(names_.owner(id, buffer)));
      flag_below_cut(index, key);
    }
  }

  void flag_below_cut(std::size_t index, const NameKey& key) {
    const std::uint32_t zone = names_.zone(names_.id_at(index));
    std::optional<std::size_t> cut;  // the one nearest to the apex: what it hides, it hides whole
    for (std::size_t label = 1; label <= key.label_count(); ++label) {
      const auto above = names_.find_index(key.hash(label), key.suffix(label));
      if (!above || names_.zone(names_.id_at(*above)) != zone) break;
      if (is_cut_[*above]) cut = above;
    }
    if (!cut || (names_.flags_[index] & Node::is_apex) != 0) return;
    constexpr std::uint8_t lost = Node::is_cut | Node::is_service | Node::has_tenants |
                                  Node::leads_to_service | Node::has_wildcard;
    names_.flags_[index] =
        static_cast<std::uint8_t>((names_.flags_[index] | Node::is_below_cut) & ~lost);
    names_.specials_[index] = names_.id_at(*cut);
  }

  /// Precondition: the name is there.
  [[nodiscard]] std::size_t index_of(std::string_view name) const {
    NameKey key;
    key.read(as_bytes(name));
    const auto index = names_.find_index(key.hash(0), key.suffix(0));
    assert(index);
    return *index;
  }

  const zones::Repository& repository_;
  ZoneNames names_;
  std::unordered_map<std::string_view, std::uint32_t> apexes_;
  std::vector<ZoneNames::Name> extra_order_;
  std::unordered_multimap<std::uint64_t, std::uint32_t> extra_by_hash_;
  std::vector<Deep> deep_;  // owners with something between them and their apex
  std::vector<std::uint32_t> wildcards_;
  std::vector<std::uint32_t> cuts_;
  std::vector<bool> is_cut_;
  std::vector<Steered> steered_;
  std::vector<ParentSide> parent_sides_;
};

Result<ZoneNames, SystemError> ZoneNames::build(const zones::Repository& repository,
                                                PartCount part_count) {
  return NameCollector(repository).collect(part_count);
}

}  // namespace demarc::dns
