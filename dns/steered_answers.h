// The answers of one service, rendered from its cleared weights: per choice a table to draw a
// record from, per record the bytes of its A, AAAA, HTTPS and CNAME records. zones/gate.h made the
// weights; dns/steered_reply.cpp draws and copies.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dns/alias_table.h"
#include "dns/https_record.h"
#include "dns/random.h"
#include "dns/wire.h"
#include "geo/base/moment.h"
#include "zones/cleared_weights.h"
#include "zones/model.h"
#include "zones/view.h"

namespace demarc::dns {

/// What a steered owner is asked for. `other`: any type but these; only a CNAME answers it.
enum class SteeredType : std::uint8_t { a, aaaa, https, other };
inline constexpr std::size_t steered_type_count = 4;

/// Types that a service decides for its name, whatever static records stand there: one decision a
/// name. Other types are its own static records; where it has none, it is asked for a CNAME.
[[nodiscard]] constexpr bool is_steered_type(std::uint16_t qtype) noexcept {
  return qtype == rrtype::a || qtype == rrtype::aaaa || qtype == rrtype::cname ||
         qtype == rrtype::https;
}

/// RRs of one type side by side, all of `stride` bytes: the owner (a pointer to the QNAME), TYPE,
/// CLASS, TTL, RDLENGTH, RDATA.
struct RecordBytes {
  std::span<const std::uint8_t> bytes;
  std::uint16_t count = 0;
  std::uint16_t stride = 0;
};
inline constexpr std::size_t rr_type_at = 2;
inline constexpr std::size_t rr_ttl_at = 6;
inline constexpr std::size_t rr_rdata_at = 12;

/// More records than this are never drawn one by one for a single answer: `answers: 300` of 400
/// records gives 256. A message has no room for more than a few thousand addresses anyway.
inline constexpr std::size_t drawn_records_max = 256;

/// What a draw of several records needs to remember; one per query thread.
struct DrawMemory {
  std::array<std::uint64_t, 65'536 / 64> is_drawn{};  // by place in the choice; zero between draws
  std::array<std::uint16_t, drawn_records_max> places;
  std::array<std::uint8_t, rr_rdata_at + https_rdata_size_max> https;  // one for several records
};

/// By what a draw is made.
struct Chance {
  Random& random;
  DrawMemory& memory;
  std::uint64_t client = 0;  // of a sticky service: StickyClient::hash
};

/// What was drawn: references to rendered bytes, or to the DrawMemory's until the next draw, to be
/// copied one after the other. One HTTPS record at most.
struct Drawn {
  std::array<RecordBytes, drawn_records_max> parts;
  std::size_t part_count = 0;
};

/// Immutable; any number of threads may read it. Has only records that the weights name: a record
/// that is not eligible is nowhere in it.
class ServiceAnswers {
 public:
  struct Choice {
    zones::ChoiceKind kind = zones::ChoiceKind::records;
    zones::ChoiceNote note = zones::ChoiceNote::none;
    std::uint8_t share = 100;     // percent of the answers, 1 to 100; the rest is that of
    std::uint16_t otherwise = 0;  // this choice, whose share is 100
    std::uint32_t first_column = 0;
    std::uint32_t column_count = 0;
    std::uint32_t weight_sum = 0;
    std::array<std::uint32_t, 2> all_at{};     // where all addresses lie together: A, AAAA
    std::array<std::uint16_t, 2> all_count{};  // how many they are
    std::uint32_t all_https_at = 0;            // the HTTPS record of all
    std::uint16_t all_https_size = 0;          // 0: there is none
  };

  [[nodiscard]] zones::ViewId view() const noexcept { return view_; }
  [[nodiscard]] std::uint32_t zone() const noexcept { return zone_; }
  [[nodiscard]] std::uint32_t ttl() const noexcept { return ttl_; }
  /// When answers may be others (ClearedWeights::may_change_at), wall clock; INT64_MAX: not so
  /// soon.
  [[nodiscard]] std::int64_t may_change_ms() const noexcept { return may_change_ms_; }
  [[nodiscard]] std::uint32_t ttl_min() const noexcept { return ttl_min_; }
  [[nodiscard]] std::optional<WallTime> valid_until() const noexcept { return valid_until_; }

  /// Whether two records share an address: what is drawn from both must not repeat it.
  [[nodiscard]] bool addresses_repeat() const noexcept { return addresses_repeat_; }

  [[nodiscard]] std::size_t variant_count() const noexcept { return choice_of_variant_.size(); }
  /// Which choice answers a variant, under grants and without any. Precondition: variant_count().
  [[nodiscard]] std::uint16_t choice_of_variant(std::size_t variant) const noexcept {
    return choice_of_variant_[variant];
  }
  [[nodiscard]] std::uint16_t fenced_choice_of_variant(std::size_t variant) const noexcept {
    return fenced_choice_of_variant_[variant];
  }
  [[nodiscard]] const Choice& choice(std::uint16_t index) const noexcept { return choices_[index]; }
  /// Whether any record of the service could answer the type. If not, it is NODATA wherever the
  /// client is.
  [[nodiscard]] bool may_have(SteeredType type) const noexcept {
    return may_have_[static_cast<std::size_t>(type)];
  }

