// Drawing one of many by weight in two memory reads (Walker's alias method, Vose's construction).
// dns/steered_answers.cpp builds one for each choice.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace demarc::dns {

/// One column of the table: `own` below the threshold, `other` from it on.
struct AliasColumn {
  std::uint32_t threshold = 0;  // of the sum of all weights
  std::uint16_t own = 0;
  std::uint16_t other = 0;
};

/// One column a weight, in their order; `own` and `other` are indices into `weights`. In integers:
/// over all (column, number below the sum) pairs each index occurs exactly `weight * columns`
/// times. Precondition: 1 to 65535 weights, each above zero.
[[nodiscard]] std::vector<AliasColumn> build_alias_table(std::span<const std::uint16_t> weights);

/// The index that 64 random bits give. `weight_sum` is the sum of the weights.
[[nodiscard]] inline std::uint16_t draw(std::span<const AliasColumn> columns,
                                        std::uint32_t weight_sum, std::uint64_t bits) noexcept {
  const auto column = (bits >> 32) * columns.size() >> 32;
  const auto level = (bits & 0xffff'ffffU) * weight_sum >> 32;
  const AliasColumn& found = columns[column];
  return level < found.threshold ? found.own : found.other;
}

}  // namespace demarc::dns
