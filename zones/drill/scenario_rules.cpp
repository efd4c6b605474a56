#include "zones/drill/scenario_rules.h"

#include <algorithm>
#include <set>

#include "zones/yaml/spelling.h"

namespace demarc::zones::drill {
namespace {

bool is_drillable(const Service& service) {
  return service.home_kind != HomeKind::tenant && !service.tenants_of;
}

std::vector<std::string> service_words(const Repository& repository) {
  std::vector<std::string> words;
  for (const Service& service : repository.services) {
    words.push_back(service.label);
    words.push_back(service.owner.text_without_dot());
  }
  return words;
}

std::vector<std::string> target_words(const Repository& repository) {
  std::set<std::string> words;
  for (const Region& region : repository.policy.regions) words.insert(region.name);
  for (const Service& service : repository.services) {
    for (const Record& record : service.records) {
      words.insert(record.endpoint_name.text_without_dot());
    }
  }
  return {words.begin(), words.end()};
}

class Rules {
 public:
  Rules(const Repository& repository, Diagnostics& diagnostics)
      : repository_(repository), diagnostics_(diagnostics) {}

  void service(const Place& place, const std::string& text) {
    const auto id = find_service(repository_, text);
    if (!id) {
      diagnostics_.error(place, "unknown-service", "service `{}`; {}", text,
                         yaml::suggest(text, service_words(repository_)));
    } else if (!is_drillable(repository_.service(*id))) {
      diagnostics_.error(place, "drill-of-tenants",
                         "service `{}` has `home: tenant`: each tenant is answered by a law of its "
                         "own, and a drill judges what clients of a country get; expected a "
                         "service with one home (the endpoints of `{}` may fail in a drill, and "
                         "its tenants then move)",
                         text, text);
    }
  }

  void target(const Place& place, const std::string& text, bool is_failure) {
    const auto records = records_named(repository_, text);
    if (records.empty()) {
      diagnostics_.error(place, "unknown-endpoint", "endpoint or region `{}`; {}", text,
                         yaml::suggest(text, target_words(repository_)));
    } else if (is_failure && checks_named(repository_, {text}).empty()) {
      diagnostics_.error(place, "drill-unchecked",
                         "no health check probes `{}`, so its failure would not be seen; expected "
                         "an endpoint with a check",
                         text);
    }
  }

  void zone(const Place& place, const std::string& text) {
    std::vector<std::string> words;
    for (const Zone& zone : repository_.zones) words.push_back(zone.apex.text_without_dot());
    const auto name = Name::parse_absolute(text);
    if (name && std::ranges::count(repository_.zones, *name, &Zone::apex) != 0) return;
    diagnostics_.error(place, "unknown-zone", "zone `{}`; {}", text, yaml::suggest(text, words));
  }

  void region(const Place& place, const std::string& text) {
    if (repository_.policy.find_region(text)) return;
    std::vector<std::string> words;
    for (const Region& region : repository_.policy.regions) words.push_back(region.name);
    diagnostics_.error(place, "unknown-region", "region `{}`; {}", text,
                       yaml::suggest(text, words));
  }

  void key(const Place& place, const std::string& id) {
    std::vector<std::string> words;
    if (repository_.policy.approvals) {
      for (const ApprovalKey& key : repository_.policy.approvals->keys) words.push_back(key.id);
    }
    if (std::ranges::count(words, id) != 0) return;
    diagnostics_.error(
        place, "unknown-key-id", "signed-by `{}`; {}", id,
        words.empty() ? std::string("the policy has no keys") : yaml::suggest(id, words));
  }

  void role(const Place& place, const std::string& role, unsigned persons) {
    std::set<std::string> words, holders;
    if (repository_.policy.approvals) {
      for (const ApprovalKey& key : repository_.policy.approvals->keys) {
        words.insert(key.role);
        if (key.role == role) holders.insert(key.person);
      }
    }
    if (!words.contains(role)) {
      diagnostics_.error(place, "unknown-role", "sign-off by role `{}`; {}", role,
                         words.empty()
                             ? std::string("the policy has no keys")
                             : yaml::suggest(role, std::vector(words.begin(), words.end())));
    } else if (holders.size() < persons) {
      diagnostics_.error(place, "too-few-persons",
                         "sign-off by {} persons of role `{}`; the policy's keys have {}", persons,
                         role, holders.size());
    }
  }

  void action(const Action& action) {
    switch (action.kind) {
      case ActionKind::fail:
      case ActionKind::recover:
        for (const std::string& t : action.targets) target(action.place, t, true);
        return;
      case ActionKind::drain:
      case ActionKind::undrain:
        for (const std::string& t : action.targets) target(action.place, t, false);
        if (!action.service.empty()) service(action.place, action.service);
        return;
      case ActionKind::token:
        if (!action.token.file.empty()) return;
        key(action.place, action.token.signed_by);
        service(action.place, action.token.service);
        for (const std::string& r : action.token.from) region(action.place, r);
        for (const std::string& r : action.token.to) region(action.place, r);
        if (!action.token.zone.empty()) zone(action.place, action.token.zone);
        return;
      case ActionKind::freeze:
      case ActionKind::unfreeze:
      case ActionKind::revoke:
        return;
    }
  }

