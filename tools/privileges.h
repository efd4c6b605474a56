// What the process may do: who demarcd is once its sockets are bound, a user of its own without
// capabilities, and how many descriptors it may have.
// tools/daemon.cpp gives up its privileges before the first thread and the first file.
#pragma once

#include <cstddef>
#include <string>

#include "geo/base/result.h"

namespace demarc::tools {

/// Becomes `user` with that user's groups, for good, and forbids this process and its children to
/// gain anything by a program's file mode (prctl(2), PR_SET_NO_NEW_PRIVS). Nobody is changed to if
/// `user` is empty or who runs this already. Errors: no such user; not started as root; the user is
/// root. Before threads are started.
[[nodiscard]] Result<void, std::string> give_up_privileges(const std::string& user);

/// "root", or "user 1001" if it has no name: who runs this now.
[[nodiscard]] std::string current_user();

/// Lets this process have `wanted` file descriptors, as far as it may; whoever runs as root may.
/// Returns how many it can have now.
std::size_t raise_descriptor_limit(std::size_t wanted);

}  // namespace demarc::tools
