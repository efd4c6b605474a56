#include "zones/yaml/activation_file.h"

#include "zones/yaml/check_file.h"

namespace demarc::zones::yaml {
namespace {

constexpr std::uint64_t percent_max = 10'000;
constexpr std::uint64_t lag_max = 1'000'000'000;

void read_lag(const Reading& reading, const Node& node, std::vector<LagEntry>& list) {
  LagEntry entry;
  LagCheck& check = entry.check;
  const DurationRange range{Milliseconds{10}, Milliseconds{std::chrono::hours{24}}};
  const bool is_map = read_map(
      reading, node, "replication-lag",
      {{"region", Presence::required,
        [&](const Node& value) {
          assign(entry.region, read_identifier(reading, value, "region"));
        }},
       {"url", Presence::required,
        [&](const Node& value) {
          assign(check.url, read_text(reading, value, "url"));
          if (check.url.starts_with("http://") || check.url.starts_with("https://")) return;
          reading.error(value.at, "bad-url", "url is `{}`; expected http:// or https://",
                        check.url);
        }},
       {"pointer", Presence::required,
        [&](const Node& value) { assign(check.pointer, read_pointer(reading, value, "pointer")); }},
       {"max", Presence::required,
        [&](const Node& value) {
          assign(check.max, read_integer(reading, value, "max", {0, lag_max}));
        }},
       {"probe-at", Presence::optional,
        [&](const Node& value) {
          const auto text = read_text(reading, value, "probe-at");
          if (!text) return;
          check.probe_at = parse_probe_at(*text);
          if (check.probe_at) return;
          reading.error(value.at, "bad-probe-at",
                        "probe-at is `{}`; expected an address and a port, as 127.0.0.1:8081",
                        *text);
        }},
       {"interval", Presence::optional,
        [&](const Node& value) {
          assign(check.interval, read_duration(reading, value, "interval", range));
        }},
       {"timeout", Presence::optional, [&](const Node& value) {
          assign(check.timeout, read_duration(reading, value, "timeout", range));
        }}});
  if (is_map) list.push_back(std::move(entry));
}

}  // namespace

std::optional<unsigned> read_percent(const Reading& reading, const Node& node,
                                     std::string_view what) {
  auto text = read_text(reading, node, what);
  if (!text) return std::nullopt;
  std::string_view digits = *text;
  if (digits.ends_with('%')) digits.remove_suffix(1);
  const auto number = parse_integer(digits);
  if (number && *number <= percent_max) return static_cast<unsigned>(*number);
  reading.error(node.at, "bad-percent", "{} is `{}`; expected percent, as 60%", what, *text);
  return std::nullopt;
}

std::optional<unsigned> read_share(const Reading& reading, const Node& node, std::string_view key,
                                   unsigned min) {
  const auto share = read_percent(reading, node, key);
  if (!share || (*share >= min && *share <= 100)) return share;
  reading.error(node.at, "bad-percent", "{} is {} %; expected {} to 100", key, *share, min);
  return std::nullopt;
}

ActivationEntry read_activation(const Reading& reading, const Node& node) {
  ActivationEntry entry;
  read_map(reading, node, "activation",
           {{"target", Presence::optional,
             [&](const Node& value) {
               assign(entry.target_healthy, read_choice<bool>(reading, value, "target",
                                                              {{"healthy", true}, {"any", false}}));
             }},
            {"capacity", Presence::optional,
             [&](const Node& value) { entry.capacity = read_percent(reading, value, "capacity"); }},
            {"replication-lag", Presence::optional, [&](const Node& value) {
               read_list(reading, value, "replication-lag", lag_checks_max,
                         [&](const Node& item) { read_lag(reading, item, entry.lag); });
             }}});
  return entry;
}

}  // namespace demarc::zones::yaml
