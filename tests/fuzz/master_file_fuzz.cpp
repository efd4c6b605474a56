// Fuzzes zones/master_file.h and zones/rdata.h. The law: what was read, written in the generic form
// of RFC 3597, reads back as the same record.

#include <cstdint>
#include <cstdlib>
#include <string>

#include <fmt/format.h>

#include "zones/master_file.h"
#include "zones/rdata.h"

namespace {

using namespace demarc::zones;

void require(bool holds) {
  if (!holds) std::abort();
}

std::vector<StaticRecord> parse(const std::string& text) {
  demarc::Diagnostics diagnostics;
  std::vector<StaticRecord> records;
  parse_master_file({.text = text,
                     .file = "fuzz.zone",
                     .file_number = 0,
                     .origin = Name::parse_absolute("example.com").value(),
                     .default_ttl = 300},
                    diagnostics, records);
  return records;
}

std::string generic(const StaticRecord& record) {
  std::string line = fmt::format("{} {} TYPE{} \\# {} ", record.owner.text(), record.ttl,
                                 record.type, record.rdata.size());
  for (const char byte : record.rdata) {
    line += fmt::format("{:02x}", static_cast<unsigned>(static_cast<unsigned char>(byte)));
  }
  return line + "\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const StaticRecord& record : parse({reinterpret_cast<const char*>(data), size})) {
    require(Name::from_wire(record.owner.bytes()) == record.owner);
    // A type below 256 may be written as no data at all, which ldns takes in no generic form.
    if (record.rdata.empty()) continue;
    const auto again = parse("@ A 192.0.2.1\n" + generic(record));
    if (again.size() != 2) continue;  // ldns is stricter in the generic form of types it knows
    require(again[1].owner == record.owner);
    require(again[1].type == record.type && again[1].ttl == record.ttl);
    require(again[1].rdata.size() == record.rdata.size());
  }
  return 0;
}
