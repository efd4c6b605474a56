// A plain ustar archive (POSIX.1-1988) of texts, byte for byte the same for the same texts.
// tools/cli_audit_export.cpp writes a case with it.
#pragma once

#include <map>
#include <optional>
#include <string>

namespace demarc::tools {

/// The whole archive in memory: regular files, mode 0644, no owner, time 0. Nothing if a name fits
/// into no header (100 bytes, or 155 more before a slash) or a text is 8 GiB or more.
[[nodiscard]] std::optional<std::string> render_ustar(
    const std::map<std::string, std::string>& files);

}  // namespace demarc::tools
