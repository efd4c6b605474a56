// The report's picture: an SVG with a lane for each service and kind of client, what happened above
// them, and the recovery times as brackets. zones/drill/report_html.h puts it on its page.
#pragma once

#include <string>
#include <string_view>

#include "zones/drill/report.h"

namespace demarc::zones::drill {

/// Text that is safe in HTML and SVG, also inside a double-quoted attribute.
[[nodiscard]] std::string escape_markup(std::string_view text);

/// The class of an answer, for its colour: "home", "abroad", "held", "exception", "down", "none".
[[nodiscard]] std::string_view colour_class(const Answer& answer);

/// One <svg> element without any outside resource; colours come from the page's CSS variables.
[[nodiscard]] std::string render_timeline(const Report& report);

}  // namespace demarc::zones::drill
