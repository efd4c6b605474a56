// What the verbs about tokens share. tools/cli_token.cpp makes tokens, tools/cli_token_verify.cpp
// says what they would do.
#pragma once

#include <memory>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "tools/cli.h"
#include "zones/model.h"
#include "zones/token.h"

namespace demarc::tools {

/// A repository whose policy has approvals; null if it does not load, which was said.
[[nodiscard]] std::unique_ptr<zones::Repository> load_for_tokens(CliContext& context,
                                                                 const std::string& folder);
[[nodiscard]] nlohmann::json claims_json(const zones::Claims& claims);

void add_token_verify(CLI::App& token, CliContext& context);
void add_key_verbs(CLI::App& app, CliContext& context);

}  // namespace demarc::tools
