// `demarc audit export`: all of a case in one folder that needs nothing beside it but the vkey.
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/audit_case.h"
#include "tools/audit_files.h"
#include "tools/cli_audit.h"
#include "zones/audit/trail.h"
#include "zones/audit/verify.h"
#include "zones/digest.h"

namespace demarc::tools {
namespace {

using namespace zones;

constexpr const char* readme =
    "entries.jsonl   the case's entries, as they stand in the logs\n"
    "proofs/N        that entry N is in the log (c2sp.org/tlog-proof)\n"
    "checkpoint      the signed head of the log (c2sp.org/tlog-checkpoint)\n"
    "policies/D      the policy that was in force where an entry's fact `policy` is D\n"
    "MANIFEST        SHA-256 of each file\n\n"
    "sha256sum -c MANIFEST\n"
    "demarc audit check-proof proofs/N --vkey VKEY     VKEY from the operator, not from here\n";

struct ExportOptions : TrailOptions {
  std::string case_id, out;
};

struct Found {
  std::vector<std::uint64_t> sequences;
  std::set<std::string> policies;
  std::string lines;
};

Result<Found, SystemError> find_case(const AuditFolders& folders, const std::string& case_id) {
  CaseFilter filter(case_id);
  const auto learnt =
      visit_audit(folders, [&](const ParsedEntry& parsed) { filter.learn(parsed.entry); });
  if (!learnt) return std::unexpected(learnt.error());
  Found found;
  const auto visited = visit_audit(folders, [&](const ParsedEntry& parsed) {
    if (!filter.has(parsed.entry)) return;
    found.sequences.push_back(parsed.place.sequence);
    found.policies.emplace(parsed.entry.fact("policy"));
    found.lines += render_entry(parsed.entry, parsed.place).text + '\n';
  });
  if (!visited) return std::unexpected(visited.error());
  found.policies.erase("");
  return found;
}

/// What goes out, by name; what is missing is said.
Result<std::map<std::string, std::string>, std::string> collect(const AuditFolders& folders,
                                                                const Found& found,
                                                                std::vector<std::string>& missing) {
  std::map<std::string, std::string> files{{"README.txt", readme}, {"entries.jsonl", found.lines}};
  for (const std::uint64_t sequence : found.sequences) {
    const auto proof = make_inclusion_proof(folders, sequence, std::nullopt);
    if (!proof) return std::unexpected(proof.error());
    files[fmt::format("proofs/{}.tlog-proof", sequence)] = write_tlog_proof(*proof);
    files["checkpoint"] = proof->checkpoint;
  }
  for (const std::string& digest : found.policies) {
    const std::string folder = policy_folder(folders.main, digest);
    std::error_code error;
    if (!std::filesystem::is_directory(folder, error)) missing.push_back("policy " + digest);
    for (const auto& item : std::filesystem::recursive_directory_iterator(folder, error)) {
      if (!item.is_regular_file()) continue;
      files["policies/" + digest + item.path().string().substr(folder.size())] =
          read_small(item.path().string());
    }
  }
  std::string manifest;
  for (const auto& [name, text] : files) manifest += sha256_hex(text) + "  " + name + "\n";
  files["MANIFEST"] = manifest;
  return files;
}

void run_export(CliContext& context, const ExportOptions& options) {
  const auto folders = audit_folders(context, options);
  if (!folders) return;
  std::error_code error;
  if (std::filesystem::exists(options.out, error)) {
    return fail(context, exit_usage, options.out + " exists; expected a new folder's name");
  }
  const auto report = verify_audit(*folders);
  if (!report) return fail(context, exit_finding, report.error().text());
  if (!report->findings.empty()) {
    return fail(context, exit_finding, "the trail is not whole: " + report->findings.front());
  }
  const auto found = find_case(*folders, options.case_id);
  if (!found) return fail(context, exit_finding, found.error().text());
  if (found->sequences.empty()) {
    return fail(context, exit_finding, "no entry belongs to the case " + options.case_id);
  }
  std::vector<std::string> missing;
  const auto files = collect(*folders, *found, missing);
  if (!files) return fail(context, exit_finding, files.error());
  for (const auto& [name, text] : *files) {
    const auto path = std::filesystem::path(options.out) / name;
    std::filesystem::create_directories(path.parent_path(), error);
    std::ofstream out(path, std::ios::binary);
    out << text << std::flush;
    if (!out) return fail(context, exit_finding, path.string() + ": it cannot be written");
  }
  for (const std::string& what : missing) fail(context, exit_finding, "missing: " + what);
  const std::string digest = sha256_hex(files->at("MANIFEST"));
  if (context.json) {
    fmt::print("{}\n", nlohmann::json{{"entries", found->sequences},
                                      {"files", files->size()},
                                      {"manifest-sha256", digest},
                                      {"missing", missing}}
                           .dump(2));
  } else {
    fmt::print("{}: {} entries, {} files, MANIFEST has SHA-256 {}\n", options.out,
               found->sequences.size(), files->size(), digest);
  }
}

}  // namespace

void add_export_verb(CLI::App& audit, CliContext& context) {
  auto options = std::make_shared<ExportOptions>();
  auto* verb = audit.add_subcommand("export", "all of a case in one folder, with proofs");
  add_trail_options(*verb, *options);
  verb->add_option("--case", options->case_id)->required();
  verb->add_option("--out", options->out, "a new folder")->required();
  verb->callback([options, &context] { run_export(context, *options); });
}

}  // namespace demarc::tools
