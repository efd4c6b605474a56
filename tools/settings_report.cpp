#include "tools/settings_report.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "zones/yaml/check_file.h"
#include "zones/yaml/service_file.h"

namespace demarc::tools {
namespace {

using nlohmann::json;
using namespace zones;

std::string text(Milliseconds duration) { return yaml::to_text(duration); }
std::string text(unsigned number) { return std::to_string(number); }
std::string percent(unsigned number) { return fmt::format("{}%", number); }
std::string place_text(const Place& place) { return fmt::format("{}:{}", place.file, place.line); }
std::string seconds(std::uint32_t number) { return fmt::format("{}s", number); }

class Report {
 public:
  Report(std::string of, std::string place) : of_(std::move(of)), place_(std::move(place)) {}

  void add(const char* setting, const std::string& value, const std::string& fallback) {
    add_from(setting, value, value == fallback ? "default" : place_);
  }
  /// One that policy.yaml may have, too.
  void add(const char* setting, const std::string& value, const std::string& policy,
           const std::string& fallback) {
    const bool is_policy = value == policy;
    add_from(setting, value, value == fallback ? "default" : is_policy ? "policy.yaml" : place_);
  }
  void add_from(const char* setting, const std::string& value, const std::string& source) {
    list_.push_back({{"of", of_}, {"setting", setting}, {"value", value}, {"source", source}});
  }
  void move_to(json& all) {
    for (json& one : list_) all.push_back(std::move(one));
  }

 private:
  std::string of_, place_;
  json list_ = json::array();
};

void add_leash(Report& report, const LeashSettings& leash, const LeashSettings& policy) {
  const LeashSettings none;
  const auto by = [](bool by_hand) { return std::string(by_hand ? "manual" : "auto"); };
  const auto flap = [](const LeashSettings& one) {
    if (!one.flap) return std::string("none");
    return fmt::format("half-life {}, suppress {}, reuse {}", text(one.flap->half_life),
                       one.flap->suppress, one.flap->reuse);
  };
  report.add("leash/removed-per-minute", percent(leash.removed_per_minute),
             percent(policy.removed_per_minute), percent(none.removed_per_minute));
  report.add("leash/min-healthy", percent(leash.min_healthy), percent(policy.min_healthy),
             percent(none.min_healthy));
  report.add("leash/failover-delay", text(leash.failover_delay), text(policy.failover_delay),
             text(none.failover_delay));
  report.add("leash/failback-delay", text(leash.failback_delay), text(policy.failback_delay),
             text(none.failback_delay));
  report.add("leash/slow-start", text(leash.slow_start), text(policy.slow_start),
             text(none.slow_start));
  report.add("leash/flap", flap(leash), flap(policy), flap(none));
  report.add("leash/failback", by(leash.failback_by_hand), by(policy.failback_by_hand),
             by(none.failback_by_hand));
}

std::string status_text(const HealthCheck& check) {
  std::string all;
  for (const StatusRange& range : check.expect_status) {
    if (!all.empty()) all += ", ";
    all += range.first == range.last ? text(unsigned{range.first})
                                     : fmt::format("{}-{}", range.first, range.last);
  }
  return all;
}

void add_check(json& all, const HealthCheck& check) {
  const HealthCheck none;
  Report report(check.key, place_text(check.place));
  if (!check.calculated) {
    const auto silence = [](Silence one) {
      return std::string(one == Silence::failure ? "failure" : "stale");
    };
    report.add("interval", text(check.interval), text(none.interval));
    report.add("timeout", text(check.timeout),
               text(std::min(yaml::timeout_default, check.interval)));
    report.add("fall", text(check.fall), text(none.fall));
    report.add("ok", text(check.ok), text(none.ok));
    report.add("rise", text(check.rise), text(none.rise));
    report.add("degraded-above",
               check.degraded_above.count() == 0 ? "never" : text(check.degraded_above), "never");
    if (has_certificate(check.scheme) && !is_bare(check.scheme)) {
      report.add(
          "certificate-every",
          check.certificate_every.count() == 0 ? "each probe" : text(check.certificate_every),
          "each probe");
    }
    report.add("no-answer", silence(check.silence),
               silence(check.expect.query_value.empty() ? Silence::failure : Silence::stale));
    if (facts_of(check.scheme).asks_http) {
      report.add("expect-status", status_text(check), status_text(none));
    }
  }
  report.add("votes", text(check.votes), text(none.votes));
  report.move_to(all);
}

}  // namespace

json settings_of(const Repository& repository, const Service& service) {
  const Service none;
  json all = json::array();
  Report report("service", place_text(service.place));
  const Zone& zone = repository.zones.at(service.zone);
  const bool is_of_zone = service.ttl == zone.ttl;
  report.add_from("ttl", seconds(service.ttl), is_of_zone ? zone.file : place_text(service.place));
  report.add("ttl-min", seconds(service.ttl_min), seconds(service.ttl));
  const auto quorum = [](unsigned count) {
    return count == yaml::quorum_all ? std::string("all") : text(count);
  };
  report.add("quorum", quorum(service.quorum), quorum(none.quorum));
  report.add("degraded-weight", percent(service.degraded_weight), percent(none.degraded_weight));
  add_leash(report, service.leash, repository.policy.leash);
  report.move_to(all);
  for (const HealthCheck& check : service.checks) add_check(all, check);
  return all;
}

std::string settings_text(const json& settings) {
  std::string out = "  settings\n", of;
  for (const json& one : settings) {
    if (one.at("of") != of) {
      of = one.at("of").get<std::string>();
      out += fmt::format("      {}\n", of);
    }
    out += fmt::format("        {:<26} {:<22} {}\n", one.at("setting").get<std::string>(),
                       one.at("value").get<std::string>(), one.at("source").get<std::string>());
  }
  return out;
}

}  // namespace demarc::tools
