// Steering's part for tokens and grants: presented, counted, refused, ended. Revocations are in
// zones/steering_revocations.cpp, break-glass reviews in zones/steering_reviews.cpp.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "zones/digest.h"
#include "zones/steering.h"
#include "zones/steering_step.h"
#include "zones/time_text.h"
#include "zones/token.h"

namespace demarc::zones {
namespace {

std::unexpected<Refusal> refuse(RefusalKind kind, std::string text) {
  return std::unexpected(Refusal{kind, std::move(text)});
}

void describe(AuditEntry& fact, const Grant& grant) {
  fact.facts.emplace_back("grant", grant.id);
  fact.facts.emplace_back("from", fmt::format("{}", fmt::join(grant.scope.from, ",")));
  fact.facts.emplace_back("to", fmt::format("{}", fmt::join(grant.scope.to, ",")));
  fact.facts.emplace_back("mode", std::string(to_text(grant.scope.mode)));
  fact.facts.emplace_back("max-share", std::to_string(grant.scope.max_share));
  if (!grant.scope.tenant.empty()) fact.facts.emplace_back("tenant", grant.scope.tenant);
  if (!grant.scope.plan_template.empty()) {
    fact.facts.emplace_back("template", grant.scope.plan_template);
  }
  if (grant.scope.break_glass) fact.facts.emplace_back("break-glass", "true");
  fact.facts.emplace_back("ends", to_rfc3339(grant.ends));
  for (const Signature& s : grant.signatures) {
    fact.facts.emplace_back("signature-" + s.token_id,
                            fmt::format("person {} role {} key {} case {} reason {}", s.person,
                                        s.role, s.key_id, s.case_id, s.reason));
    // The signed word itself: an auditor checks it without us.
    if (!s.token.empty()) fact.facts.emplace_back("token-" + s.token_id, s.token);
  }
}

}  // namespace

void Steering::on(Step& step, const TokenPresented& event) {
  auto accepted = accept(step, event);
  if (accepted) {
    step.out.reply = std::move(*accepted);
    return;
  }
  const Refusal& refusal = accepted.error();
  auto fact = entry(step, "token-refused", std::string(node_jurisdiction));
  fact.facts.emplace_back("who", event.who);
  fact.facts.emplace_back("rule", std::string(to_text(refusal.kind)));
  fact.facts.emplace_back("why", refusal.text);
  fact.facts.emplace_back("token-sha256", sha256_hex(event.text));
  step.out.audit.push_back(std::move(fact));
  step.out.reply =
      Reply{false, fmt::format("refused: [{}] {}", to_text(refusal.kind), refusal.text), {}};
}

Result<Reply, Refusal> Steering::accept(Step& step, const TokenPresented& event) {
  if (!configuration_) return refuse(RefusalKind::not_now, "no repository is loaded yet");
  const Policy& policy = configuration_->repository->policy;
  if (!policy.approvals) return refuse(RefusalKind::no_rule, "the policy has no `approvals`");
  if (keys_untrusted_) {
    return refuse(RefusalKind::not_now, "the key list is not trusted: " + *keys_untrusted_);
  }
  const auto token = check_token(event.text, *policy.approvals, step.now);
  if (!token) return std::unexpected(token.error());
  if (state_.revoked_keys.contains(token->key_digest)) {
    return refuse(RefusalKind::revoked, "the key `" + token->key_id + "` was revoked");
  }
  if (state_.used_tokens.contains(token->claims.id)) {
    return refuse(RefusalKind::used,
                  "the token id `" + token->claims.id + "` was used or revoked before");
  }
  switch (token->claims.type) {
    case TokenType::approval:
    case TokenType::break_glass:
      return accept_approval(step, *token, event.who);
    case TokenType::review:
      return accept_review(step, *token, event.who);
    case TokenType::drill:
      return refuse(RefusalKind::type,
                    "a drill token approves no crossing; `demarc drill` takes it");
    case TokenType::key_list:
      return refuse(RefusalKind::type,
                    "a key-list token approves no crossing; it belongs under "
                    "`approvals.key-list.signatures`");
  }
  return refuse(RefusalKind::type, "it is of no known type");
}

/// What keeps any token from being taken just now.
Result<void, Refusal> Steering::can_take_token() const {
  if (clock_in_doubt_) return refuse(RefusalKind::not_now, "the server's clock is in doubt");
  if (!audit_writable_) {
    return refuse(RefusalKind::not_now, "the audit trail cannot be written");
  }
  if (state_.grants.size() >= grants_max || state_.used_tokens.size() >= used_tokens_max) {
    return refuse(RefusalKind::not_now, "too many grants are live");
  }
  return {};
}

/// A token that names a pending change approves that very one.
Result<void, Refusal> Steering::check_pending(const GrantScope& scope) const {
  if (!scope.change) return {};
  const Repository& repository = *configuration_->repository;
  const auto pending = state_.pending.find(*scope.change);
  if (pending != state_.pending.end() && pending->second.from == scope.from &&
      pending->second.to == scope.to) {
    const Grant asked{.scope = scope};
    for (const Permission& permission : permission_of(repository, asked)) {
      const Name& owner = repository.service(permission.service).owner;
      if (owner.text_without_dot() == pending->second.service) return {};
    }
  }
  return refuse(RefusalKind::scope,
                "there is no pending change `" + *scope.change + "` of this scope");
}

Result<Reply, Refusal> Steering::accept_approval(Step& step, const ApprovedToken& token,
                                                 const std::string& who) {
  const Repository& repository = *configuration_->repository;
  const auto scope = resolve_scope(repository, token.claims);
  if (!scope) return std::unexpected(scope.error());
  const Required* required = find_required(*repository.policy.approvals, *scope);
  if (required == nullptr) {
    return refuse(RefusalKind::no_rule, fmt::format("no rule allows mode `{}` in the zone `{}`",
                                                    to_text(scope->mode), scope->zone));
  }
  if (!required->contains(token.role)) {
    return refuse(RefusalKind::no_rule, fmt::format("the rule for mode `{}` asks for no `{}`",
                                                    to_text(scope->mode), token.role));
  }
  if (auto same = check_pending(*scope); !same) return std::unexpected(same.error());
  if (scope->break_glass && state_.open_review) {
    return refuse(RefusalKind::review, fmt::format("the break-glass grant {} is not reviewed yet",
                                                   state_.open_review->grant_id));
  }
  if (state_.freeze) return refuse(RefusalKind::frozen, "frozen: " + state_.freeze->reason);
  if (auto now = can_take_token(); !now) return std::unexpected(now.error());

  const auto waiting = std::ranges::find_if(state_.grants, [&](const auto& known) {
    return !known.second.complete && known.second.scope == *scope;
  });
  const Grant grant =
      with_token(waiting != state_.grants.end() ? waiting->second
                                                : begin_grant(*scope, token.claims.id, step.now),
                 token, *required);
  state_.used_tokens[token.claims.id] = token.claims.expires;
  state_.grants[grant.id] = grant;
  step.out.save_state = true;
  tell_grant(step, grant.complete ? "grant-accepted" : "token-accepted", grant, {{"who", who}});
  if (!grant.complete) {
    return Reply{
        true,
        fmt::format("{}: accepted, needs {}", grant.id, missing_text(*required, grant.signatures)),
        grant.id};
  }
  touch_grant(step, grant);
  if (grant.scope.break_glass) open_review(step, grant);
  return Reply{
      true,
      fmt::format("{}: {} may go from {} to {} until {}", grant.id, scope->service,
                  fmt::join(scope->from, ","), fmt::join(scope->to, ","), to_rfc3339(grant.ends)),
      grant.id};
}

/// One entry for each jurisdiction whose services the grant reaches: each law's log has it whole.
void Steering::tell_grant(Step& step, std::string kind, const Grant& grant,
                          const std::vector<std::pair<std::string, std::string>>& facts) const {
  std::set<std::string> jurisdictions;
  if (configuration_) {
    for (const Permission& p : permission_of(*configuration_->repository, grant)) {
      jurisdictions.insert(jurisdiction_of(configuration_->repository->service(p.service)));
    }
  }
  if (jurisdictions.empty()) jurisdictions.insert(std::string(node_jurisdiction));
  for (const std::string& jurisdiction : jurisdictions) {
    auto fact = entry(step, kind, jurisdiction);
    fact.facts.emplace_back("zone", grant.scope.zone);
    fact.facts.emplace_back("service", grant.scope.service);
    fact.facts.insert(fact.facts.end(), facts.begin(), facts.end());
    describe(fact, grant);
    step.out.audit.push_back(std::move(fact));
  }
}

void Steering::touch_grant(Step& step, const Grant& grant) const {
  if (!configuration_) return;
  const auto permissions = permission_of(*configuration_->repository, grant);
  for (const Permission& permission : permissions) step.touched.insert(permission.service);
  if (permissions.empty()) touch_all(step);  // it may have reached any before the files changed
}

void Steering::end_grant(Step& step, const std::string& id, const std::string& why) {
  const auto found = state_.grants.find(id);
  const Grant grant = std::move(found->second);
  state_.grants.erase(found);
  step.out.save_state = true;
  tell_grant(step, grant.complete ? "grant-ended" : "token-expired", grant, {{"why", why}});
  if (grant.complete) touch_grant(step, grant);
}

void Steering::end_lost_grants(Step& step) {
  for (auto& [id, grant] : state_.grants) shorten_to_keys(*configuration_->repository, grant);
  std::vector<std::pair<std::string, std::string>> lost;
  for (const auto& [id, grant] : state_.grants) {
    if (keys_untrusted_) {
      lost.emplace_back(id, "the key list is not trusted: " + *keys_untrusted_);
    } else if (auto why = lost_backing(*configuration_->repository, grant)) {
      lost.emplace_back(id, *why);
    }
  }
  for (const auto& [id, why] : lost) end_grant(step, id, why);
}

}  // namespace demarc::zones
