// The report as a JSON file, and back. zones/schema/drill-report.schema.json describes it.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "geo/base/result.h"
#include "zones/drill/report.h"

namespace demarc::zones::drill {

/// A larger report is refused unread.
inline constexpr std::size_t report_bytes_max = std::size_t{16} << 20U;

/// Indented JSON with a line end; equal reports make equal bytes.
[[nodiscard]] std::string write_report(const Report& report);

/// One answer, as the report and the control socket have it. Reading throws std::exception for any
/// other JSON.
[[nodiscard]] nlohmann::json answer_json(const Answer& answer);
[[nodiscard]] Answer read_answer(const nlohmann::json& value);

/// Reads what write_report wrote; any bytes are fine, the error says what is wrong.
[[nodiscard]] Result<Report, std::string> parse_report(std::string_view text);

}  // namespace demarc::zones::drill
