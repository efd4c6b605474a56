// The difference of two repositories: edits in, changes with their class and effect out.
#include <algorithm>

#include <catch2/catch.hpp>

#include "tests/zones/findings.h"
#include "zones/diff/difference.h"
#include "zones/jws.h"

namespace demarc::zones {
namespace {

using testing::Files;

const std::string policy = R"(jurisdictions:
  EU: { countries: [DE, FR], approved-standby: [CH] }
  CH: { countries: [CH] }
  US: { countries: [US] }
regions:
  eu: { jurisdiction: EU, location: [50, 8] }
  eu2: { jurisdiction: EU, location: [53, -6] }
  ch: { jurisdiction: CH, location: [47, 8] }
  us: { jurisdiction: US, location: [39, -77] }
approvals:
  audience: here
  max-duration: 4h
  keys:
    - { id: l1, person: anna, role: legal, alg: EdDSA, public-key: keys/l1.pem }
    - { id: s1, person: bert, role: security, alg: EdDSA, public-key: keys/s1.pem }
  rules:
    - { zone: "*", mode: read-only, require: { legal: 1 } }
    - { zone: "*", mode: full-write, require: { legal: 1, security: 1 } }
)";

const std::string zone = testing::small_zone + R"(records:
  mail: { A: 192.0.2.25 }
services:
  api:
    ttl: 30
    residency: hard
    home: EU
    access: write
    records:
      - { region: eu, weight: 100, endpoint: api.eu.example.net, addresses: 192.0.2.1 }
      - { region: eu2, weight: 0, endpoint: api.eu2.example.net, addresses: 192.0.2.2 }
      - { region: us, weight: 0, endpoint: api.us.example.net, addresses: 198.51.100.1 }
    on-block: servfail
  www:
    route:
      - { country: [DE], to: [eu, us] }
      - { default: [us] }
    records:
      - { region: eu, weight: 100, endpoint: www.eu.example.net, addresses: 192.0.2.3 }
      - { region: us, weight: 100, endpoint: www.us.example.net, addresses: 198.51.100.3 }
)";

Files files() {
  static const KeyPair legal = make_key_pair(KeyAlgorithm::EdDSA).value();
  static const KeyPair security = make_key_pair(KeyAlgorithm::EdDSA).value();
  return {{"policy.yaml", policy},
          {"zones/a.yaml", zone},
          {"keys/l1.pem", legal.public_key_pem},
          {"keys/s1.pem", security.public_key_pem}};
}

DiffSide side_of(const Files& content) {
  Diagnostics diagnostics;
  DiffSide side;
  side.repository = testing::load(content, diagnostics);
  for (const std::string& line : testing::lines_of(diagnostics)) UNSCOPED_INFO(line);
  REQUIRE(side.repository != nullptr);
  for (const auto& [path, text] : content) side.places.add_file(path, text);
  return side;
}

Files edited(const std::string& from, const std::string& to) {
  Files changed = files();
  std::size_t count = 0;
  for (auto& [path, text] : changed) {
    if (const auto at = text.find(from); at != std::string::npos) {
      text.replace(at, from.size(), to);
      ++count;
    }
  }
  REQUIRE(count == 1);
  return changed;
}

Difference difference_of(const Files& before, const Files& after) {
  DiffSide from = side_of(before);
  DiffSide to = side_of(after);
  return build_difference(from, to);
}

std::string line_of(const Change& change) {
  return std::string(to_text(change.rank)) + " " + std::string(to_text(change.effect)) + " " +
         change.kind + " " + change.subject + ": " + change.before + " -> " + change.after;
}

std::vector<std::string> lines_of(const Difference& difference) {
  std::vector<std::string> lines;
  for (const Change& change : difference.changes) lines.push_back(line_of(change));
  return lines;
}

TEST_CASE("difference: it says whose answers are not compared", "[zones][diff]") {
  CHECK(difference_of(files(), files()).not_walked.empty());
  Files with_networks = files();
  with_networks["networks.yaml"] = "- { network: 203.0.113.0/24, country: DE }\n";
  const std::vector<std::string> expected = {"networks of networks.yaml"};
  CHECK(difference_of(files(), with_networks).not_walked == expected);
  CHECK(difference_of(with_networks, files()).not_walked == expected);
}

using Row = std::tuple<const char*, std::string, std::string, std::string>;

