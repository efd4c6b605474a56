// Renders the answers of every name of a repository (dns/zone_names.h) and writes them, part by
// part, as dns/zone_table.h has them. dns/answer_writer.h turns records into bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dns/answer_writer.h"
#include "dns/part_writer.h"
#include "dns/zone_names.h"
#include "zones/model.h"

namespace demarc::dns {

/// CNAMEs in one answer, those that DNAMEs make included: enough for every sane zone, and a loop
/// ends (gdnsd and NSD have similar).
inline constexpr std::size_t cname_chain_max = 8;

/// One thread; several may compile parts of the same names.
class ZoneCompiler {
 public:
  ZoneCompiler(const zones::Repository& repository, const ZoneNames& names)
      : repository_(repository), names_(names) {}

  /// The part, or `last` if that has the same bytes. Nothing: it needs more than `bytes_max`.
  [[nodiscard]] std::optional<KeptPart> compile(std::size_t part, const KeptPart& last,
                                                std::size_t bytes_max);

  /// The SOA that ends negative answers of a zone (RFC 2308), appended to `bytes`. Precondition: it
  /// has one.
  enum class Compression : std::uint8_t { none, names };
  void append_negative(std::uint32_t zone, Compression compression,
                       std::vector<std::uint8_t>& bytes);

 private:
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
    std::optional<std::string> target;
    std::uint32_t ttl = 0;
    std::optional<zones::RRset> dname;
  };

  void render_node(NodeId id);
  void render_parent_side(NodeId id);
  void render_cut(NodeId id);
  void render_rrset(NodeId id, const zones::RRset& rrset);
  void render_cname(NodeId id, const zones::RRset& cname);
  void render_chain_to_apex(const ChainEnd& end, const std::vector<Hop>& hops);
  void render_chain_to_cut(const ChainEnd& end, const std::vector<Hop>& hops);
  [[nodiscard]] ChainEnd follow(const zones::RRset& cname, std::vector<Hop>& hops) const;
  [[nodiscard]] ChainEnd end_without_cname(const Match& match, std::string target) const;
  [[nodiscard]] bool may_be_challenge(const Match& match, const NameKey& name) const;
  void begin_chain(std::span<const Hop> hops);
  [[nodiscard]] static Rcode rcode_of(ChainEnd::Kind kind);
  void add_soa(std::uint32_t zone);
  void add_referral(NodeId cut);
  void add_addresses(const zones::RRset& rrset);
  void add_addresses_of(std::string_view target);
  void add_bindings_of(std::string_view target, std::uint16_t type);
  void add_glue(std::string_view cut, const zones::RRset& ns);
  void add_entry(std::uint16_t type, Rcode rcode, bool is_authoritative);
  [[nodiscard]] std::optional<zones::RRset> find_rrset(NodeId id, std::uint16_t type) const {
    return names_.find_rrset(id, type);
  }

  const zones::Repository& repository_;
  const ZoneNames& names_;
  ZoneNames::NameBuffer owner_buffer_{};
  std::string_view owner_;  // of the node that is rendered
  AnswerWriter writer_;
  PartWriter part_;
};

}  // namespace demarc::dns
