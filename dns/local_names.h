// Names that stand in no zone file: what operators may ask of a service (`_geo.NAME`,
// `_health.NAME`, `_gate.NAME`) and the values by which a certificate authority knows whose a name
// is (`_acme-challenge.NAME`, RFC 8555 §8.4). tools/local_names.h fills them,
// dns/local_reply.h answers with them; a name that a zone has wins over all of them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dns/steered_answers.h"
#include "geo/database.h"
#include "zones/model.h"

namespace demarc::dns {

/// TXT records of one name, rendered; the owner is a pointer to the QNAME.
class TextRecords {
 public:
  /// Appends one TXT record; a text of more than 255 bytes is cut into several character-strings
  /// (RFC 1035 §3.3.14).
  void add(std::string_view text, std::uint32_t ttl);

  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  /// Points into this. The records differ in size: the stride means nothing.
  [[nodiscard]] RecordBytes records() const noexcept {
    return {bytes_, count_, static_cast<std::uint16_t>(bytes_.size())};
  }
  bool operator==(const TextRecords&) const = default;

 private:
  std::vector<std::uint8_t> bytes_;
  std::uint16_t count_ = 0;
};

/// What operators are told of one service (zones/operator_texts.h).
struct ServiceTexts {
  TextRecords health;
  TextRecords gate_home;
  TextRecords gate_live;  // until the service's grants end; empty: there is no exception
  std::vector<std::string> regions, fenced_regions;  // by variant, under grants and without any
  bool operator==(const ServiceTexts&) const = default;
};

/// Immutable. By zone and by service, as in the repository that the snapshot was built from.
struct OperatorView {
  std::vector<zones::OperatorNames> zones;  // without any network: nobody may ask
  std::vector<ServiceTexts> services;
  std::shared_ptr<const geo::Databases> databases;              // null: knows no location
  std::shared_ptr<const std::vector<geo::Override>> overrides;  // null: none
};

inline constexpr std::string_view challenge_label = "_acme-challenge";

/// Whether a name (wire, lower case) is one of a challenge's.
[[nodiscard]] bool is_challenge_name(std::span<const std::uint8_t> name) noexcept;

/// Immutable. By the whole name on the wire, in lower case.
using Challenges = std::map<std::string, TextRecords, std::less<>>;

/// Look-ups in the databases cost tens of microseconds: of more `_geo` questions in one second
/// than this, a thread answers those over UDP by TC alone, so that forged ones cost little.
inline constexpr unsigned geo_lookups_max = 200;

}  // namespace demarc::dns
