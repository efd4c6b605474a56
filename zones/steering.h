// Steering: the deterministic controller between evidence and answers. Events in, effects out; it
// reads no clock, file or network, so a recorded list of events replays to the same decisions. A
// failure's way: health/ posts a VerdictFound, zones/plan.h says what should happen, zones/gate.h
// what may, the effects carry audit entries and cleared weights to tools/.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "zones/activation.h"
#include "zones/down_endpoints.h"
#include "zones/events.h"
#include "zones/gate.h"
#include "zones/leash.h"
#include "zones/plan.h"
#include "zones/steering_state.h"

namespace demarc::zones {

struct CrossingFacts;  // zones/alert_text.h

/// Limits on what outside events can make grow; beyond them an event is refused, nothing is
/// dropped.
inline constexpr std::size_t grants_max = 1000;
inline constexpr std::size_t orders_max = 1000;
inline constexpr std::size_t used_tokens_max = 100'000;
inline constexpr std::size_t revoked_keys_max = 10'000;

/// A wall clock further behind the time that has passed than this is in doubt: nothing crosses.
inline constexpr Milliseconds clock_step_back_max{2000};

/// The state machine. One thread; copyable for simulations.
class Steering {
 public:
  explicit Steering(SteeringState restored = {});

  /// Takes events that happened together and says what to do, as one: each touched service is ruled
  /// once, after the last of them. Before the first ConfigurationLoaded nothing is published.
  [[nodiscard]] Effects step(std::span<const Event> events);
  [[nodiscard]] Effects step(const Event& event) { return step(std::span(&event, 1)); }

  [[nodiscard]] const SteeringState& state() const noexcept { return state_; }
  [[nodiscard]] const Configuration* configuration() const noexcept { return configuration_.get(); }
  [[nodiscard]] bool clock_in_doubt() const noexcept { return clock_in_doubt_; }
  [[nodiscard]] bool audit_writable() const noexcept { return audit_writable_; }

  /// The wanted weights of a service as things stand. Precondition: a configuration is loaded.
  [[nodiscard]] Plan plan_of(ServiceId service) const;
  /// Whether steering acts on a check as failing: on evidence, or for a live drill.
  [[nodiscard]] bool is_failing(const std::string& check) const;
  /// What steering acts on now: what it knows, on the leash. The service is the configuration's.
  [[nodiscard]] Conditions conditions_of(const Service& service) const;
  /// What the leash holds back of a service now.
  [[nodiscard]] std::vector<LeashHold> holds_of(ServiceId service) const;
  /// What the gate would rule under other conditions or for other kinds of clients, with the grants
  /// that are live now. Changes nothing.
  [[nodiscard]] Ruling preview(const Views& views, ServiceId service,
                               const Conditions& conditions) const;
  /// The steps of each covered crossing of a service that waits for some of them, by its text.
  [[nodiscard]] std::map<std::string, std::vector<StepResult>> waiting(ServiceId service) const;
  /// What each service with residency is and which crossings it makes, as the trail was told: so
  /// that a trail whose beginning retention removed says it again.
  [[nodiscard]] std::vector<AuditEntry> definitions(WallTime now) const;
  /// What was last published for it; null before the first publication. With a tenant of the class:
  /// what it has under a grant of its own, else the class's.
  [[nodiscard]] const ClearedWeights* published(ServiceId service) const noexcept;
  [[nodiscard]] const ClearedWeights* published(ServiceId service, const std::string& tenant) const;

  /// Serials are kept with the state, but decided while a zone is compiled, before steering sees
  /// it.
  void remember_serials(std::map<std::string, std::pair<std::string, std::uint32_t>> serials) {
    state_.serials = std::move(serials);
  }

 private:
  struct Step;

  void on(Step& step, const ConfigurationLoaded& event);
  void on(Step& step, const ConfigurationRefused& event);
  void on(Step& step, const VerdictFound& event);
  void on(Step& step, const CheckWavered& event);
  void on(Step& step, const TokenPresented& event);
  void on(Step& step, const GrantRevoked& event);
  void on(Step& step, const KeyRevoked& event);
  void on(Step& step, const LagMeasured& event);
  void on(Step& step, const AdviceGiven& event);
  void on(Step& step, const DrillBegun& event);
  void on(Step& step, const DrillEnded& event);
  void on(Step& step, const DrillReported& event);
  void on(Step& step, const OrderGiven& event);
  void on(Step& step, const OrderEnded& event);
  void on(Step& step, const FreezeSet& event);
  void on(Step& step, const FailbackOrdered& event);
  void on(Step& step, const ClockTrusted& event);
  void on(Step& step, const TimerFired& event);
  void on(Step& step, const AuditBroken& event);
  void on(Step& step, const AuditMended& event);
  void on(Step& step, const NodeFact& event);

