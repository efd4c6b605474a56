#include "health/alerts/receiver.h"

#include <algorithm>

namespace demarc::health {
namespace {

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool any_matches(const std::vector<std::string>& patterns, const std::string& text) {
  return patterns.empty() || text.empty() ||
         std::ranges::any_of(patterns, [&](const auto& one) { return matches_glob(one, text); });
}

}  // namespace

bool matches_glob(std::string_view pattern, std::string_view text) noexcept {
  std::size_t p = 0, t = 0;
  std::size_t star = std::string_view::npos, matched = 0;  // where to try again
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      matched = t;
    } else if (p < pattern.size() && lower(pattern[p]) == lower(text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++matched;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool passes(const AlertFilter& filter, const zones::Alert& alert) {
  if (alert.to_everyone) return true;
  const auto& details = alert.details;
  return (filter.levels.empty() || filter.levels.contains(alert.level)) &&
         any_matches(filter.zones, details.zone) && any_matches(filter.services, details.service) &&
         any_matches(filter.homes, details.home);
}

}  // namespace demarc::health
