#include "zones/yaml/policy_tests_file.h"

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "geo/countries.h"
#include "zones/time_text.h"
#include "zones/yaml/fields.h"
#include "zones/yaml/repository_files.h"

namespace demarc::zones::yaml {
namespace {

constexpr std::uint64_t lag_max = 1'000'000'000;

/// A reader of one field into a target.
class TestReader {
 public:
  explicit TestReader(Reading reading) : reading_(std::move(reading)) {}

  std::vector<PolicyTest> read(const Node& root) {
    read_map(reading_, root, "the policy tests",
             {{"tests", Presence::required, [&](const Node& node) {
                 read_list(reading_, node, "tests", policy_tests_max,
                           [&](const Node& item) { read_test(item); });
               }}});
    return std::move(tests_);
  }

 private:
  std::optional<NamedAt> named(const Node& node, std::string_view what) {
    auto text = read_text(reading_, node, what);
    if (!text) return std::nullopt;
    return NamedAt{std::move(*text), reading_.place(node.at)};
  }

  std::function<void(const Node&)> text(std::string& target, std::string_view what) {
    return [this, &target, what](const Node& node) {
      assign(target, read_text(reading_, node, what));
    };
  }

  std::function<void(const Node&)> names(std::vector<NamedAt>& target, std::string_view what) {
    return [this, &target, what](const Node& node) {
      if (node.kind == NodeKind::list && node.items.empty()) return;
      read_one_or_list(reading_, node, what, test_items_max, [&](const Node& item) {
        if (auto one = named(item, what)) target.push_back(std::move(*one));
      });
    };
  }

  std::function<void(const Node&)> regions(std::vector<std::string>& target,
                                           std::string_view what) {
    return [this, &target, what](const Node& node) {
      read_one_or_list(reading_, node, what, test_items_max, [&](const Node& item) {
        if (auto one = read_text(reading_, item, what)) target.push_back(std::move(*one));
      });
      std::ranges::sort(target);
    };
  }

  std::optional<bool> yes_no(const Node& node, std::string_view what) {
    return read_choice<bool>(reading_, node, what, {{"true", true}, {"false", false}});
  }

  void read_clock(const Node& node, TestGiven& given) {
    const auto value = read_text(reading_, node, "clock");
    if (!value) return;
    given.clock = parse_rfc3339(*value);
    if (!given.clock) {
      reading_.error(node.at, "bad-time",
                     "clock is `{}`; expected a UTC time as 2027-01-31T00:00:00Z", *value);
    }
  }

  void read_lag(const Key& key, const Node& node, TestGiven& given) {
    const auto value = read_integer(reading_, node, "lag", {0, lag_max});
    if (value) {
      given.lag.emplace_back(NamedAt{key.text, reading_.place(key.at)},
                             static_cast<double>(*value));
    }
  }