  void end_drill(Step& step, const std::string& who, const std::string& why);
  void keep_drill(Step& step);
  void raise_drill_alert(Step& step) const;
  [[nodiscard]] Result<Reply, Refusal> begin_drill(Step& step, const DrillBegun& event);
  [[nodiscard]] Result<Reply, Refusal> take_report(Step& step, const DrillReported& event);
  [[nodiscard]] Result<std::vector<Signature>, Refusal> drill_signatures(
      const Step& step, std::span<const std::string> tokens, const Required& required,
      const std::string& subject) const;

  void advance_clock(Step& step, const Moment& at);
  void expire(Step& step);
  void set_timer(Step& step) const;
  [[nodiscard]] Result<Reply, Refusal> accept(Step& step, const TokenPresented& event);
  [[nodiscard]] Result<void, Refusal> can_take_token() const;
  [[nodiscard]] Result<Reply, Refusal> accept_approval(Step& step, const ApprovedToken& token,
                                                       const std::string& who);
  [[nodiscard]] Result<Reply, Refusal> accept_review(Step& step, const ApprovedToken& token,
                                                     const std::string& who);
  [[nodiscard]] Result<void, Refusal> check_pending(const GrantScope& scope) const;
  void open_review(Step& step, const Grant& grant);
  void raise_review_alert(Step& step) const;
  void trust_keys(Step& step);
  void tell_grant(Step& step, std::string kind, const Grant& grant,
                  const std::vector<std::pair<std::string, std::string>>& facts) const;
  void touch_grant(Step& step, const Grant& grant) const;
  void end_grant(Step& step, const std::string& id, const std::string& why);
  void end_lost_grants(Step& step);
  void take_configuration(std::shared_ptr<const Configuration> configuration);
  void end_what_is_gone(Step& step);
  void tell_definitions(Step& step);
  [[nodiscard]] AuditEntry definition(const Step& step, const Service& service) const;
  void raise_standing_alerts(Step& step) const;
  void touch_all(Step& step) const;
  void touch_service_named(Step& step, const std::string& owner) const;

  void rule_services(Step& step);
  /// The live permissions of a service, and how the crossings they would newly make fare.
  struct Activated {
    std::vector<Permission> permissions;  // without those whose steps have not passed
    std::map<std::string, std::vector<StepResult>> passed, waiting;  // by crossing_text()
    std::map<RegionId, std::string> waits_to;  // of those that wait: "GRANT to REGION: STEP"
    std::vector<AdviceWanted> advice_wanted;
    std::set<std::string> advice_keys;  // of all that are new: what the advisor's word is about
  };
  /// What one service's ruling and those of its tenants say together.
  struct Decision {
    Ruling ruling;  // of the service; `made` and `rules` of its tenants too
    Activated activated;
    std::vector<std::string> asserted;
    std::vector<LeashHold> holds;
  };
  [[nodiscard]] Conditions known_of(const Service& service) const;
  [[nodiscard]] LeashRuling leash_of(ServiceId id) const;
  [[nodiscard]] std::vector<Ruling> rulings_by(const Plan& plan) const;
  [[nodiscard]] bool is_well_at_home(const Plan& plan) const;
  [[nodiscard]] bool stays_abroad(const Plan& plan) const;
  /// Checks that are well again, by the service's order of checks: which wait, and for what.
  struct Waiting {
    std::vector<bool> checks;
    std::optional<WallTime> until;  // of the first
    std::vector<LeashHold> holds;
  };
  [[nodiscard]] Waiting delayed_returns(const Service& service) const;
  [[nodiscard]] Waiting kept_away(const Service& service, const LeashState& leash) const;
  [[nodiscard]] std::optional<WallTime> next_failover(const Service& service) const;

