// `demarc check`: reads a zone repository and says all that is wrong; runs its policy tests and
// compares its map with the ground. Needs no server.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "geo/database.h"
#include "tools/cli.h"
#include "tools/policy_test_report.h"
#include "zones/ground.h"
#include "zones/policy_tests_names.h"
#include "zones/repository.h"
#include "zones/tenants.h"
#include "zones/yaml/policy_tests_file.h"

namespace demarc::tools {
namespace {

using nlohmann::json;
using namespace zones;

struct CheckOptions {
  std::string folder = ".";
  bool strict = false;
  bool policy_tests = false;
  std::string junit;
  std::vector<std::string> geoip;
};

class CheckVerb {
 public:
  CheckVerb(CliContext& context, const CheckOptions& options)
      : context_(context), options_(options) {}

  void run() {
    auto opened = geo::Databases::open(options_.geoip);
    if (!opened) return fail(context_, exit_usage, opened.error().text());
    databases_ = std::move(*opened);
    repository_ = load_repository(options_.folder, diagnostics_);
    compare();
    read_tests();
    if (!options_.junit.empty() && !write_junit()) {
      return fail(context_, exit_usage, options_.junit + " cannot be written");
    }
    if (context_.json) {
      print_json();
    } else {
      print_text();
    }
    const bool is_bad = !repository_ || diagnostics_.has_errors() ||
                        (options_.strict && !diagnostics_.list().empty());
    const bool is_failed = std::ranges::any_of(
        results_, [](const PolicyTestResult& result) { return !result.failed.empty(); });
    if (is_bad || is_failed) context_.exit_code = exit_finding;
  }

 private:
  /// Their syntax and names are checked always, they run if asked for.
  void read_tests() {
    const auto tests = yaml::load_policy_tests(options_.folder, diagnostics_);
    if (!repository_ || diagnostics_.has_errors()) return;
    if (!options_.policy_tests) return check_test_names(*repository_, tests, diagnostics_);
    if (tests.empty()) {
      diagnostics_.error({"policy-tests", 0, 0}, "no-policy-tests",
                         "no policy test; expected at least one in policy-tests/*.yaml");
      return;
    }
    results_ = run_policy_tests(
        *repository_, tests,
        [&](const geo::Address& address) {
          return databases_.find(address, repository_->overrides);
        },
        diagnostics_);
  }

  void compare() {
    if (!repository_ || databases_.empty()) return;
    ground_ = compare_with_ground(*repository_, [&](const geo::Address& address) {
      return databases_.find(address, repository_->overrides);
    });
    add_ground_warnings(*ground_, diagnostics_);
  }

  json ground_json() const {
    const auto unknown =
        std::ranges::count(ground_->findings, false, &GroundFinding::is_disagreement);
    return {{"compared", ground_->compared}, {"skipped", ground_->skipped}, {"unknown", unknown}};
  }

  void print_json() const {
    json findings = json::array();
    for (const Diagnostic& d : diagnostics_.list()) {
      findings.push_back({{"file", d.place.file},
                          {"line", d.place.line},
                          {"column", d.place.column},
                          {"severity", d.severity == Severity::error ? "error" : "warning"},
                          {"rule", d.rule},
                          {"text", d.text}});
    }
    json out = {{"ok", repository_ != nullptr && !diagnostics_.has_errors()},
                {"findings", findings}};
    if (repository_ && repository_->tenants) {
      out["tenants"] = repository_->tenants->size();
      out["tenants-digest"] = repository_->tenants->digest();
    }
    if (ground_) out["ground"] = ground_json();
    if (options_.policy_tests) out["policy-tests"] = policy_tests_json(results_);
    fmt::print("{}\n", out.dump(2));
  }

  void print_text() const {
    for (const Diagnostic& d : diagnostics_.list()) fmt::print("{}\n", d.line());
    const std::size_t errors = diagnostics_.error_count();
    const std::size_t warnings = diagnostics_.list().size() - errors;
    if (repository_ && errors == 0) {
      const auto is_class = [](const Service& service) { return service.tenants_of.has_value(); };
      const auto classes = std::ranges::count_if(repository_->services, is_class);
      const std::string tenants =
          repository_->tenants
              ? fmt::format(", {} tenants in {} classes", repository_->tenants->size(), classes)
              : std::string{};
      fmt::print("{}: {} zones, {} services{}, {} warning(s)\n", options_.folder,
                 repository_->zones.size(), std::ssize(repository_->services) - classes, tenants,
                 warnings);
    } else {
      fmt::print("{}: {} error(s), {} warning(s)\n", options_.folder, errors, warnings);
    }
    if (ground_) {
      const json ground = ground_json();
      fmt::print("ground: {} addresses compared, {} skipped, {} not in the databases\n",
                 ground["compared"].dump(), ground["skipped"].dump(), ground["unknown"].dump());
    }
    if (!results_.empty()) fmt::print("{}", policy_tests_text(results_));
  }

  [[nodiscard]] bool write_junit() const {
    std::ofstream out(options_.junit, std::ios::binary | std::ios::trunc);
    out << policy_tests_junit(results_);
    out.close();
    return static_cast<bool>(out);
  }

  CliContext& context_;
  const CheckOptions& options_;
  Diagnostics diagnostics_;
  geo::Databases databases_;
  std::unique_ptr<Repository> repository_;
  std::optional<GroundReport> ground_;
  std::vector<PolicyTestResult> results_;
};

}  // namespace

void add_check_verbs(CLI::App& app, CliContext& context) {
  auto options = std::make_shared<CheckOptions>();
  auto* verb = app.add_subcommand("check", "read a zone repository and say all that is wrong");
  verb->add_option("repository", options->folder, "its folder")->capture_default_str();
  verb->add_flag("--strict", options->strict, "warnings count as findings");
  auto* tests =
      verb->add_flag("--policy-tests", options->policy_tests, "run policy-tests/*.yaml as well");
  verb->add_option("--junit", options->junit, "write what came of them as JUnit XML")->needs(tests);
  verb->add_option("--geoip", options->geoip,
                   "databases: compare where addresses are with where the policy says they are");
  verb->callback([options, &context] { CheckVerb(context, *options).run(); });
}

}  // namespace demarc::tools
