// Values for certificate authorities: which are taken, where, how many and how long.
#include "tools/acme_values.h"

#include <catch2/catch.hpp>

#include "tests/zones/findings.h"

namespace demarc::tools {
namespace {

using namespace std::chrono_literals;

const std::string one(43, 'a');
const std::string two(43, '-');
constexpr WallTime noon{Milliseconds{1'795'435'200'000}};

const dns::ZoneTable& zone_table() {
  static const dns::ZoneTable made = [] {
    Diagnostics diagnostics;
    const auto repository = testing::load(
        {{"policy.yaml", testing::small_policy}, {"zones/a.yaml", testing::small_zone + R"(records:
  www: { A: 192.0.2.1 }
  deep.er: { A: 192.0.2.1 }
  "*.wild": { A: 192.0.2.1 }
  cut: { NS: ns.example.net. }
  led: { DNAME: www }
  _acme-challenge.own: { CNAME: elsewhere.example.net. }
services:
  api: { records: [{ region: eu, weight: 1, endpoint: a.example, addresses: 192.0.2.1 }] }
  _acme-challenge.svc: { records: [{ region: eu, weight: 1, endpoint: b.example, addresses: 192.0.2.2 }] }
)"}},
        diagnostics);
    REQUIRE(repository);
    REQUIRE(testing::lines_of(diagnostics).empty());
    return dns::ZoneTable::build(*repository).value();
  }();
  return made;
}

std::string set(AcmeValues& values, const std::string& name, const std::string& value = one,
                Milliseconds lasts = 10min) {
  const auto done = values.set(zone_table(), name, value, lasts, "op", noon);
  return done ? std::string{} : done.error();
}

TEST_CASE("acme: a value stands at names that a zone of ours answers itself", "[tools][acme]") {
  const auto [name, wanted] = GENERATE(Catch::Generators::table<std::string, std::string>({
      {"www.example.com", ""},
      {"WWW.example.com.", ""},
      {"_acme-challenge.www.example.com", ""},
      {"example.com", ""},
      {"er.example.com", ""},        // an empty non-terminal
      {"any.wild.example.com", ""},  // of a wildcard
      {"api.example.com", ""},
      {"*.example.com",
       "`*.example.com` is no name for a challenge; expected a domain name, "
       "without `*.`"},
      {"a..b", "`a..b` is no name for a challenge; expected a domain name, without `*.`"},
      {"no.example.com", "no.example.com does not exist in its zone; expected a name that does"},
      {"www.example.org", "www.example.org is in no zone of this server"},
      {"led.example.com",
       "_acme-challenge.led.example.com is below a DNAME: set the value at the name it leads to"},
      {"cut.example.com", "cut.example.com is delegated: its own servers must answer"},
      {"www.cut.example.com", "www.cut.example.com is delegated: its own servers must answer"},
      {"own.example.com",
       "_acme-challenge.own.example.com has records of its own in its zone; "
       "expected none there"},
      {"svc.example.com",
       "_acme-challenge.svc.example.com has records of its own in its zone; "
       "expected none there"},
  }));
  CAPTURE(name);
  AcmeValues values;
  CHECK(set(values, name) == wanted);
  CHECK(values.list().size() == (wanted.empty() ? 1 : 0));
}

TEST_CASE("acme: a value is a SHA-256 in base64url, for a day at most", "[tools][acme]") {
  AcmeValues values;
  for (const std::string& bad : {std::string(42, 'a'), std::string(44, 'a'), std::string(),
                                 std::string(42, 'a') + "+", std::string(42, 'a') + "\""}) {
    CHECK(set(values, "www.example.com", bad).ends_with("expected 43 letters of base64url"));
  }
  CHECK(set(values, "www.example.com", one, 0ms) == "a value that lasts 0s; expected up to 1d");
  CHECK(set(values, "www.example.com", one, 24h + 1ms).ends_with("expected up to 1d"));
  CHECK(values.list().empty());
  CHECK(set(values, "www.example.com", one, 24h).empty());
  CHECK(set(values, "www.example.com", two, 1ms).empty());
  CHECK(values.list().size() == 2);
}

TEST_CASE("acme: values end, are prolonged and removed, each by itself", "[tools][acme]") {
  AcmeValues values;
  REQUIRE(set(values, "www.example.com", one, 1min).empty());
  REQUIRE(set(values, "www.example.com", two, 2min).empty());
  REQUIRE(set(values, "api.example.com", one, 3min).empty());
  REQUIRE(values.challenges() != nullptr);
  CHECK(values.challenges()->size() == 2);
  CHECK(values.expire(noon + 1min - 1ms).empty());
  REQUIRE(set(values, "www.example.com", one, 5min).empty());  // no second one
  CHECK(values.list().size() == 3);
  const auto ended = values.expire(noon + 2min);
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].value == two);
  CHECK(values.remove("www.example.com", two).empty());
  CHECK(values.remove("www.example.org", "").empty());
  CHECK(values.remove("_acme-challenge.www.example.com", one).size() == 1);
  CHECK(values.remove("api.example.com", "").size() == 1);
  CHECK(values.challenges() == nullptr);
}

TEST_CASE("acme: there are only so many values", "[tools][acme]") {
  AcmeValues values;
  const auto value = [](std::size_t number) {
    std::string text = std::to_string(number);
    return std::string(43 - text.size(), 'v') + text;
  };
  for (std::size_t i = 0; i < acme_values_per_name_max; ++i) {
    REQUIRE(set(values, "www.example.com", value(i)).empty());
  }
  CHECK(set(values, "www.example.com", one) ==
        "_acme-challenge.www.example.com has 8 values; expected fewer");
  for (std::size_t i = acme_values_per_name_max; i < acme_values_max; ++i) {
    REQUIRE(set(values, "n" + std::to_string(i) + ".wild.example.com").empty());
  }
  CHECK(set(values, "api.example.com") == "there are 256 values; expected fewer");
  CHECK(set(values, "www.example.com", value(0), 20min).empty());  // an old one is prolonged
}

}  // namespace
}  // namespace demarc::tools
