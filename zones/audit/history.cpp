#include "zones/audit/history.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace demarc::zones {

namespace {

constexpr std::string_view nothing = "none";

/// "g-1 to us, g-2 to us for tenant acme".
std::set<std::string> parse_crossings(std::string_view text) {
  std::set<std::string> crossings;
  while (!text.empty() && text != nothing) {
    const auto end = std::min(text.find(", "), text.size());
    crossings.emplace(text.substr(0, end));
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  return crossings;
}

}  // namespace

History::History(std::string name, std::string tenant, WallTime from, WallTime to,
                 std::optional<std::uint64_t> removed)
    : name_(std::move(name)),
      tenant_(std::move(tenant)),
      from_(from),
      to_(to),
      since_(from),
      removed_(removed) {}

void History::take_definition(const ParsedEntry& parsed) {
  const AuditEntry& entry = parsed.entry;
  is_loaded_ = true;
  definition_ =
      fmt::format("residency {}, home {}, inside: {}, outside: {}", entry.fact("residency"),
                  entry.fact("home"), entry.fact("inside"), entry.fact("outside"));
  const std::string_view crossings = entry.fact("crossings"), soft = entry.fact("soft-crossing");
  if (crossings.empty() || soft.empty()) return;
  abroad_[std::string(entry.fact("class"))] = {parse_crossings(crossings),
                                               std::string(soft == nothing ? "" : soft)};
  if (!removed_ || parsed.place.sequence <= *removed_) return;
  removed_.reset();
  is_stopped_ = false;  // it ran, and its trail could be written, when it told this
  is_broken_ = false;
}

void History::add(const ParsedEntry& parsed) {
  const AuditEntry& entry = parsed.entry;
  const std::string& kind = entry.kind;
  const bool is_ours = entry.fact("service") == name_;
  if (kind == "grant-accepted") {
    std::string signers;
    for (const auto& [fact, value] : entry.facts) {
      if (fact.starts_with("signature-")) signers += (signers.empty() ? "" : "; ") + value;
    }
    grants_[std::string(entry.fact("grant"))] = signers;
  }
  const bool is_of_node = kind == "start" || kind == "stop" || kind == "configuration-loaded" ||
                          kind == "disk-broken" || kind == "audit-mended";
  if (kind == "start" && !is_stopped_) {
    // Killed: nobody wrote when. What it last told is known until its last entry, no longer.
    turn(last_, last_sequence_);
    is_silent_ = true;
  }
  last_ = entry.time;
  last_sequence_ = parsed.place.sequence;
  if (!is_ours && !is_of_node) return;
  turn(entry.time, parsed.place.sequence);
  Abroad& abroad = abroad_[std::string(entry.fact("class"))];
  if (kind == "start") {
    is_stopped_ = true;  // it answers once a configuration is loaded
    is_silent_ = false;
    is_broken_ = false;
  } else if (kind == "configuration-loaded") {
    is_stopped_ = false;
  } else if (kind == "stop") {
    is_stopped_ = true;
  } else if (kind == "disk-broken") {
    is_broken_ = true;
  } else if (kind == "audit-mended") {
    is_broken_ = false;
  } else if (kind == "service-loaded") {
    take_definition(parsed);
  } else if (kind == "service-removed") {
    is_loaded_ = false;
    abroad_.clear();
  } else if (kind == "crossing-made") {
    abroad.crossings.emplace(entry.fact("crossing"));
  } else if (kind == "crossing-ended") {
    abroad.crossings.erase(std::string(entry.fact("crossing")));
  } else if (kind == "soft-crossing-begun") {
    abroad.soft = entry.fact("crossing");
  } else if (kind == "soft-crossing-ended") {
    abroad.soft.clear();
  }
}

/// What is known to leave home.
std::vector<std::string> History::outside() const {
  std::vector<std::string> list;
  for (const auto& [name, abroad] : abroad_) {
    for (const std::string& crossing : abroad.crossings) {
      const auto tenant = crossing.find(" for tenant ");
      if (!tenant_.empty() && tenant != std::string::npos &&
          crossing.substr(tenant + 12) != tenant_) {
        continue;
      }
      const auto grant = grants_.find(crossing.substr(0, crossing.find(' ')));
      list.push_back(fmt::format("under grant {} ({})", crossing,
                                 grant == grants_.end() ? "told before" : grant->second));
    }
    if (!abroad.soft.empty()) list.push_back("soft crossing to " + abroad.soft);
  }
  return list;
}

Interval History::state() const {
  Interval now;
  const auto outside = this->outside();
  if (removed_ && outside.empty()) {
    now.what = "details were removed by retention, and what they told is not known";
    now.is_unknown = true;
    now.is_removed = true;
  } else if (is_stopped_ && !removed_) {
    now.what = "the server was stopped, or had not loaded its configuration";
    now.is_unknown = true;
  } else if (!outside.empty()) {
    now.what = fmt::format("outside home: {}", fmt::join(outside, "; "));
    now.is_outside = true;
  } else if (!is_loaded_) {
    now.what = "not loaded as a service with residency";
    now.is_unknown = true;
  } else {
    now.what = "inside home only (" + definition_ + ")";
  }
  if (is_broken_) {
    now.what +=
        "; the trail could not be written: no new crossing was made, soft ones may be "
        "missing";
  }
  if (is_silent_) {
    now.what = "not running or not recorded (a start follows without a stop); while it ran on: " +
               now.what;
    now.is_unknown = true;
  }
  if (is_after_trail_) {
    now.what = "after the trail's last entry, if the server ran on: " + now.what;
  }
  return now;
}

/// Ends the interval before `at`; one that says the same as the last one continues it.
void History::turn(WallTime at, std::uint64_t sequence) {
  const WallTime end = std::clamp(at, since_, to_);
  Interval ended = state();
  if (!intervals_.empty() && intervals_.back().what == ended.what) {
    intervals_.back().to = end;
  } else if (end > since_ || ended.is_outside) {
    // A crossing of no duration was one all the same, unless it ended before what is asked for.
    if (at >= from_ && since_ < to_) {
      ended.from = since_;
      ended.to = end;
      ended.entries = std::move(why_);
      intervals_.push_back(std::move(ended));
    }
  }
  since_ = end;
  why_ = {sequence};
}

std::vector<Interval> History::finish() {
  // The trail speaks up to its last entry; a server that ran on told of every change, but whether it
  // ran on nobody wrote.
  if (last_ < to_ && !is_stopped_) {
    turn(last_, last_sequence_);
    is_after_trail_ = true;
  }
  turn(to_, 0);
  return std::move(intervals_);
}

}  // namespace demarc::zones
