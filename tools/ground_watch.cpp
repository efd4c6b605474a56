#include "tools/ground_watch.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/clock.h"

namespace demarc::tools {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

std::string key_of(const zones::GroundFinding& finding) {
  return fmt::format("ground/{}/{}", finding.service, finding.region);
}

json finding_json(const zones::GroundFinding& finding) {
  return {{"rule", finding.rule},       {"disagrees", finding.is_disagreement},
          {"service", finding.service}, {"region", finding.region},
          {"text", finding.text},       {"file", finding.place.file},
          {"line", finding.place.line}};
}

void collect(const zones::GroundReport& report, std::map<std::string, std::string>& texts) {
  for (const zones::GroundFinding& finding : report.findings) {
    if (!finding.is_disagreement) continue;
    std::string& text = texts[key_of(finding)];
    text += (text.empty() ? "" : "; ") + finding.text;
  }
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
  resolved_ = {};
  if (!resolver_ || databases_->empty()) return;
  const zones::Repository& repository = *configuration_->repository;
  const std::scoped_lock lock(mutex_);
  for (const auto& [name, target] : targets_) {
    if (!target.resolved) continue;
    auto report = zones::compare_resolved(
        repository, *target.resolved, resolver_->require_validated,
        [&](const geo::Address& a) { return databases_->find(a, repository.overrides); });
    resolved_.compared += report.compared;
    resolved_.skipped += report.skipped;
    std::ranges::move(report.findings, std::back_inserter(resolved_.findings));
  }
}

void GroundWatch::tell() {
  std::map<std::string, std::string> now;
  collect(loaded_, now);
  collect(resolved_, now);
  std::vector<decltype(zones::Event::what)> facts;
  for (const auto& [key, text] : now) {
    const auto known = standing_.find(key);
    if (known != standing_.end() && known->second == text) continue;
    zones::Alert alert{.key = key, .text = text, .since = read_clocks().wall};
    alert.details.state = "ground";
    alert.details.why = "the map may be wrong, or the database: nothing was moved";
    controller_.raise(std::move(alert));
    facts.emplace_back(zones::NodeFact{"ground-disagrees", text});
  }
  for (const auto& [key, text] : standing_) {
    if (now.contains(key)) continue;
    controller_.end_alert(key);
    facts.emplace_back(zones::NodeFact{"ground-agrees", "no longer: " + text});
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
  loop_.post([this] {
    compare_targets();
    tell();
  });
}

json GroundWatch::status() const {
  json findings = json::array();
  for (const zones::GroundReport* report : {&loaded_, &resolved_}) {
    for (const zones::GroundFinding& finding : report->findings) {
      findings.push_back(finding_json(finding));
    }
  }
  json out = {{"compared", loaded_.compared + resolved_.compared},
              {"skipped", loaded_.skipped + resolved_.skipped},
              {"findings", findings}};
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
