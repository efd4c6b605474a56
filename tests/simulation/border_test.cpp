// Random histories against an oracle that knows DESIGN.md section 4 and nothing of the gate's code:
// at no moment does a hard service answer outside home without a live grant.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/zones/world.h"
#include "zones/steering.h"
#include "zones/time_text.h"

using namespace demarc;
using namespace demarc::zones;
using namespace demarc::zones::testing;
using namespace std::chrono_literals;

namespace {

const KeyPair& key() {
  static const KeyPair pair = make_key_pair(KeyAlgorithm::EdDSA).value();
  return pair;
}

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// What the oracle remembers of a token the server said yes to.
struct Permit {
  std::string service;
  std::set<std::string> from, to;
  WallTime end;
};

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {
    clock_ = {*parse_rfc3339("2026-11-23T12:00:00Z"), MonotonicTime(1h)};
    reload();
  }

  void one_event() {
    pass_time();
    switch (pick(20)) {
      case 0:
        return present_token();
      case 1:
      case 12:
      case 13:
        return present_token();
      case 2:
        return replay_token();
      case 3:
        return revoke();
      case 4:
        return order();
      case 5:
        return happens(OrderEnded{pick_region(), "sim"});
      case 6:
        return happens(FreezeSet{pick(6) == 0, "sim", "why"});
      case 7:
        return restart();
      case 8:
        return pick(3) == 0 ? reload() : happens(TimerFired{});
      case 9:
        return jump_clock();
      case 10:
        return break_disk();
      case 11:
        return happens(TimerFired{});
      default:
        return verdict();
    }
  }

  std::uint64_t crossings_seen = 0, held_seen = 0, refused_seen = 0;

 private:
  std::uint64_t pick(std::uint64_t below) {
    return std::uniform_int_distribution<std::uint64_t>(0, below - 1)(random_);
  }
  std::string pick_region() {
    static constexpr const char* names[] = {"eu", "eu2", "ch", "us"};
    return names[pick(4)];
  }

