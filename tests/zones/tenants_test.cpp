// Tenants: what their lines mean, what is refused, and which class answers whom.
#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "tests/zones/findings.h"
#include "zones/tenant_export.h"
#include "zones/tenants.h"
#include "zones/yaml/fields.h"

namespace demarc::testing {
namespace {

using zones::Name;
using zones::Repository;
using zones::Residency;
using zones::Service;
using zones::ServiceId;

/// EU has two regions with weight, US one, CH is the EU's standby; `naming` is the `tenants:` key.
std::string zone_with(const std::string& naming, const std::string& residency = "soft") {
  return small_zone + "services:\n  api:\n    residency: " + residency +
         "\n    home: tenant\n    default-home: EU\n    tenants: " + naming + R"(
    records:
      - { region: eu, weight: 100, endpoint: eu.example.net, addresses: 192.0.2.1 }
      - { region: us, weight: 50, endpoint: us.example.net, addresses: 198.51.100.1 }
      - { region: eu2, weight: 50, endpoint: eu2.example.net, addresses: 192.0.2.2 }
      - { region: ch, weight: 0, endpoint: ch.example.net, addresses: 192.0.2.3 }
    health-checks:
      - { endpoint: eu.example.net/health, on-fail: set-weight eu.example.net 0 }
    route:
      - { default: [eu, eu2, ch, us] }
)";
}

const std::string policy = small_policy + "  eu2: { jurisdiction: EU, location: [48, 2] }\n";
const std::string key = "0123456789abcdef0123456789abcdef";
const std::string opaque = "{ key: keys/tenants.key }";

Files files(const std::string& yaml, const std::string& naming = "{ labels: plain }") {
  return {{"policy.yaml", policy},
          {"keys/tenants.key", key + "\n"},
          {"zones/a.yaml", zone_with(naming)},
          {"tenants.yaml", yaml}};
}

/// Lines of tenants.yaml from line 3 on, indented by four.
std::string lines(const std::string& text) { return "api.example.com:\n  tenants:\n" + text; }

std::unique_ptr<Repository> loaded(const Files& all) {
  Diagnostics diagnostics;
  auto repository = load(all, diagnostics);
  CHECK(lines_of(diagnostics) == std::vector<std::string>{});
  REQUIRE(repository);
  REQUIRE(repository->tenants);
  return repository;
}

const Service& class_of(const Repository& repository, std::string_view tenant) {
  const auto api = repository.find_service(*Name::parse_absolute("api.example.com"));
  const auto found = repository.tenants->class_of(*api, tenant);
  REQUIRE(found);
  return repository.service(*found);
}

std::vector<std::string> route_of(const Repository& repository, const Service& service) {
  std::vector<std::string> names;
  const auto& line = std::get<zones::RouteLines>(service.route).lines.at(0);
  for (const auto region : line.to) names.push_back(repository.policy.region(region).name);
  return names;
}

TEST_CASE("tenants: lines that are steered alike share one class", "[zones][tenants]") {
  const auto repository = loaded(files(lines("    acme: { home: EU, residency: hard, region: eu }\n"
                                             "    BETA: { home: EU, residency: hard, region: eu }\n"
                                             "    soft: { home: EU, region: eu }\n"
                                             "    york: { home: US, region: [us] }\n"
                                             "    both: { home: EU, region: [eu2, eu] }\n")));
  CHECK(repository->services.size() == 5);  // api and four classes
  const Service& acme = class_of(*repository, "acme");
  CHECK(&acme == &class_of(*repository, "beta"));
  CHECK(acme.label == "api/EU-hard-eu,eu2,ch");
  CHECK(acme.owner.text() == "eu-hard-eu+eu2+ch._tenants.api.example.com.");
  CHECK(acme.residency == Residency::hard);
  CHECK(acme.home_kind == zones::HomeKind::tenant);
  CHECK(repository->policy.jurisdiction(*acme.home).name == "EU");
  CHECK(acme.tenants_of == ServiceId{0});
  CHECK(acme.checks.size() == 1);
  CHECK(acme.checks[0].key == repository->services[0].checks[0].key);
  CHECK(route_of(*repository, acme) == std::vector<std::string>{"eu", "eu2", "ch", "us"});
  CHECK(route_of(*repository, class_of(*repository, "both")) ==
        std::vector<std::string>{"eu2", "eu", "ch", "us"});
  CHECK(route_of(*repository, class_of(*repository, "york")) ==
        std::vector<std::string>{"us", "eu", "eu2", "ch"});
  CHECK(&class_of(*repository, "soft") != &acme);
  CHECK(repository->tenants->tenants_in(*repository->tenants->class_of(ServiceId{0}, "acme")) == 2);
  CHECK_FALSE(repository->tenants->class_of(ServiceId{0}, "nobody"));
  CHECK(repository->zones[0].services.size() == 1);  // classes have no name on the wire
}

TEST_CASE("tenants: YAML and CSV say the same, in any order", "[zones][tenants]") {
  const auto yaml = loaded(
      files(lines("    acme: { home: EU, residency: hard, region: eu, regulated: true }\n"
                  "    beta: { home: US }\n"
                  "    gamma: { home: EU, region: [eu2, eu], sensitivity: high }\n")));
  Files csv = files("api.example.com:\n  files: [tenants/a.csv, tenants/b.csv]\n");
  csv["tenants/a.csv"] =
      "tenant,home,residency,region,regulated,sensitivity\r\n"
      "gamma,EU,,eu2 eu,,high\r\nbeta,US,soft,,false,low\r\n";
  csv["tenants/b.csv"] = "tenant,home,residency,region,regulated\nACME,EU,hard,eu,true";
  const auto both = loaded(csv);
  CHECK(both->tenants->digest() == yaml->tenants->digest());
  CHECK(both->tenants->size() == 3);
  CHECK(class_of(*both, "gamma").label == class_of(*yaml, "gamma").label);
  CHECK(both->tenants->regulated_in(*both->tenants->class_of(ServiceId{0}, "acme")) == 1);

  csv["tenants/b.csv"] += "\ndelta,EU,,eu,";
  CHECK(loaded(csv)->tenants->digest() != yaml->tenants->digest());
  CHECK(loaded(csv)->zones[0].digest != both->zones[0].digest);  // so its serial moves on
}

TEST_CASE("tenants: labels on the wire", "[zones][tenants]") {
  const std::string acme = lines("    acme: { home: EU }\n");
  const auto bytes = [](const std::string& text) {
    return std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  };
  // printf acme | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef -binary | base32
  const std::string label = "3cwqajs76crqfvzci66nffuvim";
  const auto hidden = loaded(files(acme, opaque));
  const auto made = hidden->tenants->opaque_label({0, 0});
  REQUIRE(made);
  CHECK(*made == label);
  CHECK(hidden->tenants->find_label(ServiceId{0}, bytes(*made)));
  CHECK_FALSE(hidden->tenants->find_label(ServiceId{0}, bytes("acme")));
  for (std::size_t i = 0; i < made->size(); ++i) {  // every character counts
    std::string other = *made;
    other[i] = other[i] == 'a' ? 'b' : 'a';
    CHECK_FALSE(hidden->tenants->find_label(ServiceId{0}, bytes(other)));
  }
  const auto plain = loaded(files(acme));
  CHECK(plain->tenants->find_label(ServiceId{0}, bytes("acme")));
  CHECK_FALSE(plain->tenants->opaque_label({0, 0}));
  CHECK_FALSE(plain->tenants->find_label(ServiceId{0}, bytes(*made)));
  const auto both = loaded(files(acme, "{ labels: both, key: keys/tenants.key }"));
  CHECK(both->tenants->find_label(ServiceId{0}, bytes("acme")));
  CHECK(both->tenants->find_label(ServiceId{0}, bytes(*made)));
  CHECK(findings(files(lines("    acme: { home: EU }\n    " + *made + ": { home: EU }\n"),
                       "{ labels: both, key: keys/tenants.key }")) ==
        std::vector<std::string>{"tenants.yaml:4:5: [tenant-label-taken] tenant `" + *made +
                                 "` is the opaque label of the one in tenants.yaml:3; expected "
                                 "another name"});
}

TEST_CASE("tenants: bad lines, each with its place", "[zones][tenants]") {
  const auto row = GENERATE(values<BadFile>({
      {"no home",
       "    a: { region: eu }",
       {"3:8: [missing-key] tenant without `home`; expected that key"}},
      {"unknown home",
       "    a: { home: EUR }",
       {"3:16: [unknown-jurisdiction] home is `EUR`; did you mean `EU`?"}},
      {"looser than the service",
       "    a: { home: EU, residency: none }",
       {"3:31: [tenant-loosens] residency `none` for a tenant of a soft service; expected `soft` "
        "or a stricter one"}},
      {"regulated without a region",
       "    a: { home: EU, residency: hard, regulated: true }",
       {"3:8: [tenant-without-region] no region for a tenant that is regulated; expected one: only "
        "tenants that are not regulated and of low sensitivity are placed by hash"}},
      {"sensitive without a region",
       "    a: { home: EU, sensitivity: high }",
       {"3:8: [tenant-without-region] no region for a tenant of high sensitivity; expected one: "
        "only tenants that are not regulated and of low sensitivity are placed by hash"}},
      {"regulated, but soft",
       "    a: { home: EU, region: eu, regulated: true }",
       {"3:8: [regulated-not-hard] a regulated tenant with residency `soft`; expected hard"}},
      {"a hard tenant abroad",
       "    a: { home: EU, residency: hard, region: us }",
       {"3:45: [tenant-outside-home] region `us` in US for a hard tenant, outside its home EU; "
        "expected a region inside it"}},
      {"a hard tenant abroad in the second place",
       "    a: { home: US, residency: hard, region: [us, eu] }",
       {"3:45: [tenant-outside-home] region `eu` in EU for a hard tenant, outside its home US; "
        "expected a region inside it"}},
      {"a region without weight",
       "    a: { home: CH, region: ch }",
       {"3:28: [region-without-weight] region `ch`, in which no record of `api` has weight, so "
        "that nobody is answered from it; expected one with weight"}},
      {"hashing finds nothing",
       "    a: { home: CH }",
       {"3:16: [home-without-record] `api` has no record with weight in CH, where a tenant without "
        "a region is placed; expected one, or a region in the line"}},
      {"unknown region",
       "    a: { home: EU, region: eu3 }",
       {"3:28: [unknown-region] unknown region `eu3`; did you mean `eu`?"}},
      {"a region twice",
       "    a: { home: EU, region: [eu, eu] }",
       {"3:28: [region-twice] region `eu` again; expected it once"}},
      {"a name that is no label",
       "    a.b: { home: EU }",
       {"3:5: [bad-tenant-name] tenant is `a.b`; expected 1 to 63 letters, digits and inner "
        "hyphens"}},
      {"a hyphen in front",
       "    -a: { home: EU }",
       {"3:5: [bad-tenant-name] tenant is `-a`; expected 1 to 63 letters, digits and inner "
        "hyphens"}},
      {"twice, in other letters",
       "    acme: { home: EU }\n    b: { home: EU }\n    ACME: { home: US }",
       {"5:5: [tenant-twice] tenant `acme` again, first in tenants.yaml:3; expected one line a "
        "tenant"}},
      {"not a yes or no",
       "    a: { home: EU, regulated: yes }",
       {"3:31: [bad-choice] regulated is `yes`; expected true or false"}},
      {"an unknown key",
       "    a: { home: EU, regoin: eu }",
       {"3:20: [unknown-key] unknown key `regoin` in tenant; did you mean `region`?"}},
      {"no map", "    a: EU", {"3:8: [wrong-type] tenant is text; expected a map"}},
  }));
  CAPTURE(row.name);
  std::vector<std::string> expected;
  for (const std::string& line : row.findings) expected.push_back("tenants.yaml:" + line);
  CHECK(findings(files(lines(row.text + "\n"))) == expected);
}

TEST_CASE("tenants: bad CSV, each with its place", "[zones][tenants]") {
  const std::string header = "tenant,home,residency,region,regulated\n";
  const auto row = GENERATE_COPY(values<BadFile>({
      {"empty",
       "",
       {"1:1: [csv-header] header is ``; expected `tenant,home,residency,region,regulated` or "
        "`tenant,home,residency,region,regulated,sensitivity`"}},
      {"another order",
       "tenant,residency,home,region,regulated\n",
       {"1:1: [csv-header] header is `tenant,residency,home,region,regulated`; expected "
        "`tenant,home,residency,region,regulated` or "
        "`tenant,home,residency,region,regulated,sensitivity`"}},
      {"too few columns",
       header + "a,EU,soft,eu\n",
       {"2:1: [csv-columns] a line that has not 5 columns; expected those of the header"}},
      {"too many columns",
       header + "a,EU,soft,eu,,low\n",
       {"2:1: [csv-columns] a line that has not 5 columns; expected those of the header"}},
      {"an empty line",
       header + "\na,EU,,eu,\n",
       {"2:1: [csv-columns] a line that has not 5 columns; expected those of the header"}},
      {"quotes",
       header + "\"a\",EU,,eu,\n",
       {"2:1: [bad-tenant-name] tenant is `\"a\"`; expected 1 to 63 letters, digits and inner "
        "hyphens"}},
      {"a bad region",
       header + "a,EU,,eu,\nacme,EU,hard,us,true\n",
       {"3:14: [tenant-outside-home] region `us` in US for a hard tenant, outside its home EU; "
        "expected a region inside it"}},
      {"a blank too many",
       header + "a,EU,,eu  eu2,\n",
       {"2:7: [unknown-region] unknown region ``; expected one of eu, ch, us, eu2"}},
      {"a control character",
       header + "a,EU\x01,,eu,\n",
       {"2:5: [csv-encoding] a control character; expected UTF-8 text"}},
      {"twice in two files",
       header + "b,EU,,eu,\na,EU,,eu,\n",
       {"3:1: [tenant-twice] tenant `a` again, first in tenants.yaml:4; expected one line a "
        "tenant"}},
  }));
  CAPTURE(row.name);
  Files all = files("api.example.com:\n  files: tenants/eu.csv\n  tenants:\n    a: { home: EU }\n");
  if (std::string_view(row.name) != "twice in two files") {
    all["tenants.yaml"] = "api.example.com: { files: tenants/eu.csv }\n";
  }
  all["tenants/eu.csv"] = row.text;
  std::vector<std::string> expected;
  for (const std::string& line : row.findings) expected.push_back("tenants/eu.csv:" + line);
  CHECK(findings(all) == expected);
}

TEST_CASE("tenants: findings of a large bad file are counted", "[zones][tenants]") {
  Files all = files("api.example.com: { files: t.csv }\n");
  std::string& csv = all["t.csv"];
  csv = "tenant,home,residency,region,regulated\n";
  for (int i = 0; i < 250; ++i) csv += fmt::format("t{},XX,,,\n", i);
  const auto found = findings(all);
  CHECK(found.size() == 101);
  CHECK(found.front() == "t.csv:0:0: [more-findings] 150 more findings; expected none");
}

TEST_CASE("tenants: names that the zone has already", "[zones][tenants]") {
  const auto row = GENERATE(values<BadFile>({
      {"a static record",
       "records:\n  acme.api: { TXT: x }\n",
       {"tenants.yaml:3:5: [tenant-name-taken] tenant `acme` would be acme.api.example.com, and "
        "the zone has static records at acme.api.example.com.; expected another name"}},
      {"a record below",
       "records:\n  x.acme.api: { TXT: x, A: 192.0.2.9 }\n",
       {"tenants.yaml:3:5: [tenant-name-taken] tenant `acme` would be acme.api.example.com, and "
        "the zone has static records at x.acme.api.example.com.; expected another name"}},
      {"a wildcard",
       "records:\n  \"*.api\": { TXT: x }\n",
       {"zones/a.yaml:5:3: [tenants-and-wildcard] service `api` with tenants, and static records at "
        "*.api.example.com., which would answer for tenants that do not exist; expected one of "
        "them"}},
      {"a record of nobody", "records:\n  _mode.api: { TXT: x }\n", {}},
  }));
  CAPTURE(row.name);
  Files all = files(lines("    acme: { home: EU }\n"));
  all["zones/a.yaml"] += row.text;
  CHECK(findings(all) == row.findings);
}

TEST_CASE("tenants: services and tenants.yaml fit together", "[zones][tenants]") {
  const std::string acme = lines("    acme: { home: EU }\n");
  const auto with = [&](const std::string& naming) { return findings(files(acme, naming)); };
  CHECK(with("{ labels: opaque }") ==
        std::vector<std::string>{
            "zones/a.yaml:9:14: [tenant-key-missing] labels `opaque` without `key`; expected a "
            "file with the secret that labels are made with, or `labels: plain`"});
  CHECK(with("{ labels: plain, key: keys/tenants.key }").size() == 1);
  CHECK(with("{ labels: open }").size() == 2);
  CHECK(with("{ key: keys/none.key }").size() == 1);
  Files all = files(acme, opaque);
  all["keys/tenants.key"] = "fifteen bytes..\n";
  CHECK(findings(all) ==
        std::vector<std::string>{"zones/a.yaml:9:21: [tenant-key-too-short] keys/tenants.key has "
                                 "15 bytes; expected at least 16"});
  CHECK(findings(files("www.example.com: { tenants: { a: { home: EU } } }\n")) ==
        std::vector<std::string>{"tenants.yaml:1:1: [unknown-service] no service "
                                 "`www.example.com`; expected the absolute name of one"});
  all = files(acme);
  all["zones/a.yaml"] = service_head +
                        "    residency: hard\n    home: EU\n    records:\n"
                        "      - { region: eu, weight: 1, endpoint: a.net, addresses: 192.0.2.1 }\n";
  CHECK(findings(all) ==
        std::vector<std::string>{"tenants.yaml:1:1: [service-without-tenants] service "
                                 "`api.example.com` has no `home: tenant`; expected one that has"});
  all = files("");
  all.erase("tenants.yaml");
  CHECK(findings(all) ==
        std::vector<std::string>{
            "zones/a.yaml:5:3: [tenants-missing] warning: service `api` has `home: tenant`, and "
            "there is no tenants.yaml; expected that file, until then its own name alone is "
            "answered"});
}

TEST_CASE("tenants: a million lines need little memory each", "[zones][tenants]") {
  // The size of the structure, measured with fewer: what doubles, doubles with the tenants.
  constexpr std::size_t count = 1U << 16U;
  Files all = files("api.example.com: { files: t.csv }\n", opaque);
  std::string& csv = all["t.csv"];
  csv = "tenant,home,residency,region,regulated\n";
  std::size_t name_bytes = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = fmt::format("t{}", i * 2654435761U % 4294967291U);
    name_bytes += name.size();
    csv += name + ",EU,,,\n";
  }
  const auto repository = loaded(all);
  CHECK(repository->tenants->size() == count);
  CHECK(repository->tenants->size_bytes() <= name_bytes + count * (8 + 16 + 2 * 8) + 4096);
  std::size_t found = 0;
  for (std::uint32_t line = 0; line < count; ++line) {
    const zones::TenantId id{0, line};
    const auto label = repository->tenants->opaque_label(id);
    const std::span bytes(reinterpret_cast<const std::uint8_t*>(label->data()), label->size());
    found += repository->tenants->find(ServiceId{0}, repository->tenants->name(id)) == id &&
                     repository->tenants->find_label(ServiceId{0}, bytes) == id
                 ? 1
                 : 0;
  }
  CHECK(found == count);
}

}  // namespace
}  // namespace demarc::testing
