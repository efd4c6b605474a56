// `demarc plan`: what would change between two states of a zone repository, before it does.
#include <cstdio>
#include <filesystem>
#include <list>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/cli.h"
#include "tools/daemon_config.h"
#include "tools/plan_json.h"
#include "tools/plan_source.h"

namespace demarc::tools {
namespace {

using nlohmann::json;

struct PlanOptions {
  std::string repository = ".";
  std::string from = "HEAD", to;
  std::string from_folder, to_folder;
  bool markdown = false;
  bool exit_code = false;
  std::string fail_on;
};

/// One side: a folder to load, and what to call it.
struct Source {
  std::string folder;
  std::string what;
};

/// What the server that --config speaks of loaded last.
Result<Source, std::string> find_running(const CliContext& context) {
  Diagnostics diagnostics;
  const std::string path = context.config.empty() ? "demarcd.yaml" : context.config;
  const auto config = read_daemon_config(path, diagnostics);
  if (!config) return std::unexpected(diagnostics.list().front().line());
  const std::string folder = config->state + "/last-good";
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) {
    return std::unexpected(folder +
                           " is not there; expected the copy that a running demarcd keeps "
                           "of what it loaded last");
  }
  return Source{folder, "what " + config->node + " loaded last"};
}

class PlanVerb {
 public:
  PlanVerb(CliContext& context, const PlanOptions& options)
      : context_(context), options_(options) {}

  void run() {
    auto from = find_source(options_.from, options_.from_folder);
    if (!from) return fail(context_, exit_usage, from.error());
    auto to = find_source(options_.to, options_.to_folder);
    if (!to) return fail(context_, exit_usage, to.error());
    zones::DiffSide old_side = load(*from);
    zones::DiffSide new_side = load(*to);
    if (!old_side.repository || !new_side.repository) return;
    const auto difference = zones::build_difference(old_side, new_side);
    const json plan = plan_json(difference, {from->what, old_side.repository->digest},
                                {to->what, new_side.repository->digest});
    if (context_.json) {
      fmt::print("{}\n", plan.dump(2));
    } else {
      fmt::print("{}", options_.markdown ? plan_markdown(plan) : plan_text(plan));
    }
    if (is_finding(difference, plan)) context_.exit_code = exit_finding;
  }

 private:
  Result<Source, std::string> find_source(const std::string& revision, const std::string& folder) {
    if (!folder.empty()) return Source{folder, folder};
    if (revision.empty()) return Source{options_.repository, "the working tree"};
    if (revision == "running") return find_running(context_);
    auto commit = find_commit(options_.repository, revision);
    if (!commit) return std::unexpected(commit.error());
    auto made = PrivateFolder::make();
    if (!made) return std::unexpected(made.error().text());
    const std::string target = made->path() + "/tree";
    std::error_code error;
    std::filesystem::create_directory(target, error);
    folders_.push_back(std::move(*made));
    const auto extracted = extract_commit(options_.repository, *commit, target);
    if (!extracted) return std::unexpected(revision + ": " + extracted.error());
    return Source{target, fmt::format("{} ({})", revision, commit->substr(0, 12))};
  }

  zones::DiffSide load(const Source& source) {
    Diagnostics diagnostics;
    zones::DiffSide side = load_side(source.folder, diagnostics);
    if (side.repository) return side;
    for (const Diagnostic& finding : diagnostics.list()) {
      note(context_, fmt::format("{}: {}", source.what, finding.line()));
    }
    fail(context_, exit_finding, fmt::format("{} does not load: no plan", source.what));
    return side;
  }

  bool is_finding(const zones::Difference& difference, const json& plan) const {
    if (difference.empty()) return false;
    if (options_.exit_code) return true;
    const auto gravest = difference.gravest();
    if (options_.fail_on == "legal") return gravest == zones::ChangeClass::legal;
    if (options_.fail_on == "traffic") return gravest >= zones::ChangeClass::traffic;
    if (options_.fail_on == "loosens") return plan.at("counts").at("loosens") != 0;
    return false;
  }

  CliContext& context_;
  const PlanOptions& options_;
  std::list<PrivateFolder> folders_;
};

}  // namespace

void add_plan_verbs(CLI::App& app, CliContext& context) {
  auto options = std::make_shared<PlanOptions>();
  auto* verb = app.add_subcommand("plan", "what would change between two states of a repository");
  verb->add_option("repository", options->repository, "its folder, inside a Git repository")
      ->capture_default_str();
  auto* from = verb->add_option("--from", options->from, "a Git revision, or `running`")
                   ->capture_default_str();
  auto* to = verb->add_option("--to", options->to, "a Git revision; left out: the working tree");
  verb->add_option("--from-dir", options->from_folder, "a folder instead of --from")
      ->excludes(from);
  verb->add_option("--to-dir", options->to_folder, "a folder instead of --to")->excludes(to);
  verb->add_flag("--markdown", options->markdown, "for a merge request");
  verb->add_flag("--exit-code", options->exit_code, "exit 1 if anything changes");
  verb->add_option("--fail-on", options->fail_on, "exit 1 if a change is as grave as this")
      ->check(CLI::IsMember({"traffic", "legal", "loosens"}));
  verb->callback([options, &context] { PlanVerb(context, *options).run(); });
}

}  // namespace demarc::tools
