// The words of a difference: model values as text that is equal if and only if they say the same.
// Regions and jurisdictions go by name, since ids are each repository's own.
#pragma once

#include <string>
#include <vector>

#include "zones/model.h"

namespace demarc::zones::diff {

/// "legal: 1, security: 1"; "nobody" if it requires none.
[[nodiscard]] std::string required_text(const Required& required);
[[nodiscard]] std::string time_text(const std::optional<WallTime>& time);
[[nodiscard]] std::string duration_text(Milliseconds duration);

[[nodiscard]] std::string region_names(const Policy& policy, const std::vector<RegionId>& regions);
[[nodiscard]] std::string jurisdiction_names(const Policy& policy,
                                             const std::vector<JurisdictionId>& jurisdictions);

[[nodiscard]] std::string home_text(const Policy& policy, const Service& service);
[[nodiscard]] std::string route_text(const Policy& policy, const Route& route);
[[nodiscard]] std::string on_block_text(const Service& service);
[[nodiscard]] std::string activation_text(const Policy& policy, const Activation& activation);
[[nodiscard]] std::string quorum_text(unsigned quorum);
[[nodiscard]] std::string check_text(const Service& service, const HealthCheck& check);
[[nodiscard]] std::string addresses_text(const Record& record);
[[nodiscard]] std::string record_text(const Policy& policy, const Record& record);
[[nodiscard]] std::string service_text(const Policy& policy, const Service& service);
[[nodiscard]] std::string answers_text(std::size_t answers);
/// What its HTTPS records say beside the addresses; "none".
[[nodiscard]] std::string https_text(const Service& service);

[[nodiscard]] std::string key_text(const ApprovalKey& key);
[[nodiscard]] std::string rule_text(const ApprovalRule& rule);
[[nodiscard]] std::string residency_rule_text(const Policy& policy, const ResidencyRule& rule);
[[nodiscard]] std::string template_text(const PlanTemplate& plan);
[[nodiscard]] std::string assertion_text(const Policy& policy, const Assertion& assertion);
[[nodiscard]] std::string vantages_text(const std::vector<Vantage>& vantages);
[[nodiscard]] std::string advisor_text(const std::optional<Advisor>& advisor);
[[nodiscard]] std::string location_text(const geo::Location& location);

}  // namespace demarc::zones::diff
