// What answers while an exception is live: the share of answers that crosses, and the TXT record
// that tells the application its mode. Cleared weights that no gate would make are among them.
#include <catch2/catch.hpp>

#include <cmath>
#include <map>
#include <set>
#include <string>

#include "dns/steered_answers.h"
#include "tests/dns/world.h"

namespace demarc::dns::test {
namespace {

// An explicit instantiation may name what is private: these tests need shares that no gate gives.
template <typename Tag, typename Tag::Type member>
struct Opened {
  friend typename Tag::Type opened(Tag) { return member; }
};
struct Choices {
  using Type = std::vector<zones::Choice> zones::ClearedWeights::*;
  friend Type opened(Choices);
};
struct Fenced {
  using Type = std::vector<std::uint16_t> zones::ClearedWeights::*;
  friend Type opened(Fenced);
};
struct Signal {
  using Type = std::optional<zones::ModeSignal> zones::ClearedWeights::*;
  friend Type opened(Signal);
};
template struct Opened<Choices, &zones::ClearedWeights::choices_>;
template struct Opened<Fenced, &zones::ClearedWeights::fenced_choice_of_variant_>;
template struct Opened<Signal, &zones::ClearedWeights::mode_>;

using Lines = std::vector<std::string>;

constexpr std::int64_t start = 1'795'413'600'000;  // 2026-11-23T06:00:00Z
constexpr std::int64_t mono = 5'000;
constexpr std::int64_t life = 60'000;
const Moment now{WallTime{Milliseconds{start}}, MonotonicTime{Milliseconds{mono}}};

/// A hard service at home in eu, which is down, under a grant for us: 192.0.2.1 is home, 192.0.2.2
/// abroad.
struct ExceptionWorld {
  World world;
  zones::ClearedWeights cleared = make();
  std::unique_ptr<const Snapshot> snapshot;

  std::vector<zones::Choice>& choices() { return cleared.*opened(Choices{}); }
  zones::Choice& crossing() { return choices()[cleared.choice_of_variant()[0]]; }
  [[nodiscard]] std::uint16_t fenced() const { return cleared.fenced_choice_of_variant()[0]; }
  void set_share(std::uint8_t share, std::uint16_t otherwise) {
    crossing().share = share;
    crossing().otherwise = otherwise;
  }
  void tell(zones::Mode mode, std::string case_id) {
    cleared.*opened(Signal{}) = zones::ModeSignal{mode, std::move(case_id), "grant-0123456789"};
  }
  void tell_nothing() { (cleared.*opened(Signal{})).reset(); }
  [[nodiscard]] Client client(std::uint64_t seed = 1) {
    snapshot =
        build_snapshot(world.repository, *world.views, world.parts, std::span(&cleared, 1), now, 1);
    Client asking(*snapshot, seed);
    asking.worker().now = {start, mono};
    return asking;
  }

