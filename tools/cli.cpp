#include "tools/cli.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace demarc::tools {

namespace {

/// What failed, where a program reads it; what was only noted, where a human does.
void print_failure(const CliContext& context) {
  if (!context.json) return;
  if (!context.error) {
    for (const std::string& line : context.findings) fmt::print(stderr, "{}\n", line);
    return;
  }
  const nlohmann::json failure = {
      {"ok", false}, {"error", *context.error}, {"findings", context.findings}};
  fmt::print("{}\n", failure.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

/// A command line that cannot be read says by itself alone whether its writer is a program.
bool asks_for_json(int argc, char** argv) {
  return std::any_of(argv, argv + argc,
                     [](const char* word) { return std::string_view(word) == "--json"; });
}

}  // namespace

void fail(CliContext& context, int exit_code, const std::string& text) {
  context.exit_code = exit_code;
  if (!context.json) return fmt::print(stderr, "demarc: {}\n", text);
  if (context.error) return context.findings.push_back(text);
  context.error = text;
}

void note(CliContext& context, const std::string& line) {
  if (!context.json) return fmt::print(stderr, "{}\n", line);
  context.findings.push_back(line);
}

std::optional<std::string> read_input(const std::string& path, std::size_t size_max) {
  std::ifstream file;
  if (path != "-") file.open(path, std::ios::binary);
  std::istream& in = path == "-" ? std::cin : file;
  std::string text(size_max + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad() || (path != "-" && !file.is_open())) return std::nullopt;
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

int run_cli(int argc, char** argv) {
  CLI::App app("demarc: see what is served and why, and decide what may cross a border");
  app.require_subcommand(1);
  app.fallthrough();
  app.set_version_flag("--version", "demarc " DEMARC_VERSION);
  CliContext context;
  app.add_flag("--json", context.json, "print JSON");
  app.add_option("--config", context.config, "demarcd's configuration, to find its socket")
      ->default_str("demarcd.yaml");
  app.add_option("--socket", context.socket, "demarcd's control socket")->envname("DEMARC_SOCKET");
  add_check_verbs(app, context);
  add_plan_verbs(app, context);
  add_online_verbs(app, context);
  add_token_verbs(app, context);
  add_audit_verbs(app, context);
  add_geo_verbs(app, context);
  add_tenant_verbs(app, context);
  add_drill_verbs(app, context);
  add_acme_verbs(app, context);
  add_observe_verbs(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool is_help = error.get_exit_code() == 0;
    if (is_help || !asks_for_json(argc, argv)) {
      app.exit(error);
      return is_help ? exit_fine : exit_usage;
    }
    context.json = true;
    fail(context, exit_usage, error.what());
  }
  print_failure(context);
  return context.exit_code;
}

}  // namespace demarc::tools