  // steering_health.cpp: verdicts, and steering_guard.cpp: when too many are bad
  [[nodiscard]] std::optional<WallTime> may_change_at(const Service& service,
                                                      std::optional<WallTime> due) const;
  [[nodiscard]] bool acts_on_health() const;
  void act_on_health(Step& step);
  [[nodiscard]] bool is_waited_for(const std::vector<ServiceId>& services) const;
  void begin_return(Step& step, const std::string& key, CheckState& check);
  void know_endpoints();
  void note_endpoint(const std::string& key, const CheckState& check);
  void watch_mass_failure(Step& step);
  [[nodiscard]] std::optional<std::string> mass_failure_now(WallTime began) const;
  void begin_mass_failure(Step& step, std::string why);
  void end_mass_failure(Step& step);
  void raise_mass_failure_alert(Step& step) const;
  [[nodiscard]] std::string overrule_mass_failure(Step& step, const FreezeSet& event);

  void keep_leash(Step& step, ServiceId id, LeashRuling& leash);
  void touch_due(Step& step) const;
  void tell_leashed(Step& step, const Service& service, const std::vector<LeashHold>& holds,
                    Told& told);
  [[nodiscard]] std::vector<Permission> permissions(ServiceId service) const;
  [[nodiscard]] std::vector<Permission> made_permissions(ServiceId service) const;
  [[nodiscard]] Activated activate(const Plan& plan, const std::string& tenant) const;
  [[nodiscard]] Ruling rule_as_made(const Plan& plan, const std::string& tenant) const;
  [[nodiscard]] bool is_made(const Service& service, const Made& made) const;
  [[nodiscard]] std::set<std::string> tenants_to_rule(ServiceId service) const;
  void rule_service(Step& step, ServiceId id, std::vector<ClearedWeights>& unaudited);
  void publish(Step& step, ServiceId id, const ClearedWeights& cleared);
  void note_made(const Service& service, const std::set<Made>& made);
  void tell(Step& step, const Plan& plan, const Decision& decision);
  void tell_asserted(Step& step, const Service& service, const Plan& plan, Told& told);
  void ask_advisor(Step& step, const Service& service, const Activated& activated);
  void tell_waiting(Step& step, const Service& service, const Decision& decision, Told& told);
  void tell_soft(Step& step, const Service& service, const Ruling& ruling, Told& told);
  [[nodiscard]] std::string assertion_against(const Order& order);
  void tell_weights(Step& step, const Service& service, const Plan& plan, Told& told);
  [[nodiscard]] std::string why_held(const Decision& decision) const;
  void tell_new_pending(Step& step, const Service& service, const PendingChange& change,
                        const Ruling& ruling) const;
  void tell_held(Step& step, const Service& service, const Decision& decision);
  void tell_made(Step& step, const Service& service, const Decision& decision, const Made& made,
                 const CrossingFacts& facts) const;
  void tell_crossings(Step& step, const Service& service, const Decision& decision, Told& told);
  void end_pending(Step& step, const std::string& id, const std::string& why);
  [[nodiscard]] std::string evidence_of(const Service& service) const;

  /// An entry with the facts that each one has: zone, service, policy and configuration digests.
  [[nodiscard]] AuditEntry entry(const Step& step, std::string kind,
                                 std::string jurisdiction) const;
  [[nodiscard]] AuditEntry entry(const Step& step, std::string kind, const Service& service) const;
  [[nodiscard]] std::string jurisdiction_of(const Service& service) const;

  SteeringState state_;
  std::shared_ptr<const Configuration> configuration_;
  std::map<std::string, std::vector<ServiceId>> services_of_check_;  // with its tenants' classes
  std::vector<std::optional<ClearedWeights>> published_;             // by service
  /// By the class's owner and the tenant: names outlive a reload. Nothing: before it.
  std::map<std::pair<Name, std::string>, std::optional<ClearedWeights>> published_tenants_;
  DownEndpoints down_endpoints_;
  std::vector<std::string> canaries_;  // checks
  std::map<ServiceId, WallTime> due_;  // when the leash may say something else
  std::vector<std::set<Made>> made_;   // crossings that are published, by service
  std::vector<std::pair<ServiceId, std::set<Made>>> made_before_;  // of the last step, to take back
  std::optional<Moment> last_;
  std::optional<std::string> keys_untrusted_;  // why the loaded key list approves nothing
  bool clock_in_doubt_ = false;
  bool audit_writable_ = true;
};

}  // namespace demarc::zones
