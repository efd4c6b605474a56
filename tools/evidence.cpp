#include "tools/evidence.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "tools/log.h"
#include "zones/verdict.h"

namespace demarc::tools {
namespace {

constexpr std::chrono::seconds prober_stuck_after{5};

// What changes in between is told with the next.
constexpr Milliseconds told_apart{500};

}  // namespace

Evidence::Evidence(EventLoop& loop, Controller& controller, EvidenceConfig config,
                   EvidenceCallbacks callbacks)
    : loop_(loop),
      controller_(controller),
      config_(std::move(config)),
      callbacks_(std::move(callbacks)),
      prober_(
          {.clock = config_.clock, .seed = config_.seed, .transfers = config_.transfers},
          {.on_verdict =
               [this](const health::VerdictChange& change) { found(&Evidence::verdicts_, change); },
           .on_wavering =
               [this](const health::WaverChange& change) { found(&Evidence::wavering_, change); },
           .on_first_round_done = [this] { loop_.post(callbacks_.on_first_round); }}) {}

/// On any thread.
template <typename Change>
void Evidence::found(std::vector<Change> Evidence::* list, const Change& change) {
  const std::scoped_lock lock(mutex_);
  const bool is_first = verdicts_.empty() && wavering_.empty();
  (this->*list).push_back(change);
  if (is_first) loop_.post([this] { take(); });
}

Result<void, std::string> Evidence::start(const zones::Repository& repository, WallTime saved_at) {
  const WallTime now = config_.clock().wall;
  std::map<std::string, std::string> restored;
  if (now - saved_at < verdict_believed) {
    for (const auto& [key, check] : controller_.steering().state().checks) {
      if (check.verdict == zones::Verdict::unknown || check.verdict == zones::Verdict::stale) {
        continue;
      }
      prober_.seed(key, check.verdict);
      restored.emplace(key, zones::to_text(check.verdict));
    }
  }
  if (config_.history > Milliseconds(0)) {
    history_ = History::open(config_.history_path, config_.history, now, restored);
  }
  load_vantages(repository);
  if (config_.vantage) {
    auto sender = VantageSender::create(*config_.vantage, config_.transfers.ca_file);
    if (!sender) return std::unexpected(sender.error());
    sender_ = std::move(*sender);
  }
  auto started =
      prober_.start(health::build_targets(repository), health::build_calculated(repository));
  if (!started) return std::unexpected(started.error().text());
  return {};
}

void Evidence::replace(const zones::Repository& repository) {
  load_vantages(repository);
  prober_.replace(health::build_targets(repository), health::build_calculated(repository));
}

void Evidence::load_vantages(const zones::Repository& repository) {
  vantage_checks_.replace(health::build_vantage_checks(repository), config_.clock());
  auto vantages = std::make_shared<const std::vector<zones::Vantage>>(repository.policy.vantages);
  const std::scoped_lock lock(mutex_);
  vantages_ = std::move(vantages);
}

Result<void, std::string> Evidence::observe(const std::string& message) {
  std::shared_ptr<const std::vector<zones::Vantage>> vantages;
  {
    const std::scoped_lock lock(mutex_);
    vantages = vantages_;
  }
  if (!vantages || vantages->empty()) {
    return std::unexpected(std::string("policy.yaml names no vantages"));
  }
  auto read = health::read_observations(message, *vantages, config_.clock().wall);
  if (!read) return std::unexpected(read.error());
  loop_.post([this, observations = std::move(*read)] { take_observations(observations); });
  return {};
}

void Evidence::take_observations(const health::Observations& observations) {
  if (config_.vantage && config_.vantage->id == observations.vantage) return;  // our own word
  const auto changes = vantage_checks_.note(observations, config_.clock());
  if (!changes) return;  // older than what is known: it came another way round
  for (const health::VerdictChange& change : *changes) found(&Evidence::verdicts_, change);
}

std::vector<health::CheckState> Evidence::checks() const {
  auto all = prober_.snapshot();
  std::ranges::move(vantage_checks_.snapshot(config_.clock()), std::back_inserter(all));
  std::ranges::sort(all, {}, &health::CheckState::key);
  return all;
}

void Evidence::tell_others(bool is_changed) {
  if (!sender_) return;
  const Moment now = config_.clock();
  const Milliseconds since = now.monotonic - told_at_;
  if (since < (is_changed ? told_apart : health::observations_interval)) return;
  told_at_ = now.monotonic;
  sender_->tell(prober_.snapshot(), now.wall);
}

void Evidence::release() {
  is_released_ = true;
  take();
}

void Evidence::take() {
  if (!is_released_) return;
  std::vector<health::VerdictChange> verdicts;
  std::vector<health::WaverChange> wavering;
  {
    const std::scoped_lock lock(mutex_);
    verdicts.swap(verdicts_);
    wavering.swap(wavering_);
  }
  if (verdicts.empty() && wavering.empty()) return;
  if (history_ && !verdicts.empty()) history_->note(verdicts, config_.clock().wall);
  std::vector<decltype(zones::Event::what)> events;
  for (const health::VerdictChange& change : verdicts) {
    log_info("verdict check={} from={} to={} detail={}", change.key, zones::to_text(change.from),
             zones::to_text(change.to), change.detail);
    events.emplace_back(zones::VerdictFound{change.key, change.to, change.detail});
  }
  for (const auto& [key, wavers] : wavering) {
    events.emplace_back(zones::CheckWavered{key, wavers});
  }
  controller_.happen(std::move(events));
  callbacks_.on_step();
  tell_others(true);
}

void Evidence::every_second() {
  const Moment now = config_.clock();
  for (const health::VerdictChange& change : vantage_checks_.check_ages(now)) {
    found(&Evidence::verdicts_, change);
  }
  tell_others(false);
  if (now.monotonic - prober_.last_tick() > prober_stuck_after) {
    controller_.raise({"prober", "the prober does not move: verdicts grow stale", now.wall});
  } else {
    controller_.end_alert("prober");
  }
  if (history_ && history_->wants_latencies(now.wall)) {
    history_->note_latencies(prober_.snapshot(), now.wall);
  }
}

}  // namespace demarc::tools
