// DNS messages for tests: builds queries and reads answers, independently of dns/.
// tests/support/dns_client.h sends them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "geo/base/address.h"

namespace demarc::testing {

namespace rr {
inline constexpr std::uint16_t A = 1, NS = 2, CNAME = 5, SOA = 6, MX = 15, TXT = 16, AAAA = 28,
                               SRV = 33, OPT = 41, HTTPS = 65, ANY = 255, CAA = 257;
}  // namespace rr

struct DnsQuestion {
  std::string name;  // ASCII labels without escapes, last dot optional
  std::uint16_t type = rr::A;
  std::optional<geo::Prefix> subnet;  // sent as ECS
  bool edns = true;                   // an OPT record, size 1232; always with a subnet
};

struct DnsRecord {
  std::string owner;  // lower case, without the last dot; the root is ""
  std::uint16_t type = 0;
  std::uint32_t ttl = 0;
  std::optional<geo::Address> address;  // of A and AAAA
  std::string target;                   // of CNAME and NS, as `owner`
  std::vector<std::uint8_t> rdata;      // as it came; names in it may be compressed
};

struct DnsReply {
  std::uint16_t id = 0;
  unsigned rcode = 0;  // with the extended bits of OPT (RFC 6891 §6.1.3)
  bool is_authoritative = false;
  bool is_truncated = false;
  std::string qname;  // as it came, letters in their case
  std::uint16_t qtype = 0;
  std::vector<DnsRecord> answer;
  std::vector<DnsRecord> authority;
  std::vector<DnsRecord> additional;  // without OPT
  bool has_edns = false;
  std::optional<unsigned> source_prefix;  // of ECS, in bits
  std::optional<unsigned> scope_prefix;
  std::vector<std::uint16_t> ede;   // codes
  std::vector<std::uint8_t> bytes;  // the whole message

  /// Addresses of all sections, and the hints in HTTPS records (RFC 9460 §7.3).
  [[nodiscard]] std::vector<geo::Address> addresses() const;
};

/// Throws std::invalid_argument if the name is none.
[[nodiscard]] std::vector<std::uint8_t> build_query(std::uint16_t id, const DnsQuestion& question);

/// Nothing unless the bytes are one whole answer (QR set) with one question, and no more.
[[nodiscard]] std::optional<DnsReply> parse_reply(std::span<const std::uint8_t> bytes);

}  // namespace demarc::testing
