// What may be answered for one service, after the gate. Only zones/gate.h can make one, and the
// answer compiler (dns/steered_answers.h) takes nothing else: no other weight ever reaches a query.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "geo/base/moment.h"
#include "zones/model.h"
#include "zones/view.h"

namespace demarc::zones {

struct WeightedRecord {
  RecordId record{};
  std::uint16_t weight = 0;  // above zero
  auto operator<=>(const WeightedRecord&) const = default;
};

/// Why an answer is not simply the healthy records by weight; each has an EDE (RFC 8914).
enum class ChoiceNote : std::uint8_t {
  none,
  held,       // a crossing was held back at the border; on-block answers
  exception,  // a crossing under a live grant
  all_down,   // nothing is up: the eligible records by base weight
};

enum class ChoiceKind : std::uint8_t { records, nodata, servfail };

/// What one kind of client gets: the records to draw from, or none.
struct Choice {
  ChoiceKind kind = ChoiceKind::records;
  ChoiceNote note = ChoiceNote::none;
  std::vector<WeightedRecord> records;  // not empty with ChoiceKind::records
  /// Percent of the answers that this choice gives, 1 to 100; the rest is answered by `otherwise`,
  /// an index into ClearedWeights::choices() of a choice with a share of 100.
  std::uint8_t share = 100;
  std::uint16_t otherwise = 0;

  auto operator<=>(const Choice&) const = default;
};

/// What the application is told of a live exception (`_mode.NAME` TXT): until ClearedWeights::
/// valid_until() this, afterwards that everything is at home.
struct ModeSignal {
  Mode mode = Mode::read_only;
  std::string case_id;
  std::string grant_id;
  auto operator<=>(const ModeSignal&) const = default;
};

/// The cleared weights of one service, for each variant of its view. Immutable.
class ClearedWeights {
 public:
  [[nodiscard]] ServiceId service() const noexcept { return service_; }

  /// The distinct choices.
  [[nodiscard]] const std::vector<Choice>& choices() const noexcept { return choices_; }
  /// Indexed by variant: which choice answers now.
  [[nodiscard]] const std::vector<std::uint16_t>& choice_of_variant() const noexcept {
    return choice_of_variant_;
  }
  /// The same without any grant: what answers from `valid_until` on. Nothing of it is a crossing.
  [[nodiscard]] const std::vector<std::uint16_t>& fenced_choice_of_variant() const noexcept {
    return fenced_choice_of_variant_;
  }
  /// When the first grant that choice_of_variant() relies on ends; nothing: it relies on none.
  [[nodiscard]] std::optional<WallTime> valid_until() const noexcept { return valid_until_; }

  /// When these may be others, as far as is known: a timer's moment, or long ago where evidence is
  /// about to decide something. Answers given until then should not live much longer, down to the
  /// service's `ttl_min`. Nothing: nothing is under way.
  [[nodiscard]] std::optional<WallTime> may_change_at() const noexcept { return may_change_at_; }

  /// The widest exception that choice_of_variant() relies on; nothing: it relies on none.
  [[nodiscard]] const std::optional<ModeSignal>& mode() const noexcept { return mode_; }
  /// Set: these answer this tenant of the class alone, and win over those of the class
  /// (Service::tenants_of).
  [[nodiscard]] const std::string& tenant() const noexcept { return tenant_; }

  auto operator<=>(const ClearedWeights&) const = default;

 private:
  friend class Gate;
  ClearedWeights() = default;

  ServiceId service_{};
  std::vector<Choice> choices_;
  std::vector<std::uint16_t> choice_of_variant_;
  std::vector<std::uint16_t> fenced_choice_of_variant_;
  std::optional<WallTime> valid_until_;
  std::optional<WallTime> may_change_at_;
  std::optional<ModeSignal> mode_;
  std::string tenant_;
};

/// What clients are given now, each variant's choice and, where that is a share, what the rest
/// gets. Points into `cleared`.
[[nodiscard]] inline std::vector<const Choice*> given(const ClearedWeights& cleared) {
  std::vector<const Choice*> choices;
  for (const auto at : cleared.choice_of_variant()) {
    const Choice& choice = cleared.choices()[at];
    choices.push_back(&choice);
    if (choice.share < 100) choices.push_back(&cleared.choices()[choice.otherwise]);
  }
  return choices;
}

}  // namespace demarc::zones
