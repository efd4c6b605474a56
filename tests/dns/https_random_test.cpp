// Random services, weights, grants, clients and moments: the hints of an HTTPS answer are the
// addresses of records that the cleared weights have for this client now, and no others.
#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <sstream>

#include "tests/dns/world.h"

namespace demarc::dns::test {
namespace {

using Texts = std::set<std::string>;

constexpr std::int64_t start_ms = 1'795'413'600'000;
constexpr std::int64_t grant_ms = 60'000;
constexpr const char* owner = "api.example.com";

class Dice {
 public:
  explicit Dice(unsigned seed) : random_(seed) {}
  unsigned below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }
  bool flip() { return below(2) == 0; }

 private:
  std::mt19937 random_;
};

// The hints of a record as ldns prints it, another's code than that which wrote them.
Texts hints_in(const std::string& line) {
  Texts hints;
  std::istringstream words(line);
  for (std::string word; words >> word;) {
    const bool is_hint = word.starts_with("ipv4hint=") || word.starts_with("ipv6hint=");
    if (!is_hint) continue;
    std::istringstream list(word.substr(9));
    for (std::string item; std::getline(list, item, ',');) {
      CHECK(hints.insert(geo::to_text(address(item))).second);  // each once
    }
  }
  return hints;
}

Texts addresses_in(const std::vector<std::string>& lines) {
  Texts addresses;
  for (const std::string& line : lines) {
    const bool is_address =
        line.find(" A ") != std::string::npos || line.find(" AAAA ") != std::string::npos;
    if (is_address) addresses.insert(geo::to_text(address(line.substr(line.rfind(' ') + 1))));
  }
  return addresses;
}

struct RandomWorld {
  World world;
  zones::ServiceId id{0};
  std::optional<zones::ClearedWeights> cleared;
  std::unique_ptr<const Snapshot> snapshot;

  explicit RandomWorld(Dice& dice) {
    world.add_network("198.51.0.0/16", "US");
    world.add_network("203.0.0.0/8", "DE");
    zones::Service& api = world.add_service(owner);
    api.https = zones::HttpsBinding{.alpn = {"h2"}};
    if (dice.flip()) api.https->port = 8443;
    constexpr std::array<std::size_t, 4> counts{1, 2, 3, zones::answers_all};
    api.answers = counts[dice.below(4)];
    if (dice.flip()) World::route_by_country(api);
    api.is_sticky = dice.flip();
    add_records(api, dice);
    if (dice.flip()) {
      api.residency = zones::Residency::hard;
      api.home_kind = zones::HomeKind::jurisdiction;
      api.home = zones::JurisdictionId{0};
      for (zones::Record& record : api.records) {
        if (zones::index_of(record.region) == 1) record.weight = 0;
      }
    }
    world.prepare();
    clear(dice);
  }

  static void add_records(zones::Service& api, Dice& dice) {
    const unsigned record_count = 1 + dice.below(5);
    for (unsigned at = 0; at < record_count; ++at) {
      const std::string number = std::to_string(at + 1);
      std::vector<std::string> addresses;
      const bool is_cname = api.answers == 1 && dice.below(6) == 0;
      if (!is_cname && dice.flip()) addresses.push_back("192.0.2." + number);
      if (!is_cname && dice.flip()) addresses.push_back("198.51.100." + number);
      if (!is_cname && (addresses.empty() || dice.flip())) {
        addresses.push_back("2001:db8::" + number);
      }
      World::add_record(api, dice.below(2), static_cast<std::uint16_t>(dice.below(4)),
                        "e" + number + ".example.net", addresses);
    }
  }

  void clear(Dice& dice) {
    const zones::Service& api = world.repository.service(id);
    zones::Plan plan = zones::base_plan(world.repository, id);
    const bool home_fails = dice.flip();
    for (std::size_t at = 0; at < api.records.size(); ++at) {
      const bool is_home = zones::index_of(api.records[at].region) == 0;
      if (!home_fails && dice.below(3) != 0) continue;
      plan.usable[at] = home_fails ? !is_home : dice.flip();
      plan.weights[at] = plan.usable[at] ? static_cast<std::uint16_t>(1 + dice.below(3)) : 0;
    }
    const zones::Permission permission{"grant-0123456789",
                                       id,
                                       {zones::RegionId{0}},
                                       {zones::RegionId{1}},
                                       zones::Mode::full_write,
                                       WallTime{Milliseconds{start_ms + grant_ms}},
                                       dice.flip() ? 100U : 40U,
                                       "",
                                       "CASE"};
    cleared = zones::Gate::rule(world.repository, *world.views, plan,
                                std::span(&permission, dice.flip() ? 1U : 0U))
                  .cleared;
    snapshot =
        build_snapshot(world.repository, *world.views, world.parts, std::span(&*cleared, 1),
                       {WallTime{Milliseconds{start_ms}}, MonotonicTime{Milliseconds{0}}}, 1);
  }

  // The addresses of the records that may answer together: one set for each record with
  // `answers: one`, else one with those of all. Empty sets are CNAMEs.
  [[nodiscard]] std::set<Texts> sets_for(const geo::Address& client, bool is_fenced) const {
    const zones::Service& api = world.repository.service(id);
    const auto location_class = snapshot->locations->find(client).location_class;
    const auto variant = world.views->variant_of_class(api.view)[location_class];
    const auto now = is_fenced ? cleared->fenced_choice_of_variant() : cleared->choice_of_variant();
    std::set<Texts> sets;
    const zones::Choice& choice = cleared->choices()[now[variant]];
    add_sets(api, choice, sets);
    if (choice.share < 100) add_sets(api, cleared->choices()[choice.otherwise], sets);
    return sets;
  }

