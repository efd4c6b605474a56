#include "zones/order_target.h"

namespace demarc::zones {
namespace {

char lower(char letter) noexcept {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view text) noexcept {
  // One place to go back to is enough: a later star does all that an earlier one could.
  std::size_t p = 0, t = 0;
  std::size_t star = std::string_view::npos, seen = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      seen = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || lower(pattern[p]) == lower(text[t]))) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++seen;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool names_record(const Policy& policy, const Record& record, const std::string& target) {
  if (policy.region(record.region).name == target) return true;
  if (target.find_first_of("*?") == std::string::npos) {
    const auto name = Name::parse_absolute(target);
    return name && record.endpoint_name == *name;
  }
  std::string_view pattern = target;
  if (pattern.ends_with('.')) pattern.remove_suffix(1);
  return matches_pattern(pattern, record.endpoint_name.text_without_dot());
}

bool applies(const Order& order, const Service& service, const Record& record,
             const Repository& repository) {
  const Policy& policy = repository.policy;
  // An order about a service is about its tenants as well.
  const Service& named = service.tenants_of ? repository.service(*service.tenants_of) : service;
  const bool is_meant = order.service.empty() || order.service == named.owner.text_without_dot() ||
                        order.service == service.owner.text_without_dot();
  if (!is_meant) return false;
  return names_record(policy, record, order.target);
}

}  // namespace demarc::zones
