#include "dns/alias_table.h"

#include <cassert>
#include <numeric>

namespace demarc::dns {

std::vector<AliasColumn> build_alias_table(std::span<const std::uint16_t> weights) {
  assert(!weights.empty() && weights.size() <= 0xffff);
  const std::uint64_t sum = std::accumulate(weights.begin(), weights.end(), std::uint64_t{0});
  std::vector<AliasColumn> columns(weights.size());

  // Each column is `sum` high. A weight fills `weight * columns` of the whole area, so its share of
  // its own column is too small or too large: what a small one leaves free, a large one fills.
  std::vector<std::uint64_t> area(weights.size());
  std::vector<std::uint16_t> small;
  std::vector<std::uint16_t> large;
  for (std::size_t index = 0; index < weights.size(); ++index) {
    area[index] = std::uint64_t{weights[index]} * weights.size();
    (area[index] < sum ? small : large).push_back(static_cast<std::uint16_t>(index));
  }
  while (!small.empty() && !large.empty()) {
    const std::uint16_t filled = small.back();
    const std::uint16_t filler = large.back();
    small.pop_back();
    columns[filled] = {static_cast<std::uint32_t>(area[filled]), filled, filler};
    area[filler] -= sum - area[filled];
    if (area[filler] < sum) {
      large.pop_back();
      small.push_back(filler);
    }
  }
  // In integers nothing is left over: what remains fills its column exactly.
  for (const std::uint16_t index : large) {
    columns[index] = {static_cast<std::uint32_t>(sum), index, index};
  }
  assert(small.empty());
  return columns;
}

}  // namespace demarc::dns
