// One query, from the bytes of a packet: header, question and EDNS (RFC 1035 §4.1, RFC 6891).
// dns/udp_loop.cpp and dns/tcp_loop.cpp receive the bytes, dns/responder.h answers what is read
// here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dns/name_key.h"
#include "geo/base/address.h"

namespace demarc::dns {

/// What a query said in its OPT (RFC 6891 §6.1.2).
struct Edns {
  bool present = false;
  bool dnssec_ok = false;
  std::uint8_t version = 0;
  std::uint16_t udp_size = 0;                   // as the client wrote it
  std::span<const std::uint8_t> client_subnet;  // the option's data, empty: the query had none
  geo::Prefix subnet;                           // its meaning
  std::span<const std::uint8_t> cookie;         // the option's data, empty: the query had none
  bool wants_nsid = false;                      // RFC 5001
  bool wants_zone_version = false;              // RFC 9660
  bool wants_keepalive = false;                 // RFC 7828; means nothing over UDP
  bool wants_padding = false;                   // RFC 7830; means nothing without TLS
};

/// A query. Spans point into the packet it was read from.
struct Query {
  std::uint16_t id = 0;
  std::uint8_t flags = 0;  // the header's third byte: opcode and RD
  std::uint16_t qtype = 0;
  std::uint16_t qclass = 0;
  std::uint16_t tsig_at = 0;               // where the first TSIG begins; 0: there is none
  std::span<const std::uint8_t> question;  // QNAME in the client's letters, QTYPE, QCLASS
  Edns edns;
  NameKey qname;
};

enum class Reading : std::uint8_t {
  good,
  silence,  // too short for a header, or a response: answering could loop for ever
  format_error,
  not_implemented,  // an opcode other than QUERY
  bad_version,      // EDNS version above 0
  cookie_only,      // no question, and a cookie: the client asks for ours (RFC 7873 §5.4)
};

/// Reads a message: exactly one question (RFC 9619), no compression in QNAME, at most one OPT, no
/// bytes left over. An OPT is looked for in what is not implemented and in other numbers of
/// questions as well, for an answer with an OPT, and so is a TSIG, which dns/tsig.h reads. Fills
/// `query` as far as it came: `id` and `flags` for all but `silence`; `question`, `qtype`, `qclass`
/// and `qname` where `question` is not empty; `edns` where it says so. Any bytes, any thread are
/// fine; allocates nothing.
[[nodiscard]] Reading read_query(std::span<const std::uint8_t> packet, Query& query) noexcept;

}  // namespace demarc::dns
