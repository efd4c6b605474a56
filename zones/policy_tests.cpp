#include "zones/policy_tests.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "geo/countries.h"
#include "zones/jws.h"
#include "zones/policy_tests_names.h"
#include "zones/steering.h"
#include "zones/tenants.h"
#include "zones/view.h"

namespace demarc::zones {
namespace {

// Advice is asked for in steps; a policy that keeps asking ends here.
constexpr int advice_rounds_max = 100;

using PrivateKeys = std::map<std::string, std::pair<KeyAlgorithm, std::string>>;

/// Puts fresh keys in place of the policy's, same ids, persons and roles. A signed key list would
/// not hold for them, and is not what is tested.
PrivateKeys replace_keys(Policy& policy) {
  PrivateKeys keys;
  if (!policy.approvals) return keys;
  for (ApprovalKey& key : policy.approvals->keys) {
    auto pair = make_key_pair(key.algorithm);
    if (!pair) continue;
    key.public_key_pem = std::move(pair->public_key_pem);
    keys[key.id] = {key.algorithm, std::move(pair->private_key_pem)};
  }
  policy.approvals->key_list.reset();
  return keys;
}

geo::Location locate_client(const TestClient& client, std::span<const geo::Prefix> marks,
                            const Locate& locate) {
  geo::Location location;
  std::optional<geo::Prefix> network;
  if (const auto* country = std::get_if<geo::Code2>(&client)) {
    location.country = *country;
    location = geo::completed(std::move(location));
  } else if (const auto* address = std::get_if<geo::Address>(&client)) {
    location = locate(*address);
    network = geo::Prefix{*address, static_cast<std::uint8_t>(address->bits())};
  } else if (const auto* prefix = std::get_if<geo::Prefix>(&client)) {
    location = locate(prefix->address);
    network = *prefix;
  }
  location.network_mark = geo::no_network_mark;
  for (std::size_t i = 0; network && i < marks.size(); ++i) {
    if (!marks[i].contains(*network)) continue;
    const bool is_longer = location.network_mark == geo::no_network_mark ||
                           marks[i].length > marks[location.network_mark].length;
    if (is_longer) location.network_mark = static_cast<std::uint32_t>(i);
  }
  return location;
}

std::string client_text(const TestClient& client) {
  if (const auto* country = std::get_if<geo::Code2>(&client)) return std::string(country->text());
  if (const auto* address = std::get_if<geo::Address>(&client)) return geo::to_text(*address);
  if (const auto* network = std::get_if<geo::Prefix>(&client)) return geo::to_text(*network);
  return "an unknown client";
}

std::string note_text(ChoiceNote note) {
  switch (note) {
    case ChoiceNote::none:
      return "none";
    case ChoiceNote::held:
      return "held";
    case ChoiceNote::exception:
      return "exception";
    case ChoiceNote::all_down:
      return "all-down";
  }
  return "none";
}

std::string list_text(const std::set<std::string>& names) {
  return names.empty() ? std::string("none") : fmt::format("{}", fmt::join(names, ", "));
}

/// One test: a fresh steering, what is given, what is seen.
class Run {
 public:
  Run(std::shared_ptr<const Configuration> configuration, const PrivateKeys& keys,
      const Locate& locate, const PolicyTest& test)
      : configuration_(std::move(configuration)), keys_(keys), locate_(locate), test_(test) {
    now_ = {test.given.clock.value_or(default_test_clock()), MonotonicTime{}};
  }

  PolicyTestResult result() {
    give();
    PolicyTestResult result{test_.name, test_.place, 0, {}};
    for (const TestExpectation& expect : test_.expect) check(expect, result);
    return result;
  }

 private:
  const Repository& repository() const { return *configuration_->repository; }
  const Policy& policy() const { return repository().policy; }

  template <typename What>
  std::optional<Reply> happen(What what) {
    Effects effects = steering_.step(Event{now_, std::move(what)});
    const auto reply = effects.reply;
    remember(effects);
    for (int round = 0; round < advice_rounds_max && !effects.advice_wanted.empty(); ++round) {
      std::vector<Event> answers;
      for (const AdviceWanted& wanted : effects.advice_wanted) {
        answers.push_back(
            {now_, AdviceGiven{wanted.id, test_.given.advice,
                               test_.given.advice ? "as the test gives it" : "no answer"}});
      }
      effects = steering_.step(answers);
      remember(effects);
    }
    return reply;
  }

