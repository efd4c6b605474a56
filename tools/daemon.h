// demarcd: sockets, files, signals and threads around the controller. It loads, starts, watches and
// ends things; what to do about them is decided in zones/steering.h.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "dns/published.h"
#include "dns/server.h"
#include "tools/control_socket.h"
#include "tools/controller.h"
#include "tools/daemon_config.h"
#include "tools/event_loop.h"
#include "tools/evidence.h"
#include "tools/file_watch.h"
#include "tools/ground_watch.h"
#include "tools/http_service.h"
#include "tools/loader.h"
#include "tools/local_names.h"
#include "tools/outside_world.h"
#include "tools/token_drop.h"
#include "tools/zone_transfers.h"

namespace demarc::tools {

/// Longest wait for the first round of probes before the first answer.
inline constexpr std::chrono::seconds first_round_max{15};

/// What a reload came to. `errors` empty: it was taken.
struct ReloadOutcome {
  std::uint64_t number = 0;
  LoadErrors errors;
  std::vector<std::string> warnings;
  std::uint64_t generation = 0;  // of what is served since
};
/// What loads and verdicts made the control side do, since the start.
struct WorkCounts {
  std::uint64_t zone_files_parsed = 0;  // by loads that were taken
  std::uint64_t zone_files_unchanged = 0;
  std::uint64_t zone_parts_built = 0;  // of the table of names
  std::uint64_t zone_parts_kept = 0;   // from the table before: nothing of theirs had changed
  std::uint64_t services_compiled = 0;  // answers rendered anew: a tenant with a grant counts too
};
/// So many are remembered for those who asked for them.
inline constexpr std::size_t reload_outcomes_max = 16;

class Daemon {
 public:
  /// Loads everything and opens all sockets. The error is for standard error, whole lines.
  [[nodiscard]] static Result<std::unique_ptr<Daemon>, std::string> create(DaemonConfig config);
  ~Daemon();

  /// Serves until SIGTERM or SIGINT. Prints the ready line on standard output. Returns the exit
  /// code.
  int run();

  // For tools/control_verbs.h, on the control thread:
  [[nodiscard]] Controller& controller() noexcept { return *controller_; }
  [[nodiscard]] const DaemonConfig& config() const noexcept { return config_; }
  [[nodiscard]] const geo::Databases& databases() const noexcept { return *databases_; }
  [[nodiscard]] const zones::Repository& repository() const noexcept {
    return *configuration_->repository;
  }
  [[nodiscard]] std::vector<health::CheckState> checks() const { return evidence_->checks(); }
  [[nodiscard]] const GroundWatch& ground() const noexcept { return *ground_; }
  [[nodiscard]] dns::CounterValues counters() const noexcept { return server_->counters(); }
  [[nodiscard]] std::vector<std::uint64_t> udp_queries_by_thread() const {
    return server_->udp_queries_by_thread();
  }
  [[nodiscard]] const ZoneTransfers& transfers() const noexcept { return *transfers_; }
  [[nodiscard]] OutsideWorld& outside() noexcept { return *outside_; }
  [[nodiscard]] LocalNames& local_names() noexcept { return *local_names_; }
  /// What is served now. Precondition: something was published, as it is before the first verb.
  [[nodiscard]] const dns::Snapshot& snapshot() const noexcept { return published_->latest(); }
  [[nodiscard]] std::uint64_t generation() const noexcept;
  [[nodiscard]] const WorkCounts& work() const noexcept { return work_; }
  /// Null: none is kept.
  [[nodiscard]] const History* history() const noexcept { return evidence_->history(); }
  [[nodiscard]] bool is_serving() const noexcept { return is_serving_; }
  /// With the ports they really have.
  [[nodiscard]] const std::vector<dns::Endpoint>& listening() const noexcept {
    return server_->bound();
  }
  /// Begins a reload, or has one follow that goes on; its end is told in the log, the trail and
  /// `status`. Its number: what reload_outcome() knows it by.
  std::uint64_t begin_reload(const std::string& why);
  /// What became of one of the last reloads; nothing: it goes on, or was long ago.
  [[nodiscard]] const ReloadOutcome* reload_outcome(std::uint64_t number) const;
  /// Runs the timer that is due, sets the next one. After everything that made steering step.
  void after_step();

 private:
  explicit Daemon(DaemonConfig config) : config_(std::move(config)) {}

  [[nodiscard]] Result<void, std::string> bind_sockets();
  [[nodiscard]] Result<void, std::string> lock_folder(const std::string& folder);
  [[nodiscard]] Result<void, std::string> open_state();
  [[nodiscard]] Result<void, std::string> open_outside();
  [[nodiscard]] Result<Loaded, std::string> first_load();
  [[nodiscard]] Result<void, std::string> start_prober();
  [[nodiscard]] Result<void, std::string> watch_outside();
  void take(Loaded loaded, const std::string& why);
  void publish(std::span<const zones::ClearedWeights> weights, Moment now);
  void finish_reload(Result<Loaded, LoadErrors> loaded, const std::string& why);
  void serve();
  void on_signal();
  void every_second();

  DaemonConfig config_;
  std::unique_ptr<EventLoop> loop_;
  Descriptor signals_;
  std::vector<Descriptor> folder_locks_;  // two daemons on one trail would ruin it
  std::unique_ptr<dns::Server> server_;
  std::unique_ptr<dns::Published> published_;
  std::unique_ptr<Controller> controller_;
  std::unique_ptr<LocalNames> local_names_;
  std::unique_ptr<Evidence> evidence_;
  std::unique_ptr<OutsideWorld> outside_;
  std::unique_ptr<ZoneTransfers> transfers_;
  std::unique_ptr<GroundWatch> ground_;
  std::unique_ptr<ControlSocket> control_;
  std::unique_ptr<FileWatch> watch_;
  std::unique_ptr<TokenDrop> drop_;
  std::unique_ptr<HttpService> http_;

  std::shared_ptr<const zones::Configuration> configuration_;
  std::shared_ptr<const geo::Databases> databases_;
  std::optional<dns::SnapshotParts> next_parts_;  // of a configuration that is being taken
  zones::ParsedZoneFiles parsed_zone_files_;      // of the load that goes on, else of the last one
  WorkCounts work_;
  std::jthread loader_;
  bool is_loading_ = false;
  std::uint64_t reloads_begun_ = 0;
  std::deque<ReloadOutcome> reload_outcomes_;
  std::optional<std::string> load_again_;
  WallTime state_saved_at_{};                    // by the run before this one
  std::optional<std::string> refused_at_start_;  // why the last good copy is served instead
  bool is_serving_ = false;
  int exit_code_ = 0;
};

}  // namespace demarc::tools
