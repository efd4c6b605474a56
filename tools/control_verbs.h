// What can be asked over the control socket: one JSON object with `verb` and its arguments, one
// back with `ok`, and `error` or what was asked for. tools/cli_online.cpp is the other end.
#pragma once

#include <string>

namespace demarc::tools {

class Daemon;

/// Any text; a bad one gets an error. `who` is the peer's user name, for the audit trail.
[[nodiscard]] std::string answer_control(Daemon& daemon, const std::string& request,
                                         const std::string& who);

}  // namespace demarc::tools
