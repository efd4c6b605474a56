#include "tools/cli.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace demarc::tools {

void fail(CliContext& context, int exit_code, const std::string& text) {
  fmt::print(stderr, "demarc: {}\n", text);
  context.exit_code = exit_code;
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
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? exit_fine : exit_usage;
  }
  return context.exit_code;
}

}  // namespace demarc::tools
