// Every name that exists in the zones of a repository, before anything is rendered: owners of
// records, services, and what lies between them and their apex. dns/zone_compiler.h renders them in
// this order, part by part, and looks into it for what answers need of other names.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dns/name_key.h"
#include "dns/name_search.h"
#include "dns/table_part.h"
#include "geo/base/result.h"
#include "zones/model.h"

namespace demarc::dns {

/// Eight bytes a name that has records. The names are ordered by their hashes, which is also the
/// order of the parts, and of the nodes in them.
class ZoneNames {
 public:
  using NameBuffer = std::array<std::uint8_t, name_size_max>;

  /// What a zone has above and below it.
  struct ZonePlace {
    std::optional<std::uint32_t> parent;  // the zone above that is ours as well
    std::optional<NodeId> parent_side;    // the node of the apex's name in it
    bool has_child = false;
    bool has_cut = false;
  };
  /// The records of an owner.
  struct Records {
    const zones::RRsets* all = nullptr;
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  /// Powers of two. Nothing of both: as many parts as suit the number of names.
  struct PartCount {
    std::size_t exact = 0;
    std::size_t last = 0;  // taken where it still suits: other parts have no bytes in common
  };
  /// Control side. Fails where the zones have more records than can be counted.
  [[nodiscard]] static Result<ZoneNames, SystemError> build(const zones::Repository& repository,
                                                            PartCount part_count);

  [[nodiscard]] std::size_t size() const noexcept { return names_.size(); }
  [[nodiscard]] std::size_t part_count() const noexcept { return part_begins_.size() - 1; }
  /// The names of a part: from part_begin(part) to part_begin(part + 1).
  [[nodiscard]] std::size_t part_begin(std::size_t part) const noexcept {
    return part_begins_[part];
  }
  [[nodiscard]] NodeId id_at(std::size_t index) const noexcept;

  [[nodiscard]] Match find(const NameKey& qname) const noexcept;

  // Of a node; precondition: there is one of this id.
  [[nodiscard]] std::uint8_t flags(NodeId id) const noexcept { return flags_[index_of(id)]; }
  [[nodiscard]] bool has(NodeId id, std::uint8_t flag) const noexcept {
    return (flags(id) & flag) != 0;
  }
  [[nodiscard]] std::uint32_t special(NodeId id) const noexcept;
  [[nodiscard]] std::uint32_t zone(NodeId id) const noexcept;
  [[nodiscard]] bool is_found_by_name(NodeId id) const noexcept;
  /// The name, in `buffer`.
  [[nodiscard]] std::string_view owner(NodeId id, NameBuffer& buffer) const noexcept;
  [[nodiscard]] Records records(NodeId id) const noexcept;
  [[nodiscard]] std::optional<zones::RRset> find_rrset(NodeId id,
                                                       std::uint16_t type) const noexcept;
  /// A hint: records(id_at(index)) will be asked for soon.
  void fetch(std::size_t index) const noexcept;

  [[nodiscard]] const ZonePlace& place(std::uint32_t zone) const noexcept { return places_[zone]; }
  [[nodiscard]] std::size_t label_count_max() const noexcept { return label_count_max_; }
  [[nodiscard]] bool has_dnames() const noexcept { return has_dnames_; }

 private:
  friend class NameCollector;

  struct Name {
    std::uint32_t tag = 0;  // the hash's upper half
    // The first record of the owner, counted through all zones; or, with `is_extra`, which extra.
    std::uint32_t source = 0;
    auto operator<=>(const Name&) const = default;
  };
  static constexpr std::uint32_t is_extra = 0x8000'0000;

  /// A name that is no owner of records, or is not found by its hash.
  struct Extra {
    std::uint64_t name_at = 0;  // in extra_names_
    std::uint32_t zone = 0;
    std::uint32_t source = no_records;
    std::uint8_t name_size = 0;
    bool is_found_by_name = true;
  };
  static constexpr std::uint32_t no_records = 0xffff'ffff;

  explicit ZoneNames(const zones::Repository& repository) : repository_(&repository) {}

  [[nodiscard]] std::size_t index_of(NodeId id) const noexcept {
    return part_begins_[id >> node_place_bits] + (id & ((1U << node_place_bits) - 1));
  }
  void index_names();
  [[nodiscard]] std::optional<std::size_t> find_index(
      std::uint64_t hash, std::span<const std::uint8_t> name) const noexcept;
  [[nodiscard]] bool is_named(std::uint32_t source, std::string_view name) const noexcept;
  [[nodiscard]] std::uint32_t zone_of_source(std::uint32_t source) const noexcept;
  [[nodiscard]] const Extra* extra(std::size_t index) const noexcept;

  // For find_match() of dns/name_search.h.
  friend struct NamesOfZones;

  const zones::Repository* repository_;
  std::vector<std::uint32_t> record_begins_;  // by zone: of its records among all
  std::vector<Name> names_;
  // By the first bits of the tag: where names with them begin. A few names share an entry.
  std::vector<std::uint32_t> tag_begins_;
  unsigned tag_shift_ = 0;
  std::vector<Extra> extras_;
  std::string extra_names_;
  std::vector<std::uint8_t> flags_;                          // by index
  std::unordered_map<std::size_t, std::uint32_t> specials_;  // by index; cuts are their own
  std::vector<std::uint32_t> part_begins_;
  std::vector<ZonePlace> places_;
  std::size_t label_count_max_ = 0;
  bool has_dnames_ = false;
};

}  // namespace demarc::dns
