#include "zones/drill/shadow.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "zones/drill/judge.h"
#include "zones/drill/recorder.h"
#include "zones/drill/scenario_rules.h"
#include "zones/drill/shadow_keys.h"
#include "zones/drill/sight.h"
#include "zones/steering.h"

namespace demarc::zones::drill {
namespace {

constexpr const char* who = "drill";
constexpr std::size_t violations_max = 1000;  // of a report; one is too many

class Run {
 public:
  explicit Run(ShadowRequest request) : request_(std::move(request)) {}

  Result<Report, std::string> play();

 private:
  void load();
  void step(Milliseconds at, std::vector<decltype(Event::what)> what);
  void fire_timers(Milliseconds until);
  [[nodiscard]] Result<void, std::string> act(const Action& action);
  [[nodiscard]] Result<std::string, std::string> token_text(const TokenPlan& plan, WallTime now);
  void take_evidence(Milliseconds until);
  void observe(Milliseconds at);
  void keep(Milliseconds at, const std::vector<AuditEntry>& entries);
  void mark(Milliseconds at, std::string kind, std::string service, std::string text) {
    if (at >= Milliseconds(0)) report_.marks.push_back({at, std::move(kind), service, text});
  }
  void mark_verdict(const Evidence& evidence);
  [[nodiscard]] WallTime wall(Milliseconds at) const { return request_.started + at; }
  [[nodiscard]] const Repository& repository() const { return *configuration_->repository; }
  void finish();

