#include "tools/loader.h"

#include <memory>
#include <string>

#include <catch2/catch.hpp>

#include <fmt/format.h>

#include "tests/support/temp_folder.h"

namespace demarc::tools::test {
namespace {

/// A zone of 8,000 names; `changed` gets another address.
void write_repository(const testing::TempFolder& folder, int changed) {
  folder.write("zones/example.com.yaml", "zone: example.com\ninclude: [names.zone]\n");
  std::string names = "@ 300 SOA ns1 hostmaster 1 7200 900 1209600 60\n@ NS ns1\nns1 A 192.0.2.1\n";
  for (int i = 0; i < 8000; ++i) {
    names += fmt::format("h{} A 192.0.2.{}\n", i, i == changed ? 9 : 7);
  }
  folder.write("names.zone", names);
}

std::shared_ptr<const dns::ZoneTable> load_zones(const std::string& folder,
                                                 std::shared_ptr<const dns::ZoneTable> served) {
  const auto loaded = load({.repository = folder, .served = std::move(served)});
  REQUIRE(loaded);
  return loaded->parts.zones;
}

TEST_CASE("loader: what is served is kept where a reload changes nothing", "[tools][loader]") {
  const testing::TempFolder folder;
  write_repository(folder, -1);
  const auto first = load_zones(folder.path(), nullptr);
  const std::size_t parts = first->part_count();
  REQUIRE(parts > 1);

  const auto same = load_zones(folder.path(), first);
  CHECK(same->shared_parts(*first) == parts);

  write_repository(folder, 777);
  const auto edited = load_zones(folder.path(), same);
  CHECK(edited->shared_parts(*first) == parts - 1);

  CHECK(load_zones(folder.path(), nullptr)->shared_parts(*first) == 0);
}

}  // namespace
}  // namespace demarc::tools::test
