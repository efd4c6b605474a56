// Approvals in the state file; the rest of it is in zones/steering_state.cpp.
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "zones/steering_state_json.h"

namespace demarc::zones {
namespace {

using nlohmann::json;

std::int64_t ms(WallTime time) { return time.time_since_epoch().count(); }
WallTime time_of(const json& value) { return WallTime(Milliseconds(value.get<std::int64_t>())); }

void write_text(json& object, const char* name, const std::string& text) {
  if (!text.empty()) object[name] = text;
}
std::string read_text(const json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? std::string{} : found->get<std::string>();
}

constexpr unsigned whole_share = 100;

json to_json(const GrantScope& scope) {
  json out = {{"zone", scope.zone},
              {"service", scope.service},
              {"from", scope.from},
              {"to", scope.to},
              {"jurisdictions", scope.jurisdictions},
              {"mode", to_text(scope.mode)}};
  if (scope.change) out["change"] = *scope.change;
  write_text(out, "tenant", scope.tenant);
  if (scope.max_share != whole_share) out["max-share"] = scope.max_share;
  write_text(out, "template", scope.plan_template);
  if (scope.break_glass) out["break-glass"] = true;
  return out;
}

GrantScope read_scope(const json& value) {
  const auto mode = parse_mode(value.at("mode").get<std::string>());
  if (!mode) throw std::invalid_argument("a grant has an unknown mode");
  GrantScope scope{.zone = value.at("zone"),
                   .service = value.at("service"),
                   .from = value.at("from"),
                   .to = value.at("to"),
                   .jurisdictions = value.at("jurisdictions"),
                   .mode = *mode,
                   .change = {},
                   .tenant = read_text(value, "tenant"),
                   .plan_template = read_text(value, "template"),
                   .break_glass = value.value("break-glass", false)};
  if (value.contains("change")) scope.change = value["change"].get<std::string>();
  if (value.contains("max-share")) {
    scope.max_share = static_cast<unsigned>(read_number(value["max-share"], whole_share));
    if (scope.max_share == 0) throw std::invalid_argument("a grant has a share of 0");
  }
  return scope;
}

json to_json(const Grant& grant) {
  json signatures = json::array();
  for (const Signature& s : grant.signatures) {
    json signature = {{"token", s.token_id}, {"key", s.key_id}, {"key-digest", s.key_digest},
                      {"person", s.person},  {"role", s.role},  {"reason", s.reason},
                      {"case", s.case_id}};
    write_text(signature, "jws", s.token);
    signatures.push_back(std::move(signature));
  }
  return {{"scope", to_json(grant.scope)},
          {"signatures", signatures},
          {"complete", grant.complete},
          {"accepted", ms(grant.accepted)},
          {"ends", ms(grant.ends)}};
}

Grant read_grant(const std::string& id, const json& value) {
  Grant grant{.id = id,
              .scope = read_scope(value.at("scope")),
              .signatures = {},
              .complete = value.at("complete"),
              .accepted = time_of(value.at("accepted")),
              .ends = time_of(value.at("ends"))};
  for (const json& s : value.at("signatures")) {
    grant.signatures.push_back({.token_id = s.at("token"),
                                .key_id = s.at("key"),
                                .key_digest = s.at("key-digest"),
                                .person = s.at("person"),
                                .role = s.at("role"),
                                .reason = s.at("reason"),
                                .case_id = s.at("case"),
                                .token = read_text(s, "jws")});
  }
  return grant;
}

constexpr std::uint64_t persons_max = 1'000'000;

json to_json(const TrustedKeys& trusted) {
  json keys = json::array();
  for (const ApprovalKey& key : trusted.keys) {
    json item = {{"id", key.id},
                 {"person", key.person},
                 {"role", key.role},
                 {"alg", key.algorithm == KeyAlgorithm::EdDSA ? "EdDSA" : "ES256"},
                 {"public-key", key.public_key_pem}};
    if (key.not_after) item["not-after"] = ms(*key.not_after);
    keys.push_back(std::move(item));
  }
  return {{"version", trusted.version},
          {"digest", trusted.digest},
          {"keys", keys},
          {"require", trusted.require}};
}

TrustedKeys read_trusted(const json& value) {
  TrustedKeys trusted{
      .version = static_cast<std::uint32_t>(read_number(value.at("version"), 0xffff'ffff)),
      .digest = value.at("digest"),
      .keys = {},
      .require = {}};
  for (const json& item : value.at("keys")) {
    const std::string algorithm = item.at("alg");
    if (algorithm != "EdDSA" && algorithm != "ES256") {
      throw std::invalid_argument("a trusted key has an unknown algorithm");
    }
    ApprovalKey key{.id = item.at("id"),
                    .person = item.at("person"),
                    .role = item.at("role"),
                    .algorithm = algorithm == "EdDSA" ? KeyAlgorithm::EdDSA : KeyAlgorithm::ES256,
                    .public_key_pem = item.at("public-key"),
                    .not_after = {}};
    if (item.contains("not-after")) key.not_after = time_of(item["not-after"]);
    trusted.keys.push_back(std::move(key));
  }
  for (const auto& [role, persons] : value.at("require").items()) {
    trusted.require[role] = static_cast<unsigned>(read_number(persons, persons_max));
  }
  return trusted;
}

}  // namespace

std::uint64_t read_number(const json& value, std::uint64_t max) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > max) {
    throw std::invalid_argument("a number is out of its range");
  }
  return value.get<std::uint64_t>();
}

void write_approvals(const SteeringState& state, json& body) {
  json grants = json::object(), used = json::object(), revoked = json::object();
  for (const auto& [id, grant] : state.grants) grants[id] = to_json(grant);
  for (const auto& [id, end] : state.used_tokens) used[id] = ms(end);
  for (const auto& [digest, key] : state.revoked_keys) {
    revoked[digest] = {
        {"key", key.key_id}, {"who", key.who}, {"reason", key.reason}, {"since", ms(key.since)}};
  }
  body["grants"] = std::move(grants);
  body["used-tokens"] = std::move(used);
  if (!revoked.empty()) body["revoked-keys"] = std::move(revoked);
  if (state.trusted_keys) body["trusted-keys"] = to_json(*state.trusted_keys);
  if (const auto& review = state.open_review) {
    body["open-review"] = {{"grant", review->grant_id},
                           {"signers", review->signers},
                           {"reviewers", review->reviewers},
                           {"since", ms(review->since)}};
  }
}

void read_approvals(const json& body, SteeringState& state) {
  for (const auto& [id, grant] : body.at("grants").items()) {
    state.grants[id] = read_grant(id, grant);
  }
  for (const auto& [id, end] : body.at("used-tokens").items()) {
    state.used_tokens[id] = time_of(end);
  }
  if (body.contains("revoked-keys")) {
    for (const auto& [digest, key] : body["revoked-keys"].items()) {
      state.revoked_keys[digest] = {key.at("key"), key.at("who"), key.at("reason"),
                                    time_of(key.at("since"))};
    }
  }
  if (body.contains("trusted-keys")) state.trusted_keys = read_trusted(body["trusted-keys"]);
  if (body.contains("open-review")) {
    const json& review = body["open-review"];
    state.open_review = OpenReview{review.at("grant"), review.at("signers"), review.at("reviewers"),
                                   time_of(review.at("since"))};
  }
}

}  // namespace demarc::zones
