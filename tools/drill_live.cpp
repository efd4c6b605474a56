#include "tools/drill_live.h"

#include <algorithm>
#include <csignal>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "tools/clock.h"
#include "tools/daemon_config.h"
#include "tools/dns_question.h"
#include "zones/drill/judge.h"
#include "zones/drill/recorder.h"
#include "zones/drill/report_json.h"
#include "zones/drill/scenario_rules.h"
#include "zones/time_text.h"

namespace demarc::tools {
namespace {

using namespace zones::drill;
using nlohmann::json;

constexpr Milliseconds look_every{200};
constexpr Milliseconds wire_timeout{1000};
constexpr std::size_t violations_max = 1000;
// Our clock's zero and the server's differ by the time that the beginning took.
constexpr Milliseconds end_tolerance{2000};
constexpr Milliseconds end_margin{1000};
constexpr const char* wire_client = "this machine";

volatile std::sig_atomic_t stop_asked = 0;  // a signal handler can reach nothing else

/// While it lives, SIGINT and SIGTERM ask for an end instead of making one.
class StopSignals {
 public:
  StopSignals() {
    stop_asked = 0;
    struct sigaction action{};
    action.sa_handler = [](int) { stop_asked = 1; };
    ::sigaction(SIGINT, &action, &before_int_);
    ::sigaction(SIGTERM, &action, &before_term_);
  }
  ~StopSignals() {
    ::sigaction(SIGINT, &before_int_, nullptr);
    ::sigaction(SIGTERM, &before_term_, nullptr);
  }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

 private:
  struct sigaction before_int_{};
  struct sigaction before_term_{};
};

class LiveRun {
 public:
  explicit LiveRun(LiveRequest request)
      : request_(std::move(request)),
        repository_(*request_.files.repository),
        scenario_(request_.files.scenario),
        services_(services_in_scope(scenario_, repository_)),
        clients_(clients_of(scenario_, repository_.policy)),
        recorder_(repository_) {}

  Result<Report, std::string> run();
  /// Whatever went wrong: what we began does not go on.
  void abandon() { end_failing("the run broke"); }

 private:
  [[nodiscard]] Milliseconds now() const {
    return std::chrono::floor<Milliseconds>(read_clocks().monotonic - began_.monotonic);
  }
  [[nodiscard]] std::optional<json> look_once();
  void take(const json& seen, Milliseconds at);
  void ask_the_wire(const json& seen, Milliseconds at);
  void take_entries(const json& seen);
  void judge_abort(const json& seen);
  bool act(const Action& action);
  bool begin_failing(const Action& action);
  void end_failing(const std::string& reason);
  void wait_until(Milliseconds at);
  [[nodiscard]] Milliseconds failing_lasts(Milliseconds from) const;
  void say(Milliseconds at, const std::string& kind, const std::string& text) {
    request_.say(fmt::format("{:>10} {}", moment_text(at), text));
    report_.marks.push_back({at, kind, {}, text});
  }
  Report finish();

