#include "tests/simulation/history.h"

#include <algorithm>

#include <fmt/format.h>

#include "tests/simulation/signers.h"
#include "zones/time_text.h"

namespace demarc::simulation {

using namespace zones;
using namespace std::chrono_literals;

History::History(std::uint64_t seed) : random_(seed) {
  clock_ = {*parse_rfc3339("2026-11-23T12:00:00Z"), MonotonicTime(1h)};
  reload();
}

std::uint64_t History::pick(std::uint64_t below) { return random_() % below; }

std::string History::pick_region() {
  static constexpr const char* names[] = {"eu", "eu2", "ch", "us", "jp"};
  return names[pick(5)];
}

void History::one_event() {
  if (!oracle_.violation().empty()) return;
  pass_time();
  if (is_trail_broken_ && one_in(4)) return break_disk();
  if (!asked_.empty() && one_in(3)) return advise();
  switch (pick(27)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return present_token();
    case 4:
      return replay_token();
    case 5:
      return revoke();
    case 6:
      return order();
    case 7:
      return end_order();
    case 8:
      return freeze();
    case 9:
      return restart();
    case 10:
      return reload();
    case 11:
      return jump_clock();
    case 12:
      return break_disk();
    case 13:
      return review();
    case 14:
      return happens(TimerFired{});
    case 15:
    case 16:
      return measure_lag();
    case 17:
      return fail_back();
    default:
      return verdict();
  }
}

void History::pass_time() {
  const Milliseconds time{pick(60'000)};
  clock_.wall += time;
  clock_.monotonic += time;
}

void History::verdict() {
  const auto& services = configuration_->repository->services;
  const Service& service = services[pick(services.size())];
  if (service.checks.empty()) return;
  const HealthCheck& check = service.checks[pick(service.checks.size())];
  static constexpr Verdict home[] = {Verdict::up,   Verdict::down,  Verdict::down,
                                     Verdict::down, Verdict::stale, Verdict::degraded};
  static constexpr Verdict abroad[] = {Verdict::up,   Verdict::up,    Verdict::up,
                                       Verdict::down, Verdict::stale, Verdict::degraded};
  const bool is_abroad = index_of(service.record(check.record).region) >= 3;
  happens(VerdictFound{check.key, is_abroad ? abroad[pick(6)] : home[pick(6)], "sim"});
}

void History::measure_lag() {
  const auto& services = configuration_->repository->services;
  const auto& checks = services[pick(services.size())].activation.lag;
  if (checks.empty()) return verdict();
  const std::string& key = checks[pick(checks.size())].key;
  const std::optional<double> value =
      one_in(6) ? std::nullopt : std::optional<double>(static_cast<double>(pick(45)));
  happens(LagMeasured{key, value, "sim"});
}

/// An answer to one of the last questions, perhaps to one that was answered.
void History::advise() {
  const AdviceWanted& asked =
      asked_[asked_.size() - 1 - pick(std::min<std::size_t>(asked_.size(), 4))];
  const std::optional<Effect> effect =
      one_in(6) ? std::nullopt : std::optional(one_in(4) ? Effect::deny : Effect::allow);
  happens(AdviceGiven{asked.id, effect, "sim"});
}

/// Mostly what somebody would sign: from the home of a hard service to a place abroad that it has.
History::Campaign History::new_campaign() {
  const auto& services = configuration_->repository->services;
  std::size_t chosen = pick(services.size());
  for (int tries = 0; tries < 3 && services[chosen].residency != Residency::hard; ++tries) {
    chosen = pick(services.size());
  }
  const Service& service = services[chosen];
  const Service& named =
      service.tenants_of ? configuration_->repository->service(*service.tenants_of) : service;
  const auto region_of = [&](std::size_t record) {
    const std::size_t at = one_in(6) ? pick(service.records.size()) : record;
    return configuration_->repository->policy.region(service.records[at].region).name;
  };
  Claims claims{.issuer = "sim",
                .audience = one_in(30) ? "other" : "sim",
                .zone = "example.com",
                .service = named.label,
                .from = {one_in(8) ? pick_region() : region_of(0)},
                .to = {region_of(std::min<std::size_t>(1, service.records.size() - 1))},
                .reason = "sim",
                .case_id = fmt::format("SIM-{}", pick(1000))};
  static constexpr Mode modes[] = {Mode::read_only, Mode::scoped_write, Mode::full_write};
  claims.mode = modes[one_in(3) ? pick(3) : static_cast<std::size_t>(service.access)];
  if (service.tenants_of && one_in(2)) {
    static constexpr const char* tenants[] = {"acme", "acme", "asset", "bolt", "ghost"};
    claims.tenant = tenants[pick(5)];
  } else if (one_in(10)) {
    claims.service = "*";
  }
  if (one_in(6) && claims.to.front() != "jp") claims.to.push_back("jp");
  if (const auto& grants = steering_.state().grants; one_in(4) && !grants.empty()) {
    // Beside an exception that may live: for the same service, elsewhere, in another mode.
    const GrantScope& other =
        std::next(grants.begin(), static_cast<std::ptrdiff_t>(pick(grants.size())))->second.scope;
    claims.service = other.service;
    claims.tenant.reset();
    if (!other.tenant.empty()) claims.tenant = other.tenant;
    claims.from = other.from;
    claims.to = {other.to.front() == "jp" ? "us" : "jp"};
    claims.mode = modes[pick(3)];
    return {claims, 0};
  }
  if (one_in(4)) claims.max_share = 1 + pick(100);
  if (one_in(8)) claims.type = TokenType::break_glass;
  if (one_in(8) && claims.type == TokenType::approval) {
    claims.plan_template = "eu-to-us";
    claims.max_share.reset();
    claims.tenant.reset();
    claims.service = "s0";
    claims.from = {"eu"};
    claims.to = {"us"};
    claims.mode = Mode::full_write;
  }
  if (one_in(6) && !steering_.state().pending.empty() && !claims.plan_template) {
    const auto& pending = steering_.state().pending;
    const auto change =
        std::next(pending.begin(), static_cast<std::ptrdiff_t>(pick(pending.size())));
    claims.change = one_in(4) ? "chg-0000000000" : change->first;
    claims.tenant.reset();
    claims.service = change->second.service;
    claims.from = change->second.from;
    claims.to = change->second.to;
    claims.mode = Mode::full_write;
  }
  return {claims, 0};
}

Signed History::sign(const Claims& claims, const std::string& key_id) {
  const KeyPair& pair = pair_of(key_id, !one_in(40));
  texts_.push_back(*issue_token(claims, key_id, KeyAlgorithm::EdDSA, pair.private_key_pem));
  Signed made{claims, key_id, pair.public_key_pem, true};
  presented_.push_back(made);
  return made;
}

void History::present_token() {
  if (campaign_.signatures == 0 || one_in(3)) campaign_ = new_campaign();
  ++campaign_.signatures;
  Claims claims = campaign_.claims;
  const WallTime start = std::chrono::floor<Seconds>(clock_.wall) - Seconds(pick(100));
  claims.id = fmt::format("t{}", ++tokens_);
  claims.issued_at = start;
  claims.not_before = one_in(40) ? start + 200s : start;
  claims.expires = start + Seconds(one_in(30) ? 20'000 : 1 + pick(3000));
  const auto& all = signers();
  present(sign(claims, all[pick(all.size())].key));
}

void History::present(const Signed& token) {
  Signed now = token;
  if (now.claims.change) {
    const auto& pending = steering_.state().pending;
    const auto found = pending.find(*now.claims.change);
    now.names_pending_change = found != pending.end() &&
                               found->second.service.starts_with(
                                   now.claims.service.substr(0, now.claims.service.find('.'))) &&
                               found->second.from == now.claims.from &&
                               found->second.to == now.claims.to;
  }
  const auto at = std::ranges::find(presented_, now.claims.id,
                                    [](const Signed& known) { return known.claims.id; });
  oracle_.passed(clock_);
  oracle_.judge(true);
  Effects effects = steering_.step(Event{
      clock_, TokenPresented{texts_[static_cast<std::size_t>(at - presented_.begin())], "sim"}});
  if (effects.reply) {
    ++(effects.reply->accepted ? accepted_ : refused_);
    oracle_.presented(now, *effects.reply, effects.save_state);
  }
  carry_out(std::move(effects));
  oracle_.judge(false);
}

void History::replay_token() {
  if (presented_.empty()) return;
  const std::size_t back = 1 + pick(std::min<std::size_t>(presented_.size(), 40));
  present(Signed(presented_[presented_.size() - back]));
}

void History::review() {
  const auto& open = steering_.state().open_review;
  if (!open) return one_in(2) ? happens(TimerFired{}) : verdict();
  const WallTime start = std::chrono::floor<Seconds>(clock_.wall);
  const Claims claims{.type = TokenType::review,
                      .issuer = "sim",
                      .audience = "sim",
                      .id = fmt::format("t{}", ++tokens_),
                      .issued_at = start,
                      .not_before = start,
                      .expires = start + 600s,
                      .reason = "sim",
                      .case_id = "SIM",
                      .grant = one_in(4) ? "grant-0000000000" : open->grant_id};
  const auto& all = signers();
  present(sign(claims, all[pick(all.size())].key));
}

void History::revoke() {
  if (presented_.empty()) return;
  if (one_in(20)) {
    const auto& all = signers();
    const std::string key = all[pick(all.size())].key;
    return happens(KeyRevoked{key, "sim", "why"});
  }
  const std::size_t back = 1 + pick(std::min<std::size_t>(presented_.size(), 20));
  const std::string id = presented_[presented_.size() - back].claims.id;
  GrantRevoked what{id, "sim", "why"};
  what.is_token = one_in(2);
  oracle_.passed(clock_);
  oracle_.judge(true);
  Effects effects = steering_.step(Event{clock_, what});
  if (effects.reply && effects.reply->accepted) oracle_.token_revoked(id);
  carry_out(std::move(effects));
  oracle_.judge(false);
}

void History::order() {
  const std::string target = pick_region();
  const Milliseconds lasts(1 + pick(600'000));
  oracle_.passed(clock_);
  oracle_.judge(true);
  Effects effects = steering_.step(Event{clock_, OrderGiven{target, "", "sim", "why", lasts}});
  if (effects.reply && effects.reply->accepted) {
    oracle_.ordered(effects.reply->id, target, oracle_.remembered().believed + lasts);
  }
  carry_out(std::move(effects));
  oracle_.judge(false);
}

void History::end_order() {
  const std::string target = pick_region();
  oracle_.order_ended(target);
  happens(OrderEnded{target, "sim"});
}

void History::freeze() {
  const bool on = one_in(10);
  if (steering_.state().freeze.has_value() != on) oracle_.frozen(on);
  happens(FreezeSet{on, "sim", "why"});
}

/// A word to come home; mostly nobody waits for it.
void History::fail_back() {
  const auto& services = configuration_->repository->services;
  happens(FailbackOrdered{services[pick(services.size())].owner.text(), "sim", "why"});
}

/// Killed at any instant: it comes back with what the disk had to have, or with all it knew.
void History::restart() {
  ++restarts_;
  if (one_in(2)) save();
  const std::string text = write_state(saved_);
  const auto restored = parse_state(text);
  states_round_trip_ = states_round_trip_ && restored && *restored == saved_;
  if (!restored) return;
  mix(text);
  steering_ = Steering(*restored);
  oracle_.restarted(saved_evidence_);
  clock_.monotonic = MonotonicTime(Milliseconds(pick(1'000'000)));
  is_trail_broken_ = false;
  load();
}

void History::jump_clock() {
  if (!one_in(3)) return happens(TimerFired{});
  const Milliseconds jump{pick(7'200'000)};
  if (one_in(2)) {
    clock_.wall += jump;
  } else {
    clock_.wall -= jump;
  }
  happens(TimerFired{});
  if (steering_.clock_in_doubt() && !one_in(4)) {
    oracle_.clock_trusted();
    happens(ClockTrusted{"sim", "why"});
  }
}

void History::break_disk() {
  if (is_trail_broken_) {
    is_trail_broken_ = false;
    oracle_.trail_is_mended();
    return happens(AuditMended{});
  }
  disk_fails_next_ = true;
  one_in(2) ? present_token() : verdict();
  disk_fails_next_ = false;
}

void History::happens(decltype(Event::what) what) {
  oracle_.passed(clock_);
  oracle_.judge(true);
  if (const auto* found = std::get_if<VerdictFound>(&what)) {
    oracle_.found(found->check, found->verdict);
  }
  if (const auto* revoked = std::get_if<KeyRevoked>(&what)) oracle_.key_revoked(revoked->key_id);
  if (std::holds_alternative<ClockTrusted>(what)) oracle_.clock_trusted();
  if (const auto* lag = std::get_if<LagMeasured>(&what))
    oracle_.lag_measured(lag->check, lag->value);
  if (const auto* advice = std::get_if<AdviceGiven>(&what))
    oracle_.advised(advice->id, advice->effect);
  if (const auto* loaded = std::get_if<ConfigurationLoaded>(&what)) {
    oracle_.loaded(loaded->configuration, clients_);
  }
  if (const auto* home = std::get_if<FailbackOrdered>(&what)) oracle_.failed_back(home->service);
  carry_out(steering_.step(Event{clock_, std::move(what)}));
  oracle_.judge(false);
}

void History::save() {
  saved_ = steering_.state();
  saved_evidence_ = oracle_.remembered();
}

/// As the daemon does it: trail first, then the state, then the answers; other answers if the trail
/// cannot be written.
void History::carry_out(Effects effects) {
  const bool fails = disk_fails_next_ && !effects.audit.empty() && !is_trail_broken_;
  const bool is_written = !fails && !is_trail_broken_;
  if (is_written) oracle_.wrote(effects.audit);
  if (effects.save_state) save();
  for (const AuditEntry& entry : effects.audit) mix(entry.kind);
  for (const ClearedWeights& weights :
       is_written ? effects.publish : effects.publish_if_unaudited) {
    oracle_.published(weights);
    mix(index_of(weights.service()));
    for (const Choice& choice : weights.choices()) {
      for (const WeightedRecord& r : choice.records) mix(index_of(r.record) << 16 | r.weight);
    }
  }
  for (const AdviceWanted& asked : effects.advice_wanted) {
    oracle_.advice_asked(asked);
    asked_.push_back(asked);
  }
  effects_ = std::move(effects);
  if (!fails) return;
  is_trail_broken_ = true;
  disk_fails_next_ = false;
  oracle_.trail_breaks();
  carry_out(steering_.step(Event{clock_, AuditBroken{"sim"}}));
}

void History::mix(std::uint64_t number) { digest_ = (digest_ ^ number) * 0x100'0000'01b3; }

void History::mix(const std::string& text) {
  for (const char c : text) mix(static_cast<unsigned char>(c));
}

}  // namespace demarc::simulation
