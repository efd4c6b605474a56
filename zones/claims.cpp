#include "zones/claims.h"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "zones/strict_json.h"

namespace demarc::zones {
namespace {

using nlohmann::json;

// A time beyond the year 9999 is a mistake, and would overflow the arithmetic on it.
constexpr std::int64_t seconds_max = 253'402'300'799;
constexpr std::size_t text_bytes_max = 1024;
constexpr std::size_t regions_max = 64;
constexpr std::size_t sha256_hex_bytes = 64;

/// Which types must, may and must not have a claim: one column a type, in TokenType's order.
enum class Use : std::uint8_t { never, may, must };
struct ClaimRule {
  std::string_view name;
  std::array<Use, 5> use;  // approval, break-glass, review, drill, key-list
};
constexpr auto no = Use::never;
constexpr auto may = Use::may;
constexpr auto must = Use::must;
constexpr std::array<ClaimRule, 20> claim_rules = {{
    {"iss", {must, must, must, must, must}},    {"aud", {must, must, must, must, must}},
    {"jti", {must, must, must, must, must}},    {"iat", {must, must, must, must, must}},
    {"nbf", {must, must, must, must, must}},    {"exp", {must, must, must, must, must}},
    {"reason", {must, must, must, must, must}}, {"case", {must, must, must, must, must}},
    {"zone", {must, must, no, no, no}},  // zone to mode: not with `template`
    {"service", {must, must, no, no, no}},      {"from", {must, must, no, no, no}},
    {"to", {must, must, no, no, no}},           {"mode", {must, must, no, no, no}},
    {"change", {may, may, no, no, no}},         {"tenant", {may, may, no, no, no}},
    {"max-share", {may, may, no, no, no}},      {"template", {may, no, no, no, no}},
    {"grant", {no, no, must, no, no}},          {"drill", {no, no, no, must, no}},
    {"version", {no, no, no, no, must}},
}};
constexpr std::string_view keys_claim = "keys-sha256";  // of a key list alone, and must
constexpr std::array<std::string_view, 5> template_gives = {"zone", "service", "from", "to",
                                                            "mode"};
// Names that a later version gives a meaning: said as such, so that nobody looks for a misspelling.
constexpr std::array<std::string_view, 2> later_claims = {"plan-sha256", "policy-sha256"};

constexpr std::array<std::pair<TokenType, std::string_view>, 5> type_names = {{
    {TokenType::approval, "approval"},
    {TokenType::break_glass, "break-glass"},
    {TokenType::review, "review"},
    {TokenType::drill, "drill"},
    {TokenType::key_list, "key-list"},
}};

std::unexpected<Refusal> refuse(RefusalKind kind, std::string text) {
  return std::unexpected(Refusal{kind, std::move(text)});
}

Use use_of(std::string_view claim, TokenType type) {
  if (claim == keys_claim) return type == TokenType::key_list ? must : no;
  const auto rule = std::ranges::find(claim_rules, claim, &ClaimRule::name);
  return rule == claim_rules.end() ? no : rule->use[static_cast<std::size_t>(type)];
}

/// Reads claims one by one and remembers the first thing that is wrong.
class ClaimReader {
 public:
  explicit ClaimReader(const json& payload) : payload_(payload) {}

  std::string text(const char* name) {
    const json& value = payload_[name];
    if (!value.is_string() || value.get_ref<const std::string&>().empty() ||
        value.get_ref<const std::string&>().size() > text_bytes_max) {
      fail(fmt::format("`{}` must be a text of 1 to {} bytes", name, text_bytes_max));
      return {};
    }
    return value.get<std::string>();
  }

  WallTime time(const char* name) {
    return WallTime(Seconds(integer(name, 0, seconds_max, "whole seconds since 1970")));
  }

  std::int64_t integer(const char* name, std::int64_t min, std::int64_t max,
                       const std::string& expected) {
    const json& value = payload_[name];
    const bool fits = value.is_number_unsigned()
                          ? value.get<std::uint64_t>() <= static_cast<std::uint64_t>(max)
                          : value.is_number_integer();
    if (!fits || value.get<std::int64_t>() < min) {
      fail(fmt::format("`{}` must be {}", name, expected));
      return min;
    }
    return value.get<std::int64_t>();
  }

  std::vector<std::string> regions(const char* name) {
    const json& value = payload_[name];
    std::vector<std::string> names;
    const json list = value.is_array() ? value : json::array({value});
    for (const json& item : list) {
      if (!item.is_string()) break;
      names.push_back(item.get<std::string>());
    }
    std::ranges::sort(names);
    const bool unique = std::ranges::adjacent_find(names) == names.end();
    if (names.empty() || names.size() != list.size() || !unique || names.size() > regions_max) {
      fail(fmt::format("`{}` must be a region or a list of 1 to {} different ones", name,
                       regions_max));
    }
    return names;
  }

  [[nodiscard]] bool has(std::string_view name) const { return payload_.contains(name); }
  void fail(std::string text) {
    if (wrong_.empty()) wrong_ = std::move(text);
  }
  [[nodiscard]] const std::string& wrong() const { return wrong_; }

