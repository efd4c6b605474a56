// Steering's part for tokens and grants: presented, counted, refused, revoked, ended.
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
  fact.facts.emplace_back("ends", to_rfc3339(grant.ends));
  for (const Signature& s : grant.signatures) {
    fact.facts.emplace_back("signature-" + s.token_id,
                            fmt::format("person {} role {} key {} case {} reason {}", s.person,
                                        s.role, s.key_id, s.case_id, s.reason));
  }
}

}  // namespace

void Steering::on(Step& step, const TokenPresented& event) {
  auto accepted = accept(step, event);
  if (accepted) return;
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

Result<std::string, Refusal> Steering::accept(Step& step, const TokenPresented& event) {
  if (!configuration_) return refuse(RefusalKind::not_now, "no repository is loaded yet");
  const Repository& repository = *configuration_->repository;
  if (!repository.policy.approvals) {
    return refuse(RefusalKind::no_rule, "the policy has no `approvals`");
  }
  const Approvals& approvals = *repository.policy.approvals;
  const auto token = check_token(event.text, approvals, step.now);
  if (!token) return std::unexpected(token.error());
  if (state_.used_tokens.contains(token->claims.id)) {
    return refuse(RefusalKind::used, "the token id `" + token->claims.id + "` was used before");
  }
  auto scope = resolve_scope(repository, token->claims);
  if (!scope) return std::unexpected(scope.error());
  const ApprovalRule* rule = find_rule(approvals, *scope);
  if (rule == nullptr) {
    return refuse(RefusalKind::no_rule, fmt::format("no rule allows mode `{}` in the zone `{}`",
                                                    to_text(scope->mode), scope->zone));
  }
  if (!rule->require.contains(token->role)) {
    return refuse(RefusalKind::no_rule, fmt::format("the rule for mode `{}` asks for no `{}`",
                                                    to_text(scope->mode), token->role));
  }
  if (scope->change) {
    const auto pending = state_.pending.find(*scope->change);
    if (pending == state_.pending.end() || pending->second.service != scope->service ||
        pending->second.from != scope->from || pending->second.to != scope->to) {
      return refuse(RefusalKind::scope,
                    "there is no pending change `" + *scope->change + "` of this scope");
    }
  }
  if (state_.freeze) return refuse(RefusalKind::frozen, "frozen: " + state_.freeze->reason);
  if (clock_in_doubt_) return refuse(RefusalKind::not_now, "the server's clock is in doubt");
  if (!audit_writable_) {
    return refuse(RefusalKind::not_now, "the audit trail cannot be written");
  }
  if (state_.grants.size() >= grants_max || state_.used_tokens.size() >= used_tokens_max) {
    return refuse(RefusalKind::not_now, "too many grants are live");
  }

  const auto waiting = std::ranges::find_if(state_.grants, [&](const auto& known) {
    return !known.second.complete && known.second.scope == *scope;
  });
  Grant grant =
      with_token(waiting != state_.grants.end() ? waiting->second
                                                : begin_grant(*scope, token->claims.id, step.now),
                 *token, approvals, *rule);
  state_.used_tokens[token->claims.id] = token->claims.expires;
  state_.grants[grant.id] = grant;
  step.out.save_state = true;

  const auto owner = Name::parse_absolute(scope->service);
  const Service& service = repository.service(*repository.find_service(*owner));
  auto fact = entry(step, grant.complete ? "grant-accepted" : "token-accepted", service);
  fact.facts.emplace_back("who", event.who);
  describe(fact, grant);
  step.out.audit.push_back(std::move(fact));
  touch_service_named(step, scope->service);
  const std::string text = grant.complete
                               ? fmt::format("{}: {} may go from {} to {} until {}", grant.id,
                                             scope->service, fmt::join(scope->from, ","),
                                             fmt::join(scope->to, ","), to_rfc3339(grant.ends))
                               : fmt::format("{}: accepted, waiting for more persons", grant.id);
  step.out.reply = Reply{true, text, grant.id};
  return grant.id;
}

void Steering::on(Step& step, const GrantRevoked& event) {
  if (event.reason.empty()) {
    step.out.reply = Reply{false, "a revocation needs a reason", {}};
    return;
  }
  const auto found = std::ranges::find_if(state_.grants, [&](const auto& known) {
    return known.first == event.id ||
           std::ranges::count(known.second.signatures, event.id, &Signature::token_id) != 0;
  });
  if (found == state_.grants.end()) {
    step.out.reply = Reply{false, "there is no live grant `" + event.id + "`", {}};
    return;
  }
  const std::string id = found->first;
  end_grant(step, id, fmt::format("revoked by {}: {}", event.who, event.reason));
  step.out.reply = Reply{true, "ended " + id, id};
}

void Steering::on(Step& /*step*/, const KeyRevoked& /*event*/) {}

void Steering::end_grant(Step& step, const std::string& id, const std::string& why) {
  const auto found = state_.grants.find(id);
  const Grant grant = std::move(found->second);
  state_.grants.erase(found);
  step.out.save_state = true;
  auto fact =
      entry(step, grant.complete ? "grant-ended" : "token-expired", std::string(node_jurisdiction));
  if (configuration_) {
    const auto owner = Name::parse_absolute(grant.scope.service);
    const auto service = owner ? configuration_->repository->find_service(*owner) : std::nullopt;
    if (service) {
      fact = entry(step, fact.kind, configuration_->repository->service(*service));
    }
  }
  fact.facts.emplace_back("why", why);
  describe(fact, grant);
  step.out.audit.push_back(std::move(fact));
  touch_service_named(step, grant.scope.service);
}

void Steering::end_lost_grants(Step& step) {
  for (auto& [id, grant] : state_.grants) shorten_to_keys(*configuration_->repository, grant);
  std::vector<std::pair<std::string, std::string>> lost;
  for (const auto& [id, grant] : state_.grants) {
    if (auto why = lost_backing(*configuration_->repository, grant)) lost.emplace_back(id, *why);
  }
  for (const auto& [id, why] : lost) end_grant(step, id, why);
}

}  // namespace demarc::zones
