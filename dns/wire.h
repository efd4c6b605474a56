// The numbers of the DNS wire format, and its big-endian integers (RFC 1035 §4, RFC 6891).
// dns/query.h reads messages with them, dns/answer_writer.h and dns/reply.h write them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace demarc::dns {

inline constexpr std::size_t header_size = 12;
inline constexpr std::size_t name_size_max = 255;
inline constexpr std::size_t label_count_max = 127;  // 127 labels of one letter and the root
inline constexpr std::size_t message_size_max = 65'535;
inline constexpr std::size_t udp_size_without_edns = 512;  // RFC 1035 §2.3.4
/// What we send and ask for at most over UDP: no fragments on any IPv6 path (RFC 9715).
inline constexpr std::size_t udp_size_max = 1232;

// The header's third and fourth byte.
inline constexpr std::uint8_t qr_bit = 0x80;
inline constexpr std::uint8_t opcode_mask = 0x78;
inline constexpr std::uint8_t aa_bit = 0x04;
inline constexpr std::uint8_t tc_bit = 0x02;
inline constexpr std::uint8_t rd_bit = 0x01;
inline constexpr std::uint8_t rcode_mask = 0x0f;

namespace rrtype {
inline constexpr std::uint16_t a = 1;
inline constexpr std::uint16_t ns = 2;
inline constexpr std::uint16_t md = 3;
inline constexpr std::uint16_t mf = 4;
inline constexpr std::uint16_t cname = 5;
inline constexpr std::uint16_t soa = 6;
inline constexpr std::uint16_t mb = 7;
inline constexpr std::uint16_t mg = 8;
inline constexpr std::uint16_t mr = 9;
inline constexpr std::uint16_t ptr = 12;
inline constexpr std::uint16_t hinfo = 13;
inline constexpr std::uint16_t minfo = 14;
inline constexpr std::uint16_t mx = 15;
inline constexpr std::uint16_t txt = 16;
inline constexpr std::uint16_t aaaa = 28;
inline constexpr std::uint16_t srv = 33;
inline constexpr std::uint16_t dname = 39;
inline constexpr std::uint16_t opt = 41;
inline constexpr std::uint16_t ds = 43;
inline constexpr std::uint16_t svcb = 64;
inline constexpr std::uint16_t https = 65;
inline constexpr std::uint16_t nxname = 128;
inline constexpr std::uint16_t tkey = 249;
inline constexpr std::uint16_t tsig = 250;
inline constexpr std::uint16_t ixfr = 251;
inline constexpr std::uint16_t axfr = 252;
inline constexpr std::uint16_t any = 255;
}  // namespace rrtype

namespace rrclass {
inline constexpr std::uint16_t in = 1;
inline constexpr std::uint16_t ch = 3;
inline constexpr std::uint16_t any = 255;
}  // namespace rrclass

/// With the upper bits of EDNS (RFC 6891 §6.1.3) from 16 on.
enum class Rcode : std::uint8_t {
  noerror = 0,
  formerr = 1,
  servfail = 2,
  nxdomain = 3,
  notimp = 4,
  refused = 5,
  yxdomain = 6,  // a name made by a DNAME is too long (RFC 6672 §2.2)
  notauth = 9,
  badvers = 16,
  badcookie = 23,  // RFC 7873
};

namespace edns {
inline constexpr std::uint16_t nsid = 3;             // RFC 5001
inline constexpr std::uint16_t client_subnet = 8;    // RFC 7871
inline constexpr std::uint16_t cookie = 10;          // RFC 7873
inline constexpr std::uint16_t keepalive = 11;       // RFC 7828
inline constexpr std::uint16_t padding = 12;         // RFC 7830
inline constexpr std::uint16_t extended_error = 15;  // RFC 8914
inline constexpr std::uint16_t zone_version = 19;    // RFC 9660
inline constexpr std::size_t opt_size = 11;          // an OPT without options
inline constexpr std::size_t option_header_size = 4;
inline constexpr std::size_t zone_version_size = 6;  // LABELCOUNT, TYPE, an SOA serial
}  // namespace edns

[[nodiscard]] inline std::uint16_t get16(const std::uint8_t* at) noexcept {
  return static_cast<std::uint16_t>((at[0] << 8) | at[1]);
}

[[nodiscard]] inline std::uint32_t get32(const std::uint8_t* at) noexcept {
  return (std::uint32_t{get16(at)} << 16) | get16(at + 2);
}

inline void put16(std::uint8_t* at, std::size_t value) noexcept {
  at[0] = static_cast<std::uint8_t>(value >> 8);
  at[1] = static_cast<std::uint8_t>(value);
}

inline void put32(std::uint8_t* at, std::uint32_t value) noexcept {
  put16(at, value >> 16);
  put16(at + 2, value & 0xffff);
}

}  // namespace demarc::dns