  void read_token(const Node& node, TestGiven& given) {
    TestToken token{.place = reading_.place(node.at)};
    Claims& claims = token.claims;
    const auto optional_text = [this](std::optional<std::string>& target, std::string_view what) {
      return [this, &target, what](const Node& n) { target = read_text(reading_, n, what); };
    };
    const bool is_map = read_map(
        reading_, node, "token",
        {{"signed-by", Presence::required,
          [&](const Node& n) {
            if (auto key = named(n, "signed-by")) token.signed_by = std::move(*key);
          }},
         {"type", Presence::optional,
          [&](const Node& n) {
            assign(claims.type, read_choice<TokenType>(reading_, n, "type",
                                                       {{"approval", TokenType::approval},
                                                        {"break-glass", TokenType::break_glass},
                                                        {"review", TokenType::review},
                                                        {"drill", TokenType::drill}}));
          }},
         {"audience", Presence::optional, text(claims.audience, "audience")},
         {"zone", Presence::optional, text(claims.zone, "zone")},
         {"service", Presence::optional, text(claims.service, "service")},
         {"tenant", Presence::optional, optional_text(claims.tenant, "tenant")},
         {"from", Presence::optional, regions(claims.from, "from")},
         {"to", Presence::optional, regions(claims.to, "to")},
         {"mode", Presence::optional,
          [&](const Node& n) {
            assign(claims.mode, read_choice<Mode>(reading_, n, "mode",
                                                  {{"read-only", Mode::read_only},
                                                   {"scoped-write", Mode::scoped_write},
                                                   {"full-write", Mode::full_write}}));
          }},
         {"for", Presence::optional,
          [&](const Node& n) {
            const auto lasts =
                read_duration(reading_, n, "for", {Milliseconds{1000}, std::chrono::days{366}});
            if (lasts) token.lasts = std::chrono::floor<Seconds>(*lasts);
          }},
         {"max-share", Presence::optional,
          [&](const Node& n) {
            const auto share = read_integer(reading_, n, "max-share", {1, 100});
            if (share) claims.max_share = static_cast<unsigned>(*share);
          }},
         {"template", Presence::optional, optional_text(claims.plan_template, "template")},
         {"drill", Presence::optional, optional_text(claims.drill, "drill")},
         {"case", Presence::optional, text(claims.case_id, "case")},
         {"reason", Presence::optional, text(claims.reason, "reason")}});
    if (is_map) given.tokens.push_back(std::move(token));
  }

  void read_given(const Node& node, TestGiven& given) {
    read_map(reading_, node, "given",
             {{"down", Presence::optional, names(given.down, "down")},
              {"drained", Presence::optional, names(given.drained, "drained")},
              {"frozen", Presence::optional,
               [&](const Node& n) { assign(given.frozen, yes_no(n, "frozen")); }},
              {"clock", Presence::optional, [&](const Node& n) { read_clock(n, given); }},
              {"tokens", Presence::optional,
               [&](const Node& n) {
                 read_list(reading_, n, "tokens", test_items_max,
                           [&](const Node& item) { read_token(item, given); });
               }},
              {"lag", Presence::optional,
               [&](const Node& n) {
                 read_named(
                     reading_, n, "lag", test_items_max,
                     [&](const Key& key, const Node& value) { read_lag(key, value, given); });
               }},
              {"advice", Presence::optional, [&](const Node& n) {
                 given.advice = read_choice<Effect>(
                     reading_, n, "advice", {{"allow", Effect::allow}, {"deny", Effect::deny}});
               }}});
  }

  void read_client(const Node& node, TestExpectation& expect) {
    const auto value = read_text(reading_, node, "client");
    if (!value || *value == "unknown") return;
    const auto country = geo::parse_code2(*value);
    if (country && geo::find_country(*country) != nullptr) {
      expect.client = *country;
    } else if (const auto address = geo::parse_address(*value)) {
      expect.client = *address;
    } else if (const auto network = geo::parse_prefix(*value)) {
      expect.client = *network;
    } else {
      reading_.error(node.at, "bad-client",
                     "client is `{}`; expected a country as DE, an address, a network or `unknown`",
                     *value);
    }
  }

  void read_crossing(const Node& node, TestExpectation& expect) {
    expect.crossing.emplace();
    if (node.kind == NodeKind::scalar && node.text == "none") return;
    names(*expect.crossing, "crossing")(node);
  }

  void read_token_word(const Node& node, TestExpectation& expect) {
    const auto value = read_text(reading_, node, "token");
    if (!value) return;
    expect.token = value;
    if (*value == "accepted" || value->starts_with("refused ")) return;
    reading_.error(node.at, "bad-choice",
                   "token is `{}`; expected `accepted`, or `refused KIND` as `refused no-rule`",
                   *value);
  }

