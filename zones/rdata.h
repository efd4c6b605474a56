// RDATA of static records: presentation format (RFC 1035 §5.1) to uncompressed wire bytes.
// zones/master_file.h and zones/yaml/zone_model.h read records with it; ldns does the work.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "geo/base/result.h"
#include "zones/model.h"
#include "zones/name.h"

namespace demarc::zones {

namespace rrtype {
inline constexpr std::uint16_t a = 1;
inline constexpr std::uint16_t ns = 2;
inline constexpr std::uint16_t cname = 5;
inline constexpr std::uint16_t soa = 6;
inline constexpr std::uint16_t mx = 15;
inline constexpr std::uint16_t txt = 16;
inline constexpr std::uint16_t key = 25;
inline constexpr std::uint16_t aaaa = 28;
inline constexpr std::uint16_t srv = 33;
inline constexpr std::uint16_t dname = 39;
inline constexpr std::uint16_t opt = 41;
inline constexpr std::uint16_t rrsig = 46;
inline constexpr std::uint16_t nsec = 47;
inline constexpr std::uint16_t svcb = 64;
inline constexpr std::uint16_t https = 65;
}  // namespace rrtype

/// "MX" or "TYPE65280" (RFC 3597), any case; nothing for unknown names and for types that are no
/// data (OPT, and the query and meta types 128 to 255, RFC 6895 §3.1).
[[nodiscard]] std::optional<std::uint16_t> parse_type(std::string_view text);
[[nodiscard]] std::string type_to_text(std::uint16_t type);

/// Reads RDATA whose relative names belong to one origin.
class RdataReader {
 public:
  explicit RdataReader(const Name& origin);
  RdataReader(RdataReader&&) noexcept;
  RdataReader& operator=(RdataReader&&) noexcept;
  ~RdataReader();

  /// The wire bytes, names in the case they were written; the error says what ldns, or we where
  /// ldns is silent (numbers out of range, open quotes), found wrong. `\# 4 c0000201` works for
  /// every type.
  [[nodiscard]] Result<Rdata, std::string> parse(std::uint16_t type, std::string_view text) const;

 private:
  struct Origin;
  std::unique_ptr<Origin> origin_;
};

/// Presentation format of wire bytes; RFC 3597's `\# LENGTH HEX` for what ldns cannot show.
[[nodiscard]] std::string rdata_text(std::uint16_t type, std::string_view rdata);

/// The character-strings of a TXT record (RFC 1035 §3.3.14) that holds `text` byte for byte: one
/// for each 255 bytes.
[[nodiscard]] Rdata text_rdata(std::string_view text);

}  // namespace demarc::zones
