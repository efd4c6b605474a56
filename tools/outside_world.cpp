#include "tools/outside_world.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tools/drill_due.h"
#include "tools/log.h"
#include "zones/state_store.h"
#include "zones/time_text.h"

namespace demarc::tools {
namespace {

constexpr std::chrono::hours drill_looked_at_every{1};
// A thousand alerts with all their details are some megabytes.
constexpr std::size_t told_file_max_bytes = std::size_t{64} << 20U;

std::string read_small_file(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error || size > told_file_max_bytes) return {};
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// What was told before the start; nothing of it if the file is damaged: then all is told again.
health::ToldAlerts read_told(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return {};
  auto told = health::parse_told(read_small_file(path));
  if (told) return std::move(*told);
  log_warning("alerts-told-unreadable file={} error={}", path, told.error());
  return {};
}

std::string status_url(const DaemonConfig& config) {
  if (!config.http || config.http->port == 0) return {};
  return fmt::format("http://{}/status", dns::to_text(*config.http));
}

health::BookOptions book_options(const AlertsConfig& config) {
  health::BookOptions options{.reminder = config.reminder};
  for (const auto& receiver : config.receivers) {
    options.receivers.emplace(receiver.name, receiver.filter);
  }
  return options;
}

}  // namespace

Result<std::unique_ptr<OutsideWorld>, std::string> OutsideWorld::start(const DaemonConfig& config,
                                                                       OutsideOptions options) {
  std::unique_ptr<OutsideWorld> world(new OutsideWorld(config, std::move(options)));
  if (auto opened = world->open(); !opened) return std::unexpected(opened.error());
  return world;
}

OutsideWorld::OutsideWorld(const DaemonConfig& config, OutsideOptions options)
    : config_(config), options_(std::move(options)), folder_(config.state + "/alerts") {}

OutsideWorld::~OutsideWorld() { stop(); }

Result<void, std::string> OutsideWorld::open() {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  book_ = std::make_unique<health::AlertBook>(book_options(config_.alerts), read_told(told_path()),
                                              options_.clock());
  deliverer_ = std::make_unique<health::Deliverer>(
      health::DelivererOptions{.folder = folder_,
                               .sender = {config_.node, status_url(config_)},
                               .receivers = config_.alerts.receivers,
                               .clock = options_.clock,
                               .seed = options_.seed});
  const auto started = deliverer_->start();
  if (!started) return std::unexpected(started.error().text());
  for (const std::string& trouble : *started) log_warning("alert-spool {}", trouble);

  advisor_ = std::make_unique<health::AdvisorClient>(
      health::AdvisorClient::Options{config_.probe_ca, options_.clock},
      [this](zones::AdviceGiven advice) {
        options_.loop.post([this, advice = std::move(advice)] {
          log_info("advice id=\"{}\" effect={} detail=\"{}\"", advice.id,
                   !advice.effect                          ? "none"
                   : advice.effect == zones::Effect::allow ? "allow"
                                                           : "deny",
                   advice.detail);
          happen(advice);
        });
      });
  if (auto asked = advisor_->start(); !asked) return std::unexpected(asked.error().text());

  lag_ = std::make_unique<health::LagProber>(
      health::LagProber::Options{config_.probe_ca, options_.clock, options_.seed},
      [this](zones::LagMeasured lag) {
        options_.loop.post([this, lag = std::move(lag)] { happen(lag); });
      });
  if (auto asked = lag_->start(); !asked) return std::unexpected(asked.error().text());

  options_.controller.listen(
      {.alert_raised =
           [this](const zones::Alert& alert) { tell(book_->raise(alert, options_.clock())); },
       .alert_ended = [this](const std::string& key) { tell(book_->end(key, options_.clock())); },
       .advice_wanted = [this](zones::AdviceWanted asked) { advisor_->ask(std::move(asked)); }});
  return {};
}

void OutsideWorld::happen(decltype(zones::Event::what) what) {
  options_.controller.happen_one(std::move(what));
  options_.after_step();
}

void OutsideWorld::tell(const std::vector<health::Notice>& notices) {
  if (notices.empty()) return;
  is_told_dirty_ = true;
  for (const health::Notice& notice : notices) deliverer_->deliver(notice);
  // Once a turn of the loop, however many alerts a step raises.
  if (!std::exchange(is_standing_dirty_, true)) {
    options_.loop.post([this] { tell_standing(); });
  }
}

void OutsideWorld::tell_standing() {
  is_standing_dirty_ = false;
  for (const auto& receiver : config_.alerts.receivers) {
    if (receiver.kind == health::ReceiverKind::alertmanager) {
      deliverer_->stand(receiver.name, book_->open_for(receiver.name));
    }
  }
}

void OutsideWorld::configure(const zones::Repository& repository) {
  lag_->replace(health::build_lag_checks(repository));
  drill_looked_at_.reset();
}

void OutsideWorld::every_second() {
  const Moment now = options_.clock();
  tell(book_->tick(now));
  if (book_->wants_all_again()) {
    for (const auto& [key, alert] : options_.controller.alerts()) tell(book_->raise(alert, now));
  }
  watch_receivers(now.wall);
  watch_drill(now);
  save_told();
}

void OutsideWorld::save_told() {
  // Not before the messages themselves are kept: a crash between the two tells twice, never not.
  if (!is_told_dirty_ || !deliverer_->is_saved()) return;
  const auto saved = zones::replace_file(told_path(), health::write_told(book_->told()));
  const std::string error = saved ? "" : saved.error().text();
  if (!error.empty() && error != told_error_) log_warning("alerts-told-not-saved error={}", error);
  told_error_ = error;
  is_told_dirty_ = !saved;
}

void OutsideWorld::watch_receivers(WallTime now) {
  for (const auto& state : deliverer_->states()) {
    const std::string key = "alert-delivery/" + state.receiver;
    const bool is_silent = state.oldest && now - *state.oldest > receiver_silent_max;
    const bool is_troubled =
        !state.spool_error.empty() || (!state.last_error.empty() && (is_silent || state.dead != 0));
    if (!is_troubled) {
      options_.controller.end_alert(key);
      continue;
    }
    zones::Alert alert{
        .key = key,
        .text = fmt::format("the alert receiver {} does not take what it is sent", state.receiver),
        .since = now};
    if (!state.spool_error.empty()) {
      alert.text = fmt::format("alerts for {} are kept in memory alone", state.receiver);
    }
    alert.details.state = "undelivered";
    alert.details.evidence = fmt::format(
        "{} undelivered, {} given up; {}{}{}", state.undelivered, state.dead, state.last_error,
        state.spool_error.empty() ? "" : "; spool: ", state.spool_error);
    alert.details.options = {{"see what is undelivered and why", "demarc alerts"},
                             {"try the receiver", "demarc alerts test " + state.receiver}};
    options_.controller.raise(std::move(alert));
  }
}

WallTime OutsideWorld::serving_since() {
  if (serving_since_) return *serving_since_;
  const std::string path = config_.state + "/first-start";
  std::string text = read_small_file(path);
  while (text.ends_with('\n')) text.pop_back();
  serving_since_ = zones::parse_rfc3339(text);
  if (serving_since_) return *serving_since_;
  serving_since_ = options_.clock().wall;
  const auto saved = zones::replace_file(path, zones::to_rfc3339(*serving_since_) + "\n");
  if (!saved) log_warning("first-start-not-saved error={}", saved.error().text());
  return *serving_since_;
}

void OutsideWorld::watch_drill(const Moment& now) {
  if (drill_looked_at_ && now.monotonic - *drill_looked_at_ < drill_looked_at_every) return;
  const auto& steering = options_.controller.steering();
  if (!steering.configuration()) return;
  drill_looked_at_ = now.monotonic;
  auto due = find_drill_due(*steering.configuration()->repository,
                            {steering.state().drill_passed, serving_since()}, now.wall);
  if (due) {
    options_.controller.raise(std::move(*due));
  } else {
    options_.controller.end_alert(drill_due_key);
  }
}

Result<void, std::string> OutsideWorld::test(const std::string& receiver, const std::string& who) {
  std::vector<std::string> names;
  for (const auto& one : config_.alerts.receivers) names.push_back(one.name);
  if (std::ranges::find(names, receiver) == names.end()) {
    return std::unexpected(names.empty()
                               ? "demarcd.yaml names no receiver under `alerts`"
                               : fmt::format("there is no receiver `{}`; expected one of {}",
                                             receiver, fmt::join(names, ", ")));
  }
  const WallTime now = options_.clock().wall;
  zones::Alert alert{.key = fmt::format("test/{}-{}", now.time_since_epoch().count(), ++tests_),
                     .text = fmt::format("a test of the receiver {}, asked for by {}", receiver,
                                         who.empty() ? "an operator" : who),
                     .since = now,
                     .level = zones::AlertLevel::info};
  deliverer_->deliver({health::NoticeState::test, std::move(alert), now, std::nullopt, {receiver}});
  return {};
}

void OutsideWorld::stop() noexcept {
  if (lag_) lag_->stop();
  if (advisor_) advisor_->stop();
  if (deliverer_) deliverer_->stop();
  if (book_ && deliverer_) save_told();
}

}  // namespace demarc::tools
