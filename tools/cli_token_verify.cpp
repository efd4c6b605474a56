// `demarc token verify` and `demarc keys`: what tokens would approve under a repository's policy,
// and what is missing yet. The same checks as the server's, without its memory of used and revoked
// ones.
#include <cstdio>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "tools/cli_token.h"
#include "tools/clock.h"
#include "zones/grant.h"
#include "zones/jws.h"
#include "zones/repository.h"
#include "zones/time_text.h"

namespace demarc::tools {
namespace {

using nlohmann::json;
using namespace zones;

/// What the tokens that were looked at come to, together.
struct Findings {
  json tokens = json::array();
  std::map<GrantScope, Grant> grants;
  std::map<std::string, std::pair<Required, std::vector<Signature>>> signoffs;  // by what
  bool all_hold = true;
};

std::string describe(const Repository& repository, const Grant& grant) {
  std::vector<std::string> services;
  for (const Permission& permission : permission_of(repository, grant)) {
    std::string name = repository.service(permission.service).owner.text_without_dot();
    if (!permission.tenant.empty()) name = grant.scope.service + " tenant " + permission.tenant;
    services.push_back(std::move(name));
  }
  return fmt::format("{} from {} to {}, {}, at most {} % of answers, until {}{}",
                     fmt::join(services, ", "), fmt::join(grant.scope.from, ","),
                     fmt::join(grant.scope.to, ","), to_text(grant.scope.mode),
                     grant.scope.max_share, to_rfc3339(grant.ends),
                     grant.scope.break_glass ? ", as break-glass" : "");
}

Result<void, Refusal> count_approval(const Repository& repository, const ApprovedToken& token,
                                     WallTime at, Findings& findings) {
  const auto scope = resolve_scope(repository, token.claims);
  if (!scope) return std::unexpected(scope.error());
  const Required* required = find_required(*repository.policy.approvals, *scope);
  if (required == nullptr) {
    return std::unexpected(Refusal{RefusalKind::no_rule, "no rule of the policy allows it"});
  }
  if (!required->contains(token.role)) {
    return std::unexpected(
        Refusal{RefusalKind::no_rule, "the rule asks for no `" + token.role + "`"});
  }
  auto [grant, is_new] = findings.grants.try_emplace(*scope);
  if (is_new) grant->second = begin_grant(*scope, token.claims.id, at);
  grant->second = with_token(std::move(grant->second), token, *required);
  return {};
}

Result<void, Refusal> count_signoff(const Approvals& approvals, const ApprovedToken& token,
                                    Findings& findings) {
  Required required;
  std::string what;
  if (token.claims.type == TokenType::review) {
    required = approvals.break_glass->review;
    what = "the review of " + *token.claims.grant;
  } else if (token.claims.type == TokenType::drill) {
    required = approvals.drill;
    what = "the live drill " + *token.claims.drill;
  } else {
    const auto& list = approvals.key_list;
    if (!list || list->digest != token.claims.keys_digest ||
        list->version != token.claims.version) {
      return std::unexpected(Refusal{
          RefusalKind::scope, list ? fmt::format("it is for another list; this one is {} with {}",
                                                 list->version, list->digest)
                                   : std::string("the policy has no key list")});
    }
    required = list->require;
    what = fmt::format("key list {} (the list before it decides whom it needs)", list->version);
  }
  if (!required.contains(token.role)) {
    return std::unexpected(Refusal{RefusalKind::no_rule, "`" + token.role + "` is not asked for"});
  }
  auto& [needs, signatures] = findings.signoffs[what];
  needs = required;
  signatures.push_back(signature_of(token));
  return {};
}

void look_at(const Repository& repository, const std::string& path, const std::string& text,
             WallTime at, Findings& findings) {
  const Approvals& approvals = *repository.policy.approvals;
  json out = {{"file", path}};
  const auto refuse = [&](const Refusal& refusal) {
    out["valid"] = false;
    out["wrong"] = {{"kind", to_text(refusal.kind)}, {"text", refusal.text}};
    findings.all_hold = false;
  };
  const auto token = check_token(text, approvals, at);
  if (!token) {
    refuse(token.error());
  } else {
    out["type"] = to_text(token->claims.type);
    out["claims"] = claims_json(token->claims);
    out["signed-by"] = {{"key", token->key_id}, {"person", token->person}, {"role", token->role}};
    const bool moves =
        token->claims.type == TokenType::approval || token->claims.type == TokenType::break_glass;
    const auto counted = moves ? count_approval(repository, *token, at, findings)
                               : count_signoff(approvals, *token, findings);
    if (counted) {
      out["valid"] = true;
    } else {
      refuse(counted.error());
    }
  }
  findings.tokens.push_back(std::move(out));
}

json result_of(const std::string& what, const Required& required,
               const std::vector<Signature>& signatures) {
  const bool enough = is_satisfied(required, signatures);
  return {{"what", what},
          {"enough", enough},
          {"needs", enough ? std::string("nothing more") : missing_text(required, signatures)},
          {"missing", missing_roles(required, signatures)}};
}

void print_text(const json& out) {
  for (const json& token : out["tokens"]) {
    const std::string file = token["file"];
    if (!token["valid"]) {
      fmt::print("{}: refused: [{}] {}\n", file, token["wrong"]["kind"].get<std::string>(),
                 token["wrong"]["text"].get<std::string>());
      continue;
    }
    fmt::print("{}: holds: {}, signed by {} ({}) with {}\n", file, token["type"].get<std::string>(),
               token["signed-by"]["person"].get<std::string>(),
               token["signed-by"]["role"].get<std::string>(),
               token["signed-by"]["key"].get<std::string>());
  }
  for (const json& result : out["results"]) {
    fmt::print("{}: {}\n", result["what"].get<std::string>(),
               result["enough"] ? "enough" : "needs " + result["needs"].get<std::string>());
  }
}

struct VerifyOptions {
  std::vector<std::string> paths;
  std::string repository, at;
};

void verify(CliContext& context, const VerifyOptions& options) {
  WallTime at = read_clocks().wall;
  if (!options.at.empty()) {
    const auto time = parse_rfc3339(options.at);
    if (!time) return fail(context, exit_usage, "--at: expected a time as 2026-11-23T12:00:00Z");
    at = *time;
  }
  const auto repository = load_for_tokens(context, options.repository);
  if (!repository) return;
  Findings findings;
  for (const std::string& path : options.paths) {
    const auto text = read_input(path, token_bytes_max);
    if (!text) return fail(context, exit_usage, "cannot read " + path);
    look_at(*repository, path, *text, at, findings);
  }
  json out = {
      {"at", to_rfc3339(at)}, {"tokens", std::move(findings.tokens)}, {"results", json::array()}};
  for (const auto& [scope, grant] : findings.grants) {
    out["results"].push_back(result_of(describe(*repository, grant),
                                       *find_required(*repository->policy.approvals, scope),
                                       grant.signatures));
  }
  for (const auto& [what, signoff] : findings.signoffs) {
    out["results"].push_back(result_of(what, signoff.first, signoff.second));
  }
  if (context.json) {
    fmt::print("{}\n", out.dump(2, ' ', false, json::error_handler_t::replace));
  } else {
    print_text(out);
  }
  if (!findings.all_hold) context.exit_code = exit_finding;
}

void print_key_list(CliContext& context, const std::string& folder) {
  const auto repository = load_for_tokens(context, folder);
  if (!repository) return;
  const Approvals& approvals = *repository->policy.approvals;
  if (!approvals.key_list) {
    return fail(context, exit_finding, folder + " has no `approvals.key-list`");
  }
  json keys = json::array();
  for (const ApprovalKey& key : approvals.keys) {
    keys.push_back({{"id", key.id},
                    {"person", key.person},
                    {"role", key.role},
                    {"sha256", public_key_digest(key.public_key_pem)}});
  }
  const json out = {{"version", approvals.key_list->version},
                    {"keys-sha256", approvals.key_list->digest},
                    {"keys", keys}};
  if (context.json) return fmt::print("{}\n", out.dump(2));
  fmt::print("version {}\nkeys-sha256 {}\n", approvals.key_list->version,
             approvals.key_list->digest);
  for (const json& key : keys) {
    fmt::print("{} {} {} {}\n", key["id"].get<std::string>(), key["person"].get<std::string>(),
               key["role"].get<std::string>(), key["sha256"].get<std::string>());
  }
}

}  // namespace

std::unique_ptr<Repository> load_for_tokens(CliContext& context, const std::string& folder) {
  Diagnostics diagnostics;
  auto repository = load_repository(folder, diagnostics);
  if (repository && repository->policy.approvals) return repository;
  for (const Diagnostic& d : diagnostics.list()) note(context, d.line());
  fail(context, exit_finding, folder + " has no policy with approvals that loads");
  return nullptr;
}

json claims_json(const Claims& claims) {
  json out = {{"iss", claims.issuer},
              {"aud", claims.audience},
              {"jti", claims.id},
              {"nbf", to_rfc3339(claims.not_before)},
              {"exp", to_rfc3339(claims.expires)},
              {"type", to_text(claims.type)},
              {"iat", to_rfc3339(claims.issued_at)},
              {"reason", claims.reason},
              {"case", claims.case_id}};
  const auto add = [&](const char* name, const auto& value) {
    if (value) out[name] = *value;
  };
  if (!claims.zone.empty()) out["zone"] = claims.zone;
  if (!claims.service.empty()) out["service"] = claims.service;
  if (!claims.from.empty()) out["from"] = claims.from;
  if (!claims.to.empty()) out["to"] = claims.to;
  const bool moves = claims.type == TokenType::approval || claims.type == TokenType::break_glass;
  if (moves && claims.mode_is_given) out["mode"] = to_text(claims.mode);
  add("change", claims.change);
  add("tenant", claims.tenant);
  add("max-share", claims.max_share);
  add("template", claims.plan_template);
  add("grant", claims.grant);
  add("drill", claims.drill);
  add("version", claims.version);
  add("keys-sha256", claims.keys_digest);
  return out;
}

void add_token_verify(CLI::App& token, CliContext& context) {
  auto options = std::make_shared<VerifyOptions>();
  auto* verb = token.add_subcommand(
      "verify", "what tokens would approve, and what is missing; exit 1 if one does not hold");
  verb->add_option("token", options->paths, "files, or - for standard input")->required();
  verb->add_option("--repository", options->repository, "whose policy judges them")->required();
  verb->add_option("--at", options->at, "as if it were this time; left out: now");
  verb->callback([options, &context] { verify(context, *options); });
}

void add_key_verbs(CLI::App& app, CliContext& context) {
  auto* keys = app.add_subcommand("keys", "the key list: who may approve at all");
  keys->require_subcommand(1);
  auto folder = std::make_shared<std::string>();
  auto* digest = keys->add_subcommand("digest", "a key list's version and keys-sha256");
  digest->add_option("repository", *folder, "the folder")->required();
  digest->callback([folder, &context] { print_key_list(context, *folder); });
}

}  // namespace demarc::tools
