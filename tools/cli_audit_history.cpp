// `demarc audit history`: was this name ever answered outside home?
#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/cli_audit.h"
#include "zones/audit/history.h"
#include "zones/audit/retention.h"
#include "zones/audit/verify.h"
#include "zones/time_text.h"

namespace demarc::tools {
namespace {

using namespace zones;

struct HistoryOptions : TrailOptions {
  std::string name, tenant, from, to;
};

void print(const CliContext& context, const std::vector<Interval>& intervals,
           const std::string& verdict, bool ever) {
  if (context.json) {
    nlohmann::json list = nlohmann::json::array();
    for (const Interval& i : intervals) {
      list.push_back({{"from", to_rfc3339(i.from)},
                      {"to", to_rfc3339(i.to)},
                      {"what", i.what},
                      {"outside", i.is_outside},
                      {"unknown", i.is_unknown},
                      {"entries", i.entries}});
    }
    fmt::print(
        "{}\n",
        nlohmann::json{{"intervals", list}, {"ever-outside", ever}, {"verdict", verdict}}.dump(2));
    return;
  }
  for (const Interval& i : intervals) {
    fmt::print("{} - {}  {}\n", to_rfc3339(i.from), to_rfc3339(i.to), i.what);
  }
  fmt::print("{}\n", verdict);
}

/// The last entry of any log whose detail is gone.
std::optional<std::uint64_t> last_removed(const AuditFolders& folders) {
  std::optional<std::uint64_t> last;
  for (const auto& [log, sequence] : removed_of(list_logs(folders))) {
    last = std::max(last.value_or(0), sequence);
  }
  return last;
}

void history(CliContext& context, const HistoryOptions& options) {
  const auto folders = audit_folders(context, options);
  const auto verifiers = given_verifiers(context, options);
  if (!folders || !verifiers) return;
  const auto from = parse_rfc3339(options.from), to = parse_rfc3339(options.to);
  if (!from || !to || *from >= *to) {
    return fail(context, exit_usage,
                "--from and --to: expected times such as 2026-11-23T02:10:00Z");
  }
  const auto report = verify_audit(*folders, {.verifiers = *verifiers});
  if (!report) return fail(context, exit_finding, report.error().text());
  if (!report->findings.empty()) {
    return fail(context, exit_finding,
                "the trail is not whole, so it says nothing: " + report->findings.front());
  }
  if (report->removed != 0) {
    fmt::print(stderr, "{} entries were removed by retention; what they told is not known\n",
               report->removed);
  }
  std::string name = options.name;
  if (name.ends_with('.')) name.pop_back();
  History history(name, options.tenant, *from, *to, last_removed(*folders));
  std::optional<WallTime> first;
  WallTime last{};
  const auto visited = visit_audit(*folders, [&](const ParsedEntry& entry) {
    if (!first) first = entry.entry.time;
    last = entry.entry.time;
    history.add(entry);
  });
  if (!visited) return fail(context, exit_finding, visited.error().text());
  const auto intervals = history.finish();
  const bool ever = std::ranges::any_of(intervals, &Interval::is_outside);
  std::string verdict =
      fmt::format("{} was {} outside home between {} and {}", name,
                  ever ? "answered" : "never answered", to_rfc3339(*from), to_rfc3339(*to));
  const bool is_partly_gone = std::ranges::any_of(intervals, &Interval::is_removed);
  if (!ever && is_partly_gone) verdict += ", as far as details are left";
  const bool says_nothing = !ever && std::ranges::all_of(intervals, &Interval::is_unknown);
  if (says_nothing) verdict = "the trail says nothing of " + name + " in that time";
  if (*to > last) {
    verdict += fmt::format(" (the trail tells until {})", to_rfc3339(last));
  }
  print(context, intervals, verdict, ever);
  if (ever || says_nothing || is_partly_gone) context.exit_code = exit_finding;
}

}  // namespace

void add_history_verbs(CLI::App& audit, CliContext& context) {
  auto options = std::make_shared<HistoryOptions>();
  auto* verb = audit.add_subcommand("history", "was a name answered outside home? exit 1 if so");
  add_trail_options(*verb, *options);
  verb->add_option("--name", options->name)->required();
  verb->add_option("--tenant", options->tenant);
  verb->add_option("--from", options->from, "RFC 3339, UTC")->required();
  verb->add_option("--to", options->to, "RFC 3339, UTC")->required();
  verb->callback([options, &context] { history(context, *options); });
}

}  // namespace demarc::tools
