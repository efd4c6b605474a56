#include "tools/ground_watch.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/clock.h"

namespace demarc::tools {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

std::string key_of(const std::pair<std::string, std::string>& place) {
  return fmt::format("ground/{}/{}", place.first, place.second);
}

json finding_json(const zones::GroundFinding& finding) {
  return {{"rule", finding.rule},       {"disagrees", finding.is_disagreement},
          {"service", finding.service}, {"region", finding.region},
          {"text", finding.text},       {"file", finding.place.file},
          {"line", finding.place.line}};
}

}  // namespace

GroundWatch::GroundWatch(Controller& controller, EventLoop& loop,
                         std::optional<GroundResolver> resolver)
    : controller_(controller),
      loop_(loop),
      resolver_(std::move(resolver)),
      random_(std::random_device{}()) {
  if (resolver_) thread_ = std::jthread([this] { keep_asking(); });
}

GroundWatch::~GroundWatch() {
  {
    const std::scoped_lock lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
}

void GroundWatch::take(std::shared_ptr<const zones::Configuration> configuration,
                       std::shared_ptr<const geo::Databases> databases,
                       zones::GroundReport report) {
  configuration_ = std::move(configuration);
  databases_ = std::move(databases);
  loaded_ = std::move(report);
  if (resolver_) {
    const std::scoped_lock lock(mutex_);
    std::map<zones::Name, Target> targets;
    for (const zones::Name& name : zones::cname_targets(*configuration_->repository)) {
      auto known = targets_.find(name);
      targets.emplace(
          name, known == targets_.end() ? Target{.due = Clock::now()} : std::move(known->second));
    }
    targets_ = std::move(targets);
  }
  changed_.notify_all();
  compare_targets();
  tell();
}

void GroundWatch::compare_targets() {
  resolved_.clear();
  if (!resolver_) return;
  std::vector<zones::Name> names;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [name, target] : targets_) names.push_back(name);
  }
  for (const zones::Name& name : names) compare_target(name);
}

void GroundWatch::compare_target(const zones::Name& name) {
  if (databases_->empty()) return;
  std::optional<zones::ResolvedEndpoint> found;
  {
    const std::scoped_lock lock(mutex_);
    const auto target = targets_.find(name);
    if (target != targets_.end()) found = target->second.resolved;
  }
  if (!found) return;  // of a configuration before, or not answered yet
  const zones::Repository& repository = *configuration_->repository;
  resolved_[name] = zones::compare_resolved(
      repository, *found, resolver_->require_validated,
      [&](const geo::Address& a) { return databases_->find(a, repository.overrides); });
}

void GroundWatch::tell() {
  zones::Disagreements now;
  add_disagreements(loaded_, now);
  for (const auto& [name, report] : resolved_) add_disagreements(report, now);
  std::vector<decltype(zones::Event::what)> facts;
  for (auto& [place, found] : now) {
    const auto known = standing_.find(place);
    if (known != standing_.end() && known->second == found) {
      found.text = known->second.text;
      continue;
    }
    zones::Alert alert{.key = key_of(place), .text = found.text, .since = read_clocks().wall};
    alert.details.state = "ground";
    alert.details.why = "the map may be wrong, or the database: nothing was moved";
    controller_.raise(std::move(alert));
    facts.emplace_back(zones::NodeFact{"ground-disagrees", found.text});
  }
  for (const auto& [place, was] : standing_) {
    if (now.contains(place)) continue;
    controller_.end_alert(key_of(place));
    facts.emplace_back(zones::NodeFact{"ground-agrees", "no longer: " + was.text});
  }
  standing_ = std::move(now);
  if (!facts.empty()) controller_.happen(std::move(facts));
}

void GroundWatch::keep_asking() {
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    const auto next = std::ranges::min_element(
        targets_, {}, [](const auto& target) { return target.second.due; });
    if (next == targets_.end()) {
      changed_.wait(lock);
    } else if (next->second.due > Clock::now()) {
      changed_.wait_until(lock, next->second.due);
    } else {
      ask(lock, zones::Name(next->first));
    }
  }
}

void GroundWatch::ask(std::unique_lock<std::mutex>& lock, const zones::Name& name) {
  lock.unlock();
  const auto reply = health::resolve_name(resolver_->resolver, name, [this] { return random_(); });
  lock.lock();
  const auto target = targets_.find(name);
  if (target == targets_.end()) return;
  const auto fifth = std::chrono::milliseconds(resolve_every) / 5;
  std::uniform_int_distribution<std::chrono::milliseconds::rep> jitter(-fifth.count(),
                                                                       fifth.count());
  target->second.due = Clock::now() + resolve_every + std::chrono::milliseconds(jitter(random_));
  target->second.error = reply ? "" : reply.error();
  if (!reply) return;  // not knowing ends no alert and raises none
  target->second.resolved = zones::ResolvedEndpoint{name, reply->addresses, reply->is_validated};
  loop_.post([this, name] {
    compare_target(name);
    tell();
  });
}

json GroundWatch::status() const {
  json findings = json::array();
  std::size_t compared = 0, skipped = 0;
  const auto add = [&](const zones::GroundReport& report) {
    compared += report.compared;
    skipped += report.skipped;
    for (const zones::GroundFinding& finding : report.findings) {
      findings.push_back(finding_json(finding));
    }
  };
  add(loaded_);
  for (const auto& [name, report] : resolved_) add(report);
  json out = {{"compared", compared}, {"skipped", skipped}, {"findings", findings}};
  if (!resolver_) return out;
  json targets = json::array();
  const std::scoped_lock lock(mutex_);
  for (const auto& [name, target] : targets_) {
    json addresses = json::array();
    if (target.resolved) {
      for (const auto& address : target.resolved->addresses) {
        addresses.push_back(geo::to_text(address));
      }
    }
    targets.push_back({{"target", name.text_without_dot()},
                       {"addresses", addresses},
                       {"validated", target.resolved && target.resolved->is_validated},
                       {"error", target.error}});
  }
  out["targets"] = targets;
  return out;
}

}  // namespace demarc::tools
