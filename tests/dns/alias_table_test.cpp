#include "dns/alias_table.h"

#include <catch2/catch.hpp>

#include <numeric>

#include "dns/random.h"

namespace demarc::dns::test {
namespace {

TEST_CASE("alias table: each weight gets exactly its share of the area", "[dns][weights]") {
  const auto weights = GENERATE(
      std::vector<std::uint16_t>{1}, std::vector<std::uint16_t>{65'535, 1},
      std::vector<std::uint16_t>{1, 2, 3, 4, 5, 6, 7}, std::vector<std::uint16_t>(1000, 65'535),
      std::vector<std::uint16_t>{100, 100, 100, 1, 65'535, 17});
  const std::uint64_t sum = std::accumulate(weights.begin(), weights.end(), std::uint64_t{0});
  std::vector<std::uint64_t> area(weights.size());
  for (const AliasColumn& column : build_alias_table(weights)) {
    REQUIRE(column.threshold <= sum);
    area[column.own] += column.threshold;
    area[column.other] += sum - column.threshold;
  }
  for (std::size_t index = 0; index < weights.size(); ++index) {
    CHECK(area[index] == weights[index] * weights.size());
  }
}

TEST_CASE("alias table: any 64 bits draw an index", "[dns][weights]") {
  const std::vector<std::uint16_t> weights{3, 1, 65'535};
  const auto columns = build_alias_table(weights);
  for (const std::uint64_t bits : {std::uint64_t{0}, ~std::uint64_t{0}, std::uint64_t{1} << 63}) {
    CHECK(draw(columns, 65'539, bits) < weights.size());
  }
}

}  // namespace
}  // namespace demarc::dns::test
