#include <catch2/catch.hpp>

#include <algorithm>

#include "tests/zones/findings.h"

namespace demarc::testing {
namespace {

using Lines = std::vector<std::string>;

Lines found(const std::string& rest) { return findings({{"zones/a.yaml", small_zone + rest}}); }

TEST_CASE("transfer: who may have the zone and who is told", "[zones][transfer]") {
  Diagnostics diagnostics;
  const auto repository = load({{"zones/a.yaml", small_zone + R"(transfer:
  allow: [192.0.2.0/24, "2001:db8::7", Transfer.Example.NET.]
  notify:
    - 192.0.2.7
    - 192.0.2.8:5300
    - 2001:db8::8
    - { to: "[2001:db8::9]:54", key: transfer.example.net }
)"}},
                               diagnostics);
  REQUIRE(repository);
  CHECK(lines_of(diagnostics).empty());
  const auto& transfer = repository->zones.at(0).transfer;
  REQUIRE(transfer);
  CHECK(transfer->networks.size() == 2);
  CHECK(transfer->networks[1].length == 128);
  REQUIRE(transfer->keys.size() == 1);
  CHECK(transfer->keys[0].name.text() == "transfer.example.net.");
  CHECK(transfer->keys[0].place.line == 5);
  REQUIRE(transfer->notify.size() == 4);
  CHECK(transfer->notify[0].port == 53);
  CHECK(transfer->notify[1].port == 5300);
  CHECK(transfer->notify[2].port == 53);
  CHECK(transfer->notify[3].port == 54);
  CHECK(transfer->notify[3].address == geo::parse_address("2001:db8::9"));
  REQUIRE(transfer->notify[3].key);
  CHECK(transfer->notify[3].key->name.text() == "transfer.example.net.");
  CHECK_FALSE(transfer->notify[0].key);
}

TEST_CASE("transfer: a zone without it is nobody's", "[zones][transfer]") {
  Diagnostics diagnostics;
  const auto repository = load({{"zones/a.yaml", small_zone}}, diagnostics);
  REQUIRE(repository);
  CHECK_FALSE(repository->zones.at(0).transfer);
}

TEST_CASE("transfer: mistakes have a place", "[zones][transfer]") {
  CHECK(found("transfer: { notify: 192.0.2.1 }\n") ==
        Lines{"zones/a.yaml:4:11: [missing-key] transfer without `allow`; expected that key"});
  CHECK(found("transfer: { allow: 192.0.2.1/24 }\n").size() == 1);
  CHECK(found("transfer: { allow: \"a..b\" }\n") ==
        Lines{"zones/a.yaml:4:20: [bad-tsig-key] `a..b` is no network and no key's name; expected "
              "one, such as 192.0.2.0/24 or transfer.example.com"});
  for (const char* bad : {"example.com", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2.1:",
                          "[192.0.2.1]:53", "[2001:db8::1]", "[2001:db8::1]:", "192.0.2.0/24"}) {
    CAPTURE(bad);
    CHECK(found("transfer: { allow: k, notify: \"" + std::string(bad) + "\" }\n") ==
          Lines{"zones/a.yaml:4:31: [bad-notify] notify is `" + std::string(bad) +
                "`; expected an address, or an address and a port as 192.0.2.1:53 or "
                "[2001:db8::1]:53"});
  }
  std::string many = "transfer: { allow: k, notify: [192.0.2.1";
  for (int count = 1; count < 16; ++count) many += ", 192.0.2.1";
  CHECK(found(many + "] }\n").empty());
  CHECK(found(many + ", 192.0.2.1] }\n").size() == 1);
}

TEST_CASE("transfer: what no secondary could answer does not load", "[zones][transfer]") {
  const auto with = [](const std::string& head, const std::string& service) {
    return findings(
        {{"policy.yaml", small_policy},
         {"zones/a.yaml", head + "transfer: { allow: k }\nservices:\n  api:\n" + service}});
  };
  const std::string records =
      "    records: [{ region: eu, weight: 1, endpoint: a.example, addresses: 192.0.2.1 }]\n";
  CHECK(with(small_zone, "    residency: hard\n    home: EU\n" + records).empty());
  CHECK(with(small_zone, "    residency: soft\n    home: client\n    default-home: EU\n" + records)
            .empty());
  const Lines client = with(small_zone,
                            "    residency: hard\n    home: client\n    default-home: EU\n"
                            "    route: [{ default: [eu] }]\n" +
                                records);
  CHECK(std::ranges::count_if(client, [](const std::string& line) {
          return line.starts_with(
              "zones/a.yaml:6:3: [transfer-crosses] hard service `api` has "
              "`home: client` in a zone with `transfer:`");
        }) == 1);
  const std::string numbered =
      "zone: example.com\n"
      "soa: { primary: ns1.example.net., contact: h@example.net, serial: 7 }\n"
      "nameservers: [ns1.example.net.]\n";
  CHECK(with(numbered, records) ==
        Lines{"zones/a.yaml:4:11: [transfer-serial] the zone has services and a serial of its "
              "own, which cannot follow them; expected `soa:` without `serial`"});
  CHECK(findings({{"zones/a.yaml", numbered + "transfer: { allow: k }\n"}}).empty());
}

}  // namespace
}  // namespace demarc::testing
