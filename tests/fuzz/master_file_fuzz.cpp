// Fuzzes zones/master_file.h and zones/rdata.h. The laws: what was read, written in the generic
// form of RFC 3597, reads back as the same record; and in pieces a file reads as it does whole.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "zones/master_file.h"
#include "zones/rdata.h"

namespace {

using namespace demarc::zones;

void require(bool holds) {
  if (!holds) std::abort();
}

struct Parsed {
  std::vector<StaticRecord> records;
  std::vector<std::string> findings;
};

Parsed parse(const std::string& text, std::size_t piece_bytes = std::string::npos,
             std::size_t window_bytes = master_window_bytes) {
  demarc::Diagnostics diagnostics;
  Parsed parsed;
  parse_master_file({.bytes = bytes_of(text, piece_bytes),
                     .file = "fuzz.zone",
                     .origin = Name::parse_absolute("example.com").value(),
                     .default_ttl = 300,
                     .window_bytes = window_bytes},
                    diagnostics,
                    [&](const StaticRecord& record) { parsed.records.push_back(record); });
  for (const demarc::Diagnostic& finding : diagnostics.list()) {
    parsed.findings.push_back(finding.line());
  }
  return parsed;
}

bool is_same(const StaticRecord& a, const StaticRecord& b) {
  return a.owner == b.owner && a.type == b.type && a.ttl == b.ttl && a.rdata == b.rdata &&
         a.line == b.line;
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
  const std::string text(reinterpret_cast<const char*>(data), size);
  const Parsed whole = parse(text);
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{7}, std::size_t{64}}) {
    const Parsed pieces = parse(text, bytes, bytes + 1);
    require(std::ranges::equal(pieces.records, whole.records, is_same));
    require(pieces.findings == whole.findings);
  }
  for (const StaticRecord& record : whole.records) {
    require(Name::from_wire(record.owner.bytes()) == record.owner);
    // A type below 256 may be written as no data at all, which ldns takes in no generic form.
    if (record.rdata.empty()) continue;
    const auto again = parse("@ A 192.0.2.1\n" + generic(record)).records;
    if (again.size() != 2) continue;  // ldns is stricter in the generic form of types it knows
    require(again[1].owner == record.owner);
    require(again[1].type == record.type && again[1].ttl == record.ttl);
    require(again[1].rdata.size() == record.rdata.size());
  }
  return 0;
}
