// `operator-names:` of a zone file: what loads, and every finding with its place.
#include <catch2/catch.hpp>

#include "tests/zones/findings.h"

namespace demarc::testing {
namespace {

using zones::OperatorNames;

std::optional<OperatorNames> names_of(const std::string& text) {
  Diagnostics diagnostics;
  const auto repository = load({{"zones/a.yaml", small_zone + text}}, diagnostics);
  REQUIRE(repository);
  CHECK(lines_of(diagnostics).empty());
  return repository->zones.at(0).operator_names;
}

geo::Prefix network(std::string_view text) { return geo::parse_prefix(text).value(); }

TEST_CASE("operator names: nobody has them but those whom the zone file names",
          "[zones][operator-names]") {
  CHECK_FALSE(names_of(""));
  CHECK(names_of(
            "operator-names: { allow: [192.0.2.0/24, \"2001:db8::1\"], geo: true, gate: true }") ==
        OperatorNames{{network("192.0.2.0/24"), network("2001:db8::1/128")}, true, false, true});
  CHECK(names_of("operator-names: { allow: 127.0.0.1, health: true, geo: false }") ==
        OperatorNames{{network("127.0.0.1/32")}, false, true, false});
}

TEST_CASE("operator names: what is refused, and where", "[zones][operator-names]") {
  std::string many = "operator-names:\n  health: true\n  allow:\n";
  for (int i = 0; i < 65; ++i) many += "    - 10.0." + std::to_string(i) + ".0/24\n";
  const std::vector<BadFile> rows = {
      {"no map",
       "operator-names: true",
       {"zones/a.yaml:4:17: [wrong-type] operator-names is text; expected a map"}},
      {"nobody may ask",
       "operator-names: { geo: true }",
       {"zones/a.yaml:4:17: [missing-key] operator-names without `allow`; expected that key"}},
      {"nothing may be asked",
       "operator-names: { allow: 192.0.2.0/24, gate: false }",
       {"zones/a.yaml:4:17: [operator-names-nothing] operator-names without a name that is "
        "switched on; expected `true` for geo, health or gate"}},
      {"networks and switches that are none",
       "operator-names: { allow: [192.0.2.1/24, x], geo: yes }",
       {"zones/a.yaml:4:27: [bad-network] network is `192.0.2.1/24`; expected a network with "
        "no bits set after its length, as 203.0.113.0/24 or \"2001:db8::/32\"",
        "zones/a.yaml:4:41: [bad-network] network is `x`; expected a network with no bits set "
        "after its length, as 203.0.113.0/24 or \"2001:db8::/32\"",
        "zones/a.yaml:4:50: [bad-choice] geo is `yes`; expected one of true, false"}},
      {"an empty list",
       "operator-names: { allow: [], geo: true }",
       {"zones/a.yaml:4:26: [empty-list] allow is an empty list; expected at least one item"}},
      {"a mistyped key",
       "operator-names: { allow: 192.0.2.1, healt: true }",
       {"zones/a.yaml:4:37: [unknown-key] unknown key `healt` in operator-names; did you mean "
        "`health`?"}},
      {"too many networks",
       many,
       {"zones/a.yaml:7:5: [too-many] allow has 65 items; expected at most 64"}},
  };
  for (const BadFile& row : rows) {
    CAPTURE(row.name);
    CHECK(findings({{"zones/a.yaml", small_zone + row.text}}) == row.findings);
  }
}

}  // namespace
}  // namespace demarc::testing