  void remember(const Effects& effects) {
    for (const AuditEntry& entry : effects.audit) {
      std::string service, rule;
      for (const auto& [name, value] : entry.facts) {
        if (name == "service") service = value;
        if (name == "rule") rule = value;
      }
      if (!rule.empty()) rules_[service].insert(rule);
    }
  }

  void give() {
    happen(ConfigurationLoaded{configuration_, "policy test"});
    give_lag();
    if (test_.given.frozen) happen(FreezeSet{true, "policy test", "given"});
    give_verdicts();
    for (const NamedAt& target : test_.given.drained) {
      happen(OrderGiven{target.name, "", "policy test", "given", std::chrono::hours{1}});
    }
    std::size_t number = 0;
    for (const TestToken& token : test_.given.tokens) present(token, ++number);
  }

  void give_lag() {
    for (const Service& service : repository().services) {
      for (const LagCheck& lag : service.activation.lag) {
        for (const auto& [region, value] : test_.given.lag) {
          if (policy().region(lag.region).name != region.name) continue;
          happen(LagMeasured{lag.key, value, "given"});
        }
      }
    }
  }

  void give_verdicts() {
    std::vector<Event> events;
    for (const Service& service : repository().services) {
      for (const HealthCheck& check : service.checks) {
        const bool is_down = std::ranges::any_of(test_.given.down, [&](const NamedAt& target) {
          return is_meant(policy(), service.record(check.record), target.name);
        });
        events.push_back(
            {now_, VerdictFound{check.key, is_down ? Verdict::down : Verdict::up, "given"}});
      }
    }
    remember(steering_.step(events));
  }

  void present(const TestToken& given, std::size_t number) {
    Claims claims = given.claims;
    claims.issuer = "policy-test";
    if (claims.audience.empty()) claims.audience = policy().approvals->audience;
    claims.id = fmt::format("policy-test-{}", number);
    claims.issued_at = claims.not_before = std::chrono::floor<Seconds>(now_.wall);
    claims.expires = claims.not_before + given.lasts;
    if (claims.case_id.empty()) claims.case_id = "policy-test";
    if (claims.reason.empty()) claims.reason = "policy test";
    if (claims.zone.empty() && !claims.plan_template) claims.zone = zone_of(claims.service);
    const auto& [algorithm, pem] = keys_.at(given.signed_by.name);
    const auto token = issue_token(claims, given.signed_by.name, algorithm, pem);
    last_token_ = token ? happen(TokenPresented{*token, "policy test"})
                        : std::optional(Reply{false, "refused: [malformed] " + token.error(), {}});
  }

  std::string zone_of(const std::string& service) const {
    const auto owner = Name::parse_absolute(service);
    const Zone* zone = owner ? repository().find_zone(*owner) : nullptr;
    return zone == nullptr ? repository().zones.front().apex.text_without_dot()
                           : zone->apex.text_without_dot();
  }

  struct Seen {
    const Service* service = nullptr;
    std::string owner;
    Ruling ruling;
    const Choice* choice = nullptr;
    std::set<std::string> regions, endpoints;  // that answer
  };

  Seen see(ServiceId id, const TestClient& client) {
    const Service& service = repository().service(id);
    const Views& views = *configuration_->views;
    Seen seen{&service,
              service.owner.text_without_dot(),
              steering_.preview(views, id, steering_.conditions_of(service)),
              nullptr,
              {},
              {}};
    const Variant variant = evaluate_route(
        policy(), service, locate_client(client, views.marks(), locate_), views.marks());
    const auto variants = views.variants(service.view);
    const auto at =
        static_cast<std::size_t>(std::ranges::find(variants, variant) - variants.begin());
    // What was published answers; the preview is asked for the crossings alone.
    const ClearedWeights* published = steering_.published(id);
    published_ = published == nullptr ? seen.ruling.cleared : *published;
    seen.choice = &published_->choices()[published_->choice_of_variant()[at]];
    collect(service, *seen.choice, seen);
    if (seen.choice->share < 100) {
      collect(service, published_->choices()[seen.choice->otherwise], seen);
    }
    return seen;
  }

  void collect(const Service& service, const Choice& choice, Seen& seen) const {
    for (const WeightedRecord& r : choice.records) {
      const Record& record = service.record(r.record);
      seen.regions.insert(policy().region(record.region).name);
      seen.endpoints.insert(record.endpoint_name.text_without_dot());
    }
  }

