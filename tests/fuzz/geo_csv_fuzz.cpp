// Any text as a CSV of networks. The law: what is read without error becomes a database that our
// checks accept whole, and in which an address stays known that any network says something of.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "geo/mmdb/layout.h"
#include "geo/network_csv.h"

namespace {

using namespace demarc;
using namespace demarc::geo;

void check(bool holds) {
  if (!holds) std::abort();
}

void check_list(const NetworkList& list) {
  for (const NetworkRange& range : list.ranges) {
    check(range.first.family == range.last.family);
    check(range.first <= range.last);
    check(range.location < list.locations.size());
  }
}

/// Whether anything at all is known of the address of `address`.
template <typename Key>
bool is_known(const RangeMap<Key>& map, const Address& address) {
  return map.find(key_of<Key>(address)) != 0;
}

bool is_answered_by_ipv4(const Address& address) {
  return embedded_ipv4(address) || key_of<Key6>(address) >> 32 == 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  NetworkList list;
  Diagnostics diagnostics;
  parse_networks(text, "fuzz.csv", list, diagnostics, {.line_bytes = 512, .ranges = 1'000});
  check_list(list);
  for (const Diagnostic& one : diagnostics.list()) check(one.line().starts_with("fuzz.csv:"));

  const auto image = build_mmdb(list, {"Fuzz", "", 0});
  if (!image) return 0;  // too many overlaps
  const auto layout = check_mmdb_layout(image->bytes);
  check(layout.has_value());
  const auto ranges = walk_mmdb(*layout);
  check(ranges.has_value());
  for (const std::uint32_t offset_plus_one : ranges->ipv4.values) {
    check(offset_plus_one == 0 || check_mmdb_record(layout->data, offset_plus_one - 1).empty());
  }
  // A network of which something is known stays known, whatever else covers it.
  for (const NetworkRange& range : list.ranges) {
    if (list.locations[range.location] == NetworkLocation{}) continue;
    if (range.first.family == Family::ipv4) {
      check(is_known(ranges->ipv4, range.first) && is_known(ranges->ipv4, range.last));
    } else if (!is_answered_by_ipv4(range.first)) {
      check(is_known(ranges->ipv6, range.first));
    }
  }
  return 0;
}
