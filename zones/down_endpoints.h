// Which checked endpoints are down, and how many went down lately: what the mass-failure guard
// counts. An endpoint is down while one of its checks is, since the last of them went.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "geo/base/moment.h"

namespace demarc::zones {

/// Each verdict costs the logarithm of the number of checks, however many an endpoint has; the
/// count of those that went down after a moment costs the logarithm of the endpoints. One thread.
class DownEndpoints {
 public:
  /// Makes a check known, well until note() says otherwise. A check is added once.
  void add(const std::string& check, const std::string& endpoint);
  /// What holds of a check from now on: down since then, or nothing: not down. An unknown check
  /// changes nothing.
  void note(const std::string& check, std::optional<WallTime> down_since);

  /// Endpoints with a check, down or not.
  [[nodiscard]] std::size_t known() const noexcept { return endpoints_.size(); }
  /// Endpoints that are down now.
  [[nodiscard]] std::size_t down() const noexcept { return since_.size(); }
  /// Endpoints that are down now and went after that moment, not at it.
  [[nodiscard]] std::size_t down_after(WallTime moment) const;

 private:
  using Endpoint = std::multiset<WallTime>;  // when its checks went that are down
  struct Check {
    std::size_t endpoint;  // in endpoints_
    std::optional<WallTime> since;
  };
  std::map<std::string, std::size_t> index_;
  std::vector<Endpoint> endpoints_;
  std::map<std::string, Check> checks_;
  std::vector<WallTime> since_;  // of each endpoint that is down, in order
};

}  // namespace demarc::zones
