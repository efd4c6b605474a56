// The oracle: a second opinion on every published answer, written from DESIGN.md section 4 and
// nothing else. It knows what was signed by whom, because the simulation signed it, and keeps its
// own book of time, keys, grants, evidence and told crossings; it uses no code of gate, plan,
// steering or grant. tests/simulation/history.h makes the events and asks it after each of them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "zones/events.h"
#include "zones/token.h"

namespace demarc::simulation {

/// A token as it was made, and by whom.
struct Signed {
  zones::Claims claims;
  std::string key_id, key_pem;
  bool names_pending_change = true;  // with claims.change: whether it was pending at that moment
};

/// What a node's disk keeps of the evidence; a restart goes on from it.
struct Remembered {
  struct Check {
    zones::Verdict verdict = zones::Verdict::unknown;
    bool failing = false;
  };
  struct Lag {
    std::optional<double> value;
    WallTime measured;
  };
  std::map<std::string, Check> checks;
  std::map<std::string, Lag> lag;
  WallTime believed;
};

/// A kind of client, and the class that the location table would give it.
struct Client {
  geo::Code2 country;  // empty: unknown
  geo::ClassId location_class = 0;
};

class Oracle {
 public:
  /// The first thing that should not have happened; empty: nothing so far.
  [[nodiscard]] const std::string& violation() const noexcept { return violation_; }
  [[nodiscard]] const Remembered& remembered() const noexcept { return remembered_; }
  [[nodiscard]] bool clock_in_doubt() const noexcept { return in_doubt_; }

  // What happens, in the order in which it does; passed() first of all, at each event.
  void passed(Moment now);
  void loaded(std::shared_ptr<const zones::Configuration> configuration,
              std::vector<Client> clients);
  void restarted(Remembered from_disk);
  void found(const std::string& check, zones::Verdict verdict);
  void lag_measured(const std::string& check, std::optional<double> value);
  void advice_asked(const zones::AdviceWanted& asked);
  void advised(const std::string& id, std::optional<zones::Effect> effect);
  void ordered(const std::string& id, const std::string& target, WallTime ends);
  void order_ended(const std::string& target);
  void frozen(bool on);
  void failed_back(const std::string& service);
  void clock_trusted();
  /// `is_saved`: the state is on disk before anybody hears of it.
  void presented(const Signed& token, const zones::Reply& reply, bool is_saved);
  void token_revoked(const std::string& token_id);
  void key_revoked(const std::string& key_id);
  void trail_breaks();
  void trail_is_mended() { trail_works_ = true; }
  /// Entries are on disk.
  void wrote(const std::vector<zones::AuditEntry>& entries);
  /// Answers reach the queries.
  void published(const zones::ClearedWeights& weights);

  /// Judges everything that is served at this moment. `before_step`: as a query thread sees it
  /// while the control thread has not yet noticed that time has passed.
  void judge(bool before_step);

  std::uint64_t crossings_seen = 0, held_seen = 0, shares_seen = 0, tenants_seen = 0,
                asserted_seen = 0, made_seen = 0, advised_seen = 0, lags_seen = 0;

 private:
  struct Token {
    std::string id, key_id, key_pem, person, role, case_id;
  };
  /// Tokens that the server counts together.
  struct Grant {
    zones::Claims scope;
    std::string jurisdictions, template_digest;
    std::vector<Token> tokens;
    WallTime ends = WallTime::max();
    bool is_dead = false;
  };
  struct Order {
    std::string target;
    WallTime ends;
  };
  using Home = std::optional<zones::JurisdictionId>;
  struct View {  // one client's look at one service
    const zones::Service& service;
    Home home;
    std::vector<zones::RegionId> route;  // empty: all
    const zones::ClearedWeights& weights;
  };
  struct Crossing {  // as the trail tells of it
    const zones::Service& service;
    std::string grant, region, tenant;
  };
  struct Advice {
    std::string service, region, grant, tenant, policy;
    std::optional<zones::Effect> effect;
  };
  enum class Role : std::uint8_t { now, rest, fenced };  // rest: what a share leaves
  using Served = std::map<std::pair<std::size_t, std::string>, zones::ClearedWeights>;

  void violated(std::string text);
  [[nodiscard]] const zones::Policy& policy() const { return configuration_->repository->policy; }

  // oracle_book.cpp: tokens and grants
  [[nodiscard]] std::string why_not(const Signed& token, const zones::Claims& claims) const;
  [[nodiscard]] std::string why_no_scope(const zones::Claims& claims) const;
  [[nodiscard]] std::optional<zones::Claims> with_template(const zones::Claims& claims) const;
  [[nodiscard]] const zones::Required* rule_of(const zones::Claims& scope) const;
  [[nodiscard]] bool is_complete(const Grant& grant) const;
  [[nodiscard]] std::string jurisdictions_of(const zones::Claims& scope) const;
  [[nodiscard]] bool has_lost_ground(const Grant& grant) const;
  void review_signed(const Signed& token);
  [[nodiscard]] bool has_open_crossing(const zones::Service& service) const;
  [[nodiscard]] const zones::ApprovalKey* key_of(const std::string& id) const;

