// The third step for health checks: each finds its record, and the names in on-fail find theirs.
// zones/yaml/check_file.h gives the values; zones/yaml/service_model.h calls this.
#pragma once

#include <string_view>

#include "geo/base/result.h"
#include "zones/model.h"
#include "zones/yaml/service_file.h"

namespace demarc::zones::yaml {

enum class RecordNameError : std::uint8_t { unknown, ambiguous };

/// The record that a NAME in `on-fail` or `on-block` means: its endpoint is the name, or it is the
/// only one whose endpoint begins with the name, up to the end of a label. Case does not matter.
[[nodiscard]] Result<RecordId, RecordNameError> find_record(const std::vector<Record>& records,
                                                            std::string_view name);

/// As find_record(), with a finding (unknown-record, ambiguous-record) when there is not just one.
[[nodiscard]] std::optional<RecordId> resolve_record(const Reading& reading, Position at,
                                                     const std::vector<Record>& records,
                                                     std::string_view name);

/// Adds the checks to `service`, whose records are complete. `zone` is the apex without last dot.
/// A check that names vantages of the policy is followed by one for each: `KEY@VANTAGE`.
void add_checks(const Reading& reading, const ServiceEntry& entry, std::string_view zone,
                const Policy& policy, Service& service);

}  // namespace demarc::zones::yaml
