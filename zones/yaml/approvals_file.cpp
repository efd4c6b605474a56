#include "zones/yaml/approvals_file.h"

#include "zones/time_text.h"

namespace demarc::zones::yaml {
namespace {

std::optional<WallTime> read_time(const Reading& reading, const Node& node, std::string_view what) {
  const auto text = read_text(reading, node, what);
  if (!text) return std::nullopt;
  auto time = parse_rfc3339(*text);
  if (!time) {
    reading.error(node.at, "bad-time", "{} is `{}`; expected a UTC time as 2027-01-31T00:00:00Z",
                  what, *text);
  }
  return time;
}

/// A limit that cannot be read must not become no limit.
WallTime read_end(const Reading& reading, const Node& node) {
  return read_time(reading, node, "not-after").value_or(WallTime{});
}

/// role -> how many persons.
void read_require(const Reading& reading, const Node& node, std::string_view what,
                  std::vector<RequireEntry>& require) {
  const bool is_read =
      read_named(reading, node, what, approval_keys_max, [&](const Key& key, const Node& value) {
        check_identifier(reading, key.at, "role", key.text);
        const auto persons = read_integer(reading, value, what, {1, persons_max});
        if (!persons) return;
        require.push_back({{key.text, key.at}, static_cast<unsigned>(*persons)});
      });
  if (is_read && node.keys.empty()) {
    reading.error(node.at, "empty-require",
                  "{} names no role; expected at least one, as {{ legal: 1 }}", what);
  }
}

void read_key(const Reading& reading, const Node& node, std::vector<ApprovalKeyEntry>& keys) {
  ApprovalKeyEntry entry;
  entry.at = node.at;
  const auto identifier = [&reading](TextAt& target, std::string_view what) {
    return [&reading, &target, what](const Node& value) {
      assign(target, read_identifier(reading, value, what));
    };
  };
  const bool is_map =
      read_map(reading, node, "key",
               {{"id", Presence::required, identifier(entry.id, "id")},
                {"person", Presence::required, identifier(entry.person, "person")},
                {"role", Presence::required, identifier(entry.role, "role")},
                {"alg", Presence::required,
                 [&](const Node& value) {
                   entry.algorithm = read_choice<KeyAlgorithm>(
                       reading, value, "alg",
                       {{"EdDSA", KeyAlgorithm::EdDSA}, {"ES256", KeyAlgorithm::ES256}});
                 }},
                {"public-key", Presence::required,
                 [&](const Node& value) {
                   if (auto path = read_text(reading, value, "public-key")) {
                     entry.public_key = {std::move(*path), value.at};
                   }
                 }},
                {"not-after", Presence::optional,
                 [&](const Node& value) { entry.not_after = read_end(reading, value); }}});
  if (is_map) keys.push_back(std::move(entry));
}

void read_rule(const Reading& reading, const Node& node, std::vector<ApprovalRuleEntry>& rules) {
  ApprovalRuleEntry entry;
  entry.at = node.at;
  const bool is_map = read_map(
      reading, node, "rule",
      {{"zone", Presence::required,
        [&](const Node& value) {
          if (auto zone = read_text(reading, value, "zone")) {
            entry.zone = {std::move(*zone), value.at};
          }
        }},
       {"mode", Presence::required,
        [&](const Node& value) {
          assign(entry.mode, read_choice<Mode>(reading, value, "mode",
                                               {{"read-only", Mode::read_only},
                                                {"scoped-write", Mode::scoped_write},
                                                {"full-write", Mode::full_write}}));
        }},
       {"require", Presence::required,
        [&](const Node& value) { read_require(reading, value, "require", entry.require); }}});
  if (is_map) rules.push_back(std::move(entry));
}

void read_max_duration(const Reading& reading, const Node& node, Milliseconds most,
                       Seconds& target) {
  const auto duration = read_duration(reading, node, "max-duration", {Milliseconds{1000}, most});
  if (duration) target = std::chrono::floor<Seconds>(*duration);
}

void read_break_glass(const Reading& reading, const Node& node, BreakGlassEntry& glass) {
  read_map(reading, node, "break-glass",
           {{"max-duration", Presence::optional,
             [&](const Node& value) {
               read_max_duration(reading, value, break_glass_duration_max, glass.max_duration);
             }},
            {"require", Presence::required,
             [&](const Node& value) { read_require(reading, value, "require", glass.require); }},
            {"review", Presence::required,
             [&](const Node& value) { read_require(reading, value, "review", glass.review); }}});
}

void read_key_list(const Reading& reading, const Node& node, KeyListEntry& list) {
  list.at = node.at;
  const auto add_signature = [&](const Node& item) {
    if (auto path = read_text(reading, item, "signatures")) {
      list.signatures.push_back({std::move(*path), item.at});
    }
  };
  read_map(reading, node, "key-list",
           {{"version", Presence::required,
             [&](const Node& value) {
               assign(list.version, read_integer(reading, value, "version", {1, 0xffff'ffff}));
             }},
            {"require", Presence::required,
             [&](const Node& value) { read_require(reading, value, "require", list.require); }},
            {"signatures", Presence::optional,
             [&](const Node& value) {
               read_one_or_list(reading, value, "signatures", list_signatures_max, add_signature);
             }},
            {"not-after", Presence::optional,
             [&](const Node& value) { list.not_after = read_end(reading, value); }}});
}

}  // namespace

void read_approvals(const Reading& reading, const Node& node, ApprovalsEntry& approvals) {
  approvals.at = node.at;
  read_map(reading, node, "approvals",
           {{"audience", Presence::required,
             [&](const Node& value) {
               assign(approvals.audience, read_text(reading, value, "audience"));
             }},
            {"max-duration", Presence::optional,
             [&](const Node& value) {
               read_max_duration(reading, value, grant_duration_max, approvals.max_duration);
             }},
            {"keys", Presence::required,
             [&](const Node& value) {
               read_list(reading, value, "keys", approval_keys_max,
                         [&](const Node& item) { read_key(reading, item, approvals.keys); });
             }},
            {"rules", Presence::required,
             [&](const Node& value) {
               read_list(reading, value, "rules", approval_rules_max,
                         [&](const Node& item) { read_rule(reading, item, approvals.rules); });
             }},
            {"break-glass", Presence::optional,
             [&](const Node& value) {
               read_break_glass(reading, value, approvals.break_glass.emplace());
             }},
            {"drill", Presence::optional,
             [&](const Node& value) { read_require(reading, value, "drill", approvals.drill); }},
            {"key-list", Presence::optional, [&](const Node& value) {
               read_key_list(reading, value, approvals.key_list.emplace());
             }}});
}

}  // namespace demarc::zones::yaml