  LiveRequest request_;
  const zones::Repository& repository_;
  const Scenario& scenario_;
  std::vector<zones::ServiceId> services_;
  std::vector<Client> clients_;
  Recorder recorder_;
  Report report_;
  Moment began_;
  std::uint64_t told_ = 0;
  std::optional<dns::Endpoint> dns_;
  bool is_failing_ = false;      // our drill is on
  bool was_refused_ = false;     // it never began
  Milliseconds ends_itself_{0};  // when the server would end it
};

std::optional<json> LiveRun::look_once() {
  json services = json::array(), clients = json::array();
  for (const zones::ServiceId id : services_) {
    services.push_back(repository_.service(id).owner.text_without_dot());
  }
  for (const Client& client : clients_) clients.push_back(client.name);
  return request_.ask(
      {{"verb", "drill-look"}, {"services", services}, {"clients", clients}, {"since", told_}});
}

void LiveRun::take_entries(const json& seen) {
  for (const json& entry : seen.at("entries")) {
    const auto time = zones::parse_rfc3339(entry.at("time").get<std::string>());
    if (!time) continue;
    Decision decision{std::chrono::floor<Milliseconds>(*time - began_.wall),
                      entry.at("kind"),
                      entry.at("jurisdiction"),
                      {}};
    for (const json& fact : entry.at("facts")) {
      const auto name = fact.at(0).get<std::string>();
      if (name == "policy" || name == "configuration") continue;  // the report's head has them
      decision.facts.emplace_back(name, fact.at(1));
    }
    report_.decisions.push_back(std::move(decision));
  }
  told_ = seen.at("told").get<std::uint64_t>();
}

void LiveRun::ask_the_wire(const json& seen, Milliseconds at) {
  if (!dns_) return;
  for (const zones::ServiceId id : services_) {
    const zones::Service& service = repository_.service(id);
    const std::string owner = service.owner.text_without_dot();
    const auto wire = ask_dns(*dns_, service.owner, wire_timeout);
    if (!wire) continue;  // a lost datagram is no answer; what is published is known all the same
    Answer answer{.kind =
                      wire->rcode == 0 ? zones::ChoiceKind::nodata : zones::ChoiceKind::servfail};
    for (const zones::Record& record : service.records) {
      const bool is_meant =
          std::ranges::any_of(wire->addresses,
                              [&](const geo::Address& address) {
                                return std::ranges::count(record.addresses, address) != 0;
                              }) ||
          (wire->cname && *wire->cname == record.endpoint_name);
      if (!is_meant) continue;
      answer.kind = zones::ChoiceKind::records;
      const std::string& region = repository_.policy.region(record.region).name;
      if (std::ranges::count(answer.regions, region) == 0) answer.regions.push_back(region);
      answer.endpoints.push_back(record.endpoint_name.text_without_dot());
    }
    std::ranges::sort(answer.regions);
    std::ranges::sort(answer.endpoints);
    answer.abroad = service.residency != zones::Residency::none &&
                    std::ranges::any_of(answer.regions, [&](const std::string& region) {
                      return !is_home(repository_, service, clients_.back(), region);
                    });
    // Why it is so is not on the wire in words: it is what was published at the same moment.
    for (const json& one : seen.at("answers")) {
      if (one.at("service") != owner || one.at("client") != clients_.back().name) continue;
      const Answer published = read_answer(one.at("answer"));
      if (published.endpoints == answer.endpoints) answer.note = published.note;
    }
    recorder_.see(at, id, wire_client, answer, true);
  }
}

void LiveRun::take(const json& seen, Milliseconds at) {
  for (const json& one : seen.at("answers")) {
    const auto id = find_service(repository_, one.at("service").get<std::string>());
    if (!id) continue;
    recorder_.see(at, *id, one.at("client"), read_answer(one.at("answer")));
  }
  for (const json& violation : seen.at("violations")) {
    if (report_.violations.size() >= violations_max) break;
    report_.violations.push_back(
        fmt::format("{} {}", moment_text(at), violation.get<std::string>()));
  }
  ask_the_wire(seen, at);
  take_entries(seen);
}

void LiveRun::judge_abort(const json& seen) {
  if (!report_.aborted.empty()) return;
  for (const std::string& target : scenario_.abort_when_down) {
    for (const auto& [service, record] : records_named(repository_, target)) {
      const auto host =
          repository_.service(service).record(record).endpoint_name.text_without_dot();
      const auto& down = seen.at("down");
      if (std::ranges::count(down, json(host)) == 0) continue;
      report_.aborted = host + " went down, which is no part of the drill";
    }
  }
  if (is_failing_ && seen.at("drill") != scenario_.name && now() + end_tolerance < ends_itself_) {
    is_failing_ = false;
    report_.aborted = "somebody else ended the drill";
  }
}

Milliseconds LiveRun::failing_lasts(Milliseconds from) const {
  Milliseconds until = scenario_.lasts;
  for (const Action& action : scenario_.timeline) {
    if (action.kind == ActionKind::recover) until = action.at;
  }
  // A little longer than the scenario: the server ends it by itself only if this program is gone.
  return std::clamp(until - from + end_margin, Milliseconds(1), zones::drill::drill_lasts_max);
}

bool LiveRun::begin_failing(const Action& action) {
  if (is_failing_) return true;  // several actions of one moment: the first began them all
  std::vector<std::string> endpoints;
  for (const Action& other : scenario_.timeline) {
    if (other.kind == ActionKind::fail) {
      endpoints.insert(endpoints.end(), other.targets.begin(), other.targets.end());
    }
  }
  const auto lasts = failing_lasts(action.at);
  const auto answer = request_.ask({{"verb", "drill-begin"},
                                    {"name", scenario_.name},
                                    {"endpoints", endpoints},
                                    {"tokens", request_.tokens},
                                    {"for-ms", static_cast<std::uint64_t>(lasts.count())}});
  if (!answer) {
    was_refused_ = true;
    return false;
  }
  is_failing_ = true;
  ends_itself_ = now() + lasts;
  say(action.at, "failure", fmt::format("lost: {}", fmt::join(endpoints, ", ")));
  return true;
}

void LiveRun::end_failing(const std::string& reason) {
  if (!is_failing_) return;
  is_failing_ = false;
  const auto state = request_.ask({{"verb", "drill-status"}});
  if (state && state->at("drill") != scenario_.name) return;  // its time had come
  (void)request_.ask({{"verb", "drill-end"}, {"reason", reason}});
}

/// False: the drill cannot go on.
bool LiveRun::act(const Action& action) {
  const std::string targets = fmt::format("{}", fmt::join(action.targets, ", "));
  switch (action.kind) {
    case ActionKind::fail:
      return begin_failing(action);
    case ActionKind::recover:
      if (is_failing_) say(action.at, "recovery", "back: " + targets);
      end_failing("the scenario's recovery");
      return true;
    case ActionKind::token:
      if (action.token.file.empty()) {
        say(action.at, "order",
            fmt::format("now is the time for {}'s approval: demarc approve TOKEN",
                        action.token.signed_by));
      } else {
        say(action.at, "order", "presents " + action.token.file);
        (void)request_.ask(
            {{"verb", "approve"}, {"token", request_.files.token_files.at(action.token.file)}});
      }
      return true;
    case ActionKind::freeze:
    case ActionKind::unfreeze:
      say(action.at, "order", fmt::format("{}: {}", to_text(action.kind), action.reason));
      (void)request_.ask({{"verb", to_text(action.kind)}, {"reason", action.reason}});
      return true;
    case ActionKind::drain:
    case ActionKind::undrain:
      say(action.at, "order", fmt::format("{} {}", to_text(action.kind), targets));
      for (const std::string& target : action.targets) {
        std::string service;
        if (const auto id = find_service(repository_, action.service)) {
          service = repository_.service(*id).owner.text_without_dot();
        }
        (void)request_.ask({{"verb", to_text(action.kind)},
                            {"target", target},
                            {"id", target},
                            {"service", service},
                            {"reason", action.reason},
                            {"for-ms", action.lasts.count()}});
      }
      return true;
    case ActionKind::revoke:
      say(action.at, "order", "revoke " + targets);
      (void)request_.ask(
          {{"verb", "revoke"}, {"id", action.targets.front()}, {"reason", action.reason}});
      return true;
  }
  return true;
}

/// Looks on until then, or until something ends the drill.
void LiveRun::wait_until(Milliseconds at) {
  while (report_.aborted.empty() && now() < at) {
    if (stop_asked != 0) {
      report_.aborted = "interrupted";
      return;
    }
    const auto seen = look_once();
    if (!seen) {
      report_.aborted = "the server no longer answers";
      return;
    }
    take(*seen, now());
    judge_abort(*seen);
    std::this_thread::sleep_for(std::clamp(at - now(), Milliseconds(0), look_every));
  }
}

Report LiveRun::finish() {
  report_.scenario = scenario_.name;
  report_.description = scenario_.description;
  report_.how = "live";
  report_.started = began_.wall;
  report_.lasted = now();
  report_.scenario_digest = request_.files.scenario_digest;
  report_.configuration_digest = repository_.digest;
  report_.policy_digest = repository_.policy.digest;
  report_.participants = scenario_.participants;
  report_.remediation_owners = scenario_.remediation_owners;
  report_.read_rto = scenario_.read_rto;
  report_.write_rto = scenario_.write_rto;
  report_.due_every = repository_.policy.drill_due;
  report_.assumptions = {
      "The endpoints themselves did not fail: steering counted them as down from the drill's "
      "beginning on. What probes would have needed to see it is added at its worst case.",
      "Caches keep an answer for its TTL and no longer."};
  report_.lanes = recorder_.lanes(report_.lasted);
  std::ranges::copy(marks_of(report_.decisions), std::back_inserter(report_.marks));
  std::ranges::stable_sort(report_.marks, {}, &Mark::at);
  add_conditions(report_, scenario_, repository_);
  judge(report_, scenario_, repository_, {});
  return std::move(report_);
}

Result<Report, std::string> LiveRun::run() {
  const StopSignals signals;
  began_ = read_clocks();
  told_ = std::numeric_limits<std::uint64_t>::max();  // what was told before is no part of it
  const auto first = look_once();
  if (!first) return std::unexpected(std::string("no drill was begun"));
  if (first->at("configuration") != repository_.digest) {
    return std::unexpected(
        "the server serves another configuration than the repository has; expected the same");
  }
  if (!first->at("drill").is_null()) {
    return std::unexpected("the drill " + first->at("drill").get<std::string>() +
                           " is running already; one at a time");
  }
  report_.node = first->at("node");
  dns_ = parse_endpoint(first->at("dns").get<std::string>());
  judge_abort(*first);
  if (!report_.aborted.empty()) return std::unexpected("not begun: " + report_.aborted);
  take(*first, Milliseconds(-1));
  for (const Action& action : scenario_.timeline) {
    wait_until(action.at);
    if (!report_.aborted.empty()) break;
    if (!act(action)) break;
  }
  if (was_refused_) return std::unexpected(std::string("no drill was begun"));
  wait_until(scenario_.lasts);
  end_failing(report_.aborted.empty() ? "the scenario's end" : report_.aborted);
  if (const auto last = look_once()) take(*last, now());
  return finish();
}

}  // namespace

Result<Report, std::string> run_live(LiveRequest request) {
  LiveRun run(std::move(request));
  try {
    return run.run();
  } catch (const std::exception& error) {  // a server of another version answers in another form
    run.abandon();
    return std::unexpected(std::string("the server's answer: ") + error.what());
  }
}

}  // namespace demarc::tools
