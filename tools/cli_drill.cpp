// `demarc drill`: run a scenario, show and sign its report, send it to a server, see what is due.
// tools/drill_live.h runs the live ones.
#include <cstdio>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "tools/cli.h"
#include "tools/clock.h"
#include "tools/daemon_config.h"
#include "tools/drill_evidence.h"
#include "tools/drill_files.h"
#include "tools/drill_live.h"
#include "zones/drill/report_html.h"
#include "zones/drill/report_json.h"
#include "zones/drill/report_markdown.h"
#include "zones/drill/shadow.h"
#include "zones/jws.h"
#include "zones/repository.h"
#include "zones/signoff.h"
#include "zones/state_store.h"
#include "zones/time_text.h"

namespace demarc::tools {
namespace {

using namespace zones::drill;
using nlohmann::json;

struct RunOptions {
  std::string scenario, repository, report_folder, started, dns;
  std::uint64_t seed = 1;
  bool live = false;
  std::vector<std::string> tokens;
};

/// `--repository`, or the one of demarcd's configuration.
std::optional<std::string> find_repository(CliContext& context, const std::string& given) {
  if (!given.empty()) return given;
  Diagnostics diagnostics;
  const std::string path = context.config.empty() ? "demarcd.yaml" : context.config;
  if (const auto config = read_daemon_config(path, diagnostics)) return config->repository;
  fail(context, exit_usage, "no repository: expected --repository DIR or --config demarcd.yaml");
  return std::nullopt;
}

std::optional<std::vector<std::string>> read_tokens(CliContext& context,
                                                    const std::vector<std::string>& paths) {
  std::vector<std::string> tokens;
  for (const std::string& path : paths) {
    auto token = read_input(path, zones::token_bytes_max);
    if (!token) {
      fail(context, exit_usage, "cannot read " + path);
      return std::nullopt;
    }
    tokens.push_back(std::move(*token));
  }
  return tokens;
}

/// Prints what a run came to, writes its files; the exit code says whether it passed.
void conclude(CliContext& context, const Report& report, const std::string& folder) {
  if (!folder.empty()) {
    const auto paths = write_reports(report, folder);
    if (!paths) return fail(context, exit_finding, paths.error().text());
    for (const std::string& path : *paths) fmt::print(stderr, "{}\n", path);
  }
  fmt::print("{}", context.json ? write_report(report) : summary_text(report));
  if (!report.passed) context.exit_code = exit_finding;
}

Result<Report, std::string> run_in_shadow(DrillFiles files, WallTime started, std::uint64_t seed) {
  auto evidence = make_evidence(files.scenario, *files.repository, seed);
  return run_shadow({.scenario = files.scenario,
                     .repository = std::move(files.repository),
                     .evidence = std::move(evidence),
                     .token_files = std::move(files.token_files),
                     .started = started,
                     .seed = seed,
                     .scenario_digest = files.scenario_digest});
}

void run(CliContext& context, const RunOptions& options) {
  const auto repository = find_repository(context, options.repository);
  if (!repository) return;
  auto started = std::chrono::floor<Seconds>(read_clocks().wall);
  if (!options.started.empty()) {
    const auto given = zones::parse_rfc3339(options.started);
    if (!given)
      return fail(context, exit_usage, "--start: expected a time as 2026-11-23T02:10:00Z");
    started = std::chrono::floor<Seconds>(*given);
  }
  auto files = load_drill(options.scenario, *repository, options.live);
  if (!files) {
    for (const std::string& line : files.error()) note(context, line);
    return fail(context, exit_finding, options.scenario + " cannot be run");
  }
  for (const std::string& line : files->warnings) note(context, line);
  if (!options.live) {
    const auto report = run_in_shadow(std::move(*files), started, options.seed);
    if (!report) return fail(context, exit_finding, report.error());
    return conclude(context, *report, options.report_folder);
  }
  const auto tokens = read_tokens(context, options.tokens);
  if (!tokens) return;
  const auto ask = [&context](const json& request) { return ask_server(context, request); };
  const auto report =
      run_live({.files = *files, .tokens = *tokens, .ask = ask, .say = [](const std::string& line) {
                  fmt::print(stderr, "{}\n", line);
                }});
  if (!report) return fail(context, exit_finding, report.error());
  conclude(context, *report, options.report_folder);
}

void add_run(CLI::App& drill, CliContext& context) {
  auto options = std::make_shared<RunOptions>();
  auto* verb = drill.add_subcommand("run", "play a scenario: in shadow, or live on a server");
  verb->add_option("scenario", options->scenario, "a scenario file")->required();
  verb->add_option("--repository", options->repository, "left out: demarcd's own");
  verb->add_option("--report-dir", options->report_folder,
                   "where the report goes as JSON, Markdown and HTML");
  auto* live = verb->add_flag("--live", options->live, "on the running server, for real");
  verb->add_option("--token", options->tokens, "a drill token, for --live")->needs(live);
  verb->add_option("--seed", options->seed, "of the probes' phases, in shadow")
      ->excludes(live)
      ->capture_default_str();
  verb->add_option("--start", options->started, "the virtual clock's start, in shadow; now")
      ->excludes(live);
  verb->callback([options, &context] { run(context, *options); });
}

void add_check(CLI::App& drill, CliContext& context) {
  auto options = std::make_shared<RunOptions>();
  auto* verb = drill.add_subcommand("check", "find what is wrong in a scenario");
  verb->add_option("scenario", options->scenario, "a scenario file")->required();
  verb->add_option("--repository", options->repository, "left out: demarcd's own");
  verb->add_flag("--live", options->live, "also whether it can be run live");
  verb->callback([options, &context] {
    const auto repository = find_repository(context, options->repository);
    if (!repository) return;
    const auto files = load_drill(options->scenario, *repository, options->live);
    const auto& lines = files ? files->warnings : files.error();
    for (const std::string& line : lines) fmt::print("{}\n", line);
    if (files) return fmt::print("{} is fine\n", options->scenario);
    context.exit_code = exit_finding;
  });
}

std::optional<Report> read_report_file(CliContext& context, const std::string& path) {
  const auto text = read_input(path, report_bytes_max);
  if (!text) {
    fail(context, exit_usage, "cannot read " + path);
    return std::nullopt;
  }
  auto report = parse_report(*text);
  if (report) return std::move(*report);
  fail(context, exit_finding, path + ": " + report.error());
  return std::nullopt;
}

void add_report(CLI::App& drill, CliContext& context) {
  struct Options {
    std::string path;
    bool html = false, markdown = false;
  };
  auto options = std::make_shared<Options>();
  auto* verb = drill.add_subcommand("report", "show a report again");
  verb->add_option("report", options->path, "a report's JSON file")->required();
  auto* html = verb->add_flag("--html", options->html, "as one page with a timeline");
  verb->add_flag("--markdown", options->markdown, "as Markdown")->excludes(html);
  verb->callback([options, &context] {
    const auto report = read_report_file(context, options->path);
    if (!report) return;
    fmt::print("{}", options->html       ? render_html(*report)
                     : options->markdown ? render_markdown(*report)
                     : context.json      ? write_report(*report)
                                         : summary_text(*report));
  });
}

struct SignOptions {
  std::string path, repository;
  std::vector<std::string> tokens;
};

/// Sign-offs are checked against the policy before they go into the file; the server checks again.
void sign(CliContext& context, const SignOptions& options) {
  auto report = read_report_file(context, options.path);
  const auto folder = find_repository(context, options.repository);
  if (!report || !folder) return;
  const auto tokens = read_tokens(context, options.tokens);
  if (!tokens) return;
  Diagnostics diagnostics;
  const auto repository = zones::load_repository(*folder, diagnostics);
  if (!repository || !repository->policy.approvals) {
    return fail(context, exit_finding, *folder + " has no policy with approvals that loads");
  }
  std::vector<std::string> all;
  for (const SignOff& known : report->sign_offs) all.push_back(known.token);
  all.insert(all.end(), tokens->begin(), tokens->end());
  const auto signatures =
      zones::check_signoff(all, {.type = zones::TokenType::drill,
                                 .approvals = *repository->policy.approvals,
                                 .required = report->sign_off,
                                 .what = sign_off_subject(report->scenario, report_digest(*report)),
                                 .now = read_clocks().wall,
                                 .is_used = {},
                                 .is_revoked = {}});
  if (!signatures) {
    return fail(
        context, exit_finding,
        fmt::format("refused: [{}] {}", to_text(signatures.error().kind), signatures.error().text));
  }
  report->sign_offs.clear();
  for (const zones::Signature& s : *signatures) {
    report->sign_offs.push_back({s.person, s.role, s.key_id, s.token_id, s.token});
  }
  const auto written = zones::replace_file(options.path, write_report(*report));
  if (!written) return fail(context, exit_finding, written.error().text());
  fmt::print("{} is signed off by {} persons\n", options.path, report->sign_offs.size());
}

void record(CliContext& context, const SignOptions& options) {
  const auto report = read_report_file(context, options.path);
  if (!report) return;
  auto tokens = read_tokens(context, options.tokens);
  if (!tokens) return;
  for (const SignOff& known : report->sign_offs) tokens->push_back(known.token);
  json sign_off = json::object();
  for (const auto& [role, persons] : report->sign_off) sign_off[role] = persons;
  const auto answer = ask_server(
      context, {{"verb", "drill-record"},
                {"name", report->scenario},
                {"how", report->how},
                {"passed", report->passed},
                {"digest", report_digest(*report)},
                {"ended", zones::to_rfc3339(report->started + report->lasted)},
                {"sign-off", sign_off},
                {"participants", fmt::format("{}", fmt::join(report->participants, ", "))},
                {"tokens", *tokens}});
  if (answer) fmt::print("{}\n", context.json ? answer->dump(2) : answer->value("text", "done"));
}

void add_sign(CLI::App& drill, CliContext& context) {
  auto options = std::make_shared<SignOptions>();
  auto* verb = drill.add_subcommand("sign", "put sign-off tokens into a report");
  verb->add_option("report", options->path, "a report's JSON file")->required();
  verb->add_option("--token", options->tokens, "a file with a drill token")->required();
  verb->add_option("--repository", options->repository, "left out: demarcd's own");
  verb->callback([options, &context] { sign(context, *options); });

  auto record_options = std::make_shared<SignOptions>();
  auto* recorded = drill.add_subcommand("record", "send a signed report to the server's trail");
  recorded->add_option("report", record_options->path, "a report's JSON file")->required();
  recorded->add_option("--token", record_options->tokens, "a file with one more sign-off token");
  recorded->callback([record_options, &context] { record(context, *record_options); });
}

/// A verb that asks the server and prints one sentence.
void add_asking(CLI::App& drill, CliContext& context, const std::string& name,
                const std::string& help, const char* verb_name) {
  drill.add_subcommand(name, help)->callback([verb_name, &context] {
    const auto answer = ask_server(context, {{"verb", verb_name}});
    if (!answer) return;
    fmt::print("{}\n", context.json ? answer->dump(2) : answer->value("text", "done"));
    // Overdue is a finding, so that a cron job notices.
    if (answer->value("overdue", false)) context.exit_code = exit_finding;
  });
}

}  // namespace

void add_drill_verbs(CLI::App& app, CliContext& context) {
  auto* drill = app.add_subcommand("drill", "rehearse the loss of endpoints, and prove it");
  drill->require_subcommand(1);
  add_run(*drill, context);
  add_check(*drill, context);
  add_report(*drill, context);
  add_sign(*drill, context);
  add_asking(*drill, context, "status", "whether a live drill runs", "drill-status");
  add_asking(*drill, context, "stop", "end the live drill now", "drill-end");
  add_asking(*drill, context, "due", "when the last drill passed; exit 1 if the next is overdue",
             "drill-due");
}

}  // namespace demarc::tools
