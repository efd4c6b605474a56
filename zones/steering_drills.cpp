// Steering's part for live drills: begun with signatures, ended by anybody or by time, reported.
// While one runs, the checks it names count as failing; the gate, the tokens and the trail are the
// real ones, so a hard service stays at home in a drill as it would in the night it rehearses.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "zones/drill/report.h"
#include "zones/drill/scenario.h"
#include "zones/signoff.h"
#include "zones/steering.h"
#include "zones/steering_step.h"
#include "zones/time_text.h"

namespace demarc::zones {
namespace {

constexpr std::size_t drill_name_bytes_max = 63;
constexpr std::size_t drill_tokens_max = 20;

std::unexpected<Refusal> refuse(RefusalKind kind, std::string text) {
  return std::unexpected(Refusal{kind, std::move(text)});
}

std::string alert_key(const std::string& name) { return "drill/" + name; }

bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= drill_name_bytes_max &&
         std::ranges::all_of(name, [](char letter) {
           return std::string_view("-_.").contains(letter) || (letter >= '0' && letter <= '9') ||
                  (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
         });
}

bool is_digest(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// Both wishes: of each role the larger number of persons.
Required both(Required a, const Required& b) {
  for (const auto& [role, persons] : b) a[role] = std::max(a[role], persons);
  return a;
}

void describe(AuditEntry& fact, const std::vector<Signature>& signatures) {
  for (const Signature& s : signatures) {
    fact.facts.emplace_back("signature-" + s.token_id,
                            fmt::format("person {} role {} key {} case {} reason {}", s.person,
                                        s.role, s.key_id, s.case_id, s.reason));
    fact.facts.emplace_back("token-" + s.token_id, s.token);
  }
}

}  // namespace

bool Steering::is_failing(const std::string& check) const {
  const auto known = state_.checks.find(check);
  if (known != state_.checks.end() && known->second.failing) return true;
  return state_.drill && std::ranges::binary_search(state_.drill->checks, check);
}

Result<std::vector<Signature>, Refusal> Steering::drill_signatures(
    const Step& step, std::span<const std::string> tokens, const Required& required,
    const std::string& subject) const {
  if (tokens.size() > drill_tokens_max) {
    return refuse(RefusalKind::malformed,
                  fmt::format("{} tokens, expected at most {}", tokens.size(), drill_tokens_max));
  }
  if (!configuration_->repository->policy.approvals) {
    return refuse(RefusalKind::no_rule, "the policy has no `approvals`");
  }
  if (keys_untrusted_) {
    return refuse(RefusalKind::not_now, "the key list is not trusted: " + *keys_untrusted_);
  }
  if (auto now = can_take_token(); !now) return std::unexpected(now.error());
  return check_signoff(
      tokens,
      {.type = TokenType::drill,
       .approvals = *configuration_->repository->policy.approvals,
       .required = required,
       .what = subject,
       .now = step.now,
       .is_used = [this](const std::string& id) { return state_.used_tokens.contains(id); },
       .is_revoked =
           [this](const std::string& digest) { return state_.revoked_keys.contains(digest); }});
}

Result<Reply, Refusal> Steering::begin_drill(Step& step, const DrillBegun& event) {
  if (!configuration_) return refuse(RefusalKind::not_now, "no repository is loaded yet");
  const Policy& policy = configuration_->repository->policy;
  if (!is_name(event.name)) return refuse(RefusalKind::scope, "a drill needs a name");
  if (state_.drill) {
    return refuse(RefusalKind::not_now,
                  fmt::format("the drill {} runs until {}; one at a time", state_.drill->name,
                              to_rfc3339(state_.drill->ends)));
  }
  if (state_.freeze) return refuse(RefusalKind::frozen, "frozen: " + state_.freeze->reason);
  if (event.lasts <= Milliseconds::zero() || event.lasts > drill::drill_lasts_max) {
    return refuse(RefusalKind::overlong, "a drill needs an end, at most 4 hours away");
  }
  if (event.checks.empty()) return refuse(RefusalKind::scope, "the drill fails nothing");
  for (const std::string& check : event.checks) {
    if (services_of_check_.contains(check)) continue;
    return refuse(RefusalKind::scope, "there is no health check `" + check + "`");
  }
  const Required required = policy.approvals ? policy.approvals->drill : Required{};
  const auto signatures = drill_signatures(step, event.tokens, required, event.name);
  if (!signatures) return std::unexpected(signatures.error());

  for (const std::string& text : event.tokens) {
    const auto token = check_token(text, *policy.approvals, step.now);
    if (token) state_.used_tokens[token->claims.id] = token->claims.expires;
  }
  LiveDrill drill{event.name, event.checks, event.who, step.now, step.now + event.lasts, {}};
  std::ranges::sort(drill.checks);
  for (const Signature& s : *signatures) drill.key_digests.push_back(s.key_digest);
  for (const std::string& check : drill.checks) {
    const auto& services = services_of_check_.at(check);
    step.touched.insert(services.begin(), services.end());
  }
  state_.drill = std::move(drill);
  step.out.save_state = true;
  auto fact = entry(step, "drill-begun", std::string(node_jurisdiction));
  fact.facts.emplace_back("drill", event.name);
  fact.facts.emplace_back("who", event.who);
  fact.facts.emplace_back("checks", fmt::format("{}", fmt::join(state_.drill->checks, " ")));
  fact.facts.emplace_back("ends", to_rfc3339(state_.drill->ends));
  describe(fact, *signatures);
  step.out.audit.push_back(std::move(fact));
  raise_drill_alert(step);
  return Reply{true,
               fmt::format("the drill {} has begun; it ends by itself at {}", event.name,
                           to_rfc3339(state_.drill->ends)),
               event.name};
}

void Steering::on(Step& step, const DrillBegun& event) {
  auto begun = begin_drill(step, event);
  if (begun) {
    step.out.reply = std::move(*begun);
    return;
  }
  auto fact = entry(step, "drill-refused", std::string(node_jurisdiction));
  fact.facts.emplace_back("drill", event.name);
  fact.facts.emplace_back("who", event.who);
  fact.facts.emplace_back("rule", std::string(to_text(begun.error().kind)));
  fact.facts.emplace_back("why", begun.error().text);
  step.out.audit.push_back(std::move(fact));
  step.out.reply = Reply{
      false, fmt::format("refused: [{}] {}", to_text(begun.error().kind), begun.error().text), {}};
}

void Steering::raise_drill_alert(Step& step) const {
  if (!state_.drill) return;
  step.out.alerts_raised.push_back(
      {.key = alert_key(state_.drill->name),
       .text = fmt::format("The drill {} runs until {}: what it names counts as down (begun by {})",
                           state_.drill->name, to_rfc3339(state_.drill->ends), state_.drill->who),
       .since = state_.drill->since,
       .level = AlertLevel::info,
       .details = {.state = "drill", .deadline = state_.drill->ends}});
}

void Steering::end_drill(Step& step, const std::string& who, const std::string& why) {
  const LiveDrill drill = std::move(*state_.drill);
  state_.drill.reset();
  step.out.save_state = true;
  for (const std::string& check : drill.checks) {
    const auto services = services_of_check_.find(check);
    if (services == services_of_check_.end()) continue;
    step.touched.insert(services->second.begin(), services->second.end());
  }
  auto fact = entry(step, "drill-ended", std::string(node_jurisdiction));
  fact.facts.emplace_back("drill", drill.name);
  fact.facts.emplace_back("who", who);
  fact.facts.emplace_back("why", why);
  step.out.audit.push_back(std::move(fact));
  step.out.alerts_ended.push_back(alert_key(drill.name));
}

/// After a reload: checks that are gone are no longer drilled, and nothing that a key list approved
/// goes on once that list is not trusted.
void Steering::keep_drill(Step& step) {
  if (!state_.drill) return;
  if (keys_untrusted_) {
    return end_drill(step, "steering", "the key list is not trusted: " + *keys_untrusted_);
  }
  std::erase_if(state_.drill->checks,
                [&](const std::string& check) { return !services_of_check_.contains(check); });
  if (state_.drill->checks.empty()) {
    end_drill(step, "steering", "the configuration no longer has what it fails");
  }
}

void Steering::on(Step& step, const DrillEnded& event) {
  if (!state_.drill) {
    step.out.reply = Reply{false, "no drill is running", {}};
    return;
  }
  const std::string name = state_.drill->name;
  end_drill(step, event.who, event.reason.empty() ? "asked for" : event.reason);
  step.out.reply = Reply{true, "the drill " + name + " has ended", name};
}

Result<Reply, Refusal> Steering::take_report(Step& step, const DrillReported& event) {
  if (!configuration_) return refuse(RefusalKind::not_now, "no repository is loaded yet");
  if (!is_name(event.name)) return refuse(RefusalKind::scope, "a drill needs a name");
  if (!is_digest(event.report_digest)) {
    return refuse(RefusalKind::malformed, "the report's digest is no SHA-256 in hex");
  }
  if (event.how != "shadow" && event.how != "live") {
    return refuse(RefusalKind::malformed, "a drill is run in shadow or live");
  }
  if (event.ended > step.now + clock_skew_max) {
    return refuse(RefusalKind::not_yet_valid, "the drill ended in the future");
  }
  const Policy& policy = configuration_->repository->policy;
  const Required required =
      both(policy.approvals ? policy.approvals->drill : Required{}, event.sign_off);
  const auto signatures = drill_signatures(
      step, event.tokens, required, drill::sign_off_subject(event.name, event.report_digest));
  if (!signatures) return std::unexpected(signatures.error());

  for (const std::string& text : event.tokens) {
    const auto token = check_token(text, *policy.approvals, step.now);
    if (token) state_.used_tokens[token->claims.id] = token->claims.expires;
  }
  if (event.passed) {
    state_.drill_passed = std::max(state_.drill_passed.value_or(WallTime{}), event.ended);
  }
  step.out.save_state = true;
  auto fact = entry(step, "drill-reported", std::string(node_jurisdiction));
  fact.facts.emplace_back("drill", event.name);
  fact.facts.emplace_back("who", event.who);
  fact.facts.emplace_back("how", event.how);
  fact.facts.emplace_back("passed", event.passed ? "yes" : "no");
  fact.facts.emplace_back("ended", to_rfc3339(event.ended));
  fact.facts.emplace_back("report-sha256", event.report_digest);
  fact.facts.emplace_back("participants", event.participants);
  describe(fact, *signatures);
  step.out.audit.push_back(std::move(fact));
  if (!event.passed) {
    return Reply{true,
                 "the report of " + event.name +
                     " is in the trail; it did not pass, so the due "
                     "date does not move",
                 event.name};
  }
  return Reply{true,
               fmt::format("the report of {} is in the trail; the next drill is due {}", event.name,
                           to_rfc3339(*state_.drill_passed + policy.drill_due)),
               event.name};
}

void Steering::on(Step& step, const DrillReported& event) {
  auto taken = take_report(step, event);
  if (taken) {
    step.out.reply = std::move(*taken);
    return;
  }
  auto fact = entry(step, "drill-report-refused", std::string(node_jurisdiction));
  fact.facts.emplace_back("drill", event.name);
  fact.facts.emplace_back("who", event.who);
  fact.facts.emplace_back("rule", std::string(to_text(taken.error().kind)));
  fact.facts.emplace_back("why", taken.error().text);
  fact.facts.emplace_back("report-sha256", event.report_digest);
  step.out.audit.push_back(std::move(fact));
  step.out.reply = Reply{
      false, fmt::format("refused: [{}] {}", to_text(taken.error().kind), taken.error().text), {}};
}

}  // namespace demarc::zones
