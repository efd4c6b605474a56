// The report as Markdown, for a pull request or a wiki. zones/drill/report_html.h has the picture.
#pragma once

#include <string>

#include "zones/drill/report.h"

namespace demarc::zones::drill {

/// CommonMark with tables; every text of the report is escaped.
[[nodiscard]] std::string render_markdown(const Report& report);

}  // namespace demarc::zones::drill
