// `demarc audit`: the audit trail, from its files alone. Needs no server.
#include <algorithm>
#include <cstdio>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/audit_case.h"
#include "tools/cli_audit.h"
#include "tools/daemon_config.h"
#include "zones/audit/trail.h"
#include "zones/audit/verify.h"
#include "zones/time_text.h"

namespace demarc::tools {
namespace {

using nlohmann::json;
using namespace zones;

struct ShowOptions : TrailOptions {
  std::string kind, service, case_id, since, until;
  std::optional<std::uint64_t> sequence;
};

void verify(CliContext& context, const ShowOptions& options) {
  const auto folders = audit_folders(context, options);
  const auto verifiers = given_verifiers(context, options);
  if (!folders || !verifiers) return;
  VerifyOptions how{.verifiers = *verifiers};
  for (const std::string& path : options.checkpoints) {
    auto note = read_input(path, note_bytes_max);
    if (!note) return fail(context, exit_usage, path + ": it cannot be read");
    how.outside.push_back(std::move(*note));
  }
  const auto report = verify_audit(*folders, how);
  if (!report) return fail(context, exit_finding, report.error().text());
  if (context.json) {
    fmt::print("{}\n", json{{"ok", report->findings.empty()},
                            {"entries", report->entries},
                            {"root", to_hex(report->root)},
                            {"checkpoints", report->checkpoints},
                            {"covered", report->covered},
                            {"removed", report->removed},
                            {"key-pinned", !options.vkey.empty()},
                            {"findings", report->findings}}
                           .dump(2));
  } else {
    for (const std::string& finding : report->findings) fmt::print("{}\n", finding);
    fmt::print("{} entries, tree root {}, {}\n", report->entries, to_hex(report->root),
               report->findings.empty() ? std::string("whole")
                                        : fmt::format("{} finding(s)", report->findings.size()));
    fmt::print("{} checkpoints, the newest over {} entries; {} details removed by retention{}\n",
               report->checkpoints, report->covered, report->removed,
               options.vkey.empty() ? "; key as the trail names it, --vkey pins it" : "");
  }
  if (!report->findings.empty()) context.exit_code = exit_finding;
}

void print(const ParsedEntry& parsed) {
  const AuditEntry& entry = parsed.entry;
  fmt::print("{:>6} {} {:<4} {}\n", parsed.place.sequence, to_rfc3339(entry.time),
             entry.jurisdiction, entry.kind);
  for (const auto& [name, value] : entry.facts) {
    if (name == "policy" || name == "configuration") continue;
    fmt::print("         {}: {}\n", name, value);
  }
}

json to_json(const ParsedEntry& parsed) {
  json facts = json::object();
  for (const auto& [name, value] : parsed.entry.facts) facts[name] = value;
  return {{"seq", parsed.place.sequence},
          {"time", to_rfc3339(parsed.entry.time)},
          {"node", parsed.place.node},
          {"kind", parsed.entry.kind},
          {"jurisdiction", parsed.entry.jurisdiction},
          {"facts", facts}};
}

void show(CliContext& context, const ShowOptions& options) {
  const auto folders = audit_folders(context, options);
  if (!folders) return;
  const auto since = parse_rfc3339(options.since), until = parse_rfc3339(options.until);
  if ((!since && !options.since.empty()) || (!until && !options.until.empty())) {
    return fail(context, exit_usage, "expected a time such as 2026-11-23T02:10:00Z");
  }
  CaseFilter filter(options.case_id);
  if (!options.case_id.empty()) {
    const auto learnt =
        visit_audit(*folders, [&](const ParsedEntry& parsed) { filter.learn(parsed); });
    if (!learnt) return fail(context, exit_finding, learnt.error().text());
  }
  json list = json::array();
  const auto visited = visit_audit(*folders, [&](const ParsedEntry& parsed) {
    const AuditEntry& entry = parsed.entry;
    if (!options.kind.empty() && entry.kind != options.kind) return;
    if (!options.service.empty() && entry.fact("service") != options.service) return;
    if (options.sequence && parsed.place.sequence != *options.sequence) return;
    if ((since && entry.time < *since) || (until && entry.time >= *until)) return;
    if (!filter.has(parsed)) return;
    if (context.json) {
      list.push_back(to_json(parsed));
    } else {
      print(parsed);
    }
  });
  if (!visited) return fail(context, exit_finding, visited.error().text());
  if (context.json) fmt::print("{}\n", list.dump(2));
}

}  // namespace

std::optional<AuditFolders> audit_folders(CliContext& context, const TrailOptions& options) {
  AuditFolders folders{options.folder, {}};
  for (const std::string& text : options.jurisdictions) {
    const auto equals = text.find('=');
    if (equals == std::string::npos) {
      fail(context, exit_usage, "--jurisdiction is `" + text + "`, expected NAME=FOLDER");
      return std::nullopt;
    }
    folders.by_jurisdiction[text.substr(0, equals)] = text.substr(equals + 1);
  }
  if (!options.folder.empty()) return folders;
  Diagnostics diagnostics;
  const auto config =
      read_daemon_config(context.config.empty() ? "demarcd.yaml" : context.config, diagnostics);
  if (config) return AuditFolders{config->audit, config->trail.jurisdictions};
  for (const Diagnostic& d : diagnostics.list()) note(context, d.line());
  fail(context, exit_usage, "no audit folder: expected it as argument, or --config demarcd.yaml");
  return std::nullopt;
}

std::optional<std::vector<NoteVerifier>> given_verifiers(CliContext& context,
                                                         const TrailOptions& options) {
  if (options.vkey.empty()) return std::vector<NoteVerifier>{};
  const std::string file = read_small(options.vkey);
  auto verifiers = read_verifiers(file.empty() ? options.vkey : file);
  if (verifiers && !verifiers->empty()) return std::move(*verifiers);
  fail(context, exit_usage,
       "--vkey: " + (verifiers ? std::string("it is empty") : verifiers.error()));
  return std::nullopt;
}

void add_trail_options(CLI::App& verb, TrailOptions& options) {
  verb.add_option("folder", options.folder, "left out: the configuration's");
  verb.add_option("--jurisdiction", options.jurisdictions, "NAME=FOLDER of a log elsewhere");
  verb.add_option("--vkey", options.vkey, "file or text; left out: the trail's own audit.vkey");
}

void add_audit_verbs(CLI::App& app, CliContext& context) {
  auto* audit = app.add_subcommand("audit", "the audit trail, from its files");
  audit->require_subcommand(1);
  auto options = std::make_shared<ShowOptions>();
  auto* verify_verb = audit->add_subcommand("verify", "is it whole? exit 1 if not");
  add_trail_options(*verify_verb, *options);
  verify_verb->add_option("--checkpoint", options->checkpoints, "one that was kept elsewhere");
  verify_verb->callback([options, &context] { verify(context, *options); });
  auto* show_verb = audit->add_subcommand("show", "its entries");
  add_trail_options(*show_verb, *options);
  show_verb->add_option("--kind", options->kind, "of this kind alone");
  show_verb->add_option("--service", options->service, "of this service alone");
  show_verb->add_option("--case", options->case_id, "of this case, its grants and changes");
  show_verb->add_option("--since", options->since, "RFC 3339, UTC");
  show_verb->add_option("--until", options->until, "RFC 3339, UTC, exclusive");
  show_verb->add_option("--seq", options->sequence, "this one alone");
  show_verb->callback([options, &context] { show(context, *options); });
  add_proof_verbs(*audit, context);
  add_history_verbs(*audit, context);
  add_export_verb(*audit, context);
}

}  // namespace demarc::tools
