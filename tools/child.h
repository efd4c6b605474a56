// One program run to its end, without a shell: what it wrote comes back as text.
// tools/plan_source.h runs git with it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "geo/base/result.h"

namespace demarc::tools {

/// More output than this is an error: a revision's name or an error text is short.
inline constexpr std::size_t child_output_max = std::size_t{1} << 20U;

struct ChildResult {
  int exit_code = 0;  // 128 and the signal, if one ended it
  std::string out, err;
};

/// `argv[0]` is looked up in PATH; `environment` is set on top of ours. Waits until it ends.
[[nodiscard]] Result<ChildResult, SystemError> run_child(
    const std::vector<std::string>& argv, const std::map<std::string, std::string>& environment);

}  // namespace demarc::tools
