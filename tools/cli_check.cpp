// `demarc check`: reads a zone repository and says all that is wrong. Needs no server.
#include <cstdio>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/cli.h"
#include "zones/repository.h"

namespace demarc::tools {
namespace {

using nlohmann::json;
using namespace zones;

void check(CliContext& context, const std::string& folder, bool strict) {
  Diagnostics diagnostics;
  const auto repository = load_repository(folder, diagnostics);
  if (context.json) {
    json findings = json::array();
    for (const Diagnostic& d : diagnostics.list()) {
      findings.push_back({{"file", d.place.file},
                          {"line", d.place.line},
                          {"column", d.place.column},
                          {"severity", d.severity == Severity::error ? "error" : "warning"},
                          {"rule", d.rule},
                          {"text", d.text}});
    }
    fmt::print("{}\n", json{{"ok", repository != nullptr}, {"findings", findings}}.dump(2));
  } else {
    for (const Diagnostic& d : diagnostics.list()) fmt::print("{}\n", d.line());
    const std::size_t errors = diagnostics.error_count();
    const std::size_t warnings = diagnostics.list().size() - errors;
    if (repository) {
      fmt::print("{}: {} zones, {} services, {} warning(s)\n", folder, repository->zones.size(),
                 repository->services.size(), warnings);
    } else {
      fmt::print("{}: {} error(s), {} warning(s)\n", folder, errors, warnings);
    }
  }
  if (!repository || (strict && !diagnostics.list().empty())) context.exit_code = exit_finding;
}

}  // namespace

void add_check_verbs(CLI::App& app, CliContext& context) {
  struct Options {
    std::string folder = ".";
    bool strict = false;
  };
  auto options = std::make_shared<Options>();
  auto* verb = app.add_subcommand("check", "read a zone repository and say all that is wrong");
  verb->add_option("repository", options->folder, "its folder")->capture_default_str();
  verb->add_flag("--strict", options->strict, "warnings count as findings");
  verb->callback([options, &context] { check(context, options->folder, options->strict); });
}

}  // namespace demarc::tools
