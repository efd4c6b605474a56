#include "zones/tenants_csv.h"

#include <algorithm>

#include "zones/yaml/utf8.h"

namespace demarc::zones {
namespace {

constexpr std::string_view short_header = "tenant,home,residency,region,regulated";
constexpr std::string_view long_header = "tenant,home,residency,region,regulated,sensitivity";

/// Takes one line off the text.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

bool read_tenant_rows(std::string_view text, const std::string& file, Diagnostics& diagnostics,
                      bool& has_sensitivity, const std::function<void(const TenantRow&)>& take) {
  if (const auto bad = yaml::find_bad_text(text)) {
    diagnostics.error({file, bad->line, bad->column}, "csv-encoding", "{}; expected UTF-8 text",
                      bad->what);
    return false;
  }
  const std::string_view header = take_line(text);
  has_sensitivity = header == long_header;
  if (!has_sensitivity && header != short_header) {
    diagnostics.error({file, 1, 1}, "csv-header", "header is `{}`; expected `{}` or `{}`",
                      header.substr(0, 100), short_header, long_header);
    return false;
  }
  for (std::uint32_t line = 2; !text.empty(); ++line) {
    const std::string_view row = take_line(text);
    const std::size_t comma = std::min(row.find(','), row.size());
    take({line, row.substr(0, comma), row.substr(std::min(comma + 1, row.size()))});
  }
  return true;
}

bool split_words(std::string_view rest, bool has_sensitivity, TenantWords& words) {
  const std::size_t count = has_sensitivity ? tenant_word_count : tenant_word_count - 1;
  words = {};
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t comma = rest.find(',');
    const bool is_last = i + 1 == count;
    if ((comma == std::string_view::npos) != is_last) return false;
    words[i] = rest.substr(0, comma);
    if (!is_last) rest.remove_prefix(comma + 1);
  }
  return true;
}

}  // namespace demarc::zones
