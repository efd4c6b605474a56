#include "zones/drill/report.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "zones/digest.h"
#include "zones/drill/report_json.h"

namespace demarc::zones::drill {

std::string report_digest(const Report& report) {
  Report unsigned_report = report;
  unsigned_report.sign_offs.clear();
  return sha256_hex(write_report(unsigned_report));
}

std::string sign_off_subject(const std::string& scenario, const std::string& digest) {
  return scenario + "@" + digest.substr(0, 16);
}

std::string duration_text(Milliseconds duration) {
  const auto ms = duration.count();
  if (ms < 0) return "-" + duration_text(-duration);
  if (ms < 60'000 && ms % 1000 != 0) {
    return fmt::format("{:.2f} s", static_cast<double>(ms) / 1000.0);
  }
  const auto seconds = (ms + 500) / 1000;
  if (seconds < 60) return fmt::format("{} s", seconds);
  std::vector<std::string> parts;
  if (seconds >= 3600) parts.push_back(fmt::format("{} h", seconds / 3600));
  if (seconds % 3600 >= 60) parts.push_back(fmt::format("{} m", seconds % 3600 / 60));
  if (seconds % 60 != 0) parts.push_back(fmt::format("{} s", seconds % 60));
  return fmt::format("{}", fmt::join(parts, " "));
}

std::string moment_text(Milliseconds at) {
  return at < Milliseconds(0) ? duration_text(at) : "+" + duration_text(at);
}

std::string answer_text(const Answer& answer) {
  std::string text = answer.kind == ChoiceKind::records
                         ? fmt::format("{}", fmt::join(answer.regions, ", "))
                         : std::string(to_text(answer.kind));
  if (answer.share < 100) {
    text += fmt::format(" for {} %, {} for the rest", answer.share, fmt::join(answer.rest, ", "));
  }
  switch (answer.note) {
    case ChoiceNote::held:
      return text + " (held at the border)";
    case ChoiceNote::exception:
      return text + " (outside home, under a grant)";
    case ChoiceNote::all_down:
      return text + " (all down)";
    case ChoiceNote::none:
      break;
  }
  return answer.abroad ? text + " (outside home)" : text;
}

}  // namespace demarc::zones::drill