 private:
  const json& payload_;  // has every claim that is asked for
  std::string wrong_;
};

Result<void, Refusal> check_names(TokenType type, const json& payload) {
  for (const auto& [name, value] : payload.items()) {
    if (std::ranges::count(later_claims, name) != 0) {
      return refuse(RefusalKind::unsupported,
                    fmt::format("this server does not know the claim `{}` yet", name));
    }
    if (use_of(name, type) == Use::never) {
      return refuse(RefusalKind::malformed,
                    fmt::format("unknown claim `{}` in a token of type {}", name, to_text(type)));
    }
  }
  const bool by_template = payload.contains("template");
  const auto missing = [&](std::string_view name) {
    if (use_of(name, type) != must || payload.contains(name)) return false;
    return !by_template || std::ranges::count(template_gives, name) == 0;
  };
  for (const ClaimRule& rule : claim_rules) {
    if (missing(rule.name)) {
      return refuse(RefusalKind::malformed, fmt::format("the claim `{}` is missing", rule.name));
    }
  }
  if (missing(keys_claim)) {
    return refuse(RefusalKind::malformed, fmt::format("the claim `{}` is missing", keys_claim));
  }
  return {};
}

void read_scope(ClaimReader& reader, Claims& claims) {
  if (reader.has("zone")) claims.zone = reader.text("zone");
  if (reader.has("service")) claims.service = reader.text("service");
  if (reader.has("from")) claims.from = reader.regions("from");
  if (reader.has("to")) claims.to = reader.regions("to");
  if (reader.has("change")) claims.change = reader.text("change");
  if (reader.has("tenant")) claims.tenant = reader.text("tenant");
  if (reader.has("template")) claims.plan_template = reader.text("template");
  if (reader.has("max-share")) {
    claims.max_share =
        static_cast<unsigned>(reader.integer("max-share", 1, 100, "a percentage from 1 to 100"));
  }
  claims.mode_is_given = reader.has("mode");
  if (claims.mode_is_given) {
    const std::string text = reader.text("mode");
    const auto mode = parse_mode(text);
    if (mode) {
      claims.mode = *mode;
    } else {
      reader.fail(
          fmt::format("`mode` is `{}`, expected read-only, scoped-write or full-write", text));
    }
  }
  if (claims.service == "*" && (claims.tenant || claims.change)) {
    reader.fail("`service` is `*`; expected one service with `tenant` or `change`");
  }
}

bool is_sha256_hex(const std::string& text) {
  return text.size() == sha256_hex_bytes &&
         text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

std::string_view to_text(TokenType type) noexcept {
  return std::ranges::find(type_names, type, [](const auto& known) { return known.first; })->second;
}

std::optional<TokenType> parse_token_type(std::string_view text) noexcept {
  for (const auto& [type, name] : type_names) {
    if (name == text) return type;
  }
  return std::nullopt;
}

std::optional<TokenType> type_of_typ(const std::optional<std::string>& typ) {
  if (!typ) return TokenType::approval;
  std::string text = *typ;
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  constexpr std::string_view media = "application/";
  if (text.starts_with(media)) text.erase(0, media.size());
  if (text == "jwt") return TokenType::approval;
  constexpr std::string_view suffix = "+jwt";
  if (!text.ends_with(suffix)) return std::nullopt;
  return parse_token_type(text.substr(0, text.size() - suffix.size()));
}

std::string typ_of(TokenType type) { return std::string(to_text(type)) + "+jwt"; }

Result<Claims, Refusal> read_claims(TokenType type, const std::string& payload) {
  const auto parsed = parse_json_object(payload);
  if (!parsed) return refuse(RefusalKind::malformed, "the payload: " + parsed.error());
  if (auto named = check_names(type, *parsed); !named) return std::unexpected(named.error());

  ClaimReader reader(*parsed);
  Claims claims;
  claims.type = type;
  claims.issuer = reader.text("iss");
  claims.audience = reader.text("aud");
  claims.id = reader.text("jti");
  claims.issued_at = reader.time("iat");
  claims.not_before = reader.time("nbf");
  claims.expires = reader.time("exp");
  claims.reason = reader.text("reason");
  claims.case_id = reader.text("case");
  switch (type) {
    case TokenType::approval:
    case TokenType::break_glass:
      read_scope(reader, claims);
      break;
    case TokenType::review:
      claims.grant = reader.text("grant");
      break;
    case TokenType::drill:
      claims.drill = reader.text("drill");
      break;
    case TokenType::key_list:
      claims.version = static_cast<std::uint32_t>(
          reader.integer("version", 1, 0xffff'ffff, "a version, from 1 on"));
      claims.keys_digest = reader.text("keys-sha256");
      if (!is_sha256_hex(*claims.keys_digest)) {
        reader.fail("`keys-sha256` must be 64 hexadecimal digits in lower case");
      }
      break;
  }
  if (!reader.wrong().empty()) return refuse(RefusalKind::malformed, reader.wrong());
  return claims;
}

std::string write_claims(const Claims& claims) {
  const auto seconds = [](WallTime time) {
    return std::chrono::floor<Seconds>(time.time_since_epoch()).count();
  };
  json payload = {{"iss", claims.issuer},
                  {"aud", claims.audience},
                  {"jti", claims.id},
                  {"iat", seconds(claims.issued_at)},
                  {"nbf", seconds(claims.not_before)},
                  {"exp", seconds(claims.expires)},
                  {"reason", claims.reason},
                  {"case", claims.case_id}};
  const auto add = [&](const char* name, const auto& value) {
    if (value) payload[name] = *value;
  };
  if (claims.type == TokenType::approval || claims.type == TokenType::break_glass) {
    if (!claims.zone.empty()) payload["zone"] = claims.zone;
    if (!claims.service.empty()) payload["service"] = claims.service;
    if (!claims.from.empty()) payload["from"] = claims.from;
    if (!claims.to.empty()) payload["to"] = claims.to;
    if (claims.mode_is_given) payload["mode"] = to_text(claims.mode);
  }
  add("change", claims.change);
  add("tenant", claims.tenant);
  add("max-share", claims.max_share);
  add("template", claims.plan_template);
  add("grant", claims.grant);
  add("drill", claims.drill);
  add("version", claims.version);
  add("keys-sha256", claims.keys_digest);
  return payload.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace demarc::zones
