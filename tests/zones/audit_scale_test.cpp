// What a trail of many years costs. Hidden: it measures, and asserts only that all of it holds. Run
// it with `zones_tests "[scale]"`; DEMARC_TRAIL_ENTRIES says how many entries.
#include <chrono>
#include <cstdlib>
#include <fstream>

#include <fmt/format.h>
#include <sys/resource.h>
#include <catch2/catch.hpp>

#include "tests/support/temp_folder.h"
#include "zones/audit/history.h"
#include "zones/audit/log.h"
#include "zones/audit/trail.h"
#include "zones/audit/verify.h"
#include "zones/jws.h"
#include "zones/time_text.h"

using namespace demarc;
using namespace demarc::zones;

namespace {

std::uint64_t wanted_entries() {
  const char* told = std::getenv("DEMARC_TRAIL_ENTRIES");
  return told == nullptr ? 1'000'000 : std::strtoull(told, nullptr, 10);
}

/// Runs `act`, and prints its time and the process's memory since.
template <typename Act>
void measure(const char* what, Act act) {
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak begins anew
  const auto begun = std::chrono::steady_clock::now();
  act();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  std::ifstream status("/proc/self/status");
  std::string line, peak;
  while (std::getline(status, line)) {
    if (line.starts_with("VmHWM:")) peak = line.substr(6);
  }
  fmt::print("{:<28} {:8.2f} s, peak memory {}\n", what, took.count(), peak);
}

}  // namespace

TEST_CASE("scale: a long trail is opened, verified, proven and asked", "[.][scale]") {
  const testing::TempFolder main, eu;
  const NoteSigner signer =
      *NoteSigner::make("ns1/audit", make_key_pair(KeyAlgorithm::EdDSA)->private_key_pem);
  AuditOptions options{.folders = {main.path(), {{"EU", eu.path()}}}, .node = "ns1"};
  options.signer = signer;
  options.calls.sync = [](int) { return 0; };  // the disk's own time is not what is measured
  const WallTime begin = *parse_rfc3339("2026-01-01T00:00:00Z");
  const std::uint64_t count = wanted_entries();
  constexpr std::uint64_t together = 10;
  measure("append, ten together", [&] {
    auto log = AuditLog::open(options);
    REQUIRE(log);
    std::vector<AuditEntry> entries;
    for (std::uint64_t i = 0; i < count; ++i) {
      const bool is_crossing = i % 1000 == 999;
      entries.push_back({.time = begin + std::chrono::seconds(i),
                         .kind = is_crossing ? "crossing-held" : "weights-changed",
                         .jurisdiction = i % 2 == 0 ? "EU" : "US",
                         .facts = {{"service", fmt::format("api{}.example.com", i % 50)},
                                   {"zone", "example.com"},
                                   {"before", "eu 100, us 0"},
                                   {"after", "eu 50, us 50"},
                                   {"policy", std::string(64, 'a')}}});
      if (entries.size() < together && i + 1 < count) continue;
      if (!log->append(entries)) FAIL("append");
      entries.clear();
    }
    REQUIRE(log->checkpoint());
  });
  measure("open", [&] {
    const auto log = AuditLog::open(options);
    REQUIRE(log);
    CHECK(log->size() == count);
    CHECK(log->repairs().empty());
  });
  measure("verify", [&] {
    const auto report = verify_audit(options.folders);
    REQUIRE(report);
    CHECK(report->findings.empty());
    CHECK(report->covered == count);
  });
  measure("prove inclusion", [&] {
    const auto proof = make_inclusion_proof(options.folders, count / 2, std::nullopt);
    REQUIRE(proof);
    CHECK(check_proof(*proof, std::span(&signer.verifier(), 1)));
  });
  measure("history of one name", [&] {
    History history("api7.example.com", "", begin, begin + std::chrono::hours(24 * 365));
    REQUIRE(visit_audit(options.folders, [&](const ParsedEntry& entry) { history.add(entry); }));
  });
  auto log = AuditLog::open(options);
  REQUIRE(log);
  const WallTime end = begin + std::chrono::seconds(count);
  measure("retention, nothing is old", [&] { CHECK(log->apply_retention(begin, end) == 0U); });
  measure("retention, the first half", [&] {
    const auto gone = log->apply_retention(begin + std::chrono::seconds(count / 2), end);
    REQUIRE(gone);
    fmt::print("{} segments went\n", *gone);
  });
}
