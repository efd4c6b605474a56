// Loading a whole repository: what the model has then, and what is said of files and folders.
#include "zones/repository.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include <catch2/catch.hpp>

#include "tests/zones/findings.h"
#include "zones/rdata.h"
#include "zones/yaml/repository_files.h"
#include "zones/yaml/service_file.h"

namespace demarc::zones {
namespace {

using testing::Files;
using testing::findings;
using testing::lines_of;
using testing::load;
using testing::service_head;
using testing::small_policy;
using testing::small_zone;
using testing::TempFolder;
using Lines = std::vector<std::string>;

std::unique_ptr<Repository> load_good(const Files& files) {
  Diagnostics diagnostics;
  auto repository = load(files, diagnostics);
  CHECK(lines_of(diagnostics) == Lines{});
  REQUIRE(repository != nullptr);
  return repository;
}

RRset rrset(const Zone& zone, const char* owner, std::uint16_t type) {
  const auto found = zone.rrsets.find(Name::parse_absolute(owner).value(), type);
  CAPTURE(owner, type);
  REQUIRE(found);
  return *found;
}

std::vector<std::string> data_of(const RRset& rrset) {
  std::vector<std::string> data;
  for (const std::string_view rdata : rrset.rdata()) data.emplace_back(rdata);
  return data;
}

/// All RRsets of a zone, in their order.
std::vector<std::string> rrset_lines(const Zone& zone) {
  std::vector<std::string> lines;
  for (const RRset set : zone.rrsets) {
    lines.push_back(fmt::format("{} {} {}", set.owner().text(), set.type, set.ttl));
    for (const std::string_view rdata : set.rdata()) lines.back() += fmt::format(" {}", rdata);
  }
  return lines;
}

bool is_in_order(const RRsets& rrsets) {
  return std::ranges::is_sorted(rrsets, {},
                                [](const RRset& set) { return std::pair(set.labels(), set.type); });
}

TEST_CASE("repository: the seed's fragment is a service's body, word for word", "[zones][seed]") {
  // Only the indentation is the zone file's; the regions need no policy without residency.
  Diagnostics diagnostics;
  const auto repository = load({{"zones/a.yaml", service_head + R"(
    records:
    - region: eu
      weight: 100
      endpoint: api.eu.example.sov
    - region: global-failover
      weight: 0
      endpoint: api.global-failover.example
    health-checks:
    - endpoint: api.eu.example.sov/health
      on-fail: set-weight api.eu 0; set-weight api.global-failover 100
)"}},
                               diagnostics);
  REQUIRE(repository != nullptr);
  // Without addresses the check has to resolve the name: said, not refused.
  CHECK(lines_of(diagnostics).size() == 1);
  const Service& service = repository->services.at(0);
  REQUIRE(service.records.size() == 2);
  CHECK(service.records[0].weight == 100);
  CHECK(repository->policy.region(service.records[1].region).name == "global-failover");
  REQUIRE(service.checks.size() == 1);
  const HealthCheck& check = service.checks[0];
  CHECK(check.key == "example.com/api/api.eu.example.sov/health");
  CHECK(check.scheme == ProbeScheme::https);
  CHECK(check.host == "api.eu.example.sov");
  CHECK(check.port == 443);
  CHECK(check.path == "/health");
  CHECK(check.timeout == Milliseconds{4000});
  REQUIRE(check.on_fail.size() == 2);
  CHECK(check.on_fail[0].record == RecordId{0});
  CHECK(check.on_fail[0].weight == 0);
  CHECK(check.on_fail[1].record == RecordId{1});
  CHECK(check.on_fail[1].weight == 100);
}

TEST_CASE("repository: every key of a service reaches the model", "[zones][repository]") {
  const auto repository =
      load_good({{"policy.yaml", small_policy}, {"zones/a.yaml", service_head + R"(
    ttl: 30
    residency: hard
    home: client
    default-home: EU
    access: scoped-write
    route:
      - { network: [203.0.113.0/24, "2001:db8:1::/48"], to: eu }
      - { asn: 64500, to: [eu] }
      - { subdivision: DE-BE, to: eu }
      - { continent: OC, to: eu }
      - { country: CH, to: [ch, eu] }
      - { jurisdiction: US, to: us }
      - { default: [eu, ch] }
    answers: 2
    records:
      - { region: eu, weight: 65535, endpoint: API.eu.example., addresses: [192.0.2.1, "2001:db8::1"] }
      - { region: ch, weight: 1, endpoint: api.ch.example, addresses: 192.0.2.2 }
      - { region: us, weight: 0, endpoint: api.us.example, addresses: 198.51.100.1 }
    health-checks:
      - { endpoint: "http://api.EU.example:8080/h?x=1", interval: 100ms, fall: 1, rise: 100,
          expect-status: [204, 300-399], method: HEAD, http-version: 2 }
      - { endpoint: "tcp://api.eu.example:5432", timeout: 10ms }
      - { endpoint: api.ch.example, interval: 1s, expect-body: all is well,
          expect-header: { X-Role: primary }, expect-json: { /a~1b/0: 3, /up: true },
          certificate-min: 7d }
      - { endpoint: "tls://api.ch.example:636", certificate-min: 1d }
      - { endpoint: "http://[2001:db8::9]:9090/prom/", name: errors, of: api.eu, votes: 0,
          query: "sum(rate(e[1m])) > 0", expect-value: "< 0.05" }
      - { endpoint: "dns://api.eu.example/www.example.com/AAAA", ok: 3, degraded-above: 50ms,
          expect-answer: ["2001:db8::1"] }
      - { endpoint: "file:eu.health", of: api.eu, canary: true }
      - { name: both, of: api.eu, votes: 2,
          calculated: { checks: [errors, "file:eu.health"], inverted: true } }
      - { endpoint: "grpcs://api.ch.example/shop.Cart", no-answer: failure,
          certificate-every: 1m }
      - { endpoint: "https://status.example/x", of: api.ch, no-answer: stale, probe-at: "192.0.2.9:1" }
    quorum: 2
    degraded-weight: 25%
    on-block: api.ch
)"}});
  const Service& service = repository->services.at(0);
  CHECK(service.owner.text() == "api.example.com.");
  CHECK(service.ttl == 30);
  CHECK(service.home_kind == HomeKind::client);
  CHECK(service.home == repository->policy.find_jurisdiction("EU"));
  CHECK(service.access == Access::scoped_write);
  CHECK(service.answers == 2);
  CHECK(service.quorum == 2);
  CHECK(service.on_block.answer == BlockAnswer::record);
  CHECK(service.on_block.record == RecordId{1});
  CHECK(service.records[0].weight == 65'535);
  CHECK(service.records[0].addresses.size() == 2);
  CHECK(service.records[0].endpoint_name.text() == "api.eu.example.");
  const auto& lines = std::get<RouteLines>(service.route).lines;
  REQUIRE(lines.size() == 7);
  CHECK(std::get<MatchNetwork>(lines[0].match).prefixes.size() == 2);
  CHECK(std::get<MatchAsn>(lines[1].match).asns == std::vector<std::uint32_t>{64500});
  CHECK(std::get<MatchSubdivision>(lines[2].match).subdivisions == Lines{"DE-BE"});
  CHECK(std::get<MatchContinent>(lines[3].match).continents.size() == 1);
  CHECK(lines[4].to.size() == 2);
  CHECK(std::get<MatchJurisdiction>(lines[5].match).jurisdictions.size() == 1);
  CHECK(std::holds_alternative<MatchAll>(lines[6].match));
  CHECK(service.checks[0].port == 8080);
  CHECK(service.checks[0].path == "/h?x=1");
  CHECK(service.checks[0].timeout == Milliseconds{100});  // never over the interval
  CHECK(service.checks[0].expect_status == std::vector<StatusRange>{{204, 204}, {300, 399}});
  CHECK(service.checks[0].method == ProbeMethod::head);
  CHECK(service.checks[0].http_version == HttpVersion::http2);
  CHECK(service.checks[1].scheme == ProbeScheme::tcp);
  CHECK(service.checks[1].port == 5432);
  CHECK(service.checks[1].expect == ExpectedAnswer{});
  CHECK(service.checks[2].path == "/");
  CHECK(service.checks[2].method == ProbeMethod::get);
  CHECK(service.checks[2].http_version == HttpVersion::http1_1);
  CHECK(service.checks[2].expect == ExpectedAnswer{.body = "all is well",
                                                   .headers = {{"x-role", "primary"}},
                                                   .values = {{"/a~1b/0", "3"}, {"/up", "true"}},
                                                   .certificate_left = std::chrono::hours{7 * 24}});
  CHECK(service.checks[3].scheme == ProbeScheme::tls);
  CHECK(service.checks[3].port == 636);
  CHECK(service.checks[3].expect.certificate_left == std::chrono::hours{24});
  const HealthCheck& query = service.checks[4];
  CHECK(query.key == "example.com/api/errors");
  CHECK(query.record == RecordId{0});
  CHECK(query.host == "2001:db8::9");
  CHECK(query.path == "/prom/api/v1/query?query=sum%28rate%28e%5B1m%5D%29%29%20%3E%200");
  CHECK_FALSE(query.is_of_endpoint);
  CHECK(query.silence == Silence::stale);
  CHECK(query.votes == 0);
  CHECK(query.expect.query_value == "< 0.05");
  CHECK(service.checks[5].scheme == ProbeScheme::dns);
  CHECK(service.checks[5].port == 53);
  CHECK(service.checks[5].path == "/www.example.com./AAAA");
  CHECK(service.checks[5].ok == 3);
  CHECK(service.checks[5].degraded_above == Milliseconds{50});
  CHECK(service.checks[5].expect.answers == Lines{"2001:db8::1"});
  CHECK(service.checks[5].is_of_endpoint);
  CHECK(service.checks[6].scheme == ProbeScheme::file);
  CHECK(service.checks[6].path == "eu.health");
  REQUIRE(service.checks[7].calculated);
  CHECK(*service.checks[7].calculated ==
        Calculated{2, {"example.com/api/errors", "example.com/api/file:eu.health"}, true});
  CHECK(service.checks[7].votes == 2);
  CHECK(service.checks[8].scheme == ProbeScheme::grpcs);
  CHECK(service.checks[8].path == "/shop.Cart");
  CHECK(service.checks[8].certificate_every == Milliseconds{60'000});
  CHECK(service.checks[9].record == RecordId{1});
  CHECK(service.checks[9].silence == Silence::stale);
  CHECK(service.degraded_weight == 25);
}

TEST_CASE("repository: a quorum of any is one, of all more than there can be",
          "[zones][repository]") {
  const auto quorum = [](const std::string& text) {
    return load_good({{"policy.yaml", small_policy},
                      {"zones/a.yaml", std::string(service_head) + R"(    records:
      - { region: eu, weight: 1, endpoint: a.eu.example, addresses: 192.0.2.1 }
    health-checks: [{ endpoint: a.eu.example/1 }, { endpoint: a.eu.example/2 }]
    quorum: )" + text + "\n"}})
        ->services.at(0)
        .quorum;
  };
  CHECK(quorum("any") == 1);
  CHECK(quorum("2") == 2);
  CHECK(quorum("all") == yaml::quorum_all);
}

TEST_CASE("repository: a zone's records are joined and ordered", "[zones][repository]") {
  const auto repository = load_good(
      {{"legacy.zone", "$TTL 60\nlegacy A 192.0.2.9\n"}, {"zones/a.yaml", R"(zone: Example.COM
ttl: 5m
soa: { primary: ns1, contact: a.b@example.com, serial: 7, refresh: 1h, negative-ttl: 30 }
nameservers: [ns1]
include: legacy.zone
records:
  ns1: { A: 192.0.2.53 }
  "@": { TXT: ["v=spf1 mx -all", '"a" "b"'], MX: { ttl: 60, data: [10 mail, 10 mail] } }
  mail.example.com.: { A: [192.0.2.25, 192.0.2.26] }
  "*": { A: 192.0.2.1 }
)"}});
  const Zone& zone = repository->zones.at(0);
  CHECK(zone.apex.text() == "example.com.");
  CHECK(zone.serial_is_fixed);
  CHECK(zone.serial == 7);
  CHECK(rrset(zone, "legacy.example.com", rrtype::a).ttl == 60);
  CHECK(rrset(zone, "mail.example.com", rrtype::a).count == 2);
  CHECK(rrset(zone, "example.com", rrtype::mx).count == 1);  // written twice
  CHECK(rrset(zone, "example.com", rrtype::mx).ttl == 60);
  CHECK(rrset(zone, "example.com", rrtype::txt).ttl == 300);
  CHECK(data_of(rrset(zone, "example.com", rrtype::txt)) == std::vector<Rdata>{"\x0ev=spf1 mx -all",
                                                                               "\x01"
                                                                               "a"
                                                                               "\x01"
                                                                               "b"});
  const Rdata soa = data_of(rrset(zone, "example.com", rrtype::soa)).at(0);
  CHECK(soa.find("\x03"
                 "a.b") != std::string::npos);  // the dot is inside the label
  CHECK(soa.substr(soa.size() - 4) == std::string("\0\0\0\x1e", 4));
  CHECK(is_in_order(zone.rrsets));
}

TEST_CASE("repository: a zone may come wholly from a master file", "[zones][repository]") {
  const auto repository =
      load_good({{"zones/a.yaml", "zone: example.com\ninclude: [a.zone]\n"},
                 {"zones/a.zone", "@ SOA ns1 h 2024010101 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n"}});
  const Zone& zone = repository->zones.at(0);
  CHECK(zone.serial_is_fixed);
  CHECK(zone.serial == 2'024'010'101);
  CHECK(zone.rrsets.count() == 3);
}

TEST_CASE("repository: a master file gives the same zone in any order", "[zones][repository]") {
  std::vector<std::string> lines{"@ SOA ns1 h 7 2 3 4 5\n", "@ NS ns1\n", "ns1 A 192.0.2.1\n"};
  for (int i = 0; i < 200; ++i) {
    lines.push_back("h" + std::to_string(1000 + i) + " A 192.0.2.1\n");
    if (i % 10 == 0) lines.push_back("h" + std::to_string(1000 + i) + " TXT more\n");
  }
  const auto zone_of = [&] {
    std::string text;
    for (const std::string& line : lines) text += line;
    return load_good(
               {{"zones/a.yaml", "zone: example.com\ninclude: [a.zone]\n"}, {"zones/a.zone", text}})
        ->zones.at(0);
  };
  const Zone expected = zone_of();
  CHECK(is_in_order(expected.rrsets));
  std::mt19937 random(5);
  for (int turn = 0; turn < 30; ++turn) {
    // First a few runs that are in order, then none at all.
    const auto middle = static_cast<std::ptrdiff_t>(random() % lines.size());
    if (turn < 20) {
      std::ranges::rotate(lines, lines.begin() + middle);
    } else {
      std::ranges::shuffle(lines, random);
    }
    CHECK(rrset_lines(zone_of()) == rrset_lines(expected));
  }
}

TEST_CASE("repository: the data of an RRset keep the order of the file", "[zones][repository]") {
  const auto repository =
      load_good({{"zones/a.yaml", "zone: example.com\ninclude: [a.zone]\n"},
                 {"zones/a.zone",
                  "x A 192.0.2.3\n@ SOA ns1 h 7 2 3 4 5\nx A 192.0.2.1\n@ NS ns1\n"
                  "ns1 A 192.0.2.1\nx A 192.0.2.2\n"}});
  std::string last;
  for (const Rdata& rdata : data_of(rrset(repository->zones.at(0), "x.example.com", rrtype::a))) {
    last += std::to_string(static_cast<int>(rdata.back()));
  }
  CHECK(last == "312");
}

TEST_CASE("repository: what a record says that is there already", "[zones][repository]") {
  const Files files = {{"zones/a.yaml", small_zone + "include: [a.zone]\n"},
                       {"zones/a.zone",
                        "x A 192.0.2.1\nx A 192.0.2.2\nx 60 A 192.0.2.1\n"
                        "c CNAME d\nc CNAME d\nc CNAME e\n"
                        "e CNAME d\ne CNAME d\n"}};
  CHECK(testing::findings(files) ==
        Lines{"zones/a.zone:3:1: [ttl-mismatch] warning: x.example.com. A has records with "
              "different TTLs; expected one TTL (RFC 2181 §5.2), the lowest, 60, is used",
              "zones/a.zone:6:1: [cname-twice] a second CNAME for c.example.com., first in "
              "zones/a.zone:4; expected one"});
  Diagnostics diagnostics;
  const auto repository =
      load({{"zones/a.yaml", small_zone + "include: [a.zone]\n"},
            {"zones/a.zone", "x A 192.0.2.1\nx A 192.0.2.2\nx 60 A 192.0.2.1\n"}},
           diagnostics);
  REQUIRE(repository);
  CHECK(rrset(repository->zones.at(0), "x.example.com", rrtype::a).ttl == 60);
  CHECK(rrset(repository->zones.at(0), "x.example.com", rrtype::a).count == 2);
  CHECK(repository->zones.at(0).rrsets.origin(0) == RRsets::Origin{});
}

TEST_CASE("repository: records of a master file outside the zone", "[zones][repository]") {
  CHECK(testing::findings({{"zones/a.yaml", small_zone + "include: [a.zone, b.zone]\n"},
                           {"zones/a.zone", "a A 192.0.2.1\na.example.net. A 192.0.2.1\n"},
                           {"zones/b.zone", "com. A 192.0.2.1\nbexample.com. A 192.0.2.1\n"}}) ==
        Lines{"zones/a.zone:2:1: [out-of-zone] a.example.net. is not in the zone example.com.",
              "zones/b.zone:1:1: [out-of-zone] com. is not in the zone example.com.",
              "zones/b.zone:2:1: [out-of-zone] bexample.com. is not in the zone example.com."});
}

TEST_CASE("repository: without a serial one is assigned later", "[zones][repository]") {
  const auto repository = load_good({{"zones/a.yaml", small_zone}});
  CHECK_FALSE(repository->zones.at(0).serial_is_fixed);
}

TEST_CASE("repository: overrides know the continent of their country", "[zones][repository]") {
  const auto repository = load_good({{"zones/a.yaml", small_zone}, {"networks.yaml", R"(
- { network: [10.0.0.0/8, 2001:db8::1], country: NO }
- { network: 192.0.2.0/24, subdivision: US-CA, asn: 64500, location: [37.5, -122] }
)"}});
  REQUIRE(repository->overrides.size() == 3);
  CHECK(repository->overrides[0].location.country.text() == "NO");
  CHECK(repository->overrides[0].location.continent.text() == "EU");
  CHECK(repository->overrides[1].network.length == 128);
  CHECK(repository->overrides[2].location.country.text() == "US");
  CHECK(repository->overrides[2].location.asn == 64500);
}

TEST_CASE("repository: digests follow what was read", "[zones][repository]") {
  const auto digests = [](const std::string& policy, const std::string& zone) {
    const auto repository = load_good({{"policy.yaml", policy}, {"zones/a.yaml", zone}});
    return std::array{repository->policy.digest, repository->zones[0].digest, repository->digest};
  };
  CHECK(load_good({{"policy.yaml", small_policy}, {"zones/a.yaml", small_zone}})->policy.text ==
        small_policy);
  const auto first = digests(small_policy, small_zone);
  CHECK(digests(small_policy, small_zone) == first);
  const auto other_policy = digests(small_policy + "# x\n", small_zone);
  CHECK(other_policy[0] != first[0]);
  CHECK(other_policy[1] == first[1]);
  CHECK(other_policy[2] != first[2]);
  CHECK(digests(small_policy, small_zone + "# x\n")[1] != first[1]);
}

TEST_CASE("repository: what is said of files and folders", "[zones][repository]") {
  CHECK(findings({{"policy.yaml", small_policy}}) ==
        Lines{"zones:0:0: [zones-missing] No such file or directory; expected the folder `zones` "
              "with one .yaml file a zone"});
  CHECK(findings({{"zones/a.txt", ""}}) ==
        Lines{"zones:0:0: [zones-missing] no zone file; expected one .yaml file a zone"});
  CHECK(findings({{"zones/a.yaml", small_zone}, {"zones/b.yml", ""}, {"zones/.c.yaml", "["}}) ==
        Lines{"zones/b.yml:0:0: [file-ignored] warning: a name in .yml; expected .yaml"});
  CHECK(findings({{"zones/a.yaml", small_zone}, {"zones/b.yaml", small_zone}}) ==
        Lines{"zones/b.yaml:1:7: [zone-twice] zone example.com again, first in zones/a.yaml:1; "
              "expected one file a zone"});
  CHECK(findings({{"zones/a.yaml", small_zone}, {"tenants.yaml", ""}}) ==
        Lines{"tenants.yaml:0:0: [policy-missing] tenants without policy.yaml; expected that "
              "file, it says what a home is"});
  Diagnostics diagnostics;
  CHECK(load_repository("/nowhere/at/all", diagnostics) == nullptr);
  CHECK(lines_of(diagnostics) ==
        Lines{"/nowhere/at/all:0:0: [repository-missing] No such file or directory; expected the "
              "folder of a zone repository"});
}

TEST_CASE("repository: a broken policy hides no error of other files", "[zones][repository]") {
  // And the regions that it would have had are not called unknown.
  CHECK(findings({{"policy.yaml", "a: ["}, {"zones/a.yaml", service_head + R"(
    residency: hard
    home: EU
    records:
      - { region: eu, weight: x, endpoint: a.example, addresses: 192.0.2.1 }
)"}}) == Lines{"policy.yaml:1:1: [yaml-syntax] a list that `[` begins never ends; expected `]`",
               "zones/a.yaml:10:31: [bad-integer] weight is `x`; expected an integer from 0 to "
               "65535"});
}

TEST_CASE("repository: services are answered from the zone they are in", "[zones][repository]") {
  CHECK(findings({{"policy.yaml", small_policy},
                  {"zones/a.yaml", small_zone + R"(services:
  api.sub:
    records: [{ region: eu, weight: 1, endpoint: a.example, addresses: 192.0.2.1 }]
)"},
                  {"zones/b.yaml",
                   "zone: sub.example.com\nsoa: { primary: a., contact: b. }\n"
                   "nameservers: [ns.example.net.]\n"}}) ==
        Lines{"zones/a.yaml:5:3: [service-in-other-zone] service `api.sub` lies in zone "
              "sub.example.com of zones/b.yaml; expected it in that file"});
}

TEST_CASE("repository: includes stay inside", "[zones][repository]") {
  const TempFolder outside;
  outside.write("secret.zone", "a A 192.0.2.1\n");
  const TempFolder folder;
  folder.write("zones/a.yaml", small_zone + R"(include:
  - none.zone
  - ../up.zone
  - /etc/hostname
  - folder
  - link.zone
  - both.zone
  - inner.zone
  - ttl.zone
)");
  folder.write("folder/x", "");
  folder.write("both.zone", "");
  folder.write("zones/both.zone", "");
  folder.write("real.zone", "b A 192.0.2.1\n");
  folder.write("ttl.zone", "c 60 A 192.0.2.2\nc 30 A 192.0.2.3\n");
  REQUIRE(::symlink((outside.path() + "/secret.zone").c_str(),
                    (folder.path() + "/link.zone").c_str()) == 0);
  REQUIRE(::symlink("real.zone", (folder.path() + "/inner.zone").c_str()) == 0);
  Diagnostics diagnostics;
  CHECK(load_repository(folder.path(), diagnostics) == nullptr);
  CHECK(lines_of(diagnostics) ==
        Lines{"ttl.zone:2:1: [ttl-mismatch] warning: c.example.com. A has records with different "
              "TTLs; expected one TTL (RFC 2181 §5.2), the lowest, 30, is used",
              "zones/a.yaml:5:5: [unreadable-file] none.zone: No such file or directory; expected "
              "a readable file",
              "zones/a.yaml:6:5: [unreadable-file] ../up.zone: a path that leaves the repository; "
              "expected one inside it",
              "zones/a.yaml:7:5: [unreadable-file] /etc/hostname: a path that leaves the "
              "repository; expected one inside it",
              "zones/a.yaml:8:5: [unreadable-file] folder: not a regular file; expected a regular "
              "file",
              "zones/a.yaml:9:5: [unreadable-file] link.zone: a link that leaves the repository; "
              "expected a file inside it",
              "zones/a.yaml:10:5: [ambiguous-include] both zones/both.zone and both.zone exist; "
              "expected one of them"});
}

TEST_CASE("repository: nothing outside it exists for it", "[zones][repository]") {
  const TempFolder folder;
  folder.write("outside.zone", "");
  folder.write("inside/inside.zone", "");
  auto files = yaml::RepositoryFiles::open(folder.path() + "/inside");
  REQUIRE(files);
  CHECK(files->exists("inside.zone"));
  CHECK_FALSE(files->exists("../outside.zone"));
  CHECK_FALSE(files->exists("zones/../../outside.zone"));
  CHECK_FALSE(files->exists(folder.path() + "/outside.zone"));
}

}  // namespace
}  // namespace demarc::zones