  /// The TXT record of the service's `_mode` name: at home, and under the exception that lives
  /// until valid_until(). No bytes: the service has no such name, or there is no exception.
  [[nodiscard]] RecordBytes home_mode() const noexcept { return mode_bytes(home_mode_); }
  [[nodiscard]] RecordBytes live_mode() const noexcept { return mode_bytes(live_mode_); }

  /// What a transfer of the zone has of the service (dns/transfer_records.h); empty where nobody
  /// may have the zone.
  [[nodiscard]] std::span<const std::uint8_t> transfer_records() const noexcept {
    return transfer_records_;
  }

  /// Whether a client's network keeps its answer, and whether ECS says who the client is.
  [[nodiscard]] bool is_sticky() const noexcept { return is_sticky_; }
  [[nodiscard]] bool uses_client_subnet() const noexcept { return uses_client_subnet_; }

  /// Draws by weight what answers `type`, as `answers:` says; of a sticky service what `chance`'s
  /// client keeps. The first record drawn decides: a
  /// CNAME stands alone (RFC 2181 §10.1); otherwise the address records drawn answer together, and
  /// one HTTPS record hints at the addresses of all of them: they are one endpoint, the same
  /// target with the same parameters (RFC 9460 §2.4.3, §7.3). Nothing is drawn (part_count 0) where
  /// they lack the type: NODATA.
  /// Precondition: `choice` is of kind `records`.
  void draw(const Choice& choice, SteeredType type, Chance& chance, Drawn& drawn) const noexcept;

 private:
  friend ServiceAnswers compile_service(const zones::Repository&, const zones::Views&,
                                        const zones::ClearedWeights&);
  friend class ServiceCompiler;
  struct Record {
    std::array<std::uint32_t, 2> addresses_at{};
    std::array<std::uint16_t, 2> address_count{};
    std::uint32_t cname_at = 0;
    std::uint16_t cname_size = 0;  // 0: it has addresses
    std::uint16_t https_size = 0;  // 0: it has no HTTPS record
    std::uint32_t https_at = 0;
  };

  struct Bytes {
    std::uint32_t at = 0;
    std::uint16_t size = 0;
  };

  ServiceAnswers() = default;
  [[nodiscard]] RecordBytes one_record(std::uint32_t at, std::uint16_t size) const noexcept {
    return {{bytes_.data() + at, size}, 1, size};
  }
  [[nodiscard]] RecordBytes mode_bytes(Bytes mode) const noexcept {
    return one_record(mode.at, mode.size);
  }
  [[nodiscard]] const Record& record_of(const Choice& choice, std::uint16_t place) const noexcept {
    return records_[record_of_column_[choice.first_column + place]];
  }
  [[nodiscard]] RecordBytes addresses(std::uint32_t at, std::uint16_t count,
                                      SteeredType type) const noexcept;
  [[nodiscard]] std::uint16_t first_place(const Choice& choice, Chance& chance) const noexcept;
  [[nodiscard]] std::uint16_t next_place(const Choice& choice, std::uint32_t sum_left,
                                         Chance& chance) const noexcept;
  void draw_more(const Choice& choice, SteeredType type, std::uint16_t first, Chance& chance,
                 Drawn& drawn) const noexcept;
  void append(const Record& record, SteeredType type, Drawn& drawn) const noexcept;
  [[nodiscard]] RecordBytes merged_https(const Choice& choice, std::size_t drawn_count,
                                         DrawMemory& memory) const noexcept;

  zones::ViewId view_{};
  std::uint32_t zone_ = 0;
  std::uint32_t ttl_ = 0;
  std::uint32_t ttl_min_ = 0;
  std::int64_t may_change_ms_ = std::numeric_limits<std::int64_t>::max();
  bool addresses_repeat_ = false;
  bool is_sticky_ = false;
  bool uses_client_subnet_ = true;
  std::size_t answers_ = 1;
  std::optional<WallTime> valid_until_;
  Bytes home_mode_, live_mode_;
  Bytes https_front_;  // what every HTTPS record of the service begins with
  std::array<bool, steered_type_count> may_have_{};
  std::vector<std::uint16_t> choice_of_variant_;
  std::vector<std::uint16_t> fenced_choice_of_variant_;
  std::vector<Choice> choices_;
  std::vector<AliasColumn> columns_;
  std::vector<std::uint16_t> record_of_column_;  // index into records_
  std::vector<std::uint16_t> weight_of_column_;
  std::vector<std::uint64_t> hash_of_column_;  // of a sticky service
  std::vector<Record> records_;
  std::vector<std::uint8_t> bytes_;
  std::vector<std::uint8_t> transfer_records_;
};

/// Renders a service. Takes nothing but cleared weights, so that no other weight reaches a query.
/// Control thread; microseconds for a few records.
[[nodiscard]] ServiceAnswers compile_service(const zones::Repository& repository,
                                             const zones::Views& views,
                                             const zones::ClearedWeights& cleared);

}  // namespace demarc::dns
