// `demarc token`: keys and tokens, made where the private keys are. Needs no server. What a token
// would do under a policy is said by tools/cli_token_verify.cpp.
#include <algorithm>
#include <cstdio>
#include <memory>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "tools/cli.h"
#include "tools/cli_token.h"
#include "tools/clock.h"
#include "zones/claims.h"
#include "zones/digest.h"
#include "zones/jws.h"
#include "zones/state_store.h"
#include "zones/time_text.h"
#include "zones/token.h"
#include "zones/yaml/fields.h"

namespace demarc::tools {
namespace {

using nlohmann::json;
using namespace zones;

std::optional<KeyAlgorithm> parse_algorithm(const std::string& text) {
  if (text == "EdDSA") return KeyAlgorithm::EdDSA;
  if (text == "ES256") return KeyAlgorithm::ES256;
  return std::nullopt;
}

void add_keygen(CLI::App& token, CliContext& context) {
  struct Options {
    std::string out, algorithm = "EdDSA";
  };
  auto options = std::make_shared<Options>();
  auto* verb = token.add_subcommand("keygen", "make a key pair: OUT.private.pem and OUT.pem");
  verb->add_option("--out", options->out, "path without ending")->required();
  verb->add_option("--alg", options->algorithm, "EdDSA or ES256")->capture_default_str();
  verb->callback([options, &context] {
    const auto algorithm = parse_algorithm(options->algorithm);
    if (!algorithm) return fail(context, exit_usage, "--alg: expected EdDSA or ES256");
    const std::string secret = options->out + ".private.pem";
    const std::string open = options->out + ".pem";
    for (const std::string& path : {secret, open}) {
      if (::access(path.c_str(), F_OK) == 0) {
        return fail(context, exit_usage, path + " exists; expected a new name");
      }
    }
    const auto pair = make_key_pair(*algorithm);
    if (!pair) return fail(context, exit_finding, pair.error());
    auto written = replace_file(secret, pair->private_key_pem);
    if (written) written = replace_file(open, pair->public_key_pem);
    if (!written) return fail(context, exit_finding, written.error().text());
    ::chmod(open.c_str(), 0644);
    if (context.json) {
      const json out = {{"private-key", secret},
                        {"public-key", open},
                        {"sha256", public_key_digest(pair->public_key_pem)}};
      return fmt::print("{}\n", out.dump(2));
    }
    fmt::print("{} stays with its owner; {} goes into the repository\n", secret, open);
  });
}

struct IssueOptions {
  std::string key, kid, algorithm = "EdDSA", type = "approval", mode, lasts, id, repository;
  std::string change, tenant, plan_template, grant, drill;
  unsigned max_share = 0;
  Claims claims;
};

std::optional<std::string> given(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

/// What the repository knows better than a person: the audience, a key list's version and digest.
bool fill_from_repository(CliContext& context, const std::string& folder, Claims& claims) {
  const auto repository = load_for_tokens(context, folder);
  if (!repository) return false;
  const Approvals& approvals = *repository->policy.approvals;
  if (claims.audience.empty()) claims.audience = approvals.audience;
  if (claims.type != TokenType::key_list) return true;
  if (!approvals.key_list) {
    fail(context, exit_finding, folder + " has no `approvals.key-list` to sign");
    return false;
  }
  claims.version = approvals.key_list->version;
  claims.keys_digest = approvals.key_list->digest;
  return true;
}

/// The claims as the options say; nothing if they are no token of their type, which was said.
std::optional<Claims> claims_of(CliContext& context, const IssueOptions& options,
                                Milliseconds lasts) {
  Claims claims = options.claims;
  const auto usage = [&](const std::string& text) {
    fail(context, exit_usage, text);
    return std::nullopt;
  };
  const auto type = parse_token_type(options.type);
  if (!type) return usage("--type: expected approval, break-glass, review, drill or key-list");
  claims.type = *type;
  const bool moves = *type == TokenType::approval || *type == TokenType::break_glass;
  if (moves) {
    const auto mode = parse_mode(options.mode.empty() ? "full-write" : options.mode);
    if (!mode) return usage("--mode: expected read-only, scoped-write or full-write");
    claims.mode = *mode;
    claims.mode_is_given = !options.mode.empty() || options.plan_template.empty();
    if (!claims.mode_is_given) claims.mode = Claims{}.mode;
  } else if (!options.mode.empty()) {
    return usage("a token of type " + options.type + " has no mode");
  }
  claims.issued_at = claims.not_before = std::chrono::floor<Seconds>(read_clocks().wall);
  claims.expires = claims.not_before + std::chrono::floor<Seconds>(lasts);
  claims.id = options.id;
  if (claims.id.empty()) {
    const auto random = make_key_pair(KeyAlgorithm::EdDSA);  // 256 random bits, named by their hash
    if (!random) return usage(random.error());
    claims.id = sha256_hex(random->public_key_pem).substr(0, 24);
  }
  claims.change = given(options.change);
  claims.tenant = given(options.tenant);
  claims.plan_template = given(options.plan_template);
  claims.grant = given(options.grant);
  claims.drill = given(options.drill);
  if (options.max_share != 0) claims.max_share = options.max_share;
  if (!options.repository.empty() && !fill_from_repository(context, options.repository, claims)) {
    return std::nullopt;
  }
  const auto read = read_claims(claims.type, write_claims(claims));
  if (!read) return usage(read.error().text + " (each claim has an option of its name)");
  if (*read != claims) {
    std::ranges::sort(claims.from);
    std::ranges::sort(claims.to);
    if (*read != claims) return usage("a token of type " + options.type + " has no such claims");
  }
  return claims;
}

void issue(CliContext& context, IssueOptions& options) {
  const auto algorithm = parse_algorithm(options.algorithm);
  if (!algorithm) return fail(context, exit_usage, "--alg: expected EdDSA or ES256");
  const auto lasts = yaml::parse_duration(options.lasts);
  if (!lasts || *lasts < Seconds(1)) {
    return fail(context, exit_usage, "--for: expected an integer and s, m or h, at least 1s");
  }
  struct stat status{};
  if (::stat(options.key.c_str(), &status) == 0 && (status.st_mode & 077) != 0) {
    return fail(context, exit_usage, options.key + " can be read by others; expected mode 0600");
  }
  const auto pem = read_input(options.key, 65'536);
  if (!pem) return fail(context, exit_usage, "cannot read " + options.key);
  const auto claims = claims_of(context, options, *lasts);
  if (!claims) return;
  const auto token = issue_token(*claims, options.kid, *algorithm, *pem);
  if (!token) return fail(context, exit_usage, options.key + ": " + token.error());
  if (context.json) {
    return fmt::print("{}\n", json{{"token", *token}, {"claims", claims_json(*claims)}}.dump(2));
  }
  fmt::print("{}\n", *token);
}

void add_issue(CLI::App& token, CliContext& context) {
  auto options = std::make_shared<IssueOptions>();
  auto* verb = token.add_subcommand("issue", "sign an approval; prints the token");
  verb->add_option("--key", options->key, "the private key, PEM")->required();
  verb->add_option("--kid", options->kid, "the key's id in policy.yaml")->required();
  verb->add_option("--alg", options->algorithm, "EdDSA or ES256")->capture_default_str();
  verb->add_option("--type", options->type, "approval, break-glass, review, drill or key-list")
      ->capture_default_str();
  verb->add_option("--repository", options->repository,
                   "takes the audience from its policy, for a key list its version and digest too");
  verb->add_option("--audience", options->claims.audience, "approvals.audience of the policy");
  verb->add_option("--zone", options->claims.zone);
  verb->add_option("--service", options->claims.service, "label, absolute name, or \"*\"");
  verb->add_option("--tenant", options->tenant, "of that service, and no other");
  verb->add_option("--from", options->claims.from, "home regions that may have failed")
      ->delimiter(',');
  verb->add_option("--to", options->claims.to, "regions that may answer")->delimiter(',');
  verb->add_option("--mode", options->mode, "read-only, scoped-write or full-write (the default)");
  verb->add_option("--max-share", options->max_share, "percent of answers that may cross")
      ->check(CLI::Range(1, 100));
  verb->add_option("--template", options->plan_template, "gives zone to mode and share");
  verb->add_option("--for", options->lasts, "life from now: 30m, 4h")->required();
  verb->add_option("--reason", options->claims.reason)->required();
  verb->add_option("--case", options->claims.case_id, "ticket")->required();
  verb->add_option("--issuer", options->claims.issuer)->default_val("demarc-cli");
  verb->add_option("--change", options->change, "approve this pending change alone");
  verb->add_option("--grant", options->grant, "of a review: the break-glass grant's id");
  verb->add_option("--drill", options->drill, "of a drill: the scenario's name");
  verb->add_option("--jti", options->id, "the token's id; left out: a random one");
  verb->callback([options, &context] { issue(context, *options); });
}

void inspect(CliContext& context, const std::string& path, const std::string& folder) {
  const auto text = read_input(path, token_bytes_max);
  if (!text) return fail(context, exit_usage, "cannot read " + path);
  const auto unchecked = inspect_token(*text);
  if (!unchecked) return fail(context, exit_finding, unchecked.error().text);
  json out = {{"header", json::parse(unchecked->header, nullptr, false)}};
  if (unchecked->claims) {
    out["claims"] = claims_json(*unchecked->claims);
  } else {
    out["wrong"] = unchecked->claims.error().text;
    context.exit_code = exit_finding;
  }
  if (!folder.empty()) {
    const auto repository = load_for_tokens(context, folder);
    if (!repository) return;
    const auto checked = check_token(*text, *repository->policy.approvals, read_clocks().wall);
    out["valid"] = checked.has_value();
    if (checked) {
      out["signed-by"] = {
          {"key", checked->key_id}, {"person", checked->person}, {"role", checked->role}};
    } else {
      out["wrong"] = fmt::format("[{}] {}", to_text(checked.error().kind), checked.error().text);
      context.exit_code = exit_finding;
    }
  }
  fmt::print("{}\n", out.dump(2, ' ', false, json::error_handler_t::replace));
  if (folder.empty()) {
    fmt::print(stderr, "nothing was verified; --repository DIR checks it against a policy\n");
  }
}

void add_inspect(CLI::App& token, CliContext& context) {
  struct Options {
    std::string path, repository;
  };
  auto options = std::make_shared<Options>();
  auto* verb = token.add_subcommand("inspect", "show what a token says");
  verb->add_option("token", options->path, "a file, or - for standard input")->required();
  verb->add_option("--repository", options->repository, "verify it against this policy");
  verb->callback([options, &context] { inspect(context, options->path, options->repository); });
}

}  // namespace

void add_token_verbs(CLI::App& app, CliContext& context) {
  auto* token = app.add_subcommand("token", "approval tokens: made where the keys are");
  token->require_subcommand(1);
  add_keygen(*token, context);
  add_issue(*token, context);
  add_inspect(*token, context);
  add_token_verify(*token, context);
  add_key_verbs(app, context);
}

}  // namespace demarc::tools
