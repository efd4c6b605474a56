// A random history of one node: policies, services, failures, tokens, orders, reloads, restarts,
// clock jumps, a full disk. It feeds steering as the daemon does and asks the oracle
// (tests/simulation/oracle.h) after every event. The same seed makes the same history.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/simulation/oracle.h"
#include "zones/steering.h"

namespace demarc::simulation {

class History {
 public:
  explicit History(std::uint64_t seed);

  /// The next event. Nothing happens any more after a violation.
  void one_event();

  [[nodiscard]] const Oracle& oracle() const noexcept { return oracle_; }
  /// Of everything that was published, told and remembered so far.
  [[nodiscard]] std::uint64_t digest() const noexcept { return digest_; }
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }
  [[nodiscard]] std::uint64_t accepted() const noexcept { return accepted_; }
  [[nodiscard]] std::uint64_t restarts() const noexcept { return restarts_; }
  /// Steering's state came back from its file as it was, each time.
  [[nodiscard]] bool states_round_trip() const noexcept { return states_round_trip_; }

 private:
  struct Campaign {  // what people sign together
    zones::Claims claims;
    unsigned signatures = 0;
  };

  std::uint64_t pick(std::uint64_t below);
  [[nodiscard]] bool one_in(std::uint64_t count) { return pick(count) == 0; }
  std::string pick_region();

  // history_world.cpp: what is edited
  zones::Policy random_policy();
  zones::Approvals random_approvals();
  zones::Service random_service(std::size_t number);
  zones::LeashSettings random_leash();
  void add_random_checks(zones::Service& service, std::size_t number);
  void add_random_rules(zones::Policy& policy);
  std::vector<zones::ResidencyRule> random_residency_rules();
  std::vector<zones::Assertion> random_assertions();
  void add_random_tenants(zones::Repository& repository);
  void edit(zones::Policy& policy);
  void reload();
  void load();

  // history.cpp: what happens
  void pass_time();
  void verdict();
  void measure_lag();
  void advise();
  void present_token();
  void present(const Signed& token);
  Campaign new_campaign();
  Signed sign(const zones::Claims& claims, const std::string& key_id);
  void replay_token();
  void review();
  void revoke();
  void order();
  void end_order();
  void freeze();
  void fail_back();
  void restart();
  void jump_clock();
  void break_disk();
  void happens(decltype(zones::Event::what) what);
  void carry_out(zones::Effects effects);
  void save();
  void mix(std::uint64_t number);
  void mix(const std::string& text);

  std::mt19937_64 random_;
  Moment clock_;
  zones::Steering steering_;
  Oracle oracle_;
  std::shared_ptr<const zones::Configuration> configuration_;
  std::vector<Client> clients_;
  zones::Effects effects_;
  zones::SteeringState saved_;  // as the disk has it
  Remembered saved_evidence_;
  Campaign campaign_;
  std::vector<zones::AdviceWanted> asked_;
  std::vector<Signed> presented_;
  std::vector<std::string> texts_;  // of the same tokens
  std::uint64_t tokens_ = 0, refused_ = 0, accepted_ = 0, restarts_ = 0;
  std::uint64_t digest_ = 0xcbf2'9ce4'8422'2325;
  bool is_trail_broken_ = false, disk_fails_next_ = false, states_round_trip_ = true;
};

}  // namespace demarc::simulation
