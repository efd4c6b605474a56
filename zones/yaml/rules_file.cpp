#include "zones/yaml/rules_file.h"

namespace demarc::zones::yaml {
namespace {

constexpr std::size_t names_max = 1000;

std::function<void(const Node&)> into(const Reading& reading, TextAt& target,
                                      std::string_view what) {
  return [&reading, &target, what](const Node& value) {
    if (auto text = read_text(reading, value, what)) target = {std::move(*text), value.at};
  };
}

std::function<void(const Node&)> into(const Reading& reading, std::optional<TextAt>& target,
                                      std::string_view what) {
  return [&reading, &target, what](const Node& value) {
    if (auto text = read_text(reading, value, what)) target = TextAt{std::move(*text), value.at};
  };
}

std::function<void(const Node&)> into(const Reading& reading, std::vector<TextAt>& target,
                                      std::string_view what) {
  return [&reading, &target, what](const Node& value) {
    read_one_or_list(reading, value, what, names_max, [&](const Node& item) {
      if (auto name = read_identifier(reading, item, what)) target.push_back(std::move(*name));
    });
  };
}

std::optional<Mode> read_mode(const Reading& reading, const Node& node) {
  return read_choice<Mode>(reading, node, "mode",
                           {{"read-only", Mode::read_only},
                            {"scoped-write", Mode::scoped_write},
                            {"full-write", Mode::full_write}});
}

}  // namespace

void read_residency_rules(const Reading& reading, const Node& node, RulesEntry& rules) {
  read_list(reading, node, "residency-rules", residency_rules_max, [&](const Node& item) {
    ResidencyRuleEntry& rule = rules.residency_rules.emplace_back();
    read_map(reading, item, "residency rule",
             {{"id", Presence::required,
               [&](const Node& value) { assign(rule.id, read_identifier(reading, value, "id")); }},
              {"effect", Presence::required,
               [&](const Node& value) {
                 assign(rule.effect,
                        read_choice<Effect>(reading, value, "effect",
                                            {{"allow", Effect::allow}, {"deny", Effect::deny}}));
               }},
              {"zone", Presence::optional, into(reading, rule.zone, "zone")},
              {"service", Presence::optional, into(reading, rule.service, "service")},
              {"from", Presence::optional, into(reading, rule.from, "from")},
              {"to", Presence::optional, into(reading, rule.to, "to")},
              {"mode", Presence::optional,
               [&](const Node& value) { rule.mode = read_mode(reading, value); }},
              {"basis", Presence::optional, [&](const Node& value) {
                 assign(rule.basis, read_text(reading, value, "basis"));
               }}});
  });
}

void read_templates(const Reading& reading, const Node& node, RulesEntry& rules) {
  read_list(reading, node, "templates", templates_max, [&](const Node& item) {
    TemplateEntry& plan = rules.templates.emplace_back();
    read_map(reading, item, "template",
             {{"id", Presence::required,
               [&](const Node& value) { assign(plan.id, read_identifier(reading, value, "id")); }},
              {"zone", Presence::required, into(reading, plan.zone, "zone")},
              {"service", Presence::required, into(reading, plan.service, "service")},
              {"from", Presence::required, into(reading, plan.from, "from")},
              {"to", Presence::required, into(reading, plan.to, "to")},
              {"mode", Presence::required,
               [&](const Node& value) { assign(plan.mode, read_mode(reading, value)); }},
              {"max-share", Presence::optional,
               [&](const Node& value) {
                 assign(plan.max_share, read_integer(reading, value, "max-share", {1, 100}));
               }},
              {"max-duration", Presence::optional, [&](const Node& value) {
                 const auto time = read_duration(
                     reading, value, "max-duration",
                     {Milliseconds{1000}, Milliseconds{std::chrono::hours{24 * 366}}});
                 if (time) plan.max_duration = std::chrono::floor<Seconds>(*time);
               }}});
  });
}

void read_assertions(const Reading& reading, const Node& node, RulesEntry& rules) {
  read_list(reading, node, "assertions", assertions_max, [&](const Node& item) {
    AssertionEntry& assertion = rules.assertions.emplace_back();
    assertion.at = item.at;
    read_map(
        reading, item, "assertion",
        {{"id", Presence::required,
          [&](const Node& value) { assign(assertion.id, read_identifier(reading, value, "id")); }},
         {"zone", Presence::optional, into(reading, assertion.zone, "zone")},
         {"service", Presence::optional, into(reading, assertion.service, "service")},
         {"at-least", Presence::optional,
          [&](const Node& value) {
            if (auto count = read_integer(reading, value, "at-least", {1, names_max})) {
              assertion.at_least = static_cast<unsigned>(*count);
            }
          }},
         {"of", Presence::optional, into(reading, assertion.of, "of")},
         {"never-together", Presence::optional,
          into(reading, assertion.never_together, "never-together")}});
  });
}

void read_advisor(const Reading& reading, const Node& node, RulesEntry& rules) {
  Advisor advisor;
  const bool is_map = read_map(
      reading, node, "advisor",
      {{"url", Presence::required,
        [&](const Node& value) {
          const auto url = read_text(reading, value, "url");
          if (!url) return;
          if (!url->starts_with("http://") && !url->starts_with("https://")) {
            reading.error(value.at, "bad-url", "url is `{}`; expected http:// or https://", *url);
          }
          advisor.url = *url;
        }},
       {"timeout", Presence::optional, [&](const Node& value) {
          assign(advisor.timeout,
                 read_duration(reading, value, "timeout", {Milliseconds{10}, advisor_timeout_max}));
        }}});
  if (is_map) rules.advisor = std::move(advisor);
}

}  // namespace demarc::zones::yaml