 private:
  static void add_sets(const zones::Service& api, const zones::Choice& choice,
                       std::set<Texts>& sets) {
    Texts all;
    for (const zones::WeightedRecord& weighted : choice.records) {
      Texts own;
      for (const geo::Address& one : api.record(weighted.record).addresses) {
        own.insert(geo::to_text(one));
      }
      all.insert(own.begin(), own.end());
      if (api.answers == 1) sets.insert(own);
    }
    if (api.answers != 1 && choice.kind == zones::ChoiceKind::records) sets.insert(all);
  }
};

// Whether what one answer hints at is what the choice says: a set of it, or of some records drawn.
bool is_lawful(const RandomWorld& random, const std::set<Texts>& sets, const Texts& hints) {
  const zones::Service& api = random.world.repository.service(random.id);
  if (api.answers == 1 || api.answers >= api.records.size()) return sets.contains(hints);
  return std::ranges::any_of(sets, [&](const Texts& all) {
    if (!std::ranges::includes(all, hints)) return false;
    std::size_t drawn = 0;
    std::size_t usable = 0;
    for (const zones::Record& record : api.records) {
      const auto is_in = [](const Texts& set) {
        return [&set](const geo::Address& one) { return set.contains(geo::to_text(one)); };
      };
      if (std::ranges::all_of(record.addresses, is_in(all))) ++usable;
      if (std::ranges::all_of(record.addresses, is_in(hints))) ++drawn;
    }
    return drawn == std::min(usable, api.answers);
  });
}

void check_client(const RandomWorld& random, Client& client, const char* from, bool is_fenced) {
  client.from = address(from);
  const zones::Service& api = random.world.repository.service(random.id);
  const bool is_granted = !is_fenced && random.cleared->valid_until().has_value();
  const auto sets = random.sets_for(client.from, is_fenced);
  for (int round = 0; round < 12; ++round) {
    const Message message = client.ask(owner, rrtype::https);
    const Message a = client.ask(owner, rrtype::a);
    const Message aaaa = client.ask(owner, rrtype::aaaa);
    CHECK(message.rcode() == a.rcode());
    const auto lines = message.answer();
    REQUIRE(lines.size() <= 1);
    if (lines.empty() || lines[0].find(" HTTPS ") == std::string::npos) {
      CHECK((sets.empty() || (!lines.empty() && sets.contains(Texts{}))));
      continue;
    }
    const Texts hints = hints_in(lines[0]);
    CAPTURE(lines[0]);
    CHECK(is_lawful(random, sets, hints));
    CHECK(addresses_in(message.additional()) == hints);
    const bool has_all = api.answers >= api.records.size() && api.answers != 1;
    if (api.is_sticky || (has_all && sets.size() == 1)) {
      Texts direct = addresses_in(a.answer());
      direct.merge(addresses_in(aaaa.answer()));
      CHECK(direct == hints);
    }
    if (api.residency != zones::Residency::hard || is_granted) continue;
    for (const zones::Record& record : api.records) {
      if (zones::index_of(record.region) == 0) continue;
      for (const geo::Address& abroad : record.addresses) {
        CHECK_FALSE(hints.contains(geo::to_text(abroad)));
      }
    }
  }
}

TEST_CASE("https: hints are the addresses of what the weights say, whoever asks, whenever",
          "[dns][https][random]") {
  unsigned with_grant = 0;
  for (unsigned seed = 1; seed <= 400; ++seed) {
    CAPTURE(seed);
    Dice dice(seed);
    const RandomWorld random(dice);
    if (random.cleared->valid_until()) ++with_grant;
    Client client(*random.snapshot, seed);
    for (const std::int64_t passed : {std::int64_t{0}, grant_ms - 20, grant_ms}) {
      client.worker().now = {start_ms + passed, passed};
      const bool is_fenced = passed == grant_ms;
      for (const char* const from : {"203.0.113.1", "198.51.7.1", "192.0.2.200"}) {
        check_client(random, client, from, is_fenced);
      }
    }
  }
  CHECK(with_grant > 20);  // else the test says little about grants
}

TEST_CASE("https: no TTL under a grant outlives it, the hinted addresses' included",
          "[dns][https][grant]") {
  unsigned clipped = 0;
  for (unsigned seed = 1; seed <= 400; ++seed) {
    Dice dice(seed);
    const RandomWorld random(dice);
    if (!random.cleared->valid_until()) continue;
    Client client(*random.snapshot, seed);
    client.worker().now = {start_ms + 50'000, 50'000};
    for (const char* const from : {"203.0.113.1", "198.51.7.1"}) {
      client.from = address(from);
      QueryParts parts;
      parts.name = owner;
      parts.type = rrtype::https;
      parts.has_edns = true;
      const Message message = client.ask(parts);
      if (message.extended_error() != 49153U) continue;
      auto lines = message.answer();
      for (std::string& line : message.additional()) lines.push_back(std::move(line));
      for (const std::string& line : lines) {
        CAPTURE(seed, line);
        CHECK(line.starts_with(std::string(owner) + ". 9 "));
        ++clipped;
      }
    }
  }
  CHECK(clipped > 20);
}

}  // namespace
}  // namespace demarc::dns::test
