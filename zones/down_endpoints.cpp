#include "zones/down_endpoints.h"

#include <algorithm>

namespace demarc::zones {

void DownEndpoints::add(const std::string& check, const std::string& endpoint) {
  const auto [at, is_new] = index_.try_emplace(endpoint, endpoints_.size());
  if (is_new) endpoints_.emplace_back();
  checks_.try_emplace(check, Check{at->second, std::nullopt});
}

void DownEndpoints::note(const std::string& check, std::optional<WallTime> down_since) {
  const auto known = checks_.find(check);
  if (known == checks_.end() || known->second.since == down_since) return;
  Endpoint& endpoint = endpoints_[known->second.endpoint];
  if (!endpoint.empty()) since_.erase(std::ranges::lower_bound(since_, *endpoint.rbegin()));
  std::optional<WallTime>& since = known->second.since;
  if (since) endpoint.erase(endpoint.find(*since));
  since = down_since;
  if (since) endpoint.insert(*since);
  if (endpoint.empty()) return;
  since_.insert(std::ranges::upper_bound(since_, *endpoint.rbegin()), *endpoint.rbegin());
}

std::size_t DownEndpoints::down_after(WallTime moment) const {
  return static_cast<std::size_t>(since_.end() - std::ranges::upper_bound(since_, moment));
}

}  // namespace demarc::zones
