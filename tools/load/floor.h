// What the kernel alone costs: a process that sends each datagram back with the QR bit set, by the
// same two system calls a batch as the server's. No server on plain sockets can be cheaper.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>

#include "dns/sockets.h"
#include "geo/base/result.h"

namespace demarc::tools::load {

class Floor {
 public:
  /// A child on 127.0.0.1, on CPU `core` alone if named. Before threads are started.
  [[nodiscard]] static Result<std::unique_ptr<Floor>, SystemError> start(std::optional<int> core);
  ~Floor();  // kills it and waits
  Floor(const Floor&) = delete;
  Floor& operator=(const Floor&) = delete;

  [[nodiscard]] const dns::Endpoint& endpoint() const noexcept { return endpoint_; }
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

 private:
  Floor() = default;

  dns::Endpoint endpoint_;
  pid_t pid_ = -1;
};

/// Keeps the calling thread, and those it starts, on one CPU.
[[nodiscard]] Result<void, SystemError> stay_on(int core);

}  // namespace demarc::tools::load