  // oracle_activation.cpp: the moment of a crossing
  [[nodiscard]] std::optional<Crossing> crossing_of(const zones::AuditEntry& entry) const;
  [[nodiscard]] std::string why_not_activated(const Crossing& crossing) const;
  [[nodiscard]] static std::string book_key(const zones::Service& service,
                                            const std::string& tenant);
  /// What people call it: the service whose tenants a class answers.
  [[nodiscard]] const zones::Service& named_of(const zones::Service& service) const;

  // oracle_judge.cpp: answers
  void judge_weights(const zones::ClearedWeights& weights, bool before_step);
  void judge_choice(const View& view, const zones::Choice& choice, Role role);
  void judge_emptiness(const View& view, const zones::Choice& choice, Role role);
  void judge_soft(const View& view, const zones::Choice& choice);
  void judge_assertions(const View& view, const zones::Choice& choice);
  [[nodiscard]] std::string records_text(const View& view) const;
  void judge_share(const View& view, const zones::Choice& choice);
  void judge_mode(const zones::ClearedWeights& weights);
  [[nodiscard]] Home home_of(const zones::Service& service, const Client& client) const;
  [[nodiscard]] std::vector<zones::RegionId> route_of(const zones::Service& service,
                                                      const Client& client) const;
  [[nodiscard]] bool is_about(const zones::Assertion& assertion,
                              const zones::Service& service) const;
  [[nodiscard]] bool has_assertion(const zones::Service& service,
                                   zones::Assertion::Kind kind) const;
  [[nodiscard]] bool base_obeys(const zones::Assertion& assertion,
                                const zones::Service& service) const;
  [[nodiscard]] zones::JurisdictionId place_of(const zones::Record& record) const;
  [[nodiscard]] bool is_home(const View& view, const zones::Record& record) const;
  [[nodiscard]] bool is_on_route(const View& view, const zones::Record& record) const;
  [[nodiscard]] bool is_usable(const zones::Service& service, std::size_t record) const;
  /// Whether the server may act on a check as it was found, or as before: delays, a guard, a way
  /// home that waits for a person.
  [[nodiscard]] bool is_open(const zones::Service& service, const zones::HealthCheck& check) const;
  [[nodiscard]] bool counts_as_failing(const zones::HealthCheck& check) const;
  /// Whether `holds` is true for one of the ways in which the open checks of a service may count.
  [[nodiscard]] bool may_be(const zones::Service& service,
                            const std::function<bool()>& holds) const;
  [[nodiscard]] std::vector<unsigned> weights_of(const zones::Service& service) const;
  [[nodiscard]] bool has_failed(const View& view, zones::RegionId region) const;
  [[nodiscard]] bool is_any_lawful(const View& view, bool is_hard) const;
  [[nodiscard]] bool reaches(const Grant& grant, const View& view) const;
  [[nodiscard]] const zones::ResidencyRule* rule_about(const View& view, zones::JurisdictionId to,
                                                       std::optional<zones::Mode> mode) const;
  [[nodiscard]] bool is_allowed_by_rules(const View& view, const zones::Record& record,
                                         const Grant& grant) const;
  /// The largest share that a live grant of that mode or a wider one gives to this record; 0: none
  /// covers it.
  [[nodiscard]] unsigned share_granted(const View& view, const zones::Record& record,
                                       zones::Mode at_least = zones::Mode::read_only) const;

  std::shared_ptr<const zones::Configuration> configuration_;
  std::vector<Client> clients_;
  Remembered remembered_;
  std::optional<MonotonicTime> last_;
  bool in_doubt_ = false, is_frozen_ = false, trail_works_ = true;
  WallTime wall_;
  std::map<std::string, Grant> grants_;  // by the id that the server gave
  std::set<std::string> used_;           // token ids, presented or revoked
  std::set<std::string> revoked_keys_;   // public keys
  std::map<std::string, Order> orders_;
  struct Review {
    std::string grant;
    std::set<std::string> signers;
    std::set<std::pair<std::string, std::string>> reviewers;
  };
  std::optional<Review> review_;
  Served served_;
  // By service and tenant: regions abroad that the trail told of, crossings that it has not ended.
  std::map<std::string, std::set<std::string>> told_, open_;
  std::map<std::string, Advice> advice_;  // by the question's id
  // By owner: checks that came back while a crossing was made.
  std::map<std::string, std::set<std::string>> came_back_;
  mutable std::map<std::string, bool> assumed_;  // failing or not, by check, in may_be()
  std::string violation_;
};

}  // namespace demarc::simulation
