#include "zones/drill/judge.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "zones/drill/scenario_rules.h"

namespace demarc::zones::drill {
namespace {

constexpr Milliseconds for_ever = Milliseconds::max();

std::set<std::string> endpoints_named(const Repository& repository, const Action& action) {
  std::set<std::string> names;
  for (const std::string& target : action.targets) {
    for (const auto& [service, record] : records_named(repository, target)) {
      names.insert(repository.service(service).record(record).endpoint_name.text_without_dot());
    }
  }
  return names;
}

const Span* span_at(const Lane& lane, Milliseconds at) {
  const Span* found = nullptr;
  for (const Span& span : lane.spans) {
    if (span.from <= at) found = &span;
  }
  return found;
}

/// Whether nobody who asks for this is led to an endpoint that is down.
bool is_good(const Answer& answer, const Outages& outages, Milliseconds at) {
  const auto down = [&](const std::string& endpoint) { return outages.is_down(endpoint, at); };
  return answer.kind == ChoiceKind::records && std::ranges::none_of(answer.endpoints, down) &&
         std::ranges::none_of(answer.rest, down);
}

struct Case {
  const Repository& repository;
  const Service& service;
  std::vector<const Lane*> lanes;
  const Outages& outages;
};

bool all_good(const Case& c, Milliseconds at) {
  return std::ranges::all_of(c.lanes, [&](const Lane* lane) {
    const Span* span = span_at(*lane, at);
    return span != nullptr && is_good(span->answer, c.outages, at);
  });
}

/// All moments from `from` on at which anything of the service may change.
std::vector<Milliseconds> moments(const Case& c, Milliseconds from) {
  std::set<Milliseconds> moments;
  for (const Lane* lane : c.lanes) {
    for (const Span& span : lane->spans) moments.insert(span.from);
  }
  moments.insert(c.outages.recoveries().begin(), c.outages.recoveries().end());
  std::vector<Milliseconds> list(moments.lower_bound(from), moments.end());
  return list;
}

std::vector<const HealthCheck*> checks_of(const Case& c, const std::vector<std::string>& down) {
  std::vector<const HealthCheck*> checks;
  for (const HealthCheck& check : c.service.checks) {
    const auto name = c.service.record(check.record).endpoint_name.text_without_dot();
    if (std::ranges::count(down, name) != 0) checks.push_back(&check);
  }
  return checks;
}

/// The endpoints of the service that were answered just before and fail now.
std::vector<std::string> struck(const Case& c, Milliseconds at) {
  std::set<std::string> names;
  for (const Lane* lane : c.lanes) {
    const Span* span = span_at(*lane, at - Milliseconds(1));
    if (span == nullptr) continue;
    for (const auto* list : {&span->answer.endpoints, &span->answer.rest}) {
      for (const std::string& endpoint : *list) {
        const bool fails_now =
            c.outages.is_down(endpoint, at) && !c.outages.is_down(endpoint, at - Milliseconds(1));
        if (fails_now) names.insert(endpoint);
      }
    }
  }
  return {names.begin(), names.end()};
}

std::string how_of(const Case& c, Milliseconds at, const Report& report) {
  std::set<std::string> regions;
  bool granted = false;
  for (const Lane* lane : c.lanes) {
    const Span* span = span_at(*lane, at);
    regions.insert(span->answer.regions.begin(), span->answer.regions.end());
    granted = granted || span->answer.note == ChoiceNote::exception;
  }
  const std::string where = fmt::format("{}", fmt::join(regions, ", "));
  if (!granted) return "moved to " + where;
  for (const Decision& decision : report.decisions) {
    if (decision.kind != "crossing-made" || decision.at > at) continue;
    for (const auto& [name, value] : decision.facts) {
      if (name == "crossing") return "under " + value;
    }
  }
  return "under a grant to " + where;
}

Milliseconds worst_detection(const std::vector<const HealthCheck*>& checks) {
  Milliseconds worst{0};
  for (const HealthCheck* check : checks) worst = std::max(worst, detection_worst_case(*check));
  return worst;
}

void find_detection(Recovery& row, const std::vector<const HealthCheck*>& checks,
                    const DownVerdicts& down) {
  for (const HealthCheck* check : checks) {
    const auto known = down.find(check->key);
    if (known == down.end()) continue;
    const auto at = std::ranges::lower_bound(known->second, row.failed);
    if (at == known->second.end()) continue;
    const Milliseconds took = *at - row.failed;
    row.detected = std::max(row.detected.value_or(took), took);
  }
}

/// After what failed came back: until every answer is what it was before.
std::optional<Milliseconds> time_back(const Case& c, Milliseconds failed) {
  const auto recovery = std::ranges::upper_bound(c.outages.recoveries(), failed);
  if (recovery == c.outages.recoveries().end()) return std::nullopt;
  for (const Milliseconds at : moments(c, *recovery)) {
    const bool as_before = std::ranges::all_of(c.lanes, [&](const Lane* lane) {
      const Span* before = span_at(*lane, failed - Milliseconds(1));
      const Span* now = span_at(*lane, at);
      return before != nullptr && now != nullptr && before->answer == now->answer;
    });
    if (as_before) return at - *recovery;
  }
  return std::nullopt;
}

Recovery recover(const Case& c, Milliseconds failed, const std::vector<std::string>& endpoints,
                 const Report& report, const DownVerdicts& down) {
  Recovery row{.service = c.service.owner.text_without_dot(),
               .access = std::string(to_text(c.service.access)),
               .failed = failed,
               .endpoints = endpoints,
               .ttl = Seconds(c.service.ttl),
               .objective = c.service.access == Access::read ? report.read_rto : report.write_rto,
               .how = "not recovered"};
  const auto checks = checks_of(c, endpoints);
  find_detection(row, checks, down);
  row.back = time_back(c, failed);
  const Milliseconds late = worst_detection(checks);
  for (const Milliseconds at : moments(c, failed)) {
    if (!all_good(c, at)) continue;
    const bool came_back = std::ranges::none_of(
        endpoints, [&](const std::string& endpoint) { return c.outages.is_down(endpoint, at); });
    row.decided = at - failed;
    if (came_back) {
      // Nothing moved: caches that kept the old answer are right again.
      row.published = row.decided;
      row.ttl = Milliseconds(0);
      row.measured = row.worst = row.decided;
      row.how = "the endpoint came back";
    } else {
      row.published = *row.decided + publish_budget;
      // In a live drill steering acts at once; what the probes would have needed comes on top.
      const Milliseconds unseen = row.detected ? Milliseconds(0) : late;
      row.measured = unseen + *row.published + row.ttl;
      row.worst = std::max(late, *row.decided) + publish_budget + row.ttl;
      row.how = how_of(c, at, report);
    }
    row.met = std::max(*row.measured, *row.worst) <= row.objective;
    return row;
  }
  return row;
}

std::string wanted_text(const Expectation& expect) {
  std::vector<std::string> parts;
  if (expect.answers) parts.push_back(fmt::format("answers {}", fmt::join(*expect.answers, ", ")));
  if (expect.held) parts.emplace_back(*expect.held ? "held at the border" : "not held");
  if (expect.crossing) parts.emplace_back(*expect.crossing ? "a crossing" : "no crossing");
  if (!expect.clients.empty()) {
    std::vector<std::string> clients;
    for (const geo::Code2 client : expect.clients) clients.emplace_back(client.text());
    parts.push_back(fmt::format("for {}", fmt::join(clients, ", ")));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

bool is_met(const Expectation& expect, const Answer& answer) {
  if (expect.answers) {
    const std::vector<std::string> kind{std::string(to_text(answer.kind))};
    const auto& found = answer.kind == ChoiceKind::records ? answer.regions : kind;
    if (found != *expect.answers) return false;
  }
  if (expect.held && *expect.held != (answer.note == ChoiceNote::held)) return false;
  return !expect.crossing || *expect.crossing == (answer.note == ChoiceNote::exception);
}

Expected judge_expectation(const Report& report, const Expectation& expect,
                           const Repository& repository) {
  const Service& service = repository.service(*find_service(repository, expect.service));
  Expected judged{.at = expect.at,
                  .service = service.owner.text_without_dot(),
                  .wanted = wanted_text(expect),
                  .met = true};
  std::set<std::string> found;
  for (const Lane& lane : report.lanes) {
    const bool is_asked =
        expect.clients.empty() || std::ranges::any_of(expect.clients, [&](geo::Code2 client) {
          return std::ranges::count(lane.clients, client.text()) != 0;
        });
    if (lane.service != judged.service || !is_asked) continue;
    const Span* span = span_at(lane, expect.at);
    found.insert(span == nullptr ? "nothing" : answer_text(span->answer));
    judged.met = judged.met && span != nullptr && is_met(expect, span->answer);
  }
  judged.met = judged.met && !found.empty();
  judged.found = fmt::format("{}", fmt::join(found, "; "));
  return judged;
}

}  // namespace

Outages::Outages(const Scenario& scenario, const Repository& repository) {
  std::set<Milliseconds> failures, recoveries;
  for (const Action& action : scenario.timeline) {
    if (action.kind == ActionKind::fail) failures.insert(action.at);
    if (action.kind == ActionKind::recover) recoveries.insert(action.at);
    if (action.kind != ActionKind::fail && action.kind != ActionKind::recover) continue;
    for (const std::string& name : endpoints_named(repository, action)) {
      auto& list = outages_[name];
      const bool is_out = !list.empty() && list.back().to == for_ever;
      if (action.kind == ActionKind::fail && !is_out) {
        list.push_back({action.at, for_ever, action.how});
      }
      if (action.kind == ActionKind::recover && is_out) list.back().to = action.at;
    }
  }
  failures_.assign(failures.begin(), failures.end());
  recoveries_.assign(recoveries.begin(), recoveries.end());
}

bool Outages::is_down(const std::string& endpoint, Milliseconds at) const {
  const auto known = outages_.find(endpoint);
  return known != outages_.end() && std::ranges::any_of(known->second, [&](const Outage& outage) {
           return outage.from <= at && at < outage.to;
         });
}

FailureKind Outages::how(const std::string& endpoint, Milliseconds at) const {
  const auto known = outages_.find(endpoint);
  if (known == outages_.end()) return FailureKind::silent;
  for (const Outage& outage : known->second) {
    if (outage.from <= at && at < outage.to) return outage.how;
  }
  return FailureKind::silent;
}

void judge(Report& report, const Scenario& scenario, const Repository& repository,
           const DownVerdicts& down) {
  const Outages outages(scenario, repository);
  report.recoveries.clear();
  report.expected.clear();
  for (const ServiceId id : services_in_scope(scenario, repository)) {
    for (const Milliseconds failed : outages.failures()) {
      if (failed > report.lasted) continue;
      Case c{repository, repository.service(id), {}, outages};
      for (const Lane& lane : report.lanes) {
        // Who had no good answer before cannot get one back.
        const Span* before = span_at(lane, failed - Milliseconds(1));
        if (lane.service == c.service.owner.text_without_dot() && before != nullptr &&
            is_good(before->answer, outages, failed - Milliseconds(1))) {
          c.lanes.push_back(&lane);
        }
      }
      const auto endpoints = struck(c, failed);
      if (endpoints.empty()) continue;
      report.recoveries.push_back(recover(c, failed, endpoints, report, down));
    }
  }
  for (const Expectation& expect : scenario.expect) {
    report.expected.push_back(judge_expectation(report, expect, repository));
  }
  report.passed = report.aborted.empty() && report.violations.empty() &&
                  std::ranges::all_of(report.recoveries, &Recovery::met) &&
                  std::ranges::all_of(report.expected, &Expected::met);
}

}  // namespace demarc::zones::drill
