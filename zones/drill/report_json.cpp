#include "zones/drill/report_json.h"

#include <stdexcept>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "zones/strict_json.h"
#include "zones/time_text.h"

namespace demarc::zones::drill {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr int format_version = 1;

ordered_json ms(const std::optional<Milliseconds>& time) {
  return time ? ordered_json(time->count()) : ordered_json();
}

ordered_json to_json(const Answer& answer) {
  return {{"kind", to_text(answer.kind)}, {"note", to_text(answer.note)},
          {"regions", answer.regions},    {"endpoints", answer.endpoints},
          {"share", answer.share},        {"rest", answer.rest},
          {"abroad", answer.abroad}};
}

ordered_json to_json(const Lane& lane) {
  ordered_json spans = ordered_json::array();
  for (const Span& span : lane.spans) {
    spans.push_back({{"from-ms", span.from.count()},
                     {"to-ms", span.to.count()},
                     {"answer", to_json(span.answer)}});
  }
  return {{"service", lane.service}, {"residency", lane.residency},
          {"home", lane.home},       {"access", lane.access},
          {"clients", lane.clients}, {"on-the-wire", lane.on_the_wire},
          {"spans", spans}};
}

ordered_json to_json(const Recovery& r) {
  return {{"service", r.service},
          {"access", r.access},
          {"failed-at-ms", r.failed.count()},
          {"endpoints", r.endpoints},
          {"detected-ms", ms(r.detected)},
          {"decided-ms", ms(r.decided)},
          {"published-ms", ms(r.published)},
          {"ttl-ms", r.ttl.count()},
          {"measured-ms", ms(r.measured)},
          {"worst-case-ms", ms(r.worst)},
          {"back-ms", ms(r.back)},
          {"objective-ms", r.objective.count()},
          {"how", r.how},
          {"met", r.met}};
}

ordered_json to_json(const Decision& decision) {
  ordered_json facts = ordered_json::array();  // pairs: their order tells the story
  for (const auto& [name, value] : decision.facts) {
    facts.push_back(ordered_json::array({name, value}));
  }
  return {{"at-ms", decision.at.count()},
          {"kind", decision.kind},
          {"jurisdiction", decision.jurisdiction},
          {"facts", facts}};
}

ordered_json to_json(const Mark& m) {
  return {{"at-ms", m.at.count()}, {"kind", m.kind}, {"service", m.service}, {"text", m.text}};
}

ordered_json to_json(const Expected& e) {
  return {{"at-ms", e.at.count()},
          {"service", e.service},
          {"wanted", e.wanted},
          {"found", e.found},
          {"met", e.met}};
}

ordered_json to_json(const SignOff& s) {
  return {{"person", s.person},
          {"role", s.role},
          {"key", s.key},
          {"token-id", s.token_id},
          {"token", s.token}};
}

template <typename T>
ordered_json list_of(const std::vector<T>& items) {
  ordered_json list = ordered_json::array();
  for (const T& item : items) list.push_back(to_json(item));
  return list;
}

Milliseconds time_at(const json& value, const char* name) {
  return Milliseconds(value.at(name).get<std::int64_t>());
}

std::optional<Milliseconds> maybe_time(const json& value, const char* name) {
  const json& found = value.at(name);
  if (found.is_null()) return std::nullopt;
  return Milliseconds(found.get<std::int64_t>());
}

template <typename T>
T word_of(const json& value, const char* name, std::initializer_list<T> words) {
  const auto text = value.at(name).get<std::string>();
  for (const T word : words) {
    if (to_text(word) == text) return word;
  }
  throw std::invalid_argument(fmt::format("{} is `{}`", name, text));
}

Lane read_lane(const json& value) {
  Lane lane{.service = value.at("service"),
            .residency = value.at("residency"),
            .home = value.at("home"),
            .access = value.at("access"),
            .clients = value.at("clients"),
            .spans = {},
            .on_the_wire = value.at("on-the-wire")};
  for (const json& span : value.at("spans")) {
    lane.spans.push_back(
        {time_at(span, "from-ms"), time_at(span, "to-ms"), read_answer(span.at("answer"))});
  }
  return lane;
}

Recovery read_recovery(const json& value) {
  return {.service = value.at("service"),
          .access = value.at("access"),
          .failed = time_at(value, "failed-at-ms"),
          .endpoints = value.at("endpoints"),
          .detected = maybe_time(value, "detected-ms"),
          .decided = maybe_time(value, "decided-ms"),
          .published = maybe_time(value, "published-ms"),
          .ttl = time_at(value, "ttl-ms"),
          .measured = maybe_time(value, "measured-ms"),
          .worst = maybe_time(value, "worst-case-ms"),
          .back = maybe_time(value, "back-ms"),
          .objective = time_at(value, "objective-ms"),
          .how = value.at("how"),
          .met = value.at("met")};
}

Decision read_decision(const json& value) {
  Decision decision{time_at(value, "at-ms"), value.at("kind"), value.at("jurisdiction"), {}};
  for (const json& fact : value.at("facts")) decision.facts.emplace_back(fact.at(0), fact.at(1));
  return decision;
}

Report read_report(const json& value) {
  Report report;
  report.scenario = value.at("scenario");
  report.description = value.at("description");
  report.how = value.at("how");
  report.node = value.at("node");
  const auto started = parse_rfc3339(value.at("started").get<std::string>());
  if (!started) throw std::invalid_argument("started is no time");
  report.started = *started;
  report.lasted = time_at(value, "lasted-ms");
  report.seed = value.at("seed");
  report.scenario_digest = value.at("scenario-sha256");
  report.configuration_digest = value.at("configuration-sha256");
  report.policy_digest = value.at("policy-sha256");
  report.participants = value.at("participants");
  report.remediation_owners = value.at("remediation-owners");
  report.activation = value.at("activation");
  report.deactivation = value.at("deactivation");
  report.assumptions = value.at("assumptions");
  report.read_rto = time_at(value.at("objectives"), "read-rto-ms");
  report.write_rto = time_at(value.at("objectives"), "write-rto-ms");
  for (const json& lane : value.at("lanes")) report.lanes.push_back(read_lane(lane));
  for (const json& m : value.at("marks")) {
    report.marks.push_back({time_at(m, "at-ms"), m.at("kind"), m.at("service"), m.at("text")});
  }
  for (const json& r : value.at("recoveries")) report.recoveries.push_back(read_recovery(r));
  for (const json& d : value.at("decisions")) report.decisions.push_back(read_decision(d));
  report.violations = value.at("violations");
  for (const json& e : value.at("expected")) {
    report.expected.push_back(
        {time_at(e, "at-ms"), e.at("service"), e.at("wanted"), e.at("found"), e.at("met")});
  }
  report.aborted = value.at("aborted");
  report.passed = value.at("passed");
  for (const auto& [role, persons] : value.at("sign-off-required").items()) {
    report.sign_off[role] = persons.get<unsigned>();
  }
  for (const json& s : value.at("sign-offs")) {
    report.sign_offs.push_back(
        {s.at("person"), s.at("role"), s.at("key"), s.at("token-id"), s.at("token")});
  }
  report.due_every = time_at(value, "due-every-ms");
  return report;
}

}  // namespace

