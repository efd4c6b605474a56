// One question to a resolver, and its reply taken apart strictly (RFC 1035 §4): the bytes come from
// outside. health/resolver_client.h sends and receives; zones/ground.h is what it is for.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "geo/base/address.h"
#include "geo/base/result.h"
#include "zones/name.h"

namespace demarc::health {

/// An answer may lead over this many aliases, and give this many addresses; more is refused.
inline constexpr std::size_t alias_chain_max = 16;
inline constexpr std::size_t resolved_addresses_max = 64;

enum class AddressType : std::uint16_t { a = 1, aaaa = 28 };

/// What was asked, as it must come back: the ID, and the name in the very letters that were sent.
struct Question {
  std::uint16_t id = 0;
  AddressType type = AddressType::a;
  std::string name;  // wire bytes, letters in mixed case
  zones::Name asked;
};

/// `letters` says of each byte of the name, from the lowest bit on, whether it is sent in upper
/// case: a guesser has to know that too.
[[nodiscard]] Question make_question(const zones::Name& name, AddressType type, std::uint16_t id,
                                     std::uint64_t letters);

/// The query: RD and AD set (the latter asks for the AD bit, RFC 6840 §5.7), EDNS with 1232 bytes.
[[nodiscard]] std::vector<std::uint8_t> write_question(const Question& question);

struct ResolverReply {
  bool is_truncated = false;  // ask again over TCP; the rest is empty
  bool is_validated = false;  // AD
  bool exists = true;         // false: NXDOMAIN
  std::vector<geo::Address> addresses;
};

enum class ReplyError : std::uint8_t {
  malformed,       // not a DNS message, or one that leads out of itself
  not_ours,        // another ID, question or opcode: wait for the right one
  refused,         // an RCODE other than NOERROR and NXDOMAIN
  too_many_links,  // over alias_chain_max, or in a circle
  too_many_addresses,
};
[[nodiscard]] const char* to_text(ReplyError error) noexcept;

/// Any bytes are fine.
[[nodiscard]] Result<ResolverReply, ReplyError> parse_reply(std::span<const std::uint8_t> bytes,
                                                            const Question& question);

}  // namespace demarc::health
