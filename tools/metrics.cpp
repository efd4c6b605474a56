#include "tools/metrics.h"

#include <fmt/format.h>

#include "tools/daemon.h"
#include "zones/tenants.h"

namespace demarc::tools {
namespace {

/// A label's value, escaped as the format asks.
std::string label(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

class Text {
 public:
  void head(std::string_view name, std::string_view type, std::string_view help) {
    out_ += fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help);
  }
  template <typename Value>
  void value(std::string_view name, Value number, std::string_view labels = {}) {
    out_ += labels.empty() ? fmt::format("{} {}\n", name, number)
                           : fmt::format("{}{{{}}} {}\n", name, labels, number);
  }
  template <typename Value>
  void single(std::string_view name, std::string_view type, std::string_view help, Value number) {
    head(name, type, help);
    value(name, number);
  }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

void threads(Text& text, const std::vector<std::uint64_t>& queries_by_thread) {
  text.head("demarc_udp_thread_queries_total", "counter",
            "queries that each UDP thread took: those of the first address, then of the next");
  for (std::size_t i = 0; i < queries_by_thread.size(); ++i) {
    text.value("demarc_udp_thread_queries_total", queries_by_thread[i],
               fmt::format("thread=\"{}\"", i));
  }
}

void queries(Text& text, const dns::CounterValues& c) {
  text.head("demarc_queries_total", "counter", "queries received");
  text.value("demarc_queries_total", c.udp_queries, "transport=\"udp\"");
  text.value("demarc_queries_total", c.tcp_queries, "transport=\"tcp\"");
  text.head("demarc_responses_total", "counter", "responses by RCODE");
  for (std::size_t i = 0; i < c.by_rcode.size(); ++i) {
    if (c.by_rcode[i] != 0) {
      text.value("demarc_responses_total", c.by_rcode[i], fmt::format("rcode=\"{}\"", i));
    }
  }
  text.single("demarc_dropped_total", "counter", "messages that got no answer", c.dropped);
  text.single("demarc_truncated_total", "counter", "answers with TC", c.truncated);
  text.single("demarc_steered_total", "counter", "answers drawn from a service", c.steered);
  text.single("demarc_fenced_total", "counter", "answers after a grant's end by the clock alone",
              c.fenced);
  text.single("demarc_rate_dropped_total", "counter",
              "answers left out by the rate limit, or that it would leave out in a dry run",
              c.rate_dropped);
  text.single("demarc_rate_truncated_total", "counter", "likewise, sent with TC instead",
              c.rate_truncated);
  text.single("demarc_send_failures_total", "counter", "answers the kernel did not take",
              c.send_failures);
  text.single("demarc_tcp_connections_total", "counter", "accepted", c.tcp_connections);
  text.single("demarc_tls_connections_total", "counter", "of them, with TLS", c.tls_connections);
  text.single("demarc_tcp_timeouts_total", "counter", "closed for time", c.tcp_timeouts);
  text.single("demarc_transfers_total", "counter", "zone transfers begun", c.transfers);
  text.single("demarc_transfers_finished_total", "counter", "of them, taken to the end",
              c.transfers_finished);
  text.single("demarc_transfers_refused_total", "counter", "AXFR and IXFR that were refused",
              c.transfers_refused);
  text.single("demarc_tsig_errors_total", "counter", "signatures that did not hold", c.tsig_errors);
}

void work(Text& text, const WorkCounts& c) {
  text.single("demarc_zone_files_parsed_total", "counter", "zone files that loads had to parse",
              c.zone_files_parsed);
  text.single("demarc_zone_files_unchanged_total", "counter",
              "zone files that reloads knew by their bytes", c.zone_files_unchanged);
  text.single("demarc_zone_parts_built_total", "counter",
              "parts of the table of names that loads made", c.zone_parts_built);
  text.single("demarc_zone_parts_kept_total", "counter",
              "parts that reloads kept, as nothing of theirs had changed", c.zone_parts_kept);
  text.single("demarc_services_compiled_total", "counter",
              "services whose answers were compiled, by loads and by changes of weights",
              c.services_compiled);
}

void notifies(Text& text, const ZoneTransfers& transfers) {
  const NotifyCounts& c = transfers.counts();
  text.single("demarc_notify_sent_total", "counter", "NOTIFY messages sent", c.sent);
  text.single("demarc_notify_taken_total", "counter", "changes a secondary was told of", c.taken);
  text.single("demarc_notify_refused_total", "counter", "answered with an error", c.refused);
  text.single("demarc_notify_unanswered_total", "counter", "given up", c.unanswered);
  text.single("demarc_notify_waiting", "gauge", "secondaries that have not answered yet",
              transfers.waiting());
}

void checks(Text& text, const std::vector<health::CheckState>& list) {
  text.head("demarc_check_up", "gauge", "1: the verdict is up");
  for (const auto& check : list) {
    text.value("demarc_check_up", check.verdict == zones::Verdict::up ? 1 : 0,
               fmt::format("check=\"{}\",verdict=\"{}\"", label(check.key),
                           zones::to_text(check.verdict)));
  }
  text.head("demarc_check_age_seconds", "gauge", "age of the last result");
  for (const auto& check : list) {
    if (!check.age) continue;
    text.value("demarc_check_age_seconds", static_cast<double>(check.age->count()) / 1000,
               fmt::format("check=\"{}\"", label(check.key)));
  }
  text.head("demarc_check_transitions_total", "counter", "changes of the verdict");
  for (const auto& check : list) {
    text.value("demarc_check_transitions_total", check.transitions,
               fmt::format("check=\"{}\"", label(check.key)));
  }
  text.head("demarc_check_down_seconds_total", "counter", "time with the verdict down");
  for (const auto& check : list) {
    text.value("demarc_check_down_seconds_total",
               static_cast<double>(check.down_time.count()) / 1000,
               fmt::format("check=\"{}\"", label(check.key)));
  }
  text.head("demarc_check_latency_seconds", "summary", "how long probes that passed took");
  for (const auto& check : list) {
    const std::string name = label(check.key);
    for (const double share : {0.5, 0.95, 0.99}) {
      const auto latency = check.latencies.quantile(share);
      if (!latency) continue;
      text.value("demarc_check_latency_seconds", static_cast<double>(latency->count()) / 1e6,
                 fmt::format("check=\"{}\",quantile=\"{}\"", name, share));
    }
    text.value("demarc_check_latency_seconds_count", check.latencies.count(),
               fmt::format("check=\"{}\"", name));
  }
  text.head("demarc_check_certificate_end_seconds", "gauge",
            "when the endpoint's certificate ends, in seconds since 1970");
  for (const auto& check : list) {
    if (!check.certificate_end) continue;
    const auto end = check.certificate_end->time_since_epoch();
    text.value("demarc_check_certificate_end_seconds", static_cast<double>(end.count()) / 1000,
               fmt::format("check=\"{}\"", label(check.key)));
  }
}

void tenants(Text& text, const zones::Repository& repository) {
  if (!repository.tenants) return;
  text.head("demarc_tenants", "gauge", "tenants of a class");
  const auto each = [&](const auto& write) {
    for (std::size_t i = 0; i < repository.services.size(); ++i) {
      const zones::Service& service = repository.services[i];
      if (!service.tenants_of) continue;
      write(static_cast<zones::ServiceId>(i), fmt::format("class=\"{}\"", label(service.label)));
    }
  };
  each([&](zones::ServiceId id, const std::string& labels) {
    text.value("demarc_tenants", repository.tenants->tenants_in(id), labels);
  });
  text.head("demarc_regulated_tenants", "gauge", "regulated tenants of a class");
  each([&](zones::ServiceId id, const std::string& labels) {
    text.value("demarc_regulated_tenants", repository.tenants->regulated_in(id), labels);
  });
}

void alerts(Text& text, const std::map<std::string, zones::Alert>& raised) {
  std::map<zones::AlertLevel, std::size_t> by_level;
  for (const auto& [key, alert] : raised) ++by_level[alert.level];
  text.head("demarc_alerts", "gauge", "alerts that are raised");
  for (const auto level :
       {zones::AlertLevel::info, zones::AlertLevel::warning, zones::AlertLevel::critical}) {
    text.value("demarc_alerts", by_level[level],
               fmt::format("level=\"{}\"", health::to_text(level)));
  }
}

void deliveries(Text& text, const std::vector<health::DeliveryState>& states) {
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help,
                        auto value_of) {
    text.head(name, type, help);
    for (const auto& one : states) {
      text.value(name, value_of(one), fmt::format("receiver=\"{}\"", label(one.receiver)));
    }
  };
  using State = health::DeliveryState;
  each("demarc_alert_deliveries_total", "counter", "messages a receiver took",
       [](const State& s) { return s.delivered; });
  each("demarc_alert_delivery_failures_total", "counter", "attempts that are repeated",
       [](const State& s) { return s.failed; });
  each("demarc_alert_dead_letters_total", "counter", "messages given up",
       [](const State& s) { return s.dead; });
  each("demarc_alerts_undelivered", "gauge", "messages that wait for a receiver",
       [](const State& s) { return s.undelivered; });
}

void border(Text& text, const Controller& controller) {
  const auto& state = controller.steering().state();
  std::map<std::string, std::size_t> held;
  for (const auto& [id, change] : state.pending) ++held[change.zone];
  text.head("demarc_gate_hold", "gauge", "crossings held at the border, by zone");
  for (const auto& [zone, count] : held) {
    text.value("demarc_gate_hold", count, fmt::format("zone=\"{}\"", label(zone)));
  }
  text.head("demarc_gate_denied_total", "counter", "crossings held since the start, by rule");
  for (const auto& [rule, count] : controller.denied()) {
    text.value("demarc_gate_denied_total", count, fmt::format("rule=\"{}\"", label(rule)));
  }
  if (!state.drill_passed) return;
  text.single("demarc_drill_last_passed_seconds", "gauge",
              "when the last passed drill was reported",
              std::chrono::floor<Seconds>(*state.drill_passed).time_since_epoch().count());
}

}  // namespace

std::string metrics_of(Daemon& daemon) {
  Text text;
  Controller& controller = daemon.controller();
  const auto& state = controller.steering().state();
  queries(text, daemon.counters());
  threads(text, daemon.udp_queries_by_thread());
  work(text, daemon.work());
  notifies(text, daemon.transfers());
  checks(text, daemon.checks());
  tenants(text, daemon.repository());
  text.single("demarc_generation", "gauge", "of the answers served", daemon.generation());
  text.single("demarc_pending_changes", "gauge", "crossings held at the border",
              state.pending.size());
  text.single("demarc_grants", "gauge", "live and waiting grants", state.grants.size());
  alerts(text, controller.alerts());
  deliveries(text, daemon.outside().deliveries());
  border(text, controller);
  text.single("demarc_frozen", "gauge", "1: a human freeze is on", state.freeze ? 1 : 0);
  text.single("demarc_mass_failure", "gauge", "1: too much failed at once, health moves nothing",
              state.mass_failure && state.mass_failure->overruled_by.empty() ? 1 : 0);
  text.single("demarc_audit_writable", "gauge", "0: nothing new crosses",
              controller.steering().audit_writable() ? 1 : 0);
  text.single("demarc_audit_entries", "gauge", "in the trail", controller.audit_size());
  return text.take();
}

}  // namespace demarc::tools
