// Renders the part of an answer after its question, once, when a zone is loaded.
// dns/zone_compiler.cpp says what belongs into an answer; dns/reply.h copies it per query.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "zones/model.h"

namespace demarc::dns {

/// Which compression pointers of an answer move when the QNAME is longer or shorter than the one it
/// was rendered for.
enum class Shift : std::uint8_t {
  none,         // only ever for this very QNAME
  below_owner,  // a wildcard: the QNAME is the owner of its records, all other pointers move
  all,          // referrals and negative answers: the rendered owner is a suffix of the QNAME
};

enum class Section : std::uint8_t { answer, authority, additional };

/// Targets of one answer whose addresses are drawn per query; more are left to the client.
inline constexpr std::size_t steered_targets_max = 8;

/// A name whose addresses belong into the additional section, and are steered.
struct SteeredTarget {
  std::uint16_t name_at = 0;  // in the message; 0: it is nowhere in it
  std::uint32_t node = 0;     // of the zone table
};

/// What has been rendered. `patches` are the positions in `body` of the pointers that move.
struct Rendered {
  std::vector<std::uint8_t> body;
  std::vector<std::uint16_t> patches;
  std::array<std::uint16_t, 3> counts{};  // by Section
  std::size_t required_size = 0;          // the body without the records it can do without
  std::uint16_t required_additional_count = 0;
  std::uint16_t next_owner = 0;  // where the message has the target of the last CNAME
  std::vector<SteeredTarget> targets;
  std::uint32_t soa_zone_plus_1 = 0;  // the body ends with the SOA of this zone; 0: with no SOA
  bool fits = true;                   // false: no message is long enough; the body is empty
};

/// Writes RRsets in the order in which they are added: answer, authority, additional. Control
/// thread; reused for one answer after the other, since a zone has many.
class AnswerWriter {
 public:
  /// Begins an answer to `qname` (wire, lower case), which must outlive it.
  void begin(std::string_view qname, Shift shift);

  /// Appends an RRset with its names compressed where RFC 3597 §4 allows it.
  void add(Section section, std::string_view owner, const zones::RRset& rrset, std::uint32_t ttl);

  /// Appends a CNAME as the answer's next record.
  void add_cname(std::string_view owner, std::uint32_t ttl, std::string_view target);

  /// Notes that the addresses of `name` (lower case), at `node`, are drawn per query. Each once.
  void add_target(std::string_view name, std::uint32_t node);

  /// Notes that what was added last is the SOA of that zone, and that nothing follows.
  void ends_with_soa_of(std::uint32_t zone) { out_.soa_zone_plus_1 = zone + 1; }

  /// The names of what is added from here on are written in full, for bodies that follow others.
  void without_compression() { compresses_ = false; }

  /// From here on, records may be left out if they do not fit.
  void optional_from_here();

  /// What was written since begin(); valid until the next begin().
  [[nodiscard]] const Rendered& finish();

 private:
  struct Record {
    std::string_view owner;
    std::uint16_t type = 0;
    std::uint32_t ttl = 0;
    std::string_view rdata;
  };
  bool add_record(Section section, const Record& record);
  void write_record(const Record& record);
  void write_rdata(std::uint16_t type, std::string_view rdata);
  void write_target(std::string_view name);
  void write_name(std::string_view name);
  void write_pointer(std::uint16_t target, bool moves);
  void learn_qname();
  void append16(std::size_t value);

  std::string_view qname_;
  Shift shift_ = Shift::none;
  bool compresses_ = true;
  bool knows_qname_ = false;
  bool is_full_ = false;
  bool is_optional_ = false;
  std::unordered_map<std::string, std::uint16_t> positions_;  // of names in the message
  Rendered out_;
};

/// The names at the start of an RDATA that may be compressed: those of RFC 1035 types (RFC 3597
/// §4).
struct CompressibleNames {
  std::size_t offset = 0;
  std::size_t count = 0;
};
[[nodiscard]] CompressibleNames compressible_names(std::uint16_t type) noexcept;

/// ASCII upper case to lower, as names compare (RFC 4343).
[[nodiscard]] std::string to_lower(std::string_view name);

/// The name that an RR of this type leads to and whose addresses belong into the additional section
/// (NS, MX, SRV, SVCB, HTTPS); empty for other types. The root's name, in SVCB and HTTPS, means the
/// owner (RFC 9460 §2.5).
[[nodiscard]] std::string_view target_of(std::uint16_t type, std::string_view rdata);

}  // namespace demarc::dns
