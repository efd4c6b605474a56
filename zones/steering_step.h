// What one step of steering carries along: the time it believes, its effects, the services it
// touched. Private to zones/steering*.cpp.
#pragma once

#include <set>

#include "zones/steering.h"

namespace demarc::zones {

struct Steering::Step {
  WallTime now;
  Effects out;
  std::set<ServiceId> touched;
  bool verdicts_moved = false;
  bool tells_again = false;  // alerts that stand, because they died with the process
  bool force_publish =
      false;  // even what did not change, because it may not have reached the queries
};

}  // namespace demarc::zones
