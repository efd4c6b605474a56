#include "tools/acme_values.h"

#include <algorithm>

#include <fmt/format.h>

#include "zones/yaml/fields.h"

namespace demarc::tools {
namespace {

constexpr std::size_t value_size = 43;  // 32 bytes in base64url without padding

std::unexpected<std::string> refused(std::string text) {
  return std::unexpected<std::string>(std::move(text));
}

bool is_value(std::string_view text) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return text.size() == value_size && text.find_first_not_of(alphabet) == std::string_view::npos;
}

bool is_challenge(const zones::Name& name) {
  const auto bytes = name.bytes();
  return bytes[0] == dns::challenge_label.size() &&
         name.wire().substr(1, bytes[0]) == dns::challenge_label;
}

/// `_acme-challenge.NAME`; nothing if the text is no name, or too long with the label.
std::optional<zones::Name> owner_of(const std::string& text) {
  const auto name = zones::Name::parse_absolute(text);
  if (!name || is_challenge(*name)) return name;
  return zones::Name::parse(dns::challenge_label, *name);
}

dns::Match find(const dns::ZoneTable& zones, const zones::Name& name) {
  dns::NameKey key;
  key.read(name.bytes());
  return zones.find(key);
}

/// Why no value can stand at `owner`; empty: it can.
std::string conflict(const dns::ZoneTable& zones, const zones::Name& owner) {
  using dns::MatchKind;
  using dns::Node;
  const zones::Name name = owner.parent();
  const dns::Match match = find(zones, owner);
  if (match.kind == MatchKind::outside) {
    return name.text_without_dot() + " is in no zone of this server";
  }
  const Node& node = zones.node(match.node);
  if (node.has(Node::is_cut | Node::is_below_cut)) {
    return name.text_without_dot() + " is delegated: its own servers must answer";
  }
  if (match.kind == MatchKind::missing && zones.find_dname(node)) {
    return owner.text_without_dot() + " is below a DNAME: set the value at the name it leads to";
  }
  if (match.kind == MatchKind::exact && (node.entry_count != 0 || node.has(Node::is_service))) {
    return owner.text_without_dot() + " has records of its own in its zone; expected none there";
  }
  // A resolver that asks name by name (RFC 9156) would stop at one that does not exist (RFC 8020).
  if (find(zones, name).kind == MatchKind::missing) {
    return name.text_without_dot() + " does not exist in its zone; expected a name that does";
  }
  return {};
}

}  // namespace

Result<AcmeValue, std::string> AcmeValues::set(const dns::ZoneTable& zones, const std::string& name,
                                               const std::string& value, Milliseconds lasts,
                                               const std::string& who, WallTime now) {
  const auto owner = owner_of(name);
  if (!owner || owner->parent().is_wildcard()) {
    return refused(
        fmt::format("`{}` is no name for a challenge; expected a domain name, without `*.`", name));
  }
  if (!is_value(value)) {
    return refused(
        fmt::format("the value is `{}`; expected {} letters of base64url", value, value_size));
  }
  if (lasts <= Milliseconds(0) || lasts > acme_life_max) {
    return refused(fmt::format("a value that lasts {}; expected up to {}",
                               zones::yaml::to_text(lasts), zones::yaml::to_text(acme_life_max)));
  }
  if (auto why = conflict(zones, *owner); !why.empty()) return refused(std::move(why));

  const auto of_name = std::ranges::equal_range(values_, *owner, {}, &AcmeValue::owner);
  const auto same = std::ranges::find(of_name, value, &AcmeValue::value);
  if (same != of_name.end()) {
    same->ends = now + lasts;
    same->who = who;
    return *same;
  }
  if (of_name.size() == acme_values_per_name_max) {
    return refused(fmt::format("{} has {} values; expected fewer", owner->text_without_dot(),
                               acme_values_per_name_max));
  }
  if (values_.size() == acme_values_max) {
    return refused(fmt::format("there are {} values; expected fewer", acme_values_max));
  }
  return *values_.insert(of_name.end(), {*owner, value, now + lasts, who});
}

std::vector<AcmeValue> AcmeValues::remove(const std::string& name, std::string_view value) {
  std::vector<AcmeValue> removed;
  const auto owner = owner_of(name);
  std::erase_if(values_, [&](const AcmeValue& one) {
    if (one.owner != owner || (!value.empty() && one.value != value)) return false;
    removed.push_back(one);
    return true;
  });
  return removed;
}

std::vector<AcmeValue> AcmeValues::expire(WallTime now) {
  std::vector<AcmeValue> ended;
  std::erase_if(values_, [&](const AcmeValue& one) {
    if (now < one.ends) return false;
    ended.push_back(one);
    return true;
  });
  return ended;
}

std::shared_ptr<const dns::Challenges> AcmeValues::challenges() const {
  if (values_.empty()) return nullptr;
  auto challenges = std::make_shared<dns::Challenges>();
  for (const AcmeValue& one : values_) {
    (*challenges)[std::string(one.owner.wire())].add(one.value, acme_ttl);
  }
  return challenges;
}

}  // namespace demarc::tools
