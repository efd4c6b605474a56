// The law of the trail's lines: a line that is accepted is, byte for byte, what would be written.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "zones/audit/entry.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace demarc::zones;
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  if (const auto parsed = parse_entry(line)) {
    if (render_entry(parsed->entry, parsed->place).text != line) std::abort();
  }
  if (const auto parsed = parse_index_line(line)) {
    const AuditEntry entry{parsed->time, parsed->kind, parsed->jurisdiction, {}};
    if (render_index_line(entry, parsed->sequence, parsed->hash) != line) std::abort();
  }
  return 0;
}