 private:
  const Repository& repository_;
  Diagnostics& diagnostics_;
};

}  // namespace

std::optional<ServiceId> find_service(const Repository& repository, std::string_view text) {
  std::optional<ServiceId> found;
  for (std::size_t i = 0; i < repository.services.size(); ++i) {
    if (repository.services[i].label != text) continue;
    if (found) return std::nullopt;  // two zones have the label: the whole name tells them apart
    found = ServiceId{static_cast<std::uint32_t>(i)};
  }
  if (found) return found;
  const auto name = Name::parse_absolute(text);
  return name ? repository.find_service(*name) : std::nullopt;
}

std::vector<ServiceId> services_in_scope(const Scenario& scenario, const Repository& repository) {
  std::set<ServiceId> services;
  for (const std::string& text : scenario.services) {
    if (const auto id = find_service(repository, text)) services.insert(*id);
  }
  const bool all = scenario.services.empty() && scenario.zones.empty();
  for (std::size_t i = 0; i < repository.services.size(); ++i) {
    const Service& service = repository.services[i];
    const bool in_zone = std::ranges::any_of(scenario.zones, [&](const std::string& text) {
      const auto apex = Name::parse_absolute(text);
      return apex && repository.zones[service.zone].apex == *apex;
    });
    if ((all || in_zone) && is_drillable(service)) {
      services.insert(ServiceId{static_cast<std::uint32_t>(i)});
    }
  }
  return {services.begin(), services.end()};
}

std::vector<std::pair<ServiceId, RecordId>> records_named(const Repository& repository,
                                                          const std::string& target) {
  std::vector<std::pair<ServiceId, RecordId>> records;
  const auto name = Name::parse_absolute(target);
  for (std::size_t s = 0; s < repository.services.size(); ++s) {
    const Service& service = repository.services[s];
    for (std::size_t r = 0; r < service.records.size(); ++r) {
      const Record& record = service.records[r];
      const bool is_meant = repository.policy.region(record.region).name == target ||
                            (name && record.endpoint_name == *name);
      if (!is_meant) continue;
      records.emplace_back(ServiceId{static_cast<std::uint32_t>(s)},
                           RecordId{static_cast<std::uint16_t>(r)});
    }
  }
  return records;
}

std::vector<std::string> checks_named(const Repository& repository,
                                      const std::vector<std::string>& targets) {
  std::set<std::string> keys;
  for (const std::string& target : targets) {
    for (const auto& [service, record] : records_named(repository, target)) {
      for (const HealthCheck& check : repository.service(service).checks) {
        if (check.record == record) keys.insert(check.key);
      }
    }
  }
  return {keys.begin(), keys.end()};
}

void check_scenario(const Scenario& scenario, const Repository& repository,
                    Diagnostics& diagnostics) {
  Rules rules(repository, diagnostics);
  for (const std::string& zone : scenario.zones) rules.zone(scenario.place, zone);
  for (const std::string& service : scenario.services) rules.service(scenario.place, service);
  for (const Action& action : scenario.timeline) rules.action(action);
  for (const Expectation& expect : scenario.expect) {
    rules.service(expect.place, expect.service);
    for (const std::string& answer : expect.answers.value_or(std::vector<std::string>{})) {
      if (answer != "nodata" && answer != "servfail") rules.region(expect.place, answer);
    }
  }
  for (const std::string& target : scenario.abort_when_down) {
    rules.target(scenario.place, target, true);
  }
  for (const auto& [role, persons] : scenario.sign_off) rules.role(scenario.place, role, persons);
  if (services_in_scope(scenario, repository).empty()) {
    diagnostics.error(scenario.place, "drill-of-nothing",
                      "no service is in the drill's scope; expected one at least");
  }
}

void check_live(const Scenario& scenario, Diagnostics& diagnostics) {
  std::optional<Milliseconds> failed, recovered;
  std::set<std::string> failing, recovering;
  for (const Action& action : scenario.timeline) {
    if (action.kind != ActionKind::fail && action.kind != ActionKind::recover) continue;
    auto& when = action.kind == ActionKind::fail ? failed : recovered;
    auto& which = action.kind == ActionKind::fail ? failing : recovering;
    if (when && *when != action.at) {
      diagnostics.error(action.place, "live-at-once",
                        "endpoints {} at two times; a live drill expects them to do so together",
                        to_text(action.kind));
    }
    when = action.at;
    which.insert(action.targets.begin(), action.targets.end());
  }
  if (!failed) {
    diagnostics.error(scenario.place, "live-at-once",
                      "nothing fails; a live drill expects one failure at least");
  }
  if (recovered && (failing != recovering || *recovered <= failed.value_or(*recovered))) {
    diagnostics.error(scenario.place, "live-at-once",
                      "what recovers is not what failed before; a live drill expects the same "
                      "endpoints, later");
  }
}

}  // namespace demarc::zones::drill
