// `demarc audit`: the audit trail, from its files alone. Needs no server.
#include <cstdio>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/cli.h"
#include "tools/daemon_config.h"
#include "zones/audit/verify.h"
#include "zones/time_text.h"

namespace demarc::tools {
namespace {

using nlohmann::json;
using namespace zones;

std::optional<std::string> audit_folder(CliContext& context, const std::string& given) {
  if (!given.empty()) return given;
  Diagnostics diagnostics;
  const auto config =
      read_daemon_config(context.config.empty() ? "demarcd.yaml" : context.config, diagnostics);
  if (config) return config->audit;
  for (const Diagnostic& d : diagnostics.list()) fmt::print(stderr, "{}\n", d.line());
  fail(context, exit_usage, "no audit folder: expected it as argument, or --config demarcd.yaml");
  return std::nullopt;
}

void verify(CliContext& context, const std::string& given) {
  const auto folder = audit_folder(context, given);
  if (!folder) return;
  const auto report = verify_audit(*folder);
  if (!report) return fail(context, exit_finding, report.error().text());
  if (context.json) {
    fmt::print("{}\n", json{{"ok", report->findings.empty()},
                            {"entries", report->entries},
                            {"root", to_hex(report->root)},
                            {"findings", report->findings}}
                           .dump(2));
  } else {
    for (const std::string& finding : report->findings) fmt::print("{}\n", finding);
    fmt::print("{} entries, tree root {}, {}\n", report->entries, to_hex(report->root),
               report->findings.empty() ? std::string("whole")
                                        : fmt::format("{} finding(s)", report->findings.size()));
  }
  if (!report->findings.empty()) context.exit_code = exit_finding;
}

struct ShowOptions {
  std::string folder, kind, service;
};

void show(CliContext& context, const ShowOptions& options) {
  const auto folder = audit_folder(context, options.folder);
  if (!folder) return;
  json list = json::array();
  const auto visited = visit_audit(*folder, [&](const ParsedEntry& parsed) {
    const AuditEntry& entry = parsed.entry;
    if (!options.kind.empty() && entry.kind != options.kind) return;
    if (!options.service.empty() && entry.fact("service") != options.service) return;
    if (context.json) {
      json facts = json::object();
      for (const auto& [name, value] : entry.facts) facts[name] = value;
      list.push_back({{"seq", parsed.place.sequence},
                      {"time", to_rfc3339(entry.time)},
                      {"node", parsed.place.node},
                      {"kind", entry.kind},
                      {"jurisdiction", entry.jurisdiction},
                      {"facts", facts}});
      return;
    }
    fmt::print("{:>6} {} {:<4} {}\n", parsed.place.sequence, to_rfc3339(entry.time),
               entry.jurisdiction, entry.kind);
    for (const auto& [name, value] : entry.facts) {
      if (name == "policy" || name == "configuration") continue;
      fmt::print("         {}: {}\n", name, value);
    }
  });
  if (!visited) return fail(context, exit_finding, visited.error().text());
  if (context.json) fmt::print("{}\n", list.dump(2));
}

}  // namespace

void add_audit_verbs(CLI::App& app, CliContext& context) {
  auto* audit = app.add_subcommand("audit", "the audit trail, from its files");
  audit->require_subcommand(1);
  auto options = std::make_shared<ShowOptions>();
  auto* verify_verb = audit->add_subcommand("verify", "is it whole? exit 1 if not");
  verify_verb->add_option("folder", options->folder, "left out: the configuration's");
  verify_verb->callback([options, &context] { verify(context, options->folder); });
  auto* show_verb = audit->add_subcommand("show", "its entries");
  show_verb->add_option("folder", options->folder, "left out: the configuration's");
  show_verb->add_option("--kind", options->kind, "of this kind alone");
  show_verb->add_option("--service", options->service, "of this service alone");
  show_verb->callback([options, &context] { show(context, *options); });
}

}  // namespace demarc::tools
