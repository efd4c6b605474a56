// What a reload knows of zone files: it parses those that changed, and finds what a first load
// finds.
#include "zones/yaml/zone_files.h"

#include <algorithm>
#include <random>

#include <catch2/catch.hpp>

#include "tests/zones/findings.h"

namespace demarc::zones {
namespace {

using testing::TempFolder;

std::string zone_text(int number, const std::string& more = {}) {
  return fmt::format(
      "zone: z{}.example\nsoa: {{ primary: ns1.example.net., contact: h@example.net, serial: 1 }}\n"
      "nameservers: [ns1.example.net.]\n{}",
      number, more);
}

std::string service_text(const std::string& address) {
  return "services:\n  api:\n    records:\n"
         "      - { region: eu, weight: 1, endpoint: a.example.net, addresses: [" +
         address + "] }\n";
}

struct LoadedOnce {
  std::unique_ptr<Repository> repository;
  std::vector<std::string> findings;
};

LoadedOnce load_once(const TempFolder& folder, ParsedZoneFiles* known = nullptr) {
  Diagnostics diagnostics;
  LoadedOnce loaded;
  loaded.repository = load_repository(folder.path(), diagnostics, known);
  loaded.findings = testing::lines_of(diagnostics);
  return loaded;
}

/// All that zones and services of a repository hold which files of these tests can change.
std::string text_of(const Repository& repository) {
  std::string text = repository.digest;
  for (const Zone& zone : repository.zones) {
    text += fmt::format("\n{} {} {}", zone.apex.text(), zone.file, zone.digest);
    for (const RRset set : zone.rrsets) {
      text += fmt::format(" {}/{}/{}", set.owner().text(), set.type, set.ttl);
      for (const std::string_view rdata : set.rdata()) text += fmt::format(" {}", rdata);
    }
    for (const ServiceId id : zone.services) {
      const Service& service = repository.service(id);
      text += fmt::format(" {}:{}", service.owner.text(), service.place.line);
      for (const Record& record : service.records) {
        for (const geo::Address& address : record.addresses) text += " " + geo::to_text(address);
      }
    }
  }
  return text;
}

}  // namespace

TEST_CASE("zone files: one with the bytes it had before is not parsed again", "[zones]") {
  const TempFolder folder;
  folder.write("policy.yaml", testing::small_policy);
  for (int i = 0; i < 5; ++i) {
    folder.write(fmt::format("zones/z{}.yaml", i), zone_text(i, service_text("192.0.2.1")));
  }
  ParsedZoneFiles known;
  const auto counts = [&] { return std::pair(known.parsed, known.unchanged); };
  REQUIRE(load_once(folder, &known).repository);
  CHECK(counts() == std::pair<std::size_t, std::size_t>(5, 0));
  REQUIRE(load_once(folder, &known).repository);
  CHECK(counts() == std::pair<std::size_t, std::size_t>(0, 5));

  folder.write("zones/z3.yaml", zone_text(3, service_text("192.0.2.7")));
  const auto changed = load_once(folder, &known);
  REQUIRE(changed.repository);
  CHECK(counts() == std::pair<std::size_t, std::size_t>(1, 4));
  CHECK(text_of(*changed.repository).find("192.0.2.7") != std::string::npos);

  // What a file says may be right or wrong by another one: that is judged each time.
  folder.write("policy.yaml",
               "jurisdictions:\n  US: { countries: [US] }\nregions:\n"
               "  us: { jurisdiction: US, location: [39, -77] }\n");
  const auto refused = load_once(folder, &known);
  CHECK(refused.repository == nullptr);
  CHECK(counts() == std::pair<std::size_t, std::size_t>(0, 5));
  CHECK(refused.findings == load_once(folder).findings);
}

TEST_CASE("zone files: what is wrong with one is told by every load", "[zones]") {
  const TempFolder folder;
  folder.write("policy.yaml", testing::small_policy);
  folder.write("zones/good.yaml", zone_text(1));
  folder.write("zones/key.yaml", zone_text(2, "colour: red\n"));
  folder.write("zones/syntax.yaml", zone_text(3, "records: [\n"));
  ParsedZoneFiles known;
  const auto first = load_once(folder, &known);
  CHECK(first.repository == nullptr);
  REQUIRE(first.findings.size() == 2);
  for (int turn = 0; turn < 2; ++turn) {
    CHECK(load_once(folder, &known).findings == first.findings);
    CHECK(known.parsed == 2);
    CHECK(known.unchanged == 1);
  }
}

TEST_CASE("zone files: no more text is kept than the limit", "[zones]") {
  const TempFolder folder;
  for (int i = 0; i < 3; ++i) folder.write(fmt::format("zones/z{}.yaml", i), zone_text(i));
  const std::size_t size = zone_text(0).size();
  const auto [limit, kept] = GENERATE_COPY(table<std::size_t, std::size_t>(
      {{0, 0}, {2 * size - 1, 1}, {2 * size, 2}, {3 * size, 3}, {4 * size, 3}}));
  ParsedZoneFiles known{.text_bytes_max = limit};
  REQUIRE(load_once(folder, &known).repository);
  CHECK(known.files.size() == kept);
  REQUIRE(load_once(folder, &known).repository);
  CHECK(known.unchanged == kept);
  CHECK(known.parsed == 3 - kept);
}

TEST_CASE("zone files: a load that knows them finds what one finds that does not", "[zones]") {
  const TempFolder folder;
  folder.write("policy.yaml", testing::small_policy);
  const std::array<std::string, 7> texts{
      "",
      "ttl: 60\n",
      service_text("192.0.2.1"),
      service_text("192.0.2.2"),
      service_text("no-address"),
      "records: { www: { A: [192.0.2.3] } }\ncolour: red\n",
      "records: {\n",
  };
  constexpr int files = 12;
  std::mt19937 random(20);
  ParsedZoneFiles known;
  std::size_t parsed = 0;
  std::size_t good = 0;
  for (int turn = 0; turn < 150; ++turn) {
    // Long stretches of good files: only then is something taken from what is known.
    const int edits = turn < files ? files : static_cast<int>(random() % 3);
    for (int edit = 0; edit < edits; ++edit) {
      const auto number = static_cast<int>(random() % files);
      const std::size_t kind = random() % (random() % 4 == 0 ? texts.size() : 4);
      // Sometimes two files have one zone.
      const int zone = random() % 40 == 0 ? (number + 1) % files : number;
      folder.write(fmt::format("zones/z{}.yaml", number), zone_text(zone, texts.at(kind)));
    }
    const auto knowing = load_once(folder, &known);
    const auto fresh = load_once(folder);
    CAPTURE(turn);
    REQUIRE(knowing.findings == fresh.findings);
    REQUIRE((knowing.repository == nullptr) == (fresh.repository == nullptr));
    if (fresh.repository) REQUIRE(text_of(*knowing.repository) == text_of(*fresh.repository));
    good += fresh.repository ? 1 : 0;
    parsed += known.parsed;
  }
  CHECK(good > 20);
  CHECK(good < 150);
  CHECK(parsed < 150 * files / 2);
}

}  // namespace demarc::zones
