// Asks with the real dig (bind9-dnsutils) and reads what it printed. For many queries at speed see
// tests/support/dns_client.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace demarc::testing {

/// A resource record as dig prints it.
struct DigRecord {
  std::string owner;  // absolute, with its last dot
  std::uint32_t ttl = 0;
  std::string type;
  std::string rdata;  // presentation format, single spaces
};

struct DigAnswer {
  int exit = 0;        // dig's own: 9 means no answer came
  std::string text;    // all that dig printed
  std::string status;  // "NOERROR"; empty if no answer came
  std::uint16_t id = 0;
  std::vector<std::string> flags;  // "qr", "aa", ...
  std::vector<DigRecord> answer;
  std::vector<DigRecord> authority;
  std::vector<DigRecord> additional;  // without OPT
  bool has_edns = false;
  std::uint16_t udp_size = 0;
  std::string subnet;                     // of ECS: "192.0.2.0"; empty: no ECS in the answer
  std::optional<unsigned> source_prefix;  // of ECS
  std::optional<unsigned> scope_prefix;   // of ECS
  std::vector<std::uint16_t> ede;         // codes (RFC 8914)
  std::string nsid;                       // as text
  bool is_tcp = false;
  std::size_t size_bytes = 0;

  [[nodiscard]] bool has_flag(std::string_view flag) const;
  /// The rdata of one type in the answer section, sorted.
  [[nodiscard]] std::vector<std::string> rdata(std::string_view type) const;
  /// The TTL of the answer section's first record; nothing if it is empty.
  [[nodiscard]] std::optional<std::uint32_t> ttl() const;
};

/// `dig @address -p port ARGUMENTS +norec +tries=3 +time=3`, with the arguments last, so that they
/// win: {"www.example.com", "A", "+subnet=192.0.2.0/24", "+tcp"}. It asks again as a resolver does: on
/// a busy machine a datagram may be lost, which is not what a test asks about.
[[nodiscard]] DigAnswer dig(const std::string& address, std::uint16_t port,
                            std::vector<std::string> arguments);

/// Reads dig's output; `exit` and what is not there stay at their defaults.
[[nodiscard]] DigAnswer parse_dig(std::string_view text);

}  // namespace demarc::testing