  ShadowRequest request_;
  ShadowKeys keys_;
  std::shared_ptr<const Configuration> configuration_;
  Steering steering_;
  std::vector<ServiceId> services_;
  std::vector<Client> clients_;
  std::optional<Recorder> recorder_;
  std::optional<WallTime> timer_;
  std::size_t next_evidence_ = 0;
  DownVerdicts down_;
  Report report_;
};

void Run::load() {
  auto& repository = request_.repository;
  services_ = services_in_scope(request_.scenario, *repository);
  clients_ = clients_of(request_.scenario, repository->policy);
  auto views = std::make_unique<Views>(*repository);
  for (const Client& client : clients_) (void)views->classify(client.location);
  configuration_ =
      std::make_shared<const Configuration>(Configuration{std::move(repository), std::move(views)});
  recorder_.emplace(*configuration_->repository);
  const Milliseconds begin = request_.evidence.empty()
                                 ? Milliseconds(-1)
                                 : std::min(request_.evidence.front().at, Milliseconds(-1));
  step(begin, {ConfigurationLoaded{configuration_, "drill"}});
}

void Run::step(Milliseconds at, std::vector<decltype(Event::what)> what) {
  // A monotonic clock that started long before the drill did.
  constexpr MonotonicTime boot{std::chrono::hours(24)};
  const Moment now{wall(at), boot + at};
  std::vector<Event> events;
  if (configuration_ && steering_.configuration() != nullptr) {
    for (const Service& service : repository().services) {
      for (const LagCheck& lag : service.activation.lag) {
        events.push_back({now, LagMeasured{lag.key, 0.0, "taken for granted in a drill"}});
      }
    }
  }
  for (auto& one : what) events.push_back({now, std::move(one)});
  Effects effects = steering_.step(events);
  keep(at, effects.audit);
  timer_ = effects.timer;
  for (int asked = 0; asked < 8 && !effects.advice_wanted.empty(); ++asked) {
    std::vector<Event> advice;
    for (const AdviceWanted& wanted : effects.advice_wanted) {
      advice.push_back(
          {now, AdviceGiven{wanted.id, Effect::allow, "taken for granted in a drill"}});
    }
    effects = steering_.step(advice);
    keep(at, effects.audit);
    timer_ = effects.timer;
  }
  observe(at);
}

void Run::fire_timers(Milliseconds until) {
  while (timer_ && *timer_ < wall(until)) {
    const WallTime before = *timer_;
    step(before - request_.started, {TimerFired{}});
    if (timer_ && *timer_ <= before) break;  // nothing more to wait for
  }
}

void Run::observe(Milliseconds at) {
  const auto grants = coverings_of(steering_.state());
  for (const ServiceId id : services_) {
    for (const Client& client : clients_) {
      const auto answer = look(steering_, id, client, wall(at));
      if (!answer) continue;
      recorder_->see(at, id, client.name, *answer);
      const std::string violation =
          find_violation(repository(), id, client, *answer, grants, wall(at));
      if (violation.empty() || report_.violations.size() >= violations_max) continue;
      report_.violations.push_back(fmt::format("{} {}", moment_text(at), violation));
    }
  }
}

void Run::keep(Milliseconds at, const std::vector<AuditEntry>& entries) {
  if (at < Milliseconds(0)) return;
  for (const AuditEntry& entry : entries) {
    Decision decision{at, entry.kind, entry.jurisdiction, {}};
    for (const auto& [name, value] : entry.facts) {
      if (name == "policy" || name == "configuration") continue;  // the report's head has them
      // Signed with keys that existed for this run alone.
      const bool is_token = name == "token" || name.starts_with("token-");
      decision.facts.emplace_back(name, is_token && !keys_.empty() ? "signed for this run" : value);
    }
    report_.decisions.push_back(std::move(decision));
  }
}

Result<std::string, std::string> Run::token_text(const TokenPlan& plan, WallTime now) {
  if (plan.file.empty()) return sign_token(plan, repository(), keys_, now);
  const auto file = request_.token_files.find(plan.file);
  if (file == request_.token_files.end()) return std::unexpected("no token file " + plan.file);
  return file->second;
}

Result<void, std::string> Run::act(const Action& action) {
  const std::string targets = fmt::format("{}", fmt::join(action.targets, ", "));
  switch (action.kind) {
    case ActionKind::fail:
      mark(action.at, "failure", {}, "lost: " + targets);
      step(action.at, {});
      return {};
    case ActionKind::recover:
      mark(action.at, "recovery", {}, "back: " + targets);
      step(action.at, {});
      return {};
    case ActionKind::token: {
      const auto text = token_text(action.token, wall(action.at));
      if (!text) return std::unexpected(text.error());
      step(action.at, {TokenPresented{*text, who}});
      return {};
    }
    case ActionKind::freeze:
    case ActionKind::unfreeze:
      mark(action.at, "order", {}, fmt::format("{}: {}", to_text(action.kind), action.reason));
      step(action.at, {FreezeSet{action.kind == ActionKind::freeze, who, action.reason}});
      return {};
    case ActionKind::drain:
    case ActionKind::undrain:
      mark(action.at, "order", {}, fmt::format("{} {}", to_text(action.kind), targets));
      for (const std::string& target : action.targets) {
        if (action.kind == ActionKind::undrain) {
          step(action.at, {OrderEnded{target, who}});
          continue;
        }
        std::string service;
        if (const auto id = find_service(repository(), action.service)) {
          service = repository().service(*id).owner.text_without_dot();
        }
        step(action.at, {OrderGiven{target, service, who, action.reason, action.lasts}});
      }
      return {};
    case ActionKind::revoke:
      mark(action.at, "order", {}, "revoke " + targets);
      step(action.at, {GrantRevoked{action.targets.front(), who, action.reason}});
      return {};
  }
  return {};
}

/// Verdicts of services that are not in the drill's scope would only hide the others.
void Run::mark_verdict(const Evidence& evidence) {
  for (const ServiceId id : services_) {
    const Service& service = repository().service(id);
    for (const HealthCheck& check : service.checks) {
      if (check.key != evidence.check) continue;
      mark(evidence.at, "verdict", service.owner.text_without_dot(),
           fmt::format("{} is {}", check.host, zones::to_text(evidence.verdict)));
    }
  }
}

/// Verdicts up to and with `until`; those of one moment are one step, as in the daemon.
void Run::take_evidence(Milliseconds until) {
  const auto& evidence = request_.evidence;
  while (next_evidence_ < evidence.size() && evidence[next_evidence_].at <= until) {
    const Milliseconds at = evidence[next_evidence_].at;
    fire_timers(at);
    std::vector<decltype(Event::what)> verdicts;
    for (; next_evidence_ < evidence.size() && evidence[next_evidence_].at == at;
         ++next_evidence_) {
      const Evidence& one = evidence[next_evidence_];
      if (one.verdict == Verdict::down) down_[one.check].push_back(at);
      mark_verdict(one);
      verdicts.emplace_back(VerdictFound{one.check, one.verdict, one.detail});
    }
    step(at, std::move(verdicts));
  }
  fire_timers(until);
}

void Run::finish() {
  const Scenario& scenario = request_.scenario;
  report_.scenario = scenario.name;
  report_.description = scenario.description;
  report_.how = "shadow";
  report_.started = request_.started;
  report_.lasted = scenario.lasts;
  report_.seed = request_.seed;
  report_.scenario_digest = request_.scenario_digest;
  report_.configuration_digest = repository().digest;
  report_.policy_digest = repository().policy.digest;
  report_.participants = scenario.participants;
  report_.remediation_owners = scenario.remediation_owners;
  report_.read_rto = scenario.read_rto;
  report_.write_rto = scenario.write_rto;
  report_.due_every = repository().policy.drill_due;
  report_.assumptions = {
      "The probes' answers are made up from the scenario; their schedule, timeouts and verdicts "
      "are the real machinery's.",
      fmt::format("A decision reaches the queries within {} ms.", publish_budget.count()),
      "Caches keep an answer for its TTL and no longer."};
  if (!keys_.empty()) {
    report_.assumptions.emplace_back(
        "Approvals were signed with keys made for this run, in the place of the policy's.");
  }
  if (repository().policy.advisor) {
    report_.assumptions.emplace_back("The policy engine was taken to have nothing against it.");
  }
  const bool has_lag = std::ranges::any_of(repository().services, [](const Service& service) {
    return !service.activation.lag.empty();
  });
  if (has_lag) report_.assumptions.emplace_back("Replicas were taken to have no lag.");
  report_.lanes = recorder_->lanes(scenario.lasts);
  std::ranges::copy(marks_of(report_.decisions), std::back_inserter(report_.marks));
  std::ranges::stable_sort(report_.marks, {}, &Mark::at);
  add_conditions(report_, scenario, repository());
  judge(report_, scenario, repository(), down_);
}

Result<Report, std::string> Run::play() {
  const bool only_files = std::ranges::all_of(request_.scenario.timeline, [](const Action& action) {
    return action.kind != ActionKind::token || !action.token.file.empty();
  });
  const bool any_token = std::ranges::any_of(request_.scenario.timeline, [](const Action& action) {
    return action.kind == ActionKind::token;
  });
  if (any_token && !only_files) {
    auto keys = replace_keys(request_.repository->policy);
    if (!keys) return std::unexpected(keys.error());
    keys_ = std::move(*keys);
  }
  load();
  for (const Action& action : request_.scenario.timeline) {
    take_evidence(action.at);
    fire_timers(action.at + Milliseconds(1));  // what ends at this moment has ended
    if (auto done = act(action); !done) return std::unexpected(done.error());
  }
  take_evidence(request_.scenario.lasts);
  finish();
  return std::move(report_);
}

}  // namespace

Result<Report, std::string> run_shadow(ShadowRequest request) {
  return Run(std::move(request)).play();
}

}  // namespace demarc::zones::drill
