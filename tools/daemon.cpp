#include "tools/daemon.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <random>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "tools/audit_files.h"
#include "tools/clock.h"
#include "tools/control_verbs.h"
#include "tools/last_good.h"
#include "tools/log.h"
#include "tools/metrics.h"
#include "tools/privileges.h"
#include "tools/status.h"
#include "zones/repository.h"

namespace demarc::tools {
namespace {

enum TimerSlot : int { steering_timer, second_timer, watch_timer, first_round_timer };

// More findings of one reload than this are left out of the log; `demarc check` shows all.
constexpr std::size_t logged_errors_max = 20;
// The prober ticks four times a second; this late it is stuck.
// Of sockets, probes, files and clients of the control socket, at most.
constexpr std::size_t other_descriptors = 1024;

template <typename T>
std::unexpected<std::string> refused(T&& text) {
  return std::unexpected<std::string>(std::forward<T>(text));
}

constexpr mode_t private_file = 0600;

std::uint64_t random_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

std::optional<GroundResolver> ground_resolver_of(const DaemonConfig& config) {
  if (!config.resolver) return std::nullopt;
  return GroundResolver{{.address = config.resolver->address, .port = config.resolver->port},
                        config.resolver_require_ad};
}

void log_errors(const LoadErrors& errors) {
  for (std::size_t i = 0; i < errors.size() && i < logged_errors_max; ++i) {
    log_line(LogLevel::warning, errors[i]);
  }
  if (errors.size() > logged_errors_max) {
    log_warning("{} more; `demarc check` shows all", errors.size() - logged_errors_max);
  }
}

}  // namespace

Result<std::unique_ptr<Daemon>, std::string> Daemon::create(DaemonConfig config) {
  std::unique_ptr<Daemon> daemon(new Daemon(std::move(config)));
  std::ranges::generate(daemon->config_.identity.random_secret,
                        [device = std::make_shared<std::random_device>()] {
                          return static_cast<std::uint8_t>((*device)());
                        });
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGHUP, SIGTERM, SIGINT}) ::sigaddset(&set, signal);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  // A trail at its size limit is a failing write, not the end of the process.
  ::signal(SIGXFSZ, SIG_IGN);

  auto loop = EventLoop::create();
  if (!loop) return refused(loop.error().text());
  daemon->loop_ = std::move(*loop);
  daemon->signals_ = Descriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));

  if (auto bound = daemon->bind_sockets(); !bound) return refused(bound.error());
  if (auto opened = daemon->open_state(); !opened) return refused(opened.error());
  if (auto opened = daemon->open_outside(); !opened) return refused(opened.error());
  auto loaded = daemon->first_load();
  if (!loaded) return refused(loaded.error());
  daemon->take(std::move(*loaded), "start");
  if (const auto& error = daemon->refused_at_start_) {
    daemon->controller_->happen_one(zones::ConfigurationRefused{"start", *error});
  }
  if (auto started = daemon->start_prober(); !started) return refused(started.error());
  if (auto watched = daemon->watch_outside(); !watched) return refused(watched.error());
  return daemon;
}

Daemon::~Daemon() {
  http_.reset();
  control_.reset();
  drop_.reset();
  watch_.reset();
  ground_.reset();
  if (loader_.joinable()) loader_.join();
  if (evidence_) evidence_->stop();
  if (outside_) outside_->stop();
  if (server_) server_->stop();
}

/// What only root may do comes before it is given up.
Result<void, std::string> Daemon::bind_sockets() {
  const std::size_t wanted = config_.tcp.connections + other_descriptors;
  if (const std::size_t has = raise_descriptor_limit(wanted); has < wanted) {
    log_warning(
        "few-descriptors has={} wanted={} why=\"tcp connections of the configuration and {} for "
        "probes and files\"",
        has, wanted, other_descriptors);
  }
  auto server = dns::Server::bind({.listen = config_.listen,
                                   .tls_listen = config_.tls_listen,
                                   .threads = config_.threads,
                                   .steers_by_cpu = config_.steers_by_cpu,
                                   .seed = random_seed(),
                                   .tcp = config_.tcp,
                                   .rate_limit = config_.rate_limit,
                                   .proxy_peers = config_.proxy_peers});
  if (!server) return refused(server.error().text());
  server_ = std::move(*server);
  if (auto given_up = give_up_privileges(config_.user); !given_up) return given_up;
  log_info("runs-as {}", current_user());
  return {};
}

