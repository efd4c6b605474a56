// The report as one page for people: no script, nothing fetched, light and dark, and printable.
// zones/drill/report_timeline.h draws its picture.
#pragma once

#include <string>

#include "zones/drill/report.h"

namespace demarc::zones::drill {

/// A whole HTML document, also well-formed XML; every text of the report is escaped.
[[nodiscard]] std::string render_html(const Report& report);

}  // namespace demarc::zones::drill
