// Which name answers a QNAME: itself, the wildcard that covers it, or nothing, and then where it
// would be (RFC 4592 §3.3.1). One search for two kinds of tables: dns/zone_table.h, and
// dns/zone_names.h, from which that is made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "dns/name_key.h"
#include "dns/table_part.h"

namespace demarc::dns {

enum class MatchKind : std::uint8_t {
  outside,   // no zone of ours
  exact,     // `node` is the QNAME
  wildcard,  // `node` is the wildcard that covers it
  missing,   // `node` is the closest encloser (RFC 4592 §3.3.1)
};

struct Match {
  MatchKind kind = MatchKind::outside;
  NodeId node = 0;
};

/// A name that was found, and what it is: flags as Node has them.
struct FoundName {
  NodeId id = 0;
  std::uint8_t flags = 0;
};

/// The zone with the longest apex decides, in it the name itself, else the closest encloser.
/// `names` has find(hash, name) and find_wildcard(qname, encloser), both to an optional FoundName.
/// No name in it has more than `labels_max` labels: a QNAME of 127 costs no more
/// steps than the deepest one.
template <typename Names>
[[nodiscard]] Match find_match(const Names& names, const NameKey& qname,
                               std::size_t labels_max) noexcept {
  const std::size_t labels = qname.label_count();
  const std::size_t first = labels > labels_max ? labels - labels_max : 0;
  for (std::size_t label = first; label <= labels; ++label) {
    const std::optional<FoundName> found = names.find(qname.hash(label), qname.suffix(label));
    if (!found) continue;
    if (label == 0) return {MatchKind::exact, found->id};
    constexpr std::uint8_t deciding = Node::has_wildcard | Node::is_cut | Node::is_below_cut;
    if ((found->flags & deciding) == Node::has_wildcard) {
      if (const std::optional<FoundName> wildcard = names.find_wildcard(qname, label)) {
        return {MatchKind::wildcard, wildcard->id};
      }
    }
    return {MatchKind::missing, found->id};
  }
  return {};
}

}  // namespace demarc::dns