TEST_CASE("difference: each legal change says whether it loosens", "[zones][diff]") {
  // Edit there and back: what loosens one way must not loosen the other.
  const auto [name, from, to,
              expected] = GENERATE(table<const char*, std::string, std::string, std::string>({
      {"hard to soft", "residency: hard", "residency: soft",
       "legal loosens service-residency api.example.com: hard -> soft"},
      {"access", "access: write", "access: read",
       "legal loosens service-access api.example.com: write -> read"},
      {"on-block", "on-block: servfail", "on-block: hold",
       "legal loosens service-on-block api.example.com: servfail -> hold"},
      {"a country", "countries: [DE, FR]", "countries: [AT, DE, FR]",
       "legal loosens jurisdiction-countries jurisdiction EU: DE, FR -> AT, DE, FR"},
      {"a standby", "approved-standby: [CH]", "approved-standby: [CH, US]",
       "legal loosens jurisdiction-standby jurisdiction EU: CH -> CH, US"},
      {"one role less", "require: { legal: 1, security: 1 }", "require: { legal: 1 }",
       "legal loosens approval-rule full-write in all zones: legal: 1, security: 1 -> legal: 1"},
      {"a rule more", "    - { zone: \"*\", mode: full-write",
       "    - { zone: \"*\", mode: scoped-write, require: { legal: 1 } }\n"
       "    - { zone: \"*\", mode: full-write",
       "legal loosens approval-rule scoped-write in all zones: cannot be approved -> legal: 1"},
      {"longer", "max-duration: 4h", "max-duration: 8h",
       "legal loosens approval-duration approvals: 4h -> 8h"},
  }));
  CAPTURE(name);
  const auto lines = lines_of(difference_of(files(), edited(from, to)));
  REQUIRE(lines.size() == 1);
  CHECK(lines.front() == expected);
  const auto back = lines_of(difference_of(edited(from, to), files()));
  REQUIRE(back.size() == 1);
  CHECK(back.front().starts_with("legal tightens "));
}

TEST_CASE("difference: what touches the law or traffic without a direction", "[zones][diff]") {
  const auto [name, from, to,
              expected] = GENERATE(table<const char*, std::string, std::string, std::string>({
      {"another key's person", "person: bert", "person: carl", "legal loosens approval-key key s1"},
      {"home moves", "home: EU\n    access: write\n    records:\n      - { region: eu,",
       "home: CH\n    access: write\n    records:\n      - { region: ch,",
       "legal loosens record-region api.example.com record api.eu.example.net: eu -> ch"},
      {"a region's law", "eu2: { jurisdiction: EU", "eu2: { jurisdiction: CH",
       "legal loosens region-jurisdiction region eu2: EU -> CH"},
      {"a record abroad", "    on-block: servfail",
       "      - { region: us, weight: 0, endpoint: api.us2.example.net, addresses: 198.51.100.9 }\n"
       "    on-block: servfail",
       "legal touches record-added api.example.com record api.us2.example.net:  -> "
       "api.us2.example.net in us weight 0 (198.51.100.9)"},
      {"a TTL", "ttl: 30", "ttl: 60", "traffic touches service-ttl api.example.com: 30 -> 60"},
      {"sticky", "    ttl: 30\n", "    ttl: 30\n    sticky: client\n",
       "traffic touches service-sticky api.example.com: none -> client"},
      {"client subnets", "    ttl: 30\n", "    ttl: 30\n    client-subnet: ignore\n",
       "traffic touches service-client-subnet api.example.com: use -> ignore"},
      {"a quorum", "    ttl: 30\n", "    ttl: 30\n    quorum: all\n",
       "routine touches service-quorum api.example.com: 1 -> all"},
      {"HTTPS", "    ttl: 30\n", "    ttl: 30\n    https: { alpn: [h2], port: 8443 }\n",
       "traffic touches service-https api.example.com: none -> 1 . alpn=\"h2\" port=8443"},
      {"an RRset", "mail: { A: 192.0.2.25 }", "mail: { A: 192.0.2.26 }",
       "traffic touches rrset mail.example.com A: 192.0.2.25 (ttl 3600) -> 192.0.2.26 (ttl 3600)"},
      {"who may ask", "services:\n  api:",
       "operator-names: { allow: [192.0.2.0/24, 10.0.0.1], gate: true }\nservices:\n  api:",
       "traffic touches operator-names operator names of zone example.com:  -> gate for "
       "192.0.2.0/24, 10.0.0.1/32"},
      {"a weight that never answers", "api.eu2.example.net, addresses: 192.0.2.2",
       "api.eu2.example.net, addresses: 192.0.2.7",
       "routine touches record-addresses api.example.com record api.eu2.example.net: 192.0.2.2 -> "
       "192.0.2.7"},
      {"a weight", "region: eu2, weight: 0", "region: eu2, weight: 100",
       "traffic touches record-weight api.example.com record api.eu2.example.net: 0 -> 100"},
      {"a hard service that goes",
       "  api:\n    ttl: 30\n    residency: hard\n    home: EU\n"
       "    access: write\n",
       "  api:\n    ttl: 30\n", "legal loosens service-residency api.example.com: hard -> none"},
  }));
  CAPTURE(name);
  const auto lines = lines_of(difference_of(files(), edited(from, to)));
  CAPTURE(lines);
  CHECK(std::ranges::any_of(lines, [&](const auto& line) { return line.starts_with(expected); }));
}

