// Fuzzes zones/drill/report_json.h and what shows a report. The law: what was read is written and
// read back as the same, and shown without a raw `<` of its own.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "zones/drill/report_html.h"
#include "zones/drill/report_json.h"
#include "zones/drill/report_markdown.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace demarc::zones::drill;
  const auto report = parse_report({reinterpret_cast<const char*>(data), size});
  if (!report) return 0;
  const auto again = parse_report(write_report(*report));
  if (!again || *again != *report) std::abort();
  if (render_html(*report).find("<script") != std::string::npos) std::abort();
  (void)render_markdown(*report);
  return 0;
}