Result<void, std::string> Daemon::lock_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  Descriptor lock(
      ::open((folder + "/.in-use").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, private_file));
  if (!lock.is_open()) return refused(system_error("open " + folder + "/.in-use").error().text());
  if (::flock(lock.number(), LOCK_EX | LOCK_NB) != 0) {
    return refused(folder + " is in use by another demarcd; expected a folder of this one's own");
  }
  folder_locks_.push_back(std::move(lock));
  return {};
}

Result<void, std::string> Daemon::open_state() {
  for (const std::string& folder : {config_.state, config_.audit}) {
    if (auto locked = lock_folder(folder); !locked) return locked;
  }
  auto store = zones::open_local_state(config_.state);
  if (!store) return refused(store.error().text());
  auto restored = (*store)->load();
  if (!restored) {
    // Going on without it would forget grants, orders and used tokens: a human decides.
    return refused(
        restored.error().text() +
        "; expected the state demarcd saved. Restore it, or move it away to start without "
        "grants, orders and used tokens");
  }
  controller_ = std::make_unique<Controller>(
      restored->value_or(zones::SteeringState{}), std::move(*store),
      ControllerPaths{config_.audit, config_.node, config_.trail.jurisdictions, config_.trail.key,
                      config_.trail.origin, config_.trail.rotate_mib << 20, config_.trail.retention,
                      config_.trail.checkpoint_interval},
      read_clocks, [this](std::span<const zones::ClearedWeights> weights, Moment now) {
        publish(weights, now);
      });
  transfers_ = std::make_unique<ZoneTransfers>(*loop_, *controller_);
  local_names_ = std::make_unique<LocalNames>(*controller_, read_clocks);
  ground_ = std::make_unique<GroundWatch>(*controller_, *loop_, ground_resolver_of(config_));
  controller_->happen_one(zones::NodeFact{"start", fmt::format("node {}", config_.node)});
  return {};
}

Result<void, std::string> Daemon::open_outside() {
  auto outside = OutsideWorld::start(config_, {.loop = *loop_,
                                               .controller = *controller_,
                                               .after_step = [this] { after_step(); },
                                               .clock = read_clocks,
                                               .seed = random_seed()});
  if (!outside) return refused(outside.error());
  outside_ = std::move(*outside);
  return {};
}

Result<Loaded, std::string> Daemon::first_load() {
  const zones::SteeringState& state = controller_->steering().state();
  auto loaded = load_copy(config_, {.serials = state.serials,
                                    .keys = zones::key_trust_of(state),
                                    .parsed = parsed_zone_files_,
                                    .served = nullptr});
  if (loaded) return std::move(*loaded);
  log_errors(loaded.error());
  std::error_code error;
  const auto tsig_keys = load_tsig_keys(config_.tsig_keys);
  const bool has_last_good = std::filesystem::is_directory(last_good_of(config_), error);
  std::string_view why_not = "no last good copy";
  if (has_last_good) {
    why_not = tsig_keys ? "the last good copy does not load either"
                        : "the last good copy needs the keys of transfers too";
  }
  if (tsig_keys && has_last_good) {
    auto last_good = load({.repository = last_good_of(config_),
                           .geoip = config_.geoip,
                           .serials = state.serials,
                           .now = read_clocks().wall,
                           .keys = zones::key_trust_of(state),
                           .tsig_keys = *tsig_keys});
    if (last_good) {
      log_line(LogLevel::alert, "the repository has errors; the last good one is served");
      refused_at_start_ = loaded.error().front();
      return std::move(*last_good);
    }
  }
  return refused(fmt::format("{}\n{} error(s), repository {}, and {}: not started",
                             fmt::join(loaded.error(), "\n"), loaded.error().size(),
                             config_.repository, why_not));
}

void Daemon::take(Loaded loaded, const std::string& why) {
  for (const std::string& warning : loaded.warnings) log_line(LogLevel::warning, warning);
  configuration_ = loaded.configuration;
  databases_ = std::move(loaded.databases);
  next_parts_ = std::move(loaded.parts);
  work_.zone_files_parsed += loaded.zone_files_parsed;
  work_.zone_files_unchanged += loaded.zone_files_unchanged;
  const dns::ZoneTable* const before = published_ ? published_->latest().zones.get() : nullptr;
  const std::size_t kept = before != nullptr ? next_parts_->zones->shared_parts(*before) : 0;
  work_.zone_parts_kept += kept;
  work_.zone_parts_built += next_parts_->zones->part_count() - kept;
  controller_->steering().remember_serials(std::move(loaded.serials));
  outside_->configure(*configuration_->repository);
  const zones::Policy& policy = configuration_->repository->policy;
  controller_->keep_policy(policy.digest, policy_files(policy));
  controller_->happen_one(zones::ConfigurationLoaded{configuration_, why});
  ground_->take(configuration_, databases_, std::move(loaded.ground));
  // Without any service steering has nothing to publish, and the zones are new all the same.
  if (next_parts_) {
    publish({}, {controller_->steering().state().trusted_wall, read_clocks().monotonic});
  }
  after_step();
}

