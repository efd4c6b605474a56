// Tells when the map and the ground disagree, once, and when they agree again: alerts, the trail,
// `demarc status`. Asks a resolver for CNAME endpoints now and then, on a thread of its own.
// zones/ground.h compares; nothing here ever moves an answer.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "geo/database.h"
#include "health/resolver_client.h"
#include "tools/controller.h"
#include "tools/event_loop.h"
#include "zones/events.h"
#include "zones/ground.h"

namespace demarc::tools {

/// Each target is asked for once in this time, give or take a fifth.
inline constexpr std::chrono::minutes resolve_every{10};

struct GroundResolver {
  health::ResolverConfig resolver;
  bool require_validated = true;
};

/// Control thread, but for the asking.
class GroundWatch {
 public:
  GroundWatch(Controller& controller, EventLoop& loop, std::optional<GroundResolver> resolver);
  ~GroundWatch();

  /// After each load: `report` is what zones/ground.h made of it.
  void take(std::shared_ptr<const zones::Configuration> configuration,
            std::shared_ptr<const geo::Databases> databases, zones::GroundReport report);

  [[nodiscard]] nlohmann::json status() const;

 private:
  struct Target {
    std::chrono::steady_clock::time_point due;
    std::optional<zones::ResolvedEndpoint> resolved;  // the last good answer
    std::string error;                                // of the last try; empty: none
  };

  void compare_targets();
  void compare_target(const zones::Name& name);
  void tell();
  void keep_asking();
  void ask(std::unique_lock<std::mutex>& lock, const zones::Name& name);

  Controller& controller_;
  EventLoop& loop_;
  std::optional<GroundResolver> resolver_;
  std::shared_ptr<const zones::Configuration> configuration_;
  std::shared_ptr<const geo::Databases> databases_;
  zones::GroundReport loaded_;                           // of addresses in the files
  std::map<zones::Name, zones::GroundReport> resolved_;  // by CNAME target
  zones::Disagreements standing_;                        // that were told

  mutable std::mutex mutex_;  // of the rest
  std::condition_variable changed_;
  std::map<zones::Name, Target> targets_;
  bool is_stopping_ = false;
  std::mt19937_64 random_;
  std::jthread thread_;
};

}  // namespace demarc::tools
