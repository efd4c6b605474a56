// What an order names: a region, an endpoint, or a pattern of endpoints (`api.*.example`).
#pragma once

#include <string_view>

#include "zones/model.h"
#include "zones/steering_state.h"

namespace demarc::zones {

/// `*` is any text, also none, `?` one character; letters count alike in both cases (RFC 4343).
[[nodiscard]] bool matches_pattern(std::string_view pattern, std::string_view text) noexcept;

[[nodiscard]] bool names_record(const Policy& policy, const Record& record,
                                const std::string& target);

/// Whether an order is about a record: of its target, and of its service or of all.
[[nodiscard]] bool applies(const Order& order, const Service& service, const Record& record,
                           const Repository& repository);

}  // namespace demarc::zones
