// tenants/*.csv: a tenant a line, for maps that are too large for YAML. Cuts lines into a name and
// the rest, which few lines differ in; zones/tenants_load.h makes tenants of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "geo/base/diagnostics.h"
#include "zones/tenant_classes.h"

namespace demarc::zones {

inline constexpr std::size_t tenants_csv_bytes_max = std::size_t{512} << 20U;

/// One line. `rest` are the columns after the name, commas and all: most lines share few of them.
struct TenantRow {
  std::uint32_t line = 0;
  std::string_view tenant;
  std::string_view rest;
};

/// Checks the header (`tenant,home,residency,region,regulated`, optionally `,sensitivity`) and
/// hands over every line after it, without checking it. Lines end in LF or CRLF. False and a
/// finding if the header is not that, or the text is no text.
[[nodiscard]] bool read_tenant_rows(std::string_view text, const std::string& file,
                                    Diagnostics& diagnostics, bool& has_sensitivity,
                                    const std::function<void(const TenantRow&)>& take);

/// The words of a row's rest; false unless it has as many columns as the header.
[[nodiscard]] bool split_words(std::string_view rest, bool has_sensitivity, TenantWords& words);

}  // namespace demarc::zones
