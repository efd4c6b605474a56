// Where steering's state lives between runs. One interface: a folder on this node today, shared
// between nodes later; zones/steering_state.h is the text that is kept.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "geo/base/result.h"
#include "zones/steering_state.h"

namespace demarc::zones {

class StateStore {
 public:
  virtual ~StateStore() = default;

  /// What was saved last; no value if nothing ever was. An error: it is there and cannot be read,
  /// and the caller must not go on as if there were none.
  [[nodiscard]] virtual Result<std::optional<SteeringState>, SystemError> load() = 0;

  /// On disk when it returns; on error the state saved before is untouched.
  [[nodiscard]] virtual Result<void, SystemError> save(const SteeringState& state) = 0;
};

/// `state.json` in a folder, replaced whole: a crash at any instant leaves the old or the new one.
[[nodiscard]] Result<std::unique_ptr<StateStore>, SystemError> open_local_state(
    const std::string& folder);

/// Writes a file so that a crash leaves the old content or the new, never a part; mode 0600.
[[nodiscard]] Result<void, SystemError> replace_file(const std::string& path,
                                                     std::string_view content);

}  // namespace demarc::zones