  void check(const TestExpectation& expect, PolicyTestResult& result) {
    const auto compare = [&](const std::string& what, const std::string& expected,
                             const std::string& observed, const Place& place) {
      ++result.checked;
      if (expected != observed) result.failed.push_back({place, what, expected, observed});
    };
    if (expect.token) {
      compare("the last token", *expect.token, token_text(), expect.place);
    }
    if (expect.service.name.empty()) return;
    const Seen seen = see(*find_tested(repository(), expect), expect.client);
    const std::string who = fmt::format("{} for {}: ", seen.owner, client_text(expect.client));
    if (expect.answers) {
      const auto [expected, observed] = answers_texts(*expect.answers, seen);
      compare(who + "answers", expected, observed, expect.place);
    }
    if (expect.note) {
      compare(who + "note", *expect.note, note_text(seen.choice->note), expect.place);
    }
    if (expect.held) {
      compare(seen.owner + ": held", *expect.held ? "true" : "false", held_text(seen.owner),
              expect.place);
    }
    if (expect.crossing) {
      compare(seen.owner + ": crossing", names_text(*expect.crossing), crossing_text(seen.ruling),
              expect.place);
    }
    if (expect.rule) {
      const std::set<std::string>& rules = rules_[seen.owner];
      compare(seen.owner + ": rule", *expect.rule,
              rules.contains(*expect.rule) ? *expect.rule : list_text(rules), expect.place);
    }
  }

  std::pair<std::string, std::string> answers_texts(const std::vector<NamedAt>& expected,
                                                    const Seen& seen) const {
    const std::string wanted = names_text(expected);
    if (seen.choice->kind == ChoiceKind::nodata) return {wanted, "nodata"};
    if (seen.choice->kind == ChoiceKind::servfail) return {wanted, "servfail"};
    const bool by_endpoint = std::ranges::any_of(expected, [&](const NamedAt& one) {
      return !policy().find_region(one.name) && one.name != "nodata" && one.name != "servfail";
    });
    return {wanted, list_text(by_endpoint ? seen.endpoints : seen.regions)};
  }

  static std::string names_text(const std::vector<NamedAt>& list) {
    std::set<std::string> names;
    for (const NamedAt& one : list) names.insert(one.name);
    return list_text(names);
  }

  std::string held_text(const std::string& owner) const {
    const bool held = std::ranges::any_of(steering_.state().pending, [&](const auto& pending) {
      return pending.second.service == owner;
    });
    return held ? "true" : "false";
  }

  std::string crossing_text(const Ruling& ruling) const {
    std::set<std::string> names;
    for (const Made& made : ruling.made) names.insert(policy().region(made.to).name);
    for (const RegionId region : ruling.soft_abroad) names.insert(policy().region(region).name);
    return list_text(names);
  }

  std::string token_text() const {
    if (!last_token_) return "no token was given";
    if (last_token_->accepted) return "accepted";
    const std::string& text = last_token_->text;  // "refused: [KIND] why"
    const auto open = text.find('['), close = text.find(']');
    if (open == std::string::npos || close == std::string::npos) return text;
    return "refused " + text.substr(open + 1, close - open - 1);
  }

  std::shared_ptr<const Configuration> configuration_;
  const PrivateKeys& keys_;
  const Locate& locate_;
  const PolicyTest& test_;
  Moment now_;
  Steering steering_;
  std::optional<Reply> last_token_;
  std::optional<ClearedWeights> published_;             // what `see` points into
  std::map<std::string, std::set<std::string>> rules_;  // by service
};

}  // namespace

WallTime default_test_clock() {
  using namespace std::chrono;
  return sys_days{year{2026} / 1 / 1} + hours{12};
}

std::vector<PolicyTestResult> run_policy_tests(const Repository& repository,
                                               const std::vector<PolicyTest>& tests,
                                               const Locate& locate, Diagnostics& diagnostics) {
  const auto errors_before = diagnostics.error_count();
  check_test_names(repository, tests, diagnostics);
  if (diagnostics.error_count() != errors_before) return {};

  auto copy = std::make_unique<Repository>(repository);
  const PrivateKeys keys = replace_keys(copy->policy);
  auto views = std::make_unique<Views>(*copy);
  (void)views->classify(geo::Location{});
  for (const PolicyTest& test : tests) {
    for (const TestExpectation& expect : test.expect) {
      (void)views->classify(locate_client(expect.client, views->marks(), locate));
    }
  }
  const auto configuration =
      std::make_shared<const Configuration>(Configuration{std::move(copy), std::move(views)});
  std::vector<PolicyTestResult> results;
  for (const PolicyTest& test : tests) {
    results.push_back(Run(configuration, keys, locate, test).result());
  }
  return results;
}

}  // namespace demarc::zones
