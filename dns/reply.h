// The message being written: header and question from the query, rendered bodies, OPT at the end.
// dns/responder.cpp and dns/steered_reply.cpp decide what goes into it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "dns/cookies.h"
#include "dns/identity.h"
#include "dns/query.h"
#include "dns/steered_answers.h"
#include "dns/worker.h"
#include "dns/zone_table.h"

namespace demarc::dns {

/// Extended DNS Errors (RFC 8914 §4); those from 49152 on are private use.
struct ExtendedError {
  std::uint16_t code = 0;
  std::string_view text;  // short, and without any word about a client or an endpoint
};

/// Room for every header, question and OPT of ours, whatever the query.
inline constexpr std::size_t reply_size_min = 512;

/// All options that Reply::set_*() may add, with their heads.
inline constexpr std::size_t options_size_max =
    4 * edns::option_header_size + nsid_size_max + cookie_size + 2 + edns::zone_version_size;

/// The longest answer to the query, in bytes.
[[nodiscard]] std::size_t reply_size_max(const Query& query, Transport transport) noexcept;

/// Writes into the caller's buffer; allocates nothing. After a body that did not fit, everything
/// but finish() has no effect any more.
class Reply {
 public:
  /// `out` has at least reply_size_min bytes; `query` outlives this.
  Reply(const Query& query, Transport transport, std::span<std::uint8_t> out) noexcept;

  void set_rcode(Rcode rcode) noexcept { rcode_ = rcode; }
  void set_authoritative(bool is_authoritative) noexcept { is_authoritative_ = is_authoritative; }
  void set_extended_error(ExtendedError error) noexcept { extended_error_ = error; }
  // Options of the OPT, where the query has one: to be set before anything is appended, since they
  // take room from it.

  /// RFC 5001; at most nsid_size_max bytes, which outlive this.
  void set_nsid(std::string_view nsid) noexcept;
  /// The client's cookie and ours (RFC 7873).
  void set_cookie(const std::array<std::uint8_t, cookie_size>& cookie) noexcept;
  /// How long an idle connection is kept, in 100 ms (RFC 7828 §3.1).
  void set_keepalive(std::uint16_t idle) noexcept;
  /// The serial of the zone that has the answer (RFC 9660 §2.1).
  void set_zone_version(ZoneVersion version) noexcept;

  /// For ECS: how specific the answer is; 0: it is the same for all.
  void set_scope(std::uint8_t scope_prefix) noexcept { scope_prefix_ = scope_prefix; }

  /// Likewise, where several parts of the answer have scopes: the most specific one holds for all.
  void deepen_scope(std::uint8_t scope_prefix) noexcept {
    if (scope_prefix > scope_prefix_) scope_prefix_ = scope_prefix;
  }

  /// Appends a rendered answer, without its optional records if they do not fit. `shift`: by how
  /// many bytes the QNAME is longer than the one it was rendered for. False: it did not fit; the
  /// message is now one with TC (RFC 2181 §9), or SERVFAIL where no longer message exists.
  bool append(const Answer& answer, std::size_t shift) noexcept;

  /// Appends to the answer section one record whose owner is the name at `owner_at` in this
  /// message. Its RDATA is `head`, then a pointer to the name at `tail_at`, if that is not 0.
  /// Returns where the RDATA begins; 0: it did not fit, as above.
  std::uint16_t append_name_record(std::uint16_t owner_at, std::uint16_t type, std::uint32_t ttl,
                                   std::span<const std::uint8_t> head,
                                   std::uint16_t tail_at) noexcept;

  /// Appends what was drawn, its owner pointing to `owner` in this message, with TTLs of at most
  /// `ttl_max`. `may_repeat`: leaves out records already there. False: as above.
  bool append(const Drawn& drawn, std::uint16_t owner, std::optional<std::uint32_t> ttl_max,
              bool may_repeat) noexcept;

  /// Appends what was drawn as additional records of `owner`, each once, all of them or, where they
  /// do not fit, none. `owner_at` is where this message has the name, 0: nowhere yet; then it is
  /// set.
  void append_additional(const Drawn& drawn, std::span<const std::uint8_t> owner,
                         std::uint16_t& owner_at, std::optional<std::uint32_t> ttl_max) noexcept;

  /// Appends the addresses that an HTTPS record of ours hints at as additional records with its
  /// TTL, owned by the name at `owner_at`: per family all of them or, where they do not fit, none.
  void append_hinted(const RecordBytes& https, std::uint16_t owner_at,
                     std::optional<std::uint32_t> ttl_max) noexcept;

  /// Lowers the TTL of the record whose owner ends at `owner_end` (RFC 1035 §4.1.3).
  void lower_ttl(std::size_t owner_end, std::uint32_t ttl_max) noexcept;

  /// Gives the SOA that was appended last another serial; nothing if it did not fit.
  void set_soa_serial(std::uint32_t serial) noexcept;

  /// One TXT record of class CH with one character-string, owned by the QNAME, TTL 0.
  void append_chaos_text(std::string_view text) noexcept;

  /// A single HINFO "RFC8482" for queries of type ANY (RFC 8482 §4.2).
  void append_any_hinfo() noexcept;

  /// No record but TC: the client shall ask again over TCP (RFC 2181 §9).
  void truncate() noexcept;

  /// SERVFAIL without any record, whatever was appended before.
  void fail() noexcept;

  /// What has been written from `from` on; until the next change.
  [[nodiscard]] std::span<std::uint8_t> written_from(std::size_t from) noexcept {
    return {out_ + from, size_ - from};
  }

  /// The message's size by now.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool is_truncated() const noexcept { return is_truncated_; }
  [[nodiscard]] bool is_datagram() const noexcept { return !is_stream(transport_); }
  [[nodiscard]] Rcode rcode() const noexcept { return rcode_; }

  /// Writes the counts, the flags and the OPT; returns the message's size.
  [[nodiscard]] std::size_t finish() noexcept;

 private:
  bool does_not_fit() noexcept;
  std::uint8_t* add_option(std::uint16_t code, std::size_t data_size) noexcept;
  void write_opt() noexcept;
  std::size_t write_extended_error(std::size_t at) noexcept;
  std::size_t write_padding(std::size_t at) noexcept;
  bool append_once(const RecordBytes& part, std::size_t first_record) noexcept;

  const Query& query_;
  std::uint8_t* out_;
  Transport transport_;
  std::size_t message_limit_ = 0;
  std::size_t body_limit_ = 0;  // leaves room for the OPT
  std::size_t body_at_ = 0;
  std::size_t size_ = 0;
  std::size_t answer_count_ = 0;
  std::size_t authority_count_ = 0;
  std::size_t additional_count_ = 0;
  Rcode rcode_ = Rcode::noerror;
  bool is_authoritative_ = false;
  bool is_truncated_ = false;
  std::uint8_t scope_prefix_ = 0;
  std::optional<ExtendedError> extended_error_;
  std::size_t options_size_ = 0;
  std::array<std::uint8_t, options_size_max> options_;  // as they will be in the OPT
};

}  // namespace demarc::dns