Answer read_answer(const json& value) {
  return {.kind = word_of(value, "kind",
                          {ChoiceKind::records, ChoiceKind::nodata, ChoiceKind::servfail}),
          .note = word_of(
              value, "note",
              {ChoiceNote::none, ChoiceNote::held, ChoiceNote::exception, ChoiceNote::all_down}),
          .regions = value.at("regions"),
          .endpoints = value.at("endpoints"),
          .share = value.at("share"),
          .rest = value.at("rest"),
          .abroad = value.at("abroad")};
}

json answer_json(const Answer& answer) { return json(to_json(answer)); }

std::string write_report(const Report& report) {
  ordered_json required = ordered_json::object();
  for (const auto& [role, persons] : report.sign_off) required[role] = persons;
  const ordered_json out = {
      {"format", "demarc-drill-report"},
      {"version", format_version},
      {"scenario", report.scenario},
      {"description", report.description},
      {"how", report.how},
      {"node", report.node},
      {"started", to_rfc3339(report.started)},
      {"lasted-ms", report.lasted.count()},
      {"seed", report.seed},
      {"scenario-sha256", report.scenario_digest},
      {"configuration-sha256", report.configuration_digest},
      {"policy-sha256", report.policy_digest},
      {"passed", report.passed},
      {"aborted", report.aborted},
      {"objectives",
       {{"read-rto-ms", report.read_rto.count()}, {"write-rto-ms", report.write_rto.count()}}},
      {"recoveries", list_of(report.recoveries)},
      {"violations", report.violations},
      {"expected", list_of(report.expected)},
      {"lanes", list_of(report.lanes)},
      {"marks", list_of(report.marks)},
      {"decisions", list_of(report.decisions)},
      {"activation", report.activation},
      {"deactivation", report.deactivation},
      {"assumptions", report.assumptions},
      {"participants", report.participants},
      {"remediation-owners", report.remediation_owners},
      {"due-every-ms", report.due_every.count()},
      {"sign-off-required", required},
      {"sign-offs", list_of(report.sign_offs)}};
  return out.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<Report, std::string> parse_report(std::string_view text) {
  if (text.size() > report_bytes_max) return std::unexpected(std::string("the report is too long"));
  const auto parsed = parse_json_object(text);
  if (!parsed) return std::unexpected(parsed.error());
  try {
    if (parsed->at("format") != "demarc-drill-report" || parsed->at("version") != format_version) {
      return std::unexpected(std::string("it is no drill report of version 1"));
    }
    return read_report(*parsed);
  } catch (const std::exception& error) {  // a member is missing or has another type
    return std::unexpected(std::string(error.what()));
  }
}

}  // namespace demarc::zones::drill