void Daemon::publish(std::span<const zones::ClearedWeights> weights, Moment now) {
  const auto& [repository, views] = *configuration_;
  work_.services_compiled += weights.size();
  std::unique_ptr<const dns::Snapshot> next;
  const dns::Snapshot* const before = published_ ? &published_->latest() : nullptr;
  if (next_parts_) {
    next_parts_->before = before;
    local_names_->take(configuration_, databases_, *next_parts_);
    next = dns::build_snapshot(*repository, *views, std::move(*next_parts_), weights, now,
                               generation() + 1);
    next_parts_.reset();
  } else {
    next = dns::with_weights(*before, *repository, *views, weights, now);
  }
  transfers_->prepare(before, *next);
  if (published_) {
    published_->publish(std::move(next));
  } else {
    published_ = std::make_unique<dns::Published>(std::move(next));
  }
  transfers_->send_due();
}

std::uint64_t Daemon::generation() const noexcept {
  return published_ ? published_->latest().generation : 0;
}

Result<void, std::string> Daemon::start_prober() {
  evidence_ =
      std::make_unique<Evidence>(*loop_, *controller_,
                                 EvidenceConfig{.clock = read_clocks,
                                                .seed = random_seed(),
                                                .transfers = {.ca_file = config_.probe_ca,
                                                              .evidence_folder = config_.evidence,
                                                              .programs_folder = config_.programs},
                                                .history_path = config_.state + "/history.db",
                                                .history = config_.history,
                                                .vantage = config_.vantage},
                                 EvidenceCallbacks{.on_first_round = [this] { serve(); },
                                                   .on_step =
                                                       [this] {
                                                         local_names_->note_verdicts();
                                                         after_step();
                                                       }});
  auto started = evidence_->start(*configuration_->repository, state_saved_at_);
  if (!started) return refused(started.error());
  return {};
}

Result<void, std::string> Daemon::watch_outside() {
  auto control = ControlSocket::open(*loop_, config_.control,
                                     [this](const std::string& request, const std::string& who) {
                                       return answer_control(*this, request, who);
                                     });
  if (!control) return refused(control.error().text());
  control_ = std::move(*control);
  auto files = files_of(config_.identity);
  files.insert(files.end(), config_.geoip.begin(), config_.geoip.end());
  for (const TsigKeyConfig& key : config_.tsig_keys) files.push_back(key.secret_file);
  auto watch = FileWatch::open(*loop_, watch_timer, {config_.repository}, files,
                               [this] { begin_reload("files changed"); });
  if (!watch) return refused(watch.error().text());
  watch_ = std::move(*watch);
  if (!config_.token_drop.empty()) {
    auto drop = TokenDrop::open(*loop_, config_.token_drop, [this](const std::string& token) {
      auto reply = controller_->happen_one(zones::TokenPresented{token, "drop-folder"});
      after_step();
      return reply.value_or(zones::Reply{});
    });
    if (!drop) return refused(drop.error().text());
    drop_ = std::move(*drop);
  }
  if (config_.http) {
    auto http = HttpService::start(
        *loop_, *config_.http,
        {.metrics = [this] { return metrics_of(*this); },
         .status = [this] { return status_of(*this).dump(2) + "\n"; },
         .mode =
             [this](const std::string& name) {
               auto mode = mode_of(*this, name);
               return mode ? std::optional(mode->dump() + "\n") : std::nullopt;
             },
         .observe = [this](const std::string& message) { return evidence_->observe(message); }});
    if (!http) return refused(http.error().text());
    http_ = std::move(*http);
  }
  if (auto watched = loop_->watch(signals_.number(), [this] { on_signal(); }); !watched) {
    return refused(watched.error().text());
  }
  return {};
}

int Daemon::run() {
  every_second();
  loop_->set_timer(first_round_timer, std::chrono::steady_clock::now() + first_round_max,
                   [this] { serve(); });
  loop_->run();
  evidence_->stop();
  server_->stop();
  controller_->maintain_last();  // a disk that is back by now gets what waits for it
  controller_->happen_one(zones::NodeFact{"stop", fmt::format("node {}", config_.node)});
  controller_->checkpoint_now();
  controller_->save_now();
  outside_->stop();
  return exit_code_;
}

