// Compiles the zones of a repository into the tables of dns/zone_table.h: first every name becomes
// a node, then delegations are marked, then every answer is rendered (dns/answer_writer.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dns/answer_writer.h"
#include "dns/zone_table.h"
#include "zones/model.h"

namespace demarc::dns {

/// CNAMEs in one answer, those that DNAMEs make included: enough for every sane zone, and a loop
/// ends (gdnsd and NSD have similar).
inline constexpr std::size_t cname_chain_max = 8;

/// Used once, by ZoneTable::build().
class ZoneCompiler {
 public:
  explicit ZoneCompiler(const zones::Repository& repository) : repository_(repository) {}

  [[nodiscard]] Result<ZoneTable, SystemError> build();

 private:
  using RRsets = std::span<const zones::RRset* const>;

  // The RRsets of a node lie side by side in rrsets_.
  struct Source {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
  };
  // Where a chain of CNAMEs ends.
  struct ChainEnd {
    enum class Kind : std::uint8_t { outside, missing, too_long, records, service, delegation };
    Kind kind = Kind::outside;
    NodeId node = 0;         // with `records` and `service`; the cut with `delegation`
    std::uint32_t zone = 0;  // the zone that has the end
    std::string owner;       // the end's name
  };
  // One step of a chain: a CNAME of a zone, or one that a DNAME makes; none where its target would
  // be too long.
  struct Hop {
    std::string owner;
    const zones::RRset* record = nullptr;
    const zones::RRset* dname = nullptr;
    std::optional<zones::RRset> made;

    [[nodiscard]] const zones::RRset* cname() const { return made ? &*made : record; }
  };

  // zone_compiler.cpp: names to nodes
  void add_apexes();
  void reserve();
  void add_parents();
  void add_zone(std::uint32_t zone);
  void add_owner(std::uint32_t zone, const zones::Name& owner, Source source);
  void add_mode_name(std::uint32_t zone, zones::ServiceId service);
  void add_parent_side(std::uint32_t child, std::uint32_t parent, const zones::Name& owner,
                       Source source);
  NodeId ensure_node(const NameKey& key, std::uint32_t zone);
  NodeId add_node(const NameKey& key, std::size_t label, std::uint32_t zone);
  void insert_slot(std::uint64_t hash, NodeId id);
  void grow_slots(std::size_t slot_count);
  void mark_cuts();
  void mark_below_cut(NodeId id);
  [[nodiscard]] std::uint32_t zone_of(const zones::Name& name, std::uint32_t zone) const;

  // answer_compiler.cpp: nodes to answers
  [[nodiscard]] std::optional<SystemError> render_negatives();
  void render_node(NodeId id);
  void render_cut(NodeId id);
  void render_rrset(NodeId id, const zones::RRset& rrset);
  void render_cname(NodeId id, const zones::RRset& cname);
  void render_chain_to_apex(NodeId id, const ChainEnd& end, const std::vector<Hop>& hops);
  void render_chain_to_cut(NodeId id, const ChainEnd& end, const std::vector<Hop>& hops);
  ChainEnd follow(const std::string& owner, const zones::RRset& cname,
                  std::vector<Hop>& hops) const;
  ChainEnd end_without_cname(const Match& match, std::string target) const;
  [[nodiscard]] bool may_be_challenge(const Match& match, const NameKey& name) const;
  void begin_chain(NodeId id, std::span<const Hop> hops);
  [[nodiscard]] static Rcode rcode_of(ChainEnd::Kind kind);
  void add_soa(std::uint32_t zone);
  void add_referral(NodeId cut);
  void add_addresses(const zones::RRset& rrset);
  void add_addresses_of(std::string_view target);
  void add_bindings_of(std::string_view target, std::uint16_t type);
  void add_glue(std::string_view cut, const zones::RRset& ns);
  void add_entry(NodeId id, std::uint16_t type, Rcode rcode, bool is_authoritative);
  std::uint32_t store(const Rendered& rendered);
  [[nodiscard]] RRsets rrsets_of(NodeId id) const;
  [[nodiscard]] const zones::RRset* find_rrset(NodeId id, std::uint16_t type) const;
  [[nodiscard]] const zones::RRset* soa_of(std::uint32_t zone) const;
  [[nodiscard]] std::string_view owner_of(NodeId id) const;

  const zones::Repository& repository_;
  ZoneTable table_;
  std::vector<const zones::RRset*> rrsets_;
  std::vector<Source> sources_;  // by node
  std::unordered_map<std::string_view, std::uint32_t> apexes_;
  std::vector<bool> has_child_zone_;
  std::vector<bool> has_cut_;  // by zone
  AnswerWriter writer_;
  bool is_too_large_ = false;
};

}  // namespace demarc::dns
