// The load generator's parts: it must neither lose nor invent what it reports.
#include <algorithm>
#include <random>
#include <set>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "dns/query.h"
#include "tests/support/temp_folder.h"
#include "tools/load/floor.h"
#include "tools/load/report.h"

using namespace demarc;
using namespace demarc::tools::load;
using namespace std::chrono_literals;
using demarc::testing::TempFolder;

namespace {

zones::Name name(const char* text) { return zones::Name::parse_absolute(text).value(); }

Measured one_round(const dns::Endpoint& server, StreamSettings settings,
                   std::optional<pid_t> pid = {}) {
  settings.server = server;
  const Questions questions = build_questions({.names = {name("api.example.com")}}, 1);
  const Load load{settings, &questions};
  auto measured = measure({&load, 1}, {.warm = 10ms, .lasts = 100ms}, pid, 1);
  REQUIRE(measured.has_value());
  return std::move(*measured);
}

}  // namespace

TEST_CASE("load: a quantile is at most a 32nd above the true one", "[tools][load]") {
  std::mt19937_64 random(7);
  Latencies latencies;
  std::vector<std::int64_t> all;
  for (int i = 0; i < 10'000; ++i) {
    const auto value = static_cast<std::int64_t>(random() >> (28 + random() % 36));
    all.push_back(std::min<std::int64_t>(value, (std::int64_t{1} << 36) - 1));
    latencies.add(Nanoseconds(value));
  }
  std::ranges::sort(all);
  CHECK(latencies.count() == all.size());
  for (const double share : {0.0001, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    CAPTURE(share);
    const auto at = static_cast<std::size_t>(share * static_cast<double>(all.size()) - 0.5);
    const auto found = latencies.quantile(share).count();
    CHECK(found >= all[at]);
    CHECK(found <= all[at] + all[at] / 32);
  }
  CHECK(Latencies{}.quantile(0.5) == 0ns);
  Latencies back;
  back.add(-5ns);
  CHECK(back.quantile(1) == 0ns);
}

TEST_CASE("load: questions are what a server reads as such", "[tools][load]") {
  const Questions questions = build_questions(
      {.names = {name("example.com")}, .qtype = 28, .random_labels = true, .subnets = 300}, 3);
  REQUIRE(questions.size() == 50'000);
  std::set<std::vector<std::uint8_t>> seen;
  std::set<geo::Prefix> subnets;
  for (std::size_t i = 0; i < 1000; ++i) {
    const auto message = questions[i];
    dns::Query query;
    REQUIRE(dns::read_query(message, query) == dns::Reading::good);
    CHECK(query.qtype == 28);
    CHECK(query.edns.subnet.length == 24);
    subnets.insert(query.edns.subnet);
    seen.insert({query.question.begin(), query.question.end()});
  }
  CHECK(seen.size() == 1000);
  CHECK(subnets.size() > 900);
}

TEST_CASE("load: source addresses are public", "[tools][load]") {
  const auto reserved = {"0.0.0.0/8",      "10.0.0.0/8",      "100.64.0.0/10",  "127.0.0.0/8",
                         "169.254.0.0/16", "172.16.0.0/12",   "192.0.2.0/24",   "192.168.0.0/16",
                         "198.18.0.0/15",  "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"};
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    const geo::Address address = random_public_address(seed);
    const bool is_reserved = std::ranges::any_of(
        reserved, [&](const char* text) { return geo::parse_prefix(text)->contains(address); });
    if (is_reserved) FAIL(geo::to_text(address));
  }
}

TEST_CASE("load: a file of names is read, a bad line named", "[tools][load]") {
  const TempFolder folder;
  const auto names = read_names(folder.write("good", "# some\na.example.com\n\nB.example.com.\n"));
  REQUIRE(names.has_value());
  CHECK(*names == std::vector{name("a.example.com"), name("b.example.com")});
  const auto bad = read_names(folder.write("bad", "a.example.com\na..b\n"));
  REQUIRE_FALSE(bad.has_value());
  CHECK(bad.error().ends_with("bad:2:1: `a..b` is no domain name"));
  CHECK(read_names(folder.write("empty", "\n")).error().find("no names") != std::string::npos);
  CHECK_FALSE(read_names(folder.path() + "/none").has_value());
}

TEST_CASE("load: what an echo answers is all answered, its CPU time known", "[tools][load]") {
  const auto floor = Floor::start(std::nullopt);
  REQUIRE(floor.has_value());
  const auto [kind, settings] = GENERATE(table<const char*, StreamSettings>(
      {{"closed loop", {.server = {}, .window = 16, .per_second = {}, .sources = {}}},
       {"open loop", {.server = {}, .window = 1, .per_second = 20'000.0, .sources = {}}},
       {"from many addresses",
        {.server = {}, .window = 16, .per_second = {}, .sources = {0x7f00'0203, 0x7f01'0001}}}}));
  CAPTURE(kind);
  const Measured measured = one_round((*floor)->endpoint(), settings, (*floor)->pid());
  const Tally& tally = measured.tallies.at(0);
  CHECK(tally.sent > 0);
  CHECK(tally.answered == tally.sent);
  CHECK(tally.lost == 0);
  CHECK(tally.rcodes[0] == tally.answered);
  CHECK(tally.latencies.count() == tally.answered);
  REQUIRE(measured.cpu);
  CHECK(*measured.cpu > 0ns);
}

TEST_CASE("load: what nobody answers is lost, and a closed loop waits with it", "[tools][load]") {
  dns::Endpoint silent{geo::Address::ipv4(0x7f00'0001), 0};
  const auto socket = dns::open_udp_socket(silent);
  REQUIRE(socket.has_value());
  silent.port = dns::bound_port(*socket).value();
  const Measured closed =
      one_round(silent, {.server = {}, .window = 7, .per_second = {}, .sources = {}});
  // Those of the warming up hold the window; none is sent beside them.
  CHECK(closed.tallies.at(0).sent == 0);
  const Measured open =
      one_round(silent, {.server = {}, .window = 1, .per_second = 1000.0, .sources = {}});
  const Tally& tally = open.tallies.at(0);
  CHECK(tally.sent > 0);
  CHECK(tally.lost == tally.sent);
  CHECK(tally.answered == 0);
}

TEST_CASE("load: a report has medians, spreads and ratios", "[tools][load]") {
  CHECK(median({}) == 0);
  CHECK(median({5, 1, 3}) == 3);
  CHECK(median({4, 1, 3, 2}) == 2);
  const auto round = [](std::uint64_t sent, Nanoseconds cpu) {
    Tally tally;
    tally.sent = sent;
    tally.answered = sent - 1;
    tally.lost = 1;
    tally.rcodes[3] = sent - 1;
    Measured measured;
    measured.tallies = {tally};
    measured.seconds = 2;
    measured.cpu = cpu;
    return measured;
  };
  const auto report = report_of({{"old", {round(100, 400us), round(100, 500us), round(100, 900us)}},
                                 {"new", {round(50, 150us)}}});
  CHECK(report[0]["cpu-us"] == nlohmann::json{{"median", 5.0}, {"min", 4.0}, {"max", 9.0}});
  CHECK_FALSE(report[0].contains("ratio"));
  CHECK(report[1]["ratio"] == 0.6);
  CHECK(report[1]["load"]["sent-per-second"]["median"] == 25.0);
  CHECK(report[1]["load"]["lost-share"]["median"] == 0.02);
  CHECK(report[1]["load"]["rcodes"]["3"] == 49);
  CHECK(table_of(report).find("| new | load | 25 (25-25) |") != std::string::npos);
}
