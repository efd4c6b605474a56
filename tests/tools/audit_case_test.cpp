#include "tools/audit_case.h"

#include <vector>

#include <catch2/catch.hpp>

#include "zones/time_text.h"

using namespace demarc;
using namespace demarc::tools;

namespace {

using Facts = std::vector<std::pair<std::string, std::string>>;

/// A trail of entries a minute apart, unless told.
class Trail {
 public:
  Trail& tell(const std::string& kind, Facts facts, bool is_same_moment = false) {
    if (!is_same_moment) now_ += std::chrono::minutes(1);
    zones::ParsedEntry parsed;
    parsed.entry = {.time = now_, .kind = kind, .jurisdiction = "EU", .facts = std::move(facts)};
    parsed.place.sequence = entries_.size();
    entries_.push_back(std::move(parsed));
    return *this;
  }
  [[nodiscard]] std::vector<std::uint64_t> of(const std::string& case_id) const {
    CaseFilter filter(case_id);
    for (const auto& entry : entries_) filter.learn(entry);
    std::vector<std::uint64_t> found;
    for (const auto& entry : entries_) {
      if (filter.has(entry)) found.push_back(entry.place.sequence);
    }
    return found;
  }

 private:
  WallTime now_ = *zones::parse_rfc3339("2026-11-23T12:00:00Z");
  std::vector<zones::ParsedEntry> entries_;
};

Facts api(Facts more = {}) {
  more.emplace_back("service", "api.example.com");
  return more;
}
Facts shop(Facts more = {}) {
  more.emplace_back("service", "shop.example.com");
  return more;
}

using Sequences = std::vector<std::uint64_t>;

/// 0 to 11: a failure of api, held, approved for INC-1, made and ended; shop has its own.
Trail story() {
  Trail trail;
  trail.tell("start", {})
      .tell("configuration-loaded", {{"policy", "p1"}})
      .tell("service-loaded", api())
      .tell("service-loaded", shop())
      .tell("weights-changed", api({{"after", "before it all"}}))
      .tell("failover-wanted", api({{"change", "c-1"}}))
      .tell("crossing-held", api({{"change", "c-1"}}), true)
      .tell("failover-wanted", shop({{"change", "c-2"}}))
      .tell("grant-accepted", api({{"grant", "g-1"}, {"case", "INC-1"}}))
      .tell("crossing-made", api({{"crossing", "g-1 to us"}}))
      .tell("grant-ended", api({{"grant", "g-1"}}))
      .tell("weights-changed", api({{"after", "long after"}}));
  return trail;
}

}  // namespace

TEST_CASE("case: it has what names it, what that names, and what led there", "[tools][case]") {
  const Trail trail = story();
  // The definitions in force (1, 2), the failure from its first step (5, 6), the grant to its end.
  CHECK(trail.of("INC-1") == Sequences{1, 2, 5, 6, 8, 9, 10});
  CHECK(trail.of("INC-2").empty());
  CHECK(trail.of("INC").empty());
  CHECK(trail.of("").size() == 12);
}

TEST_CASE("case: a signer's words name it whole, not in part", "[tools][case]") {
  Trail trail;
  trail.tell("grant-accepted",
             api({{"grant", "g-1"}, {"signature-1", "anna (legal) case INC-7 for eu is lost"}}));
  trail.tell("grant-accepted",
             shop({{"grant", "g-2"}, {"signature-1", "anna (legal) case INC-70 for eu is lost"}}));
  CHECK(trail.of("INC-7") == Sequences{0});
  CHECK(trail.of("INC-70") == Sequences{1});
}

TEST_CASE("case: while its grant lives, what happens to its service belongs to it",
          "[tools][case]") {
  Trail trail;
  trail.tell("grant-accepted", api({{"grant", "g-1"}, {"case", "INC-1"}}))
      .tell("weights-changed", api())
      .tell("weights-changed", shop())
      .tell("alert-raised", api())
      .tell("configuration-loaded", {});
  CHECK(trail.of("INC-1") == Sequences{0, 1, 4});
}

TEST_CASE("case: a failure that had ended before is another story", "[tools][case]") {
  Trail trail;
  trail.tell("failover-wanted", api({{"change", "c-1"}}))
      .tell("pending-ended", api({{"change", "c-1"}}))
      .tell("grant-accepted", api({{"grant", "g-1"}, {"case", "INC-1"}}));
  CHECK(trail.of("INC-1") == Sequences{2});
  Trail covered;
  covered.tell("failover-wanted", api({{"change", "c-1"}}))
      .tell("pending-ended", api({{"change", "c-1"}}))
      .tell("grant-accepted", api({{"grant", "g-1"}, {"case", "INC-1"}}), true);
  CHECK(covered.of("INC-1") == Sequences{0, 1, 2});
}