TEST_CASE("difference: RRsets that come, go and change, from the first to the last",
          "[zones][diff]") {
  const auto with_records = [](const std::string& records) {
    Files files;
    files["policy.yaml"] = testing::small_policy;
    files["zones/a.yaml"] = testing::small_zone + "records:\n" + records;
    return files;
  };
  const Files before = with_records(
      "  '@': { TXT: gone }\n  a: { A: 192.0.2.1 }\n  b: { A: 192.0.2.1, TXT: x }\n"
      "  d.a: { A: 192.0.2.1 }\n  zz: { A: 192.0.2.1 }\n");
  const Files after = with_records(
      "  a: { A: 192.0.2.1 }\n  aa: { A: 192.0.2.1 }\n  b: { A: 192.0.2.2, AAAA: '2001:db8::1' }\n"
      "  d.a: { A: { ttl: 5, data: 192.0.2.1 } }\n  zzz: { A: 192.0.2.1 }\n");
  std::vector<std::string> subjects;
  for (const Change& change : difference_of(before, after).changes) {
    subjects.push_back(fmt::format("{}: {} -> {}", change.subject, change.before, change.after));
  }
  CHECK(subjects ==
        std::vector<std::string>{"aa.example.com A:  -> 192.0.2.1 (ttl 3600)",
                                 "b.example.com A: 192.0.2.1 (ttl 3600) -> 192.0.2.2 (ttl 3600)",
                                 "b.example.com AAAA:  -> 2001:db8::1 (ttl 3600)",
                                 "b.example.com TXT: \"x\" (ttl 3600) -> ",
                                 "d.a.example.com A: 192.0.2.1 (ttl 3600) -> 192.0.2.1 (ttl 5)",
                                 "example.com TXT: \"gone\" (ttl 3600) -> ",
                                 "zz.example.com A: 192.0.2.1 (ttl 3600) -> ",
                                 "zzz.example.com A:  -> 192.0.2.1 (ttl 3600)"});
  CHECK(difference_of(before, before).empty());
  const auto all = difference_of(after, with_records("  n: { A: 192.0.2.1 }\n")).changes;
  CHECK(all.size() == 7);
}

TEST_CASE("difference: style is no change", "[zones][diff]") {
  const auto row =
      GENERATE(Row{"order of countries", "countries: [DE, FR]", "countries: [FR, DE]", ""},
               Row{"a comment", "home: EU", "home: EU   # as the law says", ""},
               Row{"a duration's unit", "ttl: 30", "ttl: 30s", ""},
               Row{"quotes", "mail: { A: 192.0.2.25 }", "\"mail\": { A: [\"192.0.2.25\"] }", ""});
  CAPTURE(std::get<0>(row));
  CHECK(difference_of(files(), edited(std::get<1>(row), std::get<2>(row))).empty());
}

TEST_CASE("difference: the service that is removed loosens, its place is the old one",
          "[zones][diff]") {
  Files after = files();
  std::string& text = after["zones/a.yaml"];
  const auto start = text.find("  api:"), end = text.find("  www:");
  text.erase(start, end - start);
  const Difference difference = difference_of(files(), after);
  REQUIRE(difference.changes.size() == 1);
  const Change& change = difference.changes.front();
  CHECK(change.kind == "service-removed");
  CHECK(change.effect == ChangeEffect::loosens);
  CHECK(change.place_is_old);
  CHECK(change.place == Place{"zones/a.yaml", 7, 3});
  CHECK(change.review == std::vector<std::string>{"legal", "security"});
}

TEST_CASE("difference: clients are walked, and grouped by what they get", "[zones][diff]") {
  const auto traffic = difference_of(files(), edited("country: [DE], to: [eu, us]",
                                                     "country: [DE, FR], to: [eu, us]"))
                           .traffic;
  REQUIRE(traffic.size() == 1);
  CHECK(traffic[0].service == "www.example.com");
  CHECK(traffic[0].before == "us");
  CHECK(traffic[0].after == "eu");
  CHECK(traffic[0].clients == std::vector<std::string>{"FR"});
  const auto all =
      difference_of(files(), edited("region: eu2, weight: 0", "region: eu2, weight: 300"));
  REQUIRE(all.traffic.size() == 1);
  CHECK(all.traffic[0].is_everyone);
  CHECK(all.traffic[0].after == "eu 25 %, eu2 75 %");
}

TEST_CASE("difference: a change has its place, its rollback and its reviewers", "[zones][diff]") {
  const auto found = difference_of(files(), edited("countries: [CH]", "countries: [CH, LI]"));
  REQUIRE(found.changes.size() == 1);
  CHECK(found.changes[0].place == Place{"policy.yaml", 3, 9});
  CHECK(found.changes[0].rollback == "set policy.yaml:3 back to `CH` and reload");
  CHECK(found.changes[0].review == std::vector<std::string>{"legal", "security"});
  CHECK(found.gravest() == ChangeClass::legal);
}

}  // namespace
}  // namespace demarc::zones
