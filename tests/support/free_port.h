// A UDP and TCP port on 127.0.0.1 for programs that cannot be told to take any free one. Another
// process could take it before they do; the kernel gives each out again late, so it does not.
#pragma once

#include <cstdint>

namespace demarc::testing {

/// Throws std::system_error if the kernel gives none.
[[nodiscard]] std::uint16_t free_port();

}  // namespace demarc::testing
