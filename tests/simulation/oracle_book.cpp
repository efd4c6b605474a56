// The oracle's book: time, evidence, orders, and which tokens make a live grant. The answers are
// judged in tests/simulation/oracle_judge.cpp.
#include <algorithm>

#include <fmt/format.h>

#include "tests/simulation/oracle.h"
#include "zones/tenants.h"
#include "zones/time_text.h"

namespace demarc::simulation {
namespace {

using namespace zones;

constexpr Milliseconds clock_step_back_max{2000};
constexpr Seconds start_skew_max{5};
constexpr Seconds break_glass_max{4 * 3600};

bool is_named(const ApprovalRule& rule, const std::string& zone) {
  return rule.zone == "*" || rule.zone == zone;
}

/// Different persons into all places, by trying everything: there are few.
bool can_fill(const std::vector<std::string>& places, std::size_t at,
              const std::set<std::pair<std::string, std::string>>& signers,
              std::set<std::string>& seated) {
  if (at == places.size()) return true;
  for (const auto& [person, role] : signers) {
    if (role != places[at] || !seated.insert(person).second) continue;
    if (can_fill(places, at + 1, signers, seated)) return true;
    seated.erase(person);
  }
  return false;
}

bool fill(const Required& required, const std::set<std::pair<std::string, std::string>>& signers) {
  std::vector<std::string> places;
  for (const auto& [role, count] : required) places.insert(places.end(), count, role);
  std::set<std::string> seated;
  return !places.empty() && can_fill(places, 0, signers, seated);
}

bool has_tenant(const Repository& repository, const Service& service, const std::string& tenant) {
  const ServiceId id{static_cast<std::uint32_t>(&service - repository.services.data())};
  return repository.tenants && repository.tenants->class_of(id, tenant).has_value();
}

bool is_same_scope(const Claims& a, const Claims& b) {
  return a.type == b.type && a.zone == b.zone && a.service == b.service && a.from == b.from &&
         a.to == b.to && a.mode == b.mode && a.change == b.change && a.tenant == b.tenant &&
         a.max_share.value_or(100) == b.max_share.value_or(100) &&
         a.plan_template == b.plan_template;
}

}  // namespace

void Oracle::violated(std::string text) {
  if (!violation_.empty()) return;
  violation_ = fmt::format("{} (at {}, believed {}{})", text, to_rfc3339(wall_),
                           to_rfc3339(remembered_.believed), in_doubt_ ? ", in doubt" : "");
  for (const auto& [id, grant] : grants_) {
    violation_ += fmt::format("\n  {} {} {}{} until {}{}:", id, grant.scope.service,
                              to_text(grant.scope.mode), is_complete(grant) ? "" : " incomplete",
                              to_rfc3339(grant.ends), grant.is_dead ? " dead" : "");
    for (const Token& token : grant.tokens) violation_ += " " + token.id + " " + token.person;
  }
}

void Oracle::passed(Moment now) {
  wall_ = now.wall;
  WallTime expected = remembered_.believed;
  if (last_) expected += std::max(now.monotonic - *last_, Milliseconds::zero());
  last_ = now.monotonic;
  in_doubt_ = now.wall + clock_step_back_max < expected;
  remembered_.believed = std::max(expected, now.wall);
  for (auto& [id, grant] : grants_) {
    grant.is_dead = grant.is_dead || grant.ends <= remembered_.believed;
  }
  std::erase_if(orders_, [&](const auto& o) { return o.second.ends <= remembered_.believed; });
  std::erase_if(grants_, [](const auto& known) { return known.second.is_dead; });
}

void Oracle::clock_trusted() {
  in_doubt_ = false;
  for (auto& [check, lag] : remembered_.lag) lag.measured -= remembered_.believed - wall_;
  remembered_.believed = wall_;
}

void Oracle::restarted(Remembered from_disk) {
  remembered_ = std::move(from_disk);
  last_.reset();
  in_doubt_ = false;
  trail_works_ = true;
  served_.clear();
}

void Oracle::loaded(std::shared_ptr<const Configuration> configuration,
                    std::vector<Client> clients) {
  configuration_ = std::move(configuration);
  served_.clear();
  clients_ = std::move(clients);
  std::map<std::string, Remembered::Check> checks;
  for (const Service& service : configuration_->repository->services) {
    for (const HealthCheck& check : service.checks) {
      checks[check.key] = remembered_.checks[check.key];
    }
  }
  remembered_.checks = std::move(checks);
  for (auto& [id, grant] : grants_) {
    for (const Token& token : grant.tokens) {
      const ApprovalKey* key = key_of(token.key_id);
      if (key != nullptr && key->not_after) grant.ends = std::min(grant.ends, *key->not_after);
    }
    grant.is_dead = grant.is_dead || has_lost_ground(grant);
  }
  std::erase_if(grants_, [](const auto& known) { return known.second.is_dead; });
}

void Oracle::found(const std::string& check, Verdict verdict) {
  const auto known = remembered_.checks.find(check);
  if (known == remembered_.checks.end()) return;
  known->second.verdict = verdict;
  if (verdict == Verdict::down && !is_frozen_) known->second.failing = true;
  if (verdict != Verdict::up && verdict != Verdict::degraded) return;
  known->second.failing = false;
  for (const Service& service : configuration_->repository->services) {
    const std::string owner = service.owner.text_without_dot();
    if (std::ranges::count(service.checks, check, &HealthCheck::key) == 0) continue;
    if (has_open_crossing(service)) came_back_[owner].insert(check);
  }
}

/// By what the trail told.
bool Oracle::has_open_crossing(const Service& service) const {
  const std::string owner = service.owner.text_without_dot() + "/";
  return std::ranges::any_of(open_, [&](const auto& known) {
    return known.first.starts_with(owner) && !known.second.empty();
  });
}

void Oracle::failed_back(const std::string& service) {
  const auto& services = configuration_->repository->services;
  for (const Service& known : services) {
    if (named_of(known).owner.text() == service) came_back_.erase(known.owner.text_without_dot());
  }
}

void Oracle::ordered(const std::string& id, const std::string& target, WallTime ends) {
  orders_[id] = {target, ends};
}

void Oracle::order_ended(const std::string& target) {
  std::erase_if(orders_, [&](const auto& order) { return order.second.target == target; });
}

void Oracle::frozen(bool on) {
  is_frozen_ = on;
  if (on) return;
  for (auto& [key, check] : remembered_.checks) {
    check.failing = check.failing || check.verdict == Verdict::down;
  }
}

const ApprovalKey* Oracle::key_of(const std::string& id) const {
  if (!policy().approvals) return nullptr;
  for (const ApprovalKey& key : policy().approvals->keys) {
    if (key.id == id) return &key;
  }
  return nullptr;
}

/// What the token asks for, with its template's words in their place; nothing: no such template.
std::optional<Claims> Oracle::with_template(const Claims& claims) const {
  Claims scope = claims;
  const auto zone = Name::parse_absolute(scope.zone);
  if (zone) scope.zone = zone->text_without_dot();
  if (claims.plan_template) {
    const auto& templates = policy().templates;
    const auto plan = std::ranges::find(templates, *claims.plan_template, &PlanTemplate::id);
    if (plan == templates.end()) return std::nullopt;
    scope.zone = plan->zone;
    scope.service = plan->service;
    scope.from = plan->from;
    scope.to = plan->to;
    scope.mode = plan->mode;
    scope.max_share = plan->max_share;
  }
  if (scope.service != "*" && !scope.service.ends_with(scope.zone)) {
    scope.service += "." + scope.zone;
  }
  return scope;
}

const Required* Oracle::rule_of(const Claims& scope) const {
  if (!policy().approvals) return nullptr;
  const Approvals& approvals = *policy().approvals;
  if (scope.type == TokenType::break_glass) {
    return approvals.break_glass ? &approvals.break_glass->require : nullptr;
  }
  for (const ApprovalRule& rule : approvals.rules) {
    if (rule.mode == scope.mode && is_named(rule, scope.zone)) return &rule.require;
  }
  return nullptr;
}

bool Oracle::is_complete(const Grant& grant) const {
  const Required* required = configuration_ ? rule_of(grant.scope) : nullptr;
  std::set<std::pair<std::string, std::string>> signers;
  for (const Token& token : grant.tokens) signers.emplace(token.person, token.role);
  return required != nullptr && fill(*required, signers);
}

std::string Oracle::jurisdictions_of(const Claims& scope) const {
  std::string text;
  for (const auto* names : {&scope.from, &scope.to}) {
    for (const std::string& name : *names) {
      const auto region = std::ranges::find(policy().regions, name, &Region::name);
      text += region == policy().regions.end()
                  ? "?"
                  : policy().jurisdictions[index_of(region->jurisdiction)].name + " ";
    }
  }
  return text;
}

std::string Oracle::why_no_scope(const Claims& scope) const {
  if (jurisdictions_of(scope).find('?') != std::string::npos) return "there is no such region";
  if (scope.service == "*") return {};
  for (const Service& service : configuration_->repository->services) {
    if (service.owner.text_without_dot() != scope.service || service.tenants_of) continue;
    if (service.residency != Residency::hard && !scope.tenant) return "the service is not hard";
    if (scope.tenant && !has_tenant(*configuration_->repository, service, *scope.tenant)) {
      return "there is no such tenant";
    }
    if (!scope.tenant && static_cast<int>(scope.mode) < static_cast<int>(service.access)) {
      return "the mode does not cover the access";
    }
    return {};
  }
  return "there is no such service";
}

/// Why this token must be refused; empty: it may count.
std::string Oracle::why_not(const Signed& token, const Claims& scope) const {
  const Claims& claims = token.claims;
  if (!policy().approvals) return "nobody may approve anything";
  const Approvals& approvals = *policy().approvals;
  const WallTime now = remembered_.believed;
  const ApprovalKey* key = key_of(token.key_id);
  if (key == nullptr || key->public_key_pem != token.key_pem) return "the key is not in the policy";
  if (key->not_after && *key->not_after <= now) return "the key has ended";
  if (revoked_keys_.contains(token.key_pem)) return "the key is revoked";
  if (used_.contains(claims.id)) return "the id was used or revoked";
  if (claims.audience != approvals.audience) return "made for others";
  if (claims.expires <= now) return "it has ended";
  if (std::max(claims.not_before, claims.issued_at) > now + start_skew_max) return "it is early";
  if (in_doubt_) return "the clock is in doubt";
  if (!trail_works_) return "the trail cannot be written";
  const auto life = claims.expires - std::min(claims.issued_at, claims.not_before);
  if (claims.type == TokenType::review) {
    if (!review_ || claims.grant != review_->grant) return "there is nothing to review";
    if (review_->signers.contains(key->person)) return "nobody reviews what he signed";
    return {};
  }
  if (claims.type == TokenType::break_glass) {
    if (!approvals.break_glass ||
        life > std::min(approvals.break_glass->max_duration, break_glass_max)) {
      return "no break-glass that long";
    }
    if (review_) return "the last break-glass is not reviewed";
  } else if (claims.type != TokenType::approval) {
    return "it is of another type";
  } else if (life > approvals.max_duration) {
    return "it lives too long";
  }
  if (claims.plan_template) {
    const auto plan =
        std::ranges::find(policy().templates, *claims.plan_template, &PlanTemplate::id);
    if (plan != policy().templates.end() && life > plan->max_duration)
      return "its template is shorter";
  }
  if (is_frozen_) return "a freeze is on";
  if (claims.change && !token.names_pending_change) return "no such change is pending";
  if (rule_of(scope) == nullptr) return "no rule allows it";
  return why_no_scope(scope);
}

void Oracle::presented(const Signed& token, const Reply& reply, bool is_saved) {
  if (!reply.accepted) return;
  if (!is_saved) return violated("the token " + token.claims.id + " would be forgotten by a crash");
  const auto scope = with_template(token.claims);
  const std::string why = !scope ? "there is no such template" : why_not(token, *scope);
  if (!why.empty()) return violated("the token " + token.claims.id + " was accepted, but " + why);
  used_.insert(token.claims.id);
  if (token.claims.type == TokenType::review) return review_signed(token);

  const ApprovalKey& key = *key_of(token.key_id);
  Grant& grant = grants_[reply.id];
  if (grant.tokens.empty()) {
    grant.scope = *scope;
    grant.jurisdictions = jurisdictions_of(*scope);
    if (scope->plan_template) {
      grant.template_digest =
          std::ranges::find(policy().templates, *scope->plan_template, &PlanTemplate::id)->digest;
    }
  } else if (!is_same_scope(grant.scope, *scope)) {
    return violated("tokens of different scopes count together in " + reply.id);
  }
  const bool was_complete = !grant.tokens.empty() && is_complete(grant);
  grant.tokens.push_back(
      {token.claims.id, key.id, key.public_key_pem, key.person, key.role, token.claims.case_id});
  grant.ends = std::min(grant.ends, token.claims.expires);
  if (key.not_after) grant.ends = std::min(grant.ends, *key.not_after);
  if (scope->type != TokenType::break_glass || was_complete || !is_complete(grant)) return;
  review_ = Review{reply.id, {}, {}};
  for (const Token& t : grant.tokens) review_->signers.insert(t.person);
}

void Oracle::review_signed(const Signed& token) {
  const ApprovalKey& key = *key_of(token.key_id);
  review_->reviewers.emplace(key.person, key.role);
  if (fill(policy().approvals->break_glass->review, review_->reviewers)) review_.reset();
}

bool Oracle::has_lost_ground(const Grant& grant) const {
  for (const Token& token : grant.tokens) {
    const ApprovalKey* key = key_of(token.key_id);
    if (key == nullptr || key->public_key_pem != token.key_pem || key->person != token.person ||
        key->role != token.role) {
      return true;
    }
  }
  if (rule_of(grant.scope) == nullptr) return true;
  if (jurisdictions_of(grant.scope) != grant.jurisdictions) return true;
  if (!why_no_scope(grant.scope).empty()) return true;
  if (!grant.scope.plan_template) return false;
  return std::ranges::none_of(policy().templates, [&](const PlanTemplate& plan) {
    return plan.id == *grant.scope.plan_template && plan.digest == grant.template_digest;
  });
}

void Oracle::token_revoked(const std::string& token_id) {
  used_.insert(token_id);
  std::erase_if(grants_, [&](const auto& known) {
    return std::ranges::count(known.second.tokens, token_id, &Token::id) != 0;
  });
}

void Oracle::key_revoked(const std::string& key_id) {
  const ApprovalKey* key = key_of(key_id);
  if (key == nullptr) return;
  const std::string pem = key->public_key_pem;
  revoked_keys_.insert(pem);
  std::erase_if(grants_, [&](const auto& known) {
    return std::ranges::count(known.second.tokens, pem, &Token::key_pem) != 0;
  });
}

void Oracle::trail_breaks() { trail_works_ = false; }

}  // namespace demarc::simulation
