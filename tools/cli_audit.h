// What the verbs of `demarc audit` share. tools/cli_audit.cpp has verify and show,
// tools/cli_audit_prove.cpp the proofs, tools/cli_audit_history.cpp history,
// tools/cli_audit_export.cpp export.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/cli.h"
#include "zones/audit/folders.h"
#include "zones/audit/note.h"

namespace demarc::tools {

/// The folders given as `FOLDER` and `--jurisdiction NAME=FOLDER`, else the configuration's.
struct TrailOptions {
  std::string folder, vkey;
  std::vector<std::string> jurisdictions, checkpoints;
};
[[nodiscard]] std::optional<zones::AuditFolders> audit_folders(CliContext& context,
                                                               const TrailOptions& options);
/// `--vkey` as a file or as text; left out: none. Nothing comes back if it is wrong.
[[nodiscard]] std::optional<std::vector<zones::NoteVerifier>> given_verifiers(
    CliContext& context, const TrailOptions& options);
void add_trail_options(CLI::App& verb, TrailOptions& options);

void add_proof_verbs(CLI::App& audit, CliContext& context);
void add_history_verbs(CLI::App& audit, CliContext& context);
void add_export_verb(CLI::App& audit, CliContext& context);

}  // namespace demarc::tools
