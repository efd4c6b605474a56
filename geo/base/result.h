// What a function gives back when it can fail: a value, or an error of its own kind.
// Everything else builds on this; geo/base/diagnostics.h is for errors in edited files.
#pragma once

#include <cerrno>
#include <cstring>
#include <expected>
#include <string>

namespace demarc {

/// A value or an error. Errors on the query path are small enums, errors of the world
/// `SystemError`.
template <typename T, typename E>
using Result = std::expected<T, E>;

/// An error of the world (disk, socket, process): what was tried, and errno (0: no errno applies).
struct SystemError {
  std::string tried;
  int error_number = 0;

  [[nodiscard]] std::string text() const {
    return error_number == 0 ? tried : tried + ": " + std::strerror(error_number);
  }
};

/// The calling thread's errno with what was tried.
[[nodiscard]] inline std::unexpected<SystemError> system_error(std::string tried) {
  const int error_number = errno;
  return std::unexpected(SystemError{std::move(tried), error_number});
}

/// A failure that has no errno.
[[nodiscard]] inline std::unexpected<SystemError> failure(std::string what) {
  return std::unexpected(SystemError{std::move(what), 0});
}

}  // namespace demarc
