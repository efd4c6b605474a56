// `demarc VERB`: the table of verbs. Those that need no server are in tools/cli_check.cpp,
// tools/cli_token.cpp, tools/cli_tenant.cpp and tools/cli_audit.cpp, those that ask a running one
// in tools/cli_online.cpp.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json_fwd.hpp>

namespace demarc::tools {

/// Exit codes of every verb.
inline constexpr int exit_fine = 0;
inline constexpr int exit_finding = 1;
inline constexpr int exit_usage = 2;

/// What all verbs share.
struct CliContext {
  bool json = false;
  std::string config;  // demarcd.yaml, to find the control socket and the audit folder
  std::string socket;  // wins over `config`
  int exit_code = exit_fine;
  std::optional<std::string> error;   // what failed, with `json`
  std::vector<std::string> findings;  // with `json`: what note() was told
};

/// Adds the verbs; each sets `context.exit_code`. `context` outlives the parse.
void add_check_verbs(CLI::App& app, CliContext& context);
void add_plan_verbs(CLI::App& app, CliContext& context);
void add_token_verbs(CLI::App& app, CliContext& context);
void add_audit_verbs(CLI::App& app, CliContext& context);
void add_geo_verbs(CLI::App& app, CliContext& context);
void add_online_verbs(CLI::App& app, CliContext& context);
void add_tenant_verbs(CLI::App& app, CliContext& context);
void add_drill_verbs(CLI::App& app, CliContext& context);
void add_acme_verbs(CLI::App& app, CliContext& context);
void add_observe_verbs(CLI::App& app, CliContext& context);

/// Sends a request to the running demarcd; nothing if it failed, which was said then.
[[nodiscard]] std::optional<nlohmann::json> ask_server(CliContext& context,
                                                       const nlohmann::json& request);

/// Says what failed, and remembers the exit code: `demarc: TEXT` on standard error, or with --json
/// one object on standard output, `{"ok": false, "error": TEXT, "findings": [LINE, ...]}`, once the
/// verb has ended. A second failure is a finding of the first.
void fail(CliContext& context, int exit_code, const std::string& text);
/// A line beside a failure, or a warning: on standard error, or among the findings of the failure.
void note(CliContext& context, const std::string& line);

/// The whole of a file, or of standard input for "-"; at most `size_max` bytes.
[[nodiscard]] std::optional<std::string> read_input(const std::string& path, std::size_t size_max);

[[nodiscard]] int run_cli(int argc, char** argv);

}  // namespace demarc::tools
