// Steering with a policy of several persons, roles and keys, for tests of tokens and grants.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/zones/claims_at.h"
#include "tests/zones/world.h"
#include "zones/key_list.h"
#include "zones/steering.h"
#include "zones/tenants.h"
#include "zones/time_text.h"

namespace demarc::zones::testing {

using Kinds = std::vector<std::string>;
using namespace std::chrono_literals;

inline const WallTime noon = *parse_rfc3339("2026-11-23T12:00:00Z");

struct Signer {
  std::string key, person, role;
  KeyAlgorithm algorithm = KeyAlgorithm::EdDSA;
};

/// Anna has two keys of one role and one of another.
inline const std::vector<Signer>& signers() {
  static const std::vector<Signer> all = {{"legal-1", "anna", "legal"},
                                          {"legal-2", "anna", "legal"},
                                          {"sec-anna", "anna", "security"},
                                          {"legal-9", "dora", "legal"},
                                          {"sec-1", "ben", "security", KeyAlgorithm::ES256},
                                          {"sec-2", "cara", "security"}};
  return all;
}

inline const KeyPair& pair_of(const std::string& key) {
  static std::map<std::string, KeyPair> pairs;
  const auto known = pairs.find(key);
  if (known != pairs.end()) return known->second;
  for (const Signer& signer : signers()) {
    if (signer.key == key) return pairs[key] = make_key_pair(signer.algorithm).value();
  }
  return pairs[key] = make_key_pair(KeyAlgorithm::EdDSA).value();
}

inline std::vector<ApprovalKey> keys_of_all() {
  std::vector<ApprovalKey> keys;
  for (const Signer& s : signers()) {
    keys.push_back({s.key, s.person, s.role, s.algorithm, pair_of(s.key).public_key_pem, {}});
  }
  return keys;
}

inline Approvals full_approvals() {
  return {.audience = "prod-dns",
          .max_duration = 24h,
          .keys = keys_of_all(),
          .rules = {{"*", Mode::read_only, {{"legal", 1}}},
                    {"*", Mode::full_write, {{"legal", 1}, {"security", 1}}}},
          .break_glass = BreakGlass{.max_duration = 4h,
                                    .require = {{"security", 1}},
                                    .review = {{"legal", 1}, {"security", 1}}},
          .drill = {{"legal", 1}}};
}

inline std::string signed_by(const std::string& key, const Claims& claims) {
  KeyAlgorithm algorithm = KeyAlgorithm::EdDSA;
  for (const Signer& s : signers()) {
    if (s.key == key) algorithm = s.algorithm;
  }
  return issue_token(claims, key, algorithm, pair_of(key).private_key_pem).value();
}

/// api (write), docs (read), news (soft), and the tenants of api: acme in one class, bolt in
/// another.
inline Repository tenant_repository(Approvals approvals = full_approvals()) {
  Service docs =
      service("docs", Residency::hard,
              {record(eu, 100, "docs.eu.example.net"), record(us, 0, "docs.us.example.net")});
  docs.access = Access::read;
  Service news =
      service("news", Residency::soft,
              {record(eu, 100, "news.eu.example.net"), record(us, 0, "news.us.example.net")});
  Policy policy = small_policy();
  policy.approvals = std::move(approvals);
  PlanTemplate plan{.id = "eu-to-us",
                    .zone = "example.com",
                    .service = "api.example.com",
                    .from = {"eu"},
                    .to = {"us"},
                    .mode = Mode::full_write,
                    .max_share = 30,
                    .max_duration = 2h,
                    .digest = "d1"};
  policy.templates = {plan};
  std::vector<Service> services = {seed_service(), docs, news};
  for (const char* label : {"api-class-1", "api-class-2"}) {
    Service tenant_class = seed_service();
    tenant_class.label = label;
    tenant_class.owner = name(std::string(label) + ".example.com");
    tenant_class.checks.clear();
    tenant_class.tenants_of = ServiceId{0};
    services.push_back(std::move(tenant_class));
  }
  Repository repository = repository_of(std::move(services), std::move(policy));
  repository.tenants =
      std::make_shared<const TenantMap>(TenantMap::Classes{{{ServiceId{0}, "acme"}, ServiceId{3}},
                                                           {{ServiceId{0}, "asset"}, ServiceId{3}},
                                                           {{ServiceId{0}, "bolt"}, ServiceId{4}}},
                                        "tenants");
  return repository;
}

class TokenStory {
 public:
  explicit TokenStory(Repository repository = tenant_repository(), SteeringState restored = {},
                      Milliseconds later = 0s)
      : steering(std::move(restored)) {
    pass(later);
    load(std::move(repository));
  }

  template <typename What>
  Effects& happens(What what) {
    effects = steering.step(Event{clock, std::move(what)});
    return effects;
  }
  void load(Repository repository) {
    configuration = configuration_of(std::move(repository));
    happens(ConfigurationLoaded{configuration, "test"});
  }
  void pass(Milliseconds time) {
    clock.wall += time;
    clock.monotonic += time;
  }
  void eu_down() {
    happens(VerdictFound{"example.com/api/api.eu.example.net", Verdict::down, "HTTP 503"});
  }

  [[nodiscard]] std::string token(const std::string& key, const std::string& id,
                                  const std::function<void(Claims&)>& change = {},
                                  TokenType type = TokenType::approval) const {
    Claims claims = claims_at(clock.wall, id, type);
    if (change) change(claims);
    return signed_by(key, claims);
  }
  [[nodiscard]] std::string review(const std::string& key, const std::string& id,
                                   const std::string& grant) const {
    return token(key, id, [&](Claims& c) { c.grant = grant; }, TokenType::review);
  }

  /// "" if it was accepted, else the kind of the refusal.
  std::string present(const std::string& text) {
    happens(TokenPresented{text, "operator"});
    REQUIRE(effects.reply.has_value());
    if (effects.reply->accepted) return {};
    const auto open = effects.reply->text.find('['), shut = effects.reply->text.find(']');
    return effects.reply->text.substr(open + 1, shut - open - 1);
  }
  [[nodiscard]] std::string reply() const { return effects.reply ? effects.reply->text : ""; }
  [[nodiscard]] std::size_t live() const {
    std::size_t count = 0;
    for (const auto& [id, grant] : steering.state().grants) count += grant.complete ? 1 : 0;
    return count;
  }
  [[nodiscard]] Kinds told() const {
    Kinds kinds;
    for (const AuditEntry& entry : effects.audit) kinds.push_back(entry.kind);
    return kinds;
  }
  [[nodiscard]] const AuditEntry& fact(const std::string& kind) const {
    for (const AuditEntry& entry : effects.audit) {
      if (entry.kind == kind) return entry;
    }
    FAIL("no entry of kind " << kind);
    return effects.audit.front();
  }
  [[nodiscard]] bool crosses() const {
    return answered(*configuration, *steering.published(ServiceId{0}), in("DE")).note ==
           ChoiceNote::exception;
  }

  Moment clock{noon, MonotonicTime(1h)};
  Steering steering;
  std::shared_ptr<const Configuration> configuration;
  Effects effects;
};

}  // namespace demarc::zones::testing
