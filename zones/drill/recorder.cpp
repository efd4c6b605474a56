#include "zones/drill/recorder.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include <fmt/format.h>

namespace demarc::zones::drill {
namespace {

std::string home_text(const Repository& repository, const Service& service) {
  switch (service.home_kind) {
    case HomeKind::none:
      return "-";
    case HomeKind::client:
      return "client";
    case HomeKind::tenant:
      return "tenant";
    case HomeKind::jurisdiction:
      break;
  }
  return service.home ? repository.policy.jurisdiction(*service.home).name : "-";
}

std::string fact_of(const Decision& decision, std::string_view wanted) {
  for (const auto& [name, value] : decision.facts) {
    if (name == wanted) return value;
  }
  return {};
}

/// "REGIONS" of a crossing told as "GRANT to REGION", and as it is for soft ones.
std::optional<Mark> mark_of(const Decision& decision) {
  Mark mark{.at = decision.at, .kind = {}, .service = fact_of(decision, "service"), .text = {}};
  const auto says = [&](std::string kind, std::string text) {
    mark.kind = std::move(kind);
    mark.text = std::move(text);
    return mark;
  };
  if (decision.kind == "crossing-held") {
    return says("held", "held at the border: " + fact_of(decision, "change"));
  }
  if (decision.kind == "crossing-made") {
    return says("crossing", "crosses under " + fact_of(decision, "crossing"));
  }
  if (decision.kind == "soft-crossing-begun") {
    return says("crossing", "leaves home for " + fact_of(decision, "crossing"));
  }
  if (decision.kind == "crossing-ended" || decision.kind == "soft-crossing-ended") {
    return says("return", "back home from " + fact_of(decision, "crossing"));
  }
  if (decision.kind == "grant-accepted") {
    return says("token", "granted: " + fact_of(decision, "grant"));
  }
  if (decision.kind == "token-accepted") {
    return says("token", "accepted, waits for more persons: " + fact_of(decision, "grant"));
  }
  if (decision.kind == "token-refused") {
    return says("refusal", "token refused: " + fact_of(decision, "why"));
  }
  if (decision.kind == "grant-ended") {
    return says("token", "grant ended: " + fact_of(decision, "why"));
  }
  return std::nullopt;
}

}  // namespace

void Recorder::see(Milliseconds at, ServiceId service, const std::string& client,
                   const Answer& answer, bool on_the_wire) {
  auto track = std::ranges::find_if(tracks_, [&](const Track& known) {
    return known.service == service && known.client == client && known.on_the_wire == on_the_wire;
  });
  if (track == tracks_.end()) {
    tracks_.push_back({service, client, on_the_wire, {}});
    track = std::prev(tracks_.end());
  }
  if (!track->changes.empty() && track->changes.back().second == answer) return;
  if (!track->changes.empty() && track->changes.back().first == at) track->changes.pop_back();
  if (!track->changes.empty() && track->changes.back().second == answer) return;
  track->changes.emplace_back(at, answer);
}

std::vector<Lane> Recorder::lanes(Milliseconds end) const {
  std::vector<std::pair<ServiceId, Lane>> lanes;
  for (const Track& track : tracks_) {
    std::vector<Span> spans;
    for (std::size_t i = 0; i < track.changes.size(); ++i) {
      const Milliseconds to = i + 1 < track.changes.size() ? track.changes[i + 1].first : end;
      spans.push_back({track.changes[i].first, to, track.changes[i].second});
    }
    const auto alike = std::ranges::find_if(lanes, [&](const auto& known) {
      return known.first == track.service && known.second.spans == spans &&
             known.second.on_the_wire == track.on_the_wire;
    });
    if (alike != lanes.end()) {
      alike->second.clients.push_back(track.client);
      continue;
    }
    const Service& service = repository_.service(track.service);
    lanes.emplace_back(track.service, Lane{.service = service.owner.text_without_dot(),
                                           .residency = std::string(to_text(service.residency)),
                                           .home = home_text(repository_, service),
                                           .access = std::string(to_text(service.access)),
                                           .clients = {track.client},
                                           .spans = std::move(spans),
                                           .on_the_wire = track.on_the_wire});
  }
  std::ranges::stable_sort(lanes, {}, [](const auto& lane) { return lane.first; });
  std::vector<Lane> list;
  for (auto& [service, lane] : lanes) list.push_back(std::move(lane));
  return list;
}

std::vector<Mark> marks_of(const std::vector<Decision>& decisions) {
  std::vector<Mark> marks;
  for (const Decision& decision : decisions) {
    if (auto mark = mark_of(decision)) marks.push_back(std::move(*mark));
  }
  return marks;
}

}  // namespace demarc::zones::drill
