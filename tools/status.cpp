#include "tools/status.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "tools/activation_status.h"
#include "tools/clock.h"
#include "tools/daemon.h"
#include "tools/leash_status.h"
#include "zones/alert_text.h"
#include "zones/mode_signal.h"
#include "zones/tenants.h"
#include "zones/time_text.h"

namespace demarc::tools {
namespace {

using nlohmann::json;
using namespace zones;

std::string_view note_of(ChoiceNote note) {
  switch (note) {
    case ChoiceNote::none:
      return "";
    case ChoiceNote::held:
      return "held at the border";
    case ChoiceNote::exception:
      return "under a grant";
    case ChoiceNote::all_down:
      return "all down";
  }
  return "";
}

json mode_status(const ClearedWeights* cleared, WallTime now) {
  const auto live = cleared == nullptr ? std::nullopt : live_mode(*cleared, now);
  if (!live) return {{"mode", "home"}};
  return {{"mode", to_text(live->signal.mode)},
          {"case", live->signal.case_id},
          {"until", until_text(live->until)},
          {"grant", live->signal.grant_id}};
}

/// Who answers a service now, over all kinds of clients.
json service_status(const Steering& steering, ServiceId id) {
  const Repository& repository = *steering.configuration()->repository;
  const Service& service = repository.service(id);
  std::set<std::string> regions, notes;
  if (const ClearedWeights* cleared = steering.published(id)) {
    for (const auto at : cleared->choice_of_variant()) {
      const Choice& choice = cleared->choices()[at];
      for (const WeightedRecord& r : choice.records) {
        regions.insert(repository.policy.region(service.record(r.record).region).name);
      }
      if (choice.kind == ChoiceKind::nodata) regions.insert("(nodata)");
      if (choice.kind == ChoiceKind::servfail) regions.insert("(servfail)");
      if (choice.note != ChoiceNote::none) notes.emplace(note_of(choice.note));
    }
  }
  std::string home = "-";
  if (service.home_kind == HomeKind::client) home = "client";
  if (service.home_kind == HomeKind::jurisdiction && service.home) {
    home = repository.policy.jurisdiction(*service.home).name;
  }
  if (service.home_kind == HomeKind::tenant) {
    home = service.tenants_of ? repository.policy.jurisdiction(*service.home).name : "tenant";
  }
  json status = {{"name", service.owner.text_without_dot()},
                 {"residency", to_text(service.residency)},
                 {"home", home},
                 {"answering", regions},
                 {"notes", notes}};
  if (json held = leash_of(steering, id); !held.empty()) status["leash"] = std::move(held);
  if (service.tenants_of) {
    status["tenants-of"] = repository.service(*service.tenants_of).owner.text_without_dot();
    status["class"] = service.label;
    status["tenants"] = repository.tenants->tenants_in(id);
    status["regulated-tenants"] = repository.tenants->regulated_in(id);
  }
  if (mode_owner(service)) {
    status["mode"] = mode_status(steering.published(id), read_clocks().wall);
  }
  return status;
}

json check_status(const health::CheckState& check) {
  return {{"check", check.key},
          {"url", check.url},
          {"verdict", to_text(check.verdict)},
          {"since", to_rfc3339(check.since.wall)},
          {"detail", check.detail},
          {"latency-us", check.latency.count()},
          {"age-ms", check.age ? json(check.age->count()) : json()},
          {"passes", check.passes},
          {"failures", check.failures},
          {"certificate-end",
           check.certificate_end ? json(to_rfc3339(*check.certificate_end)) : json()}};
}

json grant_status(const Grant& grant) {
  json persons = json::array();
  for (const Signature& s : grant.signatures) persons.push_back(s.person + " (" + s.role + ")");
  return {{"id", grant.id},
          {"service", grant.scope.service},
          {"from", grant.scope.from},
          {"to", grant.scope.to},
          {"mode", to_text(grant.scope.mode)},
          {"complete", grant.complete},
          {"persons", persons},
          {"ends", to_rfc3339(grant.ends)},
          {"tenant", grant.scope.tenant},
          {"max-share", grant.scope.max_share},
          {"break-glass", grant.scope.break_glass}};
}

json counters_status(const dns::CounterValues& c) {
  json rcodes = json::object();
  for (std::size_t i = 0; i < c.by_rcode.size(); ++i) {
    if (c.by_rcode[i] != 0) rcodes[std::to_string(i)] = c.by_rcode[i];
  }
  return {{"udp-queries", c.udp_queries},
          {"tcp-queries", c.tcp_queries},
          {"by-rcode", rcodes},
          {"dropped", c.dropped},
          {"truncated", c.truncated},
          {"steered", c.steered},
          {"fenced", c.fenced},
          {"rate-dropped", c.rate_dropped},
          {"rate-truncated", c.rate_truncated},
          {"send-failures", c.send_failures},
          {"tcp-connections", c.tcp_connections},
          {"tls-connections", c.tls_connections},
          {"tcp-refused", c.tcp_refused},
          {"tcp-evicted", c.tcp_evicted},
          {"tcp-timeouts", c.tcp_timeouts},
          {"transfers", c.transfers},
          {"transfers-finished", c.transfers_finished},
          {"transfers-refused", c.transfers_refused},
          {"tsig-errors", c.tsig_errors}};
}

std::size_t undelivered_of(Daemon& daemon) {
  std::size_t count = 0;
  for (const auto& state : daemon.outside().deliveries()) count += state.undelivered;
  return count;
}

}  // namespace

json status_of(Daemon& daemon) {
  Controller& controller = daemon.controller();
  const Steering& steering = controller.steering();
  const SteeringState& state = steering.state();
  json services = json::array(), checks = json::array(), alerts = json::array();
  json grants = json::array(), orders = json::array();
  for (std::size_t i = 0; i < daemon.repository().services.size(); ++i) {
    services.push_back(service_status(steering, ServiceId{static_cast<std::uint32_t>(i)}));
  }
  for (const auto& check : daemon.checks()) checks.push_back(check_status(check));
  for (const auto& [key, alert] : controller.alerts()) {
    alerts.push_back({{"key", key},
                      {"level", health::to_text(alert.level)},
                      {"text", alert.text},
                      {"since", to_rfc3339(alert.since)}});
  }
  for (const auto& [id, grant] : state.grants) grants.push_back(grant_status(grant));
  for (const auto& [id, order] : state.orders) {
    orders.push_back({{"id", id},
                      {"kind", to_text(order.kind)},
                      {"target", order.target},
                      {"service", order.service},
                      {"who", order.who},
                      {"reason", order.reason},
                      {"ends", to_rfc3339(order.ends)}});
  }
  json status = {{"node", daemon.config().node},
                 {"serving", daemon.is_serving()},
                 {"generation", daemon.generation()},
                 {"configuration", state.configuration},
                 {"zones", daemon.repository().zones.size()},
                 {"services", services},
                 {"checks", checks},
                 {"alerts", alerts},
                 {"alerts-undelivered", undelivered_of(daemon)},
                 {"alerts-left-out", daemon.outside().left_out()},
                 {"pending", pending_of(steering)},
                 {"waits", waits_of(steering)},
                 {"advice", advice_of(state)},
                 {"lag", lag_of(state)},
                 {"grants", grants},
                 {"ground", daemon.ground().status()},
                 {"open-review", state.open_review ? json(state.open_review->grant_id) : json()},
                 {"key-list", state.trusted_keys ? json(state.trusted_keys->version) : json()},
                 {"orders", orders},
                 {"audit",
                  {{"entries", controller.audit_size()},
                   {"waiting", controller.audit_waiting()},
                   {"writable", steering.audit_writable()}}},
                 {"counters", counters_status(daemon.counters())}};
  if (daemon.repository().tenants) {
    status["tenants"] = {{"count", daemon.repository().tenants->size()},
                         {"digest", daemon.repository().tenants->digest()}};
  }
  if (state.drill) {
    status["drill"] = {{"name", state.drill->name},
                       {"who", state.drill->who},
                       {"since", to_rfc3339(state.drill->since)},
                       {"ends", to_rfc3339(state.drill->ends)},
                       {"checks", state.drill->checks}};
  }
  if (state.freeze) {
    status["freeze"] = {{"who", state.freeze->who},
                        {"reason", state.freeze->reason},
                        {"since", to_rfc3339(state.freeze->since)}};
  }
  if (state.mass_failure) {
    status["mass-failure"] = {{"why", state.mass_failure->why},
                              {"since", to_rfc3339(state.mass_failure->since)},
                              {"overruled-by", state.mass_failure->overruled_by}};
  }
  return status;
}

json pending_of(const Steering& steering) {
  json list = json::array();
  if (steering.configuration() == nullptr) return list;
  const Repository& repository = *steering.configuration()->repository;
  std::set<std::string> shown;
  for (const auto& [id, change] : steering.state().pending) {
    const auto owner = Name::parse_absolute(change.service);
    const auto service = owner ? repository.find_service(*owner) : std::nullopt;
    if (!service) continue;
    const Service& held = repository.service(*service);
    shown.insert(change.service);
    json entry = {{"id", id},
                  {"zone", change.zone},
                  {"service", change.service},
                  {"from", change.from},
                  {"to", change.to},
                  {"since", to_rfc3339(change.since)},
                  {"evidence", change.evidence},
                  {"why", change.why},
                  {"command", approval_command(repository, held, change, Whom::all)}};
    if (held.tenants_of) {
      entry["tenants-of"] = repository.service(*held.tenants_of).owner.text_without_dot();
      entry["class"] = held.label;
      entry["command-for-one-tenant"] =
          approval_command(repository, held, change, Whom::one_tenant);
    }
    if (json steps = steps_of(steering, *service); !steps.empty()) {
      entry["steps"] = std::move(steps);
    }
    list.push_back(std::move(entry));
  }
  for (json& wait : waits_of(steering)) {
    if (shown.contains(wait["service"].get<std::string>())) continue;
    wait["id"] = nullptr;  // nothing is to be approved: it is
    list.push_back(std::move(wait));
  }
  return list;
}

std::optional<json> mode_of(Daemon& daemon, const std::string& name) {
  const auto owner = Name::parse_absolute(name);
  const auto id = owner ? daemon.repository().find_service(*owner) : std::nullopt;
  if (!id || !mode_owner(daemon.repository().service(*id))) return std::nullopt;
  json mode = mode_status(daemon.controller().steering().published(*id), read_clocks().wall);
  mode["generation"] = daemon.generation();
  return mode;
}

}  // namespace demarc::tools
