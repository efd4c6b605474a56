// `leash`: in policy.yaml for all services, in a service for itself (zones/leash_settings.h).
#pragma once

#include <functional>
#include <vector>

#include "zones/leash_settings.h"
#include "zones/yaml/fields.h"

namespace demarc::zones::yaml {

/// What a file says; the rest stays as it was.
class LeashEntry {
 public:
  void apply(LeashSettings& settings) const {
    for (const auto& set : sets_) set(settings);
  }
  MassFailureSettings mass_failure;  // in policy.yaml
  void add(std::function<void(LeashSettings&)> set) { sets_.push_back(std::move(set)); }

 private:
  std::vector<std::function<void(LeashSettings&)>> sets_;
};

/// Reads what can be read; findings go to the reading.
[[nodiscard]] LeashEntry read_leash(const Reading& reading, const Node& node);
/// The same with `mass-failure`, which is of the whole repository.
[[nodiscard]] LeashEntry read_policy_leash(const Reading& reading, const Node& node);

}  // namespace demarc::zones::yaml