void Daemon::serve() {
  if (is_serving_) return;
  evidence_->release();
  loop_->set_timer(first_round_timer, std::nullopt, {});
  if (auto served = server_->serve(*published_); !served) {
    log_line(LogLevel::alert, "not-serving error=" + served.error().text());
    exit_code_ = 1;
    return loop_->stop();
  }
  is_serving_ = true;
  transfers_->begin(published_->latest());
  std::string line = "ready";
  for (const dns::Endpoint& endpoint : server_->bound()) line += " " + dns::to_text(endpoint);
  if (!server_->tls_bound().empty()) line += " tls";
  for (const dns::Endpoint& endpoint : server_->tls_bound()) line += " " + dns::to_text(endpoint);
  fmt::print("{}\n", line);
  std::fflush(stdout);
  log_info("{} zones={} services={}", line, repository().zones.size(),
           repository().services.size());
}

void Daemon::after_step() {
  if (published_) local_names_->refresh(*published_);
  const auto due = controller_->timer();
  if (!due) return loop_->set_timer(steering_timer, std::nullopt, {});
  const Moment now = read_clocks();
  const auto wait = std::max(*due - controller_->steering().state().trusted_wall, Milliseconds(0));
  loop_->set_timer(steering_timer, now.monotonic + wait, [this] {
    controller_->happen_one(zones::TimerFired{});
    after_step();
  });
}

void Daemon::every_second() {
  controller_->maintain();
  // A step a second: believed time moves on, ends that have come are acted on, a clock that was set
  // back is noticed, whatever else happens or does not.
  controller_->happen_one(zones::TimerFired{});
  if (published_) published_->free_unused();
  evidence_->every_second();
  outside_->every_second();
  transfers_->send_due();
  after_step();
  loop_->set_timer(second_timer, std::chrono::steady_clock::now() + std::chrono::seconds(1),
                   [this] { every_second(); });
}

void Daemon::on_signal() {
  signalfd_siginfo info{};
  while (::read(signals_.number(), &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGHUP) {
      begin_reload("reload by signal");
    } else {
      log_info("stop signal={}", info.ssi_signo);
      loop_->stop();
    }
  }
}

std::uint64_t Daemon::begin_reload(const std::string& why) {
  // One that goes on may have read the files before they were what is asked for now.
  if (is_loading_) {
    load_again_ = why;
    return reloads_begun_ + 1;
  }
  is_loading_ = true;
  ++reloads_begun_;
  if (loader_.joinable()) loader_.join();
  const zones::SteeringState& state = controller_->steering().state();
  LoadedBefore before{.serials = state.serials,
                      .keys = zones::key_trust_of(state),
                      .parsed = parsed_zone_files_,
                      .served = published_ ? published_->latest().zones : nullptr};
  loader_ = std::jthread([this, why, before = std::move(before)]() mutable {
    auto loaded =
        std::make_shared<Result<Loaded, LoadErrors>>(load_copy(config_, std::move(before)));
    loop_->post([this, why, loaded] { finish_reload(std::move(*loaded), why); });
  });
  return reloads_begun_;
}

const ReloadOutcome* Daemon::reload_outcome(std::uint64_t number) const {
  const auto known = std::ranges::find(reload_outcomes_, number, &ReloadOutcome::number);
  return known == reload_outcomes_.end() ? nullptr : &*known;
}

void Daemon::finish_reload(Result<Loaded, LoadErrors> loaded, const std::string& why) {
  is_loading_ = false;
  ReloadOutcome outcome{.number = reloads_begun_, .errors = {}, .warnings = {}, .generation = 0};
  if (loaded) {
    outcome.warnings = loaded->warnings;
    take(std::move(*loaded), why);
    evidence_->replace(*configuration_->repository);
    log_info("reloaded why=\"{}\" zones={} services={} generation={}", why,
             repository().zones.size(), repository().services.size(), generation());
  } else {
    log_errors(loaded.error());
    controller_->happen_one(zones::ConfigurationRefused{why, loaded.error().front()});
    after_step();
    outcome.errors = std::move(loaded.error());
  }
  outcome.generation = generation();
  reload_outcomes_.push_back(std::move(outcome));
  if (reload_outcomes_.size() > reload_outcomes_max) reload_outcomes_.pop_front();
  if (auto again = std::exchange(load_again_, std::nullopt)) begin_reload(*again);
}

}  // namespace demarc::tools
