// The folder in which one receiver's messages wait for it: a file each, written whole, in the order
// of their names; `dead/` keeps the last ones that were given up. health/alerts/deliverer.h fills
// and empties it, health/alerts/message.h is what the files hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "geo/base/moment.h"
#include "geo/base/result.h"
#include "health/alerts/delivery_queue.h"

namespace demarc::health {

/// Dead letters kept for a receiver; the oldest go first.
inline constexpr std::size_t dead_letters_max = 100;

class Spool {
 public:
  explicit Spool(std::string folder) : folder_(std::move(folder)) {}

  /// Everything that waits, oldest first. A file that cannot be read is moved to the dead letters
  /// and named in `troubles`, as is a folder that cannot be made.
  [[nodiscard]] std::vector<Queued> load(std::vector<std::string>& troubles);

  /// A number above all that were ever used.
  [[nodiscard]] std::uint64_t next_number() noexcept { return ++last_number_; }

  /// On disk when it returns.
  [[nodiscard]] Result<void, SystemError> save(const Queued& message);
  void remove(std::uint64_t number) noexcept;
  /// Moves a message to the dead letters, with the reason.
  [[nodiscard]] Result<void, SystemError> bury(const Queued& message, const std::string& reason,
                                               WallTime now);
  [[nodiscard]] std::size_t dead_letters() const;

 private:
  [[nodiscard]] std::string path_of(std::uint64_t number) const;
  [[nodiscard]] std::string dead_path_of(std::uint64_t number) const;
  void forget_oldest_dead() const;

  std::string folder_;
  std::uint64_t last_number_ = 0;
};

}  // namespace demarc::health
