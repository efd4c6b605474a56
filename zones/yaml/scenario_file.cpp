#include "zones/yaml/scenario_file.h"

#include <algorithm>
#include <set>

namespace demarc::zones::yaml {
namespace {

using drill::Action;
using drill::ActionKind;
using drill::Expectation;
using drill::FailureKind;
using drill::Scenario;
using drill::TokenPlan;

constexpr DurationRange moment_range{Milliseconds(0), drill::drill_lasts_max};
constexpr DurationRange length_range{Milliseconds(1), drill::drill_lasts_max};
constexpr std::uint64_t persons_max = 20;
/// After the last action, if the file does not say how long: time for the way home to be seen.
constexpr Milliseconds lasts_after{5LL * 60 * 1000};

auto text_into(const Reading& reading, std::string& target, std::string_view what) {
  return [&reading, &target, what](const Node& value) {
    assign(target, read_text(reading, value, what));
  };
}

auto texts_into(const Reading& reading, std::vector<std::string>& target, std::string_view what) {
  return [&reading, &target, what](const Node& value) {
    read_one_or_list(reading, value, what, drill_names_max, [&](const Node& item) {
      if (auto text = read_text(reading, item, what)) target.push_back(std::move(*text));
    });
  };
}

auto duration_into(const Reading& reading, Milliseconds& target, std::string_view what,
                   DurationRange range) {
  return [&reading, &target, what, range](const Node& value) {
    assign(target, read_duration(reading, value, what, range));
  };
}

std::vector<geo::Code2> read_clients(const Reading& reading, const Node& node) {
  std::vector<geo::Code2> clients;
  read_one_or_list(reading, node, "clients", drill_names_max, [&](const Node& item) {
    if (const auto country = read_country(reading, item)) clients.push_back(*country);
  });
  return clients;
}

std::optional<bool> read_truth(const Reading& reading, const Node& node, std::string_view what) {
  return read_choice<bool>(reading, node, what, {{"true", true}, {"false", false}});
}

void read_objectives(const Reading& reading, const Node& node, Scenario& scenario) {
  read_map(reading, node, "objectives",
           {{"read-rto", Presence::optional,
             duration_into(reading, scenario.read_rto, "read-rto", length_range)},
            {"write-rto", Presence::optional,
             duration_into(reading, scenario.write_rto, "write-rto", length_range)}});
}

void read_sign_off(const Reading& reading, const Node& node, Required& sign_off) {
  read_named(reading, node, "sign-off", persons_max, [&](const Key& role, const Node& value) {
    check_identifier(reading, role.at, "role", role.text);
    const auto count = read_integer(reading, value, "number of persons", {1, persons_max});
    if (count) sign_off[role.text] = static_cast<unsigned>(*count);
  });
}

/// A token file stays inside the scenario's folder, as includes stay inside the repository.
void check_token_file(const Reading& reading, const Node& node, const std::string& file) {
  const bool climbs = file.starts_with('/') || file == ".." || file.starts_with("../") ||
                      file.find("/../") != std::string::npos || file.ends_with("/..");
  if (!climbs) return;
  reading.error(node.at, "token-outside",
                "token file `{}`; expected a path inside the scenario's folder", file);
}

TokenPlan read_token(const Reading& reading, const Node& node) {
  TokenPlan token;
  Position at = node.at;
  const bool is_map = read_map(
      reading, node, "token",
      {{"file", Presence::optional,
        [&](const Node& value) {
          text_into(reading, token.file, "file")(value);
          check_token_file(reading, value, token.file);
        }},
       {"signed-by", Presence::optional, text_into(reading, token.signed_by, "signed-by")},
       {"id", Presence::optional, text_into(reading, token.id, "id")},
       {"zone", Presence::optional, text_into(reading, token.zone, "zone")},
       {"service", Presence::optional, text_into(reading, token.service, "service")},
       {"from", Presence::optional, texts_into(reading, token.from, "from")},
       {"to", Presence::optional, texts_into(reading, token.to, "to")},
       {"mode", Presence::optional,
        [&](const Node& value) {
          assign(token.mode, read_choice<Mode>(reading, value, "mode",
                                               {{"read-only", Mode::read_only},
                                                {"scoped-write", Mode::scoped_write},
                                                {"full-write", Mode::full_write}}));
        }},
       {"for", Presence::optional,
        duration_into(reading, token.lasts, "for", {Milliseconds(1000), Milliseconds(86'400'000)})},
       {"max-share", Presence::optional,
        [&](const Node& value) {
          if (const auto share = read_integer(reading, value, "max-share", {1, 100})) {
            token.max_share = static_cast<unsigned>(*share);
          }
        }},
       {"reason", Presence::optional, text_into(reading, token.reason, "reason")},
       {"case", Presence::optional, text_into(reading, token.case_id, "case")}});
  if (!is_map) return token;
  std::ranges::sort(token.from);
  std::ranges::sort(token.to);
  if (token.file.empty() == token.signed_by.empty()) {
    reading.error(
        at, "token-source", "a token with {}; expected either `file` or `signed-by`",
        token.file.empty() ? "neither `file` nor `signed-by`" : "both `file` and `signed-by`");
  } else if (token.file.empty() &&
             (token.service.empty() || token.from.empty() || token.to.empty())) {
    reading.error(at, "token-scope",
                  "a token to be signed without `service`, `from` or `to`; expected all three");
  }
  return token;
}

void check_action(const Reading& reading, const Node& node, const Action& action,
                  std::vector<ActionKind> kinds) {
  if (kinds.size() != 1) {
    reading.error(node.at, "drill-action",
                  "an action that does {} things; expected exactly one of fail, recover, token, "
                  "freeze, unfreeze, drain, undrain, revoke",
                  kinds.size());
    return;
  }
  if (action.kind == ActionKind::drain && action.lasts == Milliseconds(0)) {
    reading.error(node.at, "missing-key", "a drain without `for`; expected how long it lasts");
  }
  if (action.kind == ActionKind::revoke && action.targets.size() > 1) {
    reading.error(node.at, "drill-action", "a revoke of {} ids; expected one",
                  action.targets.size());
  }
}

std::optional<Action> read_action(const Reading& reading, const Node& node) {
  Action action;
  action.place = reading.place(node.at);
  std::vector<ActionKind> kinds;
  const auto does = [&](ActionKind kind, auto read) {
    return [&kinds, &action, kind, read](const Node& value) {
      kinds.push_back(kind);
      action.kind = kind;
      read(value);
    };
  };
  const auto targets = [&](const Node& value) {
    texts_into(reading, action.targets, "target")(value);
  };
  const auto reason = [&](const Node& value) {
    text_into(reading, action.reason, "reason")(value);
  };
  const bool is_map = read_map(
      reading, node, "action",
      {{"at", Presence::required, duration_into(reading, action.at, "at", moment_range)},
       {"fail", Presence::optional, does(ActionKind::fail, targets)},
       {"recover", Presence::optional, does(ActionKind::recover, targets)},
       {"token", Presence::optional,
        does(ActionKind::token,
             [&](const Node& value) { action.token = read_token(reading, value); })},
       {"freeze", Presence::optional, does(ActionKind::freeze, reason)},
       {"unfreeze", Presence::optional, does(ActionKind::unfreeze, reason)},
       {"drain", Presence::optional, does(ActionKind::drain, targets)},
       {"undrain", Presence::optional, does(ActionKind::undrain, targets)},
       {"revoke", Presence::optional, does(ActionKind::revoke, targets)},
       {"how", Presence::optional,
        [&](const Node& value) {
          assign(action.how, read_choice<FailureKind>(reading, value, "how",
                                                      {{"silent", FailureKind::silent},
                                                       {"refused", FailureKind::refused}}));
        }},
       {"service", Presence::optional, text_into(reading, action.service, "service")},
       {"for", Presence::optional, duration_into(reading, action.lasts, "for", length_range)},
       {"reason", Presence::optional, reason}});
  if (!is_map) return std::nullopt;
  check_action(reading, node, action, kinds);
  if (action.reason.empty()) action.reason = "drill";
  return action;
}

std::optional<Expectation> read_expectation(const Reading& reading, const Node& node) {
  Expectation expect;
  expect.place = reading.place(node.at);
  const bool is_map = read_map(
      reading, node, "expectation",
      {{"at", Presence::required, duration_into(reading, expect.at, "at", moment_range)},
       {"service", Presence::required, text_into(reading, expect.service, "service")},
       {"clients", Presence::optional,
        [&](const Node& value) { expect.clients = read_clients(reading, value); }},
       {"answers", Presence::optional,
        [&](const Node& value) {
          expect.answers.emplace();
          texts_into(reading, *expect.answers, "answers")(value);
          std::ranges::sort(*expect.answers);
        }},
       {"held", Presence::optional,
        [&](const Node& value) { expect.held = read_truth(reading, value, "held"); }},
       {"crossing", Presence::optional,
        [&](const Node& value) { expect.crossing = read_truth(reading, value, "crossing"); }}});
  if (!is_map) return std::nullopt;
  if (!expect.answers && !expect.held && !expect.crossing) {
    reading.error(node.at, "expects-nothing",
                  "an expectation of nothing; expected answers, held or crossing");
  }
  return expect;
}

/// What only shows when the whole file is read.
void finish(const Reading& reading, Scenario& scenario) {
  std::ranges::stable_sort(scenario.timeline, {}, &Action::at);
  Milliseconds last{0};
  std::set<std::string> ids;
  std::size_t number = 0;
  for (Action& action : scenario.timeline) {
    last = std::max(last, action.at);
    if (action.kind != ActionKind::token) continue;
    ++number;
    if (action.token.id.empty()) action.token.id = fmt::format("{}-{}", scenario.name, number);
    if (ids.insert(action.token.id).second) continue;
    reading.error({action.place.line, action.place.column}, "token-twice",
                  "token id `{}` again; expected each id once", action.token.id);
  }
  if (scenario.lasts == Milliseconds(0)) {
    scenario.lasts = std::min(last + lasts_after, drill::drill_lasts_max);
  }
  for (const Action& action : scenario.timeline) {
    if (action.at < scenario.lasts) continue;
    reading.error({action.place.line, action.place.column}, "after-the-end",
                  "an action at {}; expected one before the drill's end at {}", to_text(action.at),
                  to_text(scenario.lasts));
  }
  for (const Expectation& expect : scenario.expect) {
    if (expect.at <= scenario.lasts) continue;
    reading.error({expect.place.line, expect.place.column}, "after-the-end",
                  "an expectation at {}; expected one not after the drill's end at {}",
                  to_text(expect.at), to_text(scenario.lasts));
  }
}

}  // namespace

Scenario read_scenario_file(const Reading& reading, const Node& root) {
  Scenario scenario;
  scenario.place = reading.place(root.at);
  const bool is_map = read_map(
      reading, root, "scenario",
      {{"drill", Presence::required,
        [&](const Node& value) {
          if (auto name = read_identifier(reading, value, "drill")) scenario.name = name->value;
        }},
       {"description", Presence::optional, text_into(reading, scenario.description, "description")},
       {"zones", Presence::optional, texts_into(reading, scenario.zones, "zone")},
       {"services", Presence::optional, texts_into(reading, scenario.services, "service")},
       {"objectives", Presence::optional,
        [&](const Node& value) { read_objectives(reading, value, scenario); }},
       {"clients", Presence::optional,
        [&](const Node& value) { scenario.clients = read_clients(reading, value); }},
       {"timeline", Presence::required,
        [&](const Node& value) {
          read_list(reading, value, "timeline", drill_actions_max, [&](const Node& item) {
            if (auto action = read_action(reading, item)) {
              scenario.timeline.push_back(std::move(*action));
            }
          });
        }},
       {"lasts", Presence::optional, duration_into(reading, scenario.lasts, "lasts", length_range)},
       {"expect", Presence::optional,
        [&](const Node& value) {
          read_list(reading, value, "expect", drill_actions_max, [&](const Node& item) {
            if (auto expect = read_expectation(reading, item)) {
              scenario.expect.push_back(std::move(*expect));
            }
          });
        }},
       {"sign-off", Presence::optional,
        [&](const Node& value) { read_sign_off(reading, value, scenario.sign_off); }},
       {"participants", Presence::optional,
        texts_into(reading, scenario.participants, "participant")},
       {"remediation-owner", Presence::optional,
        texts_into(reading, scenario.remediation_owners, "remediation-owner")},
       {"activation", Presence::optional,
        texts_into(reading, scenario.activation, "activation condition")},
       {"deactivation", Presence::optional,
        texts_into(reading, scenario.deactivation, "deactivation condition")},
       {"abort-when", Presence::optional, [&](const Node& value) {
          read_map(reading, value, "abort-when",
                   {{"down", Presence::required,
                     texts_into(reading, scenario.abort_when_down, "down")}});
        }}});
  if (is_map) finish(reading, scenario);
  return scenario;
}

std::optional<Scenario> parse_scenario(std::string_view text, const std::string& file,
                                       Diagnostics& diagnostics) {
  const std::size_t before = diagnostics.error_count();
  const auto tree = parse_syntax(text, file, diagnostics);
  if (!tree) return std::nullopt;
  auto scenario = read_scenario_file(Reading{file, diagnostics}, *tree);
  if (diagnostics.error_count() != before) return std::nullopt;
  return scenario;
}

}  // namespace demarc::zones::yaml
