// Steering's part for break-glass: its use is told to everyone, and the next one waits until other
// persons than its signers have reviewed it.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "zones/steering.h"
#include "zones/steering_step.h"
#include "zones/time_text.h"

namespace demarc::zones {
namespace {

std::unexpected<Refusal> refuse(RefusalKind kind, std::string text) {
  return std::unexpected(Refusal{kind, std::move(text)});
}

std::string alert_key(const std::string& grant_id) { return "break-glass/" + grant_id; }

/// "PERSON ROLE" as OpenReview keeps it: neither has a space in it.
std::vector<Signature> signatures_of(const std::vector<std::string>& reviewers) {
  std::vector<Signature> list;
  for (const std::string& text : reviewers) {
    const auto space = std::min(text.find(' '), text.size());
    list.push_back(
        {.person = text.substr(0, space), .role = text.substr(std::min(space + 1, text.size()))});
  }
  return list;
}

}  // namespace

void Steering::open_review(Step& step, const Grant& grant) {
  OpenReview review{.grant_id = grant.id, .signers = {}, .reviewers = {}, .since = step.now};
  for (const Signature& signature : grant.signatures) review.signers.push_back(signature.person);
  state_.open_review = std::move(review);
  tell_grant(step, "review-opened", grant,
             {{"signers", fmt::format("{}", fmt::join(state_.open_review->signers, ","))}});
  raise_review_alert(step);
}

void Steering::raise_review_alert(Step& step) const {
  if (!state_.open_review) return;
  const OpenReview& review = *state_.open_review;
  Alert alert{.key = alert_key(review.grant_id),
              .text = fmt::format("Break-glass was used: {}, signed by {}; it must be reviewed "
                                  "by others before the next: demarc review TOKEN",
                                  review.grant_id, fmt::join(review.signers, ", ")),
              .since = review.since,
              .level = AlertLevel::critical,
              .to_everyone = true,
              .details = {.state = "break-glass", .why = "signed as break-glass"}};
  if (const auto grant = state_.grants.find(review.grant_id); grant != state_.grants.end()) {
    const GrantScope& scope = grant->second.scope;
    alert.text = fmt::format("{} lets {} go from {} to {} until {}. {}", review.grant_id,
                             scope.service, fmt::join(scope.from, ","), fmt::join(scope.to, ","),
                             to_rfc3339(grant->second.ends), alert.text);
    alert.details.zone = scope.zone;
    alert.details.service = scope.service;
    alert.details.tenant = scope.tenant;
    alert.details.deadline = grant->second.ends;
    alert.details.evidence = grant->second.signatures.front().reason;
  }
  step.out.alerts_raised.push_back(std::move(alert));
}

Result<Reply, Refusal> Steering::accept_review(Step& step, const ApprovedToken& token,
                                               const std::string& who) {
  const BreakGlass& rules = *configuration_->repository->policy.approvals->break_glass;
  if (!state_.open_review || state_.open_review->grant_id != token.claims.grant) {
    return refuse(RefusalKind::scope, fmt::format("no break-glass grant `{}` waits for a review",
                                                  token.claims.grant.value_or("")));
  }
  OpenReview& review = *state_.open_review;
  if (std::ranges::count(review.signers, token.person) != 0) {
    return refuse(RefusalKind::review, fmt::format("`{}` signed {} and cannot review it",
                                                   token.person, review.grant_id));
  }
  if (!rules.review.contains(token.role)) {
    return refuse(RefusalKind::no_rule, "a review asks for no `" + token.role + "`");
  }
  if (auto now = can_take_token(); !now) return std::unexpected(now.error());

  state_.used_tokens[token.claims.id] = token.claims.expires;
  step.out.save_state = true;
  const std::string reviewer = token.person + " " + token.role;
  if (std::ranges::count(review.reviewers, reviewer) == 0) review.reviewers.push_back(reviewer);
  auto fact = entry(step, "review-signed", std::string(node_jurisdiction));
  fact.facts.emplace_back("grant", review.grant_id);
  fact.facts.emplace_back("who", who);
  fact.facts.emplace_back(
      "signature-" + token.claims.id,
      fmt::format("person {} role {} key {} case {} reason {}", token.person, token.role,
                  token.key_id, token.claims.case_id, token.claims.reason));
  fact.facts.emplace_back("token-" + token.claims.id, token.text);
  step.out.audit.push_back(std::move(fact));
  const auto signatures = signatures_of(review.reviewers);
  if (!is_satisfied(rules.review, signatures)) {
    return Reply{true,
                 fmt::format("the review of {} is signed, needs {}", review.grant_id,
                             missing_text(rules.review, signatures)),
                 review.grant_id};
  }
  auto closed = entry(step, "review-closed", std::string(node_jurisdiction));
  closed.facts.emplace_back("grant", review.grant_id);
  closed.facts.emplace_back("reviewers", fmt::format("{}", fmt::join(review.reviewers, ", ")));
  step.out.audit.push_back(std::move(closed));
  step.out.alerts_ended.push_back(alert_key(review.grant_id));
  const std::string id = review.grant_id;
  state_.open_review.reset();
  return Reply{true, "the review of " + id + " is closed", id};
}

}  // namespace demarc::zones