  void read_expectation(const Node& node, PolicyTest& test) {
    TestExpectation expect{.place = reading_.place(node.at)};
    const bool is_map = read_map(
        reading_, node, "expectation",
        {{"service", Presence::optional,
          [&](const Node& n) {
            if (auto name = named(n, "service")) expect.service = std::move(*name);
          }},
         {"tenant", Presence::optional, text(expect.tenant, "tenant")},
         {"client", Presence::optional, [&](const Node& n) { read_client(n, expect); }},
         {"answers", Presence::optional,
          [&](const Node& n) { names(expect.answers.emplace(), "answers")(n); }},
         {"note", Presence::optional,
          [&](const Node& n) {
            expect.note = read_choice<std::string>(reading_, n, "note",
                                                   {{"none", "none"},
                                                    {"held", "held"},
                                                    {"exception", "exception"},
                                                    {"all-down", "all-down"}});
          }},
         {"held", Presence::optional, [&](const Node& n) { expect.held = yes_no(n, "held"); }},
         {"crossing", Presence::optional, [&](const Node& n) { read_crossing(n, expect); }},
         {"rule", Presence::optional,
          [&](const Node& n) { expect.rule = read_text(reading_, n, "rule"); }},
         {"token", Presence::optional, [&](const Node& n) { read_token_word(n, expect); }}});
    if (!is_map) return;
    const bool asks_service =
        expect.answers || expect.note || expect.held || expect.crossing || expect.rule;
    if (asks_service && expect.service.name.empty()) {
      reading_.error(node.at, "missing-key",
                     "the expectation names no service; expected `service`");
    } else if (!asks_service && !expect.token) {
      reading_.error(node.at, "empty-expectation",
                     "nothing is expected; expected one of answers, note, held, crossing, rule, "
                     "token");
    }
    test.expect.push_back(std::move(expect));
  }

  void read_test(const Node& node) {
    PolicyTest test{.place = reading_.place(node.at)};
    const bool is_map =
        read_map(reading_, node, "test",
                 {{"name", Presence::required, text(test.name, "name")},
                  {"given", Presence::optional, [&](const Node& n) { read_given(n, test.given); }},
                  {"expect", Presence::required, [&](const Node& n) {
                     read_list(reading_, n, "expect", test_items_max,
                               [&](const Node& item) { read_expectation(item, test); });
                   }}});
    if (is_map) tests_.push_back(std::move(test));
  }

  Reading reading_;
  std::vector<PolicyTest> tests_;
};

}  // namespace

std::vector<PolicyTest> read_policy_tests(std::string_view text, const std::string& file,
                                          Diagnostics& diagnostics) {
  const auto root = parse_syntax(text, file, diagnostics);
  if (!root) return {};
  return TestReader({file, diagnostics}).read(*root);
}

std::vector<PolicyTest> load_policy_tests(const std::string& folder, Diagnostics& diagnostics) {
  namespace fs = std::filesystem;
  std::vector<PolicyTest> tests;
  std::error_code error;
  std::vector<std::string> names;
  for (auto item = fs::directory_iterator(fs::path(folder) / "policy-tests", error);
       !error && item != fs::directory_iterator(); item.increment(error)) {
    const std::string name = item->path().filename().string();
    if (!name.starts_with('.') && name.ends_with(".yaml")) names.push_back("policy-tests/" + name);
  }
  std::ranges::sort(names);
  if (names.size() > policy_test_files_max) {
    diagnostics.error({"policy-tests", 0, 0}, "too-many-files", "{} files; expected at most {}",
                      names.size(), policy_test_files_max);
    return tests;
  }
  auto files = RepositoryFiles::open(folder);
  if (!files) return tests;  // whoever loads the repository says why
  for (const std::string& name : names) {
    const auto text = files->read(name, file_bytes_max + 1);
    if (!text) {
      diagnostics.error({name, 0, 0}, "unreadable-file", "{}", text.error());
      continue;
    }
    std::ranges::move(read_policy_tests(*text, name, diagnostics), std::back_inserter(tests));
  }
  return tests;
}

}  // namespace demarc::zones::yaml
