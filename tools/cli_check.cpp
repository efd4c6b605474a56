// `demarc check`: reads a zone repository and says all that is wrong. Needs no server.
#include <algorithm>
#include <cstdio>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/cli.h"
#include "zones/repository.h"
#include "zones/tenants.h"

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
    json report{{"ok", repository != nullptr}, {"findings", findings}};
    if (repository && repository->tenants) {
      report["tenants"] = repository->tenants->size();
      report["tenants-digest"] = repository->tenants->digest();
    }
    fmt::print("{}\n", report.dump(2));
  } else {
    for (const Diagnostic& d : diagnostics.list()) fmt::print("{}\n", d.line());
    const std::size_t errors = diagnostics.error_count();
    const std::size_t warnings = diagnostics.list().size() - errors;
    if (repository) {
      const auto is_class = [](const Service& service) { return service.tenants_of.has_value(); };
      const auto classes = std::ranges::count_if(repository->services, is_class);
      const std::string tenants =
          repository->tenants
              ? fmt::format(", {} tenants in {} classes", repository->tenants->size(), classes)
              : std::string{};
      fmt::print("{}: {} zones, {} services{}, {} warning(s)\n", folder, repository->zones.size(),
                 std::ssize(repository->services) - classes, tenants, warnings);
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