 private:
  zones::ClearedWeights make() {
    world.add("alias.example.com. 300 IN CNAME _mode.api.example.com.");
    world.add("*.api.example.com. 300 IN TXT \"wild\"");
    zones::Service& api = world.add_service("api.example.com");
    World::add_record(api, 0, 100, "eu.example.net", {"192.0.2.1"});
    World::add_record(api, 1, 0, "us.example.net", {"192.0.2.2"});
    api.residency = zones::Residency::hard;
    api.home_kind = zones::HomeKind::jurisdiction;
    api.home = zones::JurisdictionId{0};
    zones::Service& soft = world.add_service("soft.example.com");
    World::add_record(soft, 0, 1, "soft.example.net", {"192.0.2.3"});
    world.prepare();
    zones::Plan plan = zones::base_plan(world.repository, zones::ServiceId{0});
    plan.weights = {0, 100};
    plan.usable = {false, true};
    const zones::Permission permission{"grant-0123456789",
                                       zones::ServiceId{0},
                                       {zones::RegionId{0}},
                                       {zones::RegionId{1}},
                                       zones::Mode::full_write,
                                       WallTime{Milliseconds{start + life}},
                                       100,
                                       "",
                                       "CASE"};
    return zones::Gate::rule(world.repository, *world.views, plan, std::span(&permission, 1))
        .cleared;
  }
};

TEST_CASE("share: so many of a hundred answers cross, the others are at home", "[dns][share]") {
  const int share = GENERATE(1, 10, 50, 99, 100);
  CAPTURE(share);
  ExceptionWorld world;
  world.set_share(static_cast<std::uint8_t>(share), world.fenced());
  Client client = world.client(7);
  const Bytes packet = query_bytes({.name = "api.example.com"});
  constexpr int draws = 100'000;
  std::map<unsigned, int> seen;
  for (int draw = 0; draw < draws; ++draw) ++seen[client.ask_bytes(packet).back()];
  CHECK(seen[1] + seen[2] == draws);
  const double wanted = share / 100.0;
  CHECK(std::abs(seen[2] - draws * wanted) <= 4 * std::sqrt(draws * wanted * (1 - wanted)));
  CHECK((seen[1] == 0) == (share == 100));
}

TEST_CASE("share: both halves need the grant, and end with it", "[dns][share]") {
  ExceptionWorld world;
  world.set_share(50, world.fenced());
  Client client = world.client();
  const auto seen_at = [&](std::int64_t passed) {
    client.worker().now = {start + passed, mono + passed};
    std::set<std::string> seen;
    for (int round = 0; round < 100; ++round) {
      QueryParts parts;
      parts.name = "api.example.com";
      parts.has_edns = true;
      const Message message = client.ask(parts);
      seen.insert(message.answer().at(0) + " " + std::to_string(*message.extended_error()));
    }
    return seen;
  };
  CHECK(seen_at(35'000) == std::set<std::string>{"api.example.com. 24 A 192.0.2.1 49152",
                                                 "api.example.com. 24 A 192.0.2.2 49153"});
  CHECK(seen_at(life) == std::set<std::string>{"api.example.com. 30 A 192.0.2.1 49152"});
}

TEST_CASE("share: the rest may be no records at all", "[dns][share]") {
  const auto [kind, rcode] = GENERATE(table<zones::ChoiceKind, unsigned>(
      {{zones::ChoiceKind::nodata, 0U}, {zones::ChoiceKind::servfail, 2U}}));
  ExceptionWorld world;
  const auto at = static_cast<std::uint16_t>(world.choices().size());
  world.choices().push_back(
      {.kind = kind, .note = zones::ChoiceNote::held, .records = {}, .share = 100, .otherwise = 0});
  world.set_share(50, at);
  Client client = world.client();
  client.worker().now = {start + 35'000, mono + 35'000};
  int crossing = 0, blocked = 0;
  for (int round = 0; round < 100; ++round) {
    const Message message = client.ask("api.example.com", rrtype::a);
    if (!message.answer().empty()) {
      ++crossing;
      continue;
    }
    ++blocked;
    CHECK(message.rcode() == rcode);
    if (rcode == 0) CHECK(message.authority().at(0).starts_with("example.com. 24 SOA"));
  }
  CHECK(crossing > 20);
  CHECK(blocked > 20);
}

TEST_CASE("share: one that makes no sense crosses nothing", "[dns][share]") {
  struct Row {
    const char* name;
    int share;
    int otherwise;  // -1: the fenced choice, -2: the crossing itself
  };
  const Row row = GENERATE(values<Row>(
      {{"none", 0, -1}, {"above all", 101, -1}, {"no choice", 50, 99}, {"itself", 50, -2}}));
  CAPTURE(row.name);
  ExceptionWorld world;
  const std::uint16_t otherwise = row.otherwise == -1   ? world.fenced()
                                  : row.otherwise == -2 ? world.cleared.choice_of_variant()[0]
                                                        : static_cast<std::uint16_t>(row.otherwise);
  world.set_share(static_cast<std::uint8_t>(row.share), otherwise);
  Client client = world.client();
  for (int round = 0; round < 50; ++round) {
    CHECK(client.ask("api.example.com", rrtype::a).answer() ==
          Lines{"api.example.com. 30 A 192.0.2.1"});
  }
}

TEST_CASE("share: a fenced choice with a share answers SERVFAIL", "[dns][share]") {
  ExceptionWorld world;
  world.choices()[world.fenced()].share = 50;
  Client client = world.client();
  CHECK(client.ask("api.example.com", rrtype::a).answer() ==
        Lines{"api.example.com. 30 A 192.0.2.2"});
  client.worker().now = {start + life, mono + life};
  CHECK(client.ask("api.example.com", rrtype::a).rcode() == 2);
}

TEST_CASE("mode: TXT at _mode tells home or the exception, until its end", "[dns][mode]") {
  ExceptionWorld world;
  world.tell(zones::Mode::scoped_write, "CASE-7");
  Client client = world.client();
  const std::string head = "_mode.api.example.com. ";
  const std::string live =
      " TXT \"v=demarc1 mode=scoped-write case=CASE-7 until=2026-11-23T06:01:00Z "
      "grant=grant-0123456789\"";
  const std::string home = "30 TXT \"v=demarc1 mode=home\"";
  struct Row {
    const char* name;
    std::int64_t wall;
    std::int64_t monotonic;
    std::string answer;
  };
  const std::vector<Row> rows{
      {"long before the end", 0, 0, "30" + live},
      {"the TTL is clipped", 35'000, 35'000, "24" + live},
      {"the last moments", 59'989, 59'989, "0" + live},
      {"as late as the clocks may lag", 59'990, 59'990, home},
      {"after the end", life, life, home},
      {"the wall clock was set back", -10'000, life, home},
      {"the wall clock was set forward", life, 1, home},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    client.worker().now = {start + row.wall, mono + row.monotonic};
    CHECK(client.ask("_mode.api.example.com", rrtype::txt).answer() == Lines{head + row.answer});
    CHECK(client.ask("_MODE.API.example.com", rrtype::any).answer().size() == 1);
  }
}

TEST_CASE("mode: without an exception, or a word about it, everything is at home", "[dns][mode]") {
  ExceptionWorld world;
  world.tell_nothing();
  Client client = world.client();
  CHECK(client.ask("_mode.api.example.com", rrtype::txt).answer() ==
        Lines{"_mode.api.example.com. 30 TXT \"v=demarc1 mode=home\""});
}

TEST_CASE("mode: the name and its neighbours", "[dns][mode]") {
  ExceptionWorld world;
  Client client = world.client();
  struct Row {
    const char* name;
    std::uint16_t type;
    unsigned rcode;
    std::size_t answers;
  };
  const std::vector<Row> rows{
      {"_mode.api.example.com", rrtype::a, 0, 0},    {"_mode.api.example.com", rrtype::cname, 0, 0},
      {"_mode.api.example.com", rrtype::ns, 0, 0},   {"x._mode.api.example.com", rrtype::txt, 3, 0},
      {"other.api.example.com", rrtype::txt, 0, 1},  // the wildcard beside it
      {"_mode.soft.example.com", rrtype::txt, 3, 0}, {"_mode.example.com", rrtype::txt, 3, 0},
      {"alias.example.com", rrtype::txt, 0, 1},  // the CNAME alone: the client goes on
  };
  for (const Row& row : rows) {
    CAPTURE(row.name, row.type);
    const Message message = client.ask(row.name, row.type);
    CHECK(message.rcode() == row.rcode);
    CHECK(message.aa());
    CHECK(message.answer().size() == row.answers);
    CHECK(message.authority().size() == (row.answers == 0 ? 1 : 0));
  }
  const auto nothing =
      build_snapshot(world.world.repository, *world.world.views, world.world.parts, {}, now, 2);
  client.look_at(*nothing);
  CHECK(client.ask("_mode.api.example.com", rrtype::txt).rcode() == 2);
}

TEST_CASE("mode: what a token says becomes no field of the text", "[dns][mode]") {
  ExceptionWorld world;
  world.tell(zones::Mode::read_only, "a b mode=home \"\\\x01\xc3\xa9" + std::string(900, 'z'));
  Client client = world.client();
  const auto answer = client.ask("_mode.api.example.com", rrtype::txt).answer();
  REQUIRE(answer.size() == 1);
  std::string text = answer[0].substr(answer[0].find(" TXT ") + 5);
  // Two character-strings, in presentation format; together they are the text.
  const auto seam = text.find("\" \"");
  REQUIRE(seam == 1 + 255 + 2);  // `\"` and `\\` are written with an escape
  text.erase(seam, 3);
  CHECK(text.starts_with("\"v=demarc1 mode=read-only case=a_b_mode=home_\\\"\\\\___zzzz"));
  CHECK(text.ends_with("zzz until=2026-11-23T06:01:00Z grant=grant-0123456789\""));
  CHECK(std::ranges::count(text, ' ') == 4);
  CHECK(text.size() < 350);
}

}  // namespace
}  // namespace demarc::dns::test
