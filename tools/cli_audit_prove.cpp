// `demarc audit key|checkpoints|prove|check-proof`: what a third party needs.
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/cli_audit.h"
#include "zones/audit/proof_file.h"
#include "zones/audit/trail.h"

namespace demarc::tools {
namespace {

using namespace zones;

constexpr std::size_t proof_bytes_max = std::size_t{1} << 20;

struct ProveOptions : TrailOptions {
  std::optional<std::uint64_t> sequence, size, from_size, to_size;
  bool text = false;
  std::string file;
};

void key(CliContext& context, const ProveOptions& options) {
  const auto folders = audit_folders(context, options);
  if (!folders) return;
  const std::string text = read_small(folders->path_of(vkey_file));
  if (text.empty()) return fail(context, exit_finding, "the trail has no log key yet");
  if (context.json) {
    nlohmann::json list = nlohmann::json::array();
    if (const auto keys = read_verifiers(text)) {
      for (const NoteVerifier& verifier : *keys) list.push_back(verifier.text());
    }
    fmt::print("{}\n", list.dump(2));
  } else {
    fmt::print("{}", text);
  }
}

void checkpoints(CliContext& context, const ProveOptions& options) {
  const auto folders = audit_folders(context, options);
  if (!folders) return;
  const auto files = open_trail(*folders);
  if (!files) return fail(context, exit_finding, files.error().text());
  fmt::print("{}", files->checkpoints);
}

void prove(CliContext& context, const ProveOptions& options) {
  const auto folders = audit_folders(context, options);
  if (!folders) return;
  if (options.sequence.has_value() == options.from_size.has_value()) {
    return fail(context, exit_usage, "expected either --seq or --from-size");
  }
  if (options.from_size) {
    const auto proof = make_consistency_proof(*folders, *options.from_size, options.to_size);
    if (!proof) return fail(context, exit_finding, proof.error());
    return fmt::print("{}", write_json(*proof));
  }
  const auto proof = make_inclusion_proof(*folders, *options.sequence, options.size);
  if (!proof) return fail(context, exit_finding, proof.error());
  fmt::print("{}", options.text ? write_tlog_proof(*proof) : write_json(*proof));
}

void check(CliContext& context, const ProveOptions& options) {
  const auto verifiers = given_verifiers(context, options);
  const auto text = read_input(options.file, proof_bytes_max);
  if (!verifiers) return;
  if (!text) return fail(context, exit_usage, options.file + ": it cannot be read");
  const auto proof = parse_proof(*text);
  if (!proof) return fail(context, exit_finding, options.file + ": " + proof.error());
  const auto says = check_proof(*proof, *verifiers);
  if (context.json) {
    fmt::print(
        "{}\n",
        nlohmann::json{{"ok", says.has_value()}, {"text", says ? *says : says.error()}}.dump(2));
    if (!says) context.exit_code = exit_finding;
    return;
  }
  if (!says) return fail(context, exit_finding, "the proof does not hold: " + says.error());
  fmt::print("{}\n", *says);
}

}  // namespace

void add_proof_verbs(CLI::App& audit, CliContext& context) {
  auto options = std::make_shared<ProveOptions>();
  auto* key_verb = audit.add_subcommand("key", "the log key's vkey: keep it elsewhere");
  auto* list_verb = audit.add_subcommand("checkpoints", "the signed checkpoints, oldest first");
  auto* prove_verb = audit.add_subcommand("prove", "a proof for who does not have the trail");
  for (auto* verb : {key_verb, list_verb, prove_verb}) add_trail_options(*verb, *options);
  prove_verb->add_option("--seq", options->sequence, "that this entry is in the log");
  prove_verb->add_option("--size", options->size, "under the checkpoint of so many entries");
  prove_verb->add_option("--from-size", options->from_size, "that the log of so many entries");
  prove_verb->add_option("--to-size", options->to_size, "only grew to one of so many");
  prove_verb->add_flag("--text", options->text, "c2sp.org/tlog-proof instead of JSON");
  key_verb->callback([options, &context] { key(context, *options); });
  list_verb->callback([options, &context] { checkpoints(context, *options); });
  prove_verb->callback([options, &context] { prove(context, *options); });
  auto* check_verb = audit.add_subcommand("check-proof", "does it hold? needs no trail");
  check_verb->add_option("file", options->file, "- for standard input")->required();
  check_verb->add_option("--vkey", options->vkey, "file or text")->required();
  check_verb->callback([options, &context] { check(context, *options); });
}

}  // namespace demarc::tools