  void pass_time() {
    const Milliseconds time{pick(60'000)};
    clock_.wall += time;
    clock_.monotonic += time;
  }

  Service random_service(std::size_t number) {
    std::vector<Record> records;
    const std::size_t count = 1 + pick(4);
    for (std::size_t i = 0; i < count; ++i) {
      const RegionId region{static_cast<std::uint16_t>(pick(4))};
      const bool foreign = region == us;
      records.push_back(record(region, static_cast<std::uint16_t>(foreign ? 0 : pick(3) * 50),
                               fmt::format("e{}.s{}.example.net", i, number)));
    }
    static constexpr Residency kinds[] = {Residency::hard, Residency::hard, Residency::soft,
                                          Residency::none};
    Service made = service(fmt::format("s{}", number), kinds[pick(4)], std::move(records));
    if (pick(3) == 0) {
      made.route = RouteLines{{RouteLine{MatchCountry{{code("US")}}, {us, eu, ch}, {}},
                               RouteLine{MatchAll{}, {eu, eu2, ch, us}, {}}}};
    } else if (pick(3) == 0) {
      made.route = RouteNearest{{eu, eu2, ch, us}, {}};
    }
    if (made.residency == Residency::hard && pick(3) == 0) made.home_kind = HomeKind::client;
    made.on_block.answer = static_cast<BlockAnswer>(pick(3));
    if (pick(4) == 0) {
      made.on_block = {BlockAnswer::record, RecordId{static_cast<std::uint16_t>(pick(count))}};
    }
    static constexpr Access accesses[] = {Access::read, Access::scoped_write, Access::write};
    made.access = accesses[pick(3)];
    for (std::size_t i = 0; i < count; ++i) {
      if (pick(4) == 0) continue;
      std::optional<std::vector<SetWeight>> on_fail;
      if (pick(2) == 0) {
        on_fail.emplace();
        for (std::size_t j = 0; j < count; ++j) {
          if (pick(2) == 0) {
            on_fail->push_back({RecordId{static_cast<std::uint16_t>(j)},
                                static_cast<std::uint16_t>(pick(2) * 100)});
          }
        }
      }
      add_check(made, i, on_fail);
      made.checks.back().key = fmt::format("s{}/e{}", number, i);
    }
    return made;
  }

  void reload() {
    Policy policy = small_policy();
    if (pick(8) != 0) {
      policy.approvals = Approvals{
          .audience = "sim",
          .max_duration = 2h,
          .keys = {{"legal-1", "anna", "legal", KeyAlgorithm::EdDSA, key().public_key_pem, {}}},
          .rules = {{"*", Mode::full_write, {{"legal", 1}}},
                    {"*", Mode::read_only, {{"legal", 1}}}}};
      if (pick(8) == 0) policy.approvals->rules.clear();
    }
    if (pick(8) == 0) policy.jurisdictions[0].approved_standby.clear();
    std::vector<Service> services;
    for (std::size_t i = 0; i < 3; ++i) services.push_back(random_service(i));
    Repository repository = repository_of(std::move(services), std::move(policy));
    repository.digest = std::to_string(pick(1'000'000));
    configuration_ = configuration_of(std::move(repository));
    happens(ConfigurationLoaded{configuration_, "sim"});
  }

  void verdict() {
    const auto& services = configuration_->repository->services;
    const Service& service = services[pick(services.size())];
    if (service.checks.empty()) return;
    const std::string& check = service.checks[pick(service.checks.size())].key;
    static constexpr Verdict verdicts[] = {Verdict::up, Verdict::down, Verdict::down, Verdict::down,
                                           Verdict::stale};
    happens(VerdictFound{check, verdicts[pick(5)], "sim"});
  }

  void present_token() {
    const WallTime start = std::chrono::floor<Seconds>(clock_.wall) - Seconds(pick(100));
    Claims claims{.issuer = "sim",
                  .audience = pick(10) == 0 ? "other" : "sim",
                  .id = fmt::format("t{}", ++tokens_),
                  .issued_at = start,
                  .not_before = start,
                  .expires = start + Seconds(1 + pick(7200)),
                  .zone = "example.com",
                  .service = fmt::format("s{}", pick(3)),
                  .from = {pick(4) == 0   ? pick_region()
                           : pick(2) == 0 ? "eu"
                                          : "eu2"},
                  .to = {pick(4) == 0 ? pick_region() : "us"},
                  .mode = pick(4) != 0 ? Mode::full_write : Mode::read_only,
                  .reason = "sim",
                  .case_id = "SIM",
                  .change = {}};
    const std::string token =
        *issue_token(claims, "legal-1", KeyAlgorithm::EdDSA, key().private_key_pem);
    if (pick(3) == 0) last_token_ = token;
    carry_out(steering_.step(Event{clock_, TokenPresented{token, "sim"}}));
    if (!effects_.reply->accepted) {
      ++refused_seen;
      return check_answers();
    }
    permits_[claims.id] = {claims.service + ".example.com",
                           {claims.from.begin(), claims.from.end()},
                           {claims.to.begin(), claims.to.end()},
                           claims.expires};
    check_answers();
  }

  void replay_token() {
    if (last_token_.empty()) return;
    const auto used = steering_.state().used_tokens;
    carry_out(steering_.step(Event{clock_, TokenPresented{last_token_, "sim"}}));
    if (effects_.reply->accepted) {
      // Only its first presentation may have been refused for a reason that has passed.
      CHECK(steering_.state().used_tokens.size() == used.size() + 1);
      const auto claims = inspect_token(last_token_)->claims;
      permits_[claims->id] = {claims->service + ".example.com",
                              {claims->from.begin(), claims->from.end()},
                              {claims->to.begin(), claims->to.end()},
                              claims->expires};
    }
    check_answers();
  }

  void revoke() {
    if (permits_.empty()) return;
    auto permit = std::next(permits_.begin(), static_cast<std::ptrdiff_t>(pick(permits_.size())));
    const std::string id = permit->first;
    permits_.erase(permit);
    happens(GrantRevoked{id, "sim", "why"});
  }

  void order() {
    happens(OrderGiven{pick_region(), "", "sim", "why", Milliseconds(pick(600'000))});
  }

  void restart() {
    const auto restored = parse_state(write_state(steering_.state()));
    REQUIRE(restored.has_value());
    REQUIRE(*restored == steering_.state());
    steering_ = Steering(*restored);
    clock_.monotonic = MonotonicTime(Milliseconds(pick(1'000'000)));
    audit_broken_ = false;
    happens(ConfigurationLoaded{configuration_, "restart"});
  }

  void jump_clock() {
    if (pick(4) != 0) return happens(TimerFired{});
    const Milliseconds jump{pick(7'200'000)};
    if (pick(2) == 0) {
      clock_.wall += jump;
    } else {
      clock_.wall -= jump;
    }
    happens(TimerFired{});
    if (steering_.clock_in_doubt() && pick(4) != 0) happens(ClockTrusted{"sim", "why"});
  }

  void break_disk() {
    if (audit_broken_) {
      audit_broken_ = false;
      return happens(AuditMended{});
    }
    disk_fails_next_ = true;
    verdict();
    disk_fails_next_ = false;
  }

  template <typename What>
  void happens(What what) {
    carry_out(steering_.step(Event{clock_, std::move(what)}));
    check_answers();
  }

  /// As the daemon does it: trail first, then the answers; another list if the trail fails.
  void carry_out(Effects effects) {
    const bool fails = disk_fails_next_ && !effects.audit.empty() && !audit_broken_;
    const auto& weights = fails || audit_broken_ ? effects.publish_if_unaudited : effects.publish;
    for (const ClearedWeights& w : weights) {
      served_.insert_or_assign(index_of(w.service()), w);
    }
    effects_ = std::move(effects);
    if (fails) {
      audit_broken_ = true;
      disk_fails_next_ = false;
      auto reply = effects_.reply;
      carry_out(steering_.step(Event{clock_, AuditBroken{"sim"}}));
      effects_.reply = reply;
    }
  }

  // ---- the oracle

  [[nodiscard]] bool is_home(const Service& service, const Record& record,
                             std::optional<JurisdictionId> client) const {
    const Policy& policy = configuration_->repository->policy;
    const auto home = service.home_kind == HomeKind::client ? client : service.home;
    if (!home) return false;
    const JurisdictionId where = policy.regions[index_of(record.region)].jurisdiction;
    const auto& standby = policy.jurisdictions[index_of(*home)].approved_standby;
    return where == *home || std::ranges::count(standby, where) != 0;
  }

  [[nodiscard]] bool is_permitted(const Service& service, const Record& record) const {
    const Policy& policy = configuration_->repository->policy;
    if (!policy.approvals || policy.approvals->rules.empty()) return false;
    const std::string region = policy.regions[index_of(record.region)].name;
    return std::ranges::any_of(permits_, [&](const auto& known) {
      const Permit& permit = known.second;
      return permit.service == service.owner.text_without_dot() && permit.to.contains(region) &&
             clock_.wall < permit.end;
    });
  }

  void check_answers() {
    for (const auto& [at, weights] : served_) {
      if (at >= configuration_->repository->services.size()) continue;
      const Service& service = configuration_->repository->services[at];
      const auto variants = configuration_->views->variants(service.view);
      REQUIRE(weights.choice_of_variant().size() == variants.size());
      for (std::size_t v = 0; v < variants.size(); ++v)
        check_variant(service, weights, variants[v], v);
    }
  }

  /// What the oracle and steering believe, for a failure's message.
  [[nodiscard]] std::string history() const {
    std::string text = "\noracle:";
    for (const auto& [id, permit] : permits_) {
      text += fmt::format(" {} {} until {};", id, permit.service, to_rfc3339(permit.end));
    }
    text += "\nsteering:";
    for (const auto& [id, grant] : steering_.state().grants) {
      text += fmt::format(" {} {} {} until {};", id, grant.signatures[0].token_id,
                          grant.scope.service, to_rfc3339(grant.ends));
    }
    return text + "\ntrusted " + to_rfc3339(steering_.state().trusted_wall);
  }

  void check_variant(const Service& service, const ClearedWeights& weights, const Variant& variant,
                     std::size_t v) {
    const bool ended = weights.valid_until() && clock_.wall >= *weights.valid_until();
    const Choice& now = weights.choices()[ended ? weights.fenced_choice_of_variant()[v]
                                                : weights.choice_of_variant()[v]];
    const Choice& fenced = weights.choices()[weights.fenced_choice_of_variant()[v]];
    if (service.residency != Residency::hard) return;
    for (const WeightedRecord& r : now.records) {
      const Record& record = service.record(r.record);
      if (is_home(service, record, variant.home)) continue;
      ++crossings_seen;
      if (!is_permitted(service, record)) {
        FAIL(service.owner.text() << " answers " << record.endpoint << " without a grant at "
                                  << to_rfc3339(clock_.wall) << history());
      }
      if (steering_.clock_in_doubt()) FAIL("a crossing while the clock is in doubt");
      if (!weights.valid_until()) FAIL("a crossing without an end");
    }
    for (const WeightedRecord& r : fenced.records) {
      if (!is_home(service, service.record(r.record), variant.home)) {
        FAIL(service.owner.text() << ": the fenced answer crosses");
      }
    }
    if (now.note == ChoiceNote::held) ++held_seen;
    // Automation never empties an answer: only on-block or a home without any record does.
    const bool any_home = std::ranges::any_of(service.records, [&](const Record& record) {
      const bool routed = variant.weighted || std::ranges::count(variant.order, record.region) != 0;
      return routed && is_home(service, record, variant.home);
    });
    if (now.kind == ChoiceKind::records) {
      CHECK_FALSE(now.records.empty());
    } else if (any_home && service.on_block.answer == BlockAnswer::hold) {
      FAIL(service.owner.text() << " answers nothing although home has records");
    }
  }

  std::mt19937_64 random_;
  Moment clock_;
  Steering steering_;
  std::shared_ptr<const Configuration> configuration_;
  std::map<std::size_t, ClearedWeights> served_;
  Effects effects_;
  std::map<std::string, Permit> permits_;  // by jti
  std::string last_token_;
  std::uint64_t tokens_ = 0;
  bool audit_broken_ = false;
  bool disk_fails_next_ = false;
};

}  // namespace

TEST_CASE("border: random histories never answer outside home without a live grant",
          "[simulation]") {
  const std::uint64_t events = from_environment("DEMARC_SIMULATION_EVENTS", 30'000);
  const std::uint64_t seed = from_environment("DEMARC_SIMULATION_SEED", std::random_device{}());
  WARN("replay: DEMARC_SIMULATION_SEED=" << seed << " DEMARC_SIMULATION_EVENTS=" << events
                                         << " simulation_tests");
  constexpr std::uint64_t events_a_world = 500;
  std::uint64_t crossings = 0, held = 0, refused = 0;
  for (std::uint64_t world_number = 0; world_number * events_a_world < events; ++world_number) {
    CAPTURE(seed, world_number);
    World world(seed + world_number);
    for (std::uint64_t i = 0; i < events_a_world; ++i) world.one_event();
    crossings += world.crossings_seen;
    held += world.held_seen;
    refused += world.refused_seen;
  }
  // A simulation in which nothing ever crosses, is held or refused would prove nothing.
  CHECK(crossings > events / 100);
  CHECK(held > events / 100);
  CHECK(refused > events / 1000);
}

TEST_CASE("border: one list of events makes the same decisions twice", "[simulation]") {
  const auto play = [] {
    World world(42);
    for (int i = 0; i < 2'000; ++i) world.one_event();
    return std::tuple(world.crossings_seen, world.held_seen, world.refused_seen);
  };
  CHECK(play() == play());
}
