// The values of zones/*.yaml as written: types are right, references are still names.
// zones/yaml/service_file.h has the part below `services:`; zones/yaml/zone_model.h resolves both.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "zones/model.h"
#include "zones/yaml/fields.h"
#include "zones/yaml/service_file.h"
#include "zones/yaml/transfer_file.h"

namespace demarc::zones::yaml {

inline constexpr std::size_t nameservers_max = 100;
inline constexpr std::size_t includes_max = 1000;
inline constexpr std::size_t owners_max = 1'000'000;
inline constexpr std::size_t types_per_owner_max = 100;
inline constexpr std::size_t rdata_per_rrset_max = 4096;
inline constexpr std::size_t services_per_zone_max = 100'000;

inline constexpr std::uint32_t zone_ttl_default = 3600;  // seconds

struct SoaEntry {
  Position at;
  TextAt primary;
  TextAt contact;
  std::optional<std::uint32_t> serial;
  std::uint32_t refresh = 7200;  // these four in seconds
  std::uint32_t retry = 900;
  std::uint32_t expire = 1'209'600;
  std::uint32_t negative_ttl = 300;  // RFC 2308 §4
};

/// One RRset under `records:`.
struct StaticEntry {
  TextAt owner;
  TextAt type;
  std::optional<std::uint32_t> ttl;
  std::vector<TextAt> data;
};

struct ZoneFile {
  Position at;
  TextAt zone;
  std::uint32_t ttl = zone_ttl_default;
  std::optional<SoaEntry> soa;
  std::vector<TextAt> nameservers;
  std::vector<TextAt> includes;
  std::vector<StaticEntry> records;
  std::vector<ServiceEntry> services;
  std::optional<Transfer> transfer;
  std::optional<OperatorNames> operator_names;
};

/// Reads what can be read; findings go to the reading. Where there is one, the value is partial.
[[nodiscard]] ZoneFile read_zone_file(const Reading& reading, const Node& root);

}  // namespace demarc::zones::yaml
