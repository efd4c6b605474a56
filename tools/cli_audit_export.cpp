// `demarc audit export`: all of a case in one folder or archive that needs nothing beside it but
// the vkey.
#include <algorithm>
#include <cctype>
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
#include "tools/ustar.h"
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
    "tokens/ID.jwt   the signed approvals, as they were presented\n"
    "MANIFEST        SHA-256 of each file\n\n"
    "sha256sum -c MANIFEST\n"
    "demarc audit check-proof proofs/N --vkey VKEY     VKEY from the operator, not from here\n"
    "demarc token verify tokens/ID.jwt --repository REPO --at TIME\n"
    "    REPO is the repository as it was, TIME its entry's; policies/D/keys has the public keys\n";

struct ExportOptions : TrailOptions {
  std::string case_id, out;
};

struct Found {
  std::vector<std::uint64_t> sequences;
  std::set<std::string> policies;
  std::map<std::string, std::string> tokens;  // by file name
  std::string lines;
};

/// A token's id is text from outside; what is no plain file name goes by its digest.
std::string token_file(const std::string& id) {
  constexpr std::size_t id_max = 80;
  const bool is_plain = !id.empty() && id.size() <= id_max && id.front() != '.' &&
                        std::ranges::all_of(id, [](unsigned char c) {
                          return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
                        });
  return "tokens/" + (is_plain ? id : "sha256-" + sha256_hex(id)) + ".jwt";
}

void take_tokens(const AuditEntry& entry, Found& found) {
  constexpr std::string_view prefix = "token-";
  for (const auto& [name, value] : entry.facts) {
    // `token-sha256` of a refused one is no token: those have two dots.
    if (!name.starts_with(prefix) || std::ranges::count(value, '.') != 2) continue;
    found.tokens[token_file(name.substr(prefix.size()))] = value;
  }
}

Result<Found, SystemError> find_case(const AuditFolders& folders, const std::string& case_id) {
  CaseFilter filter(case_id);
  const auto learnt =
      visit_audit(folders, [&](const ParsedEntry& parsed) { filter.learn(parsed); });
  if (!learnt) return std::unexpected(learnt.error());
  Found found;
  const auto visited = visit_audit(folders, [&](const ParsedEntry& parsed) {
    if (!filter.has(parsed)) return;
    found.sequences.push_back(parsed.place.sequence);
    found.policies.emplace(parsed.entry.fact("policy"));
    take_tokens(parsed.entry, found);
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
  files.insert(found.tokens.begin(), found.tokens.end());
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

/// A folder of the files, or an archive if its name ends in `.tar`; the error is a path.
Result<void, std::string> write_out(const std::string& where,
                                    const std::map<std::string, std::string>& files) {
  std::map<std::string, std::string> written;
  if (where.ends_with(".tar")) {
    auto archive = render_ustar(files);
    if (!archive) return std::unexpected(where + ": a name is too long for an archive");
    written[where] = std::move(*archive);
  } else {
    for (const auto& [name, text] : files) written[where + "/" + name] = text;
  }
  for (const auto& [path, text] : written) {
    std::error_code error;
    const auto folder = std::filesystem::path(path).parent_path();
    if (!folder.empty()) std::filesystem::create_directories(folder, error);
    std::ofstream out(path, std::ios::binary);
    out << text << std::flush;
    if (!out) return std::unexpected(path);
  }
  return {};
}

void run_export(CliContext& context, const ExportOptions& options) {
  const auto folders = audit_folders(context, options);
  if (!folders) return;
  std::error_code error;
  if (std::filesystem::exists(options.out, error)) {
    return fail(context, exit_usage, options.out + " exists; expected a new name");
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
  if (const auto written = write_out(options.out, *files); !written) {
    return fail(context, exit_finding, written.error() + ": it cannot be written");
  }
  if (!missing.empty()) context.exit_code = exit_finding;
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
    for (const std::string& what : missing) note(context, "missing: " + what);
  }
}

}  // namespace

void add_export_verb(CLI::App& audit, CliContext& context) {
  auto options = std::make_shared<ExportOptions>();
  auto* verb =
      audit.add_subcommand("export", "all of a case in one folder or archive, with proofs");
  add_trail_options(*verb, *options);
  verb->add_option("--case", options->case_id)->required();
  verb->add_option("--out", options->out, "a new folder, or an archive: X.tar")->required();
  verb->callback([options, &context] { run_export(context, *options); });
}

}  // namespace demarc::tools
