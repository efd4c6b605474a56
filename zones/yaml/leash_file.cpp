#include "zones/yaml/leash_file.h"

#include "zones/flap.h"
#include "zones/yaml/activation_file.h"

namespace demarc::zones::yaml {
namespace {

constexpr Milliseconds leash_duration_max = std::chrono::hours{24};
constexpr std::uint64_t penalty_max = 1'000'000;

void read_flap(const Reading& reading, const Node& node, LeashEntry& entry) {
  FlapSettings flap;
  const auto penalty = [&](std::string_view key, unsigned FlapSettings::* setting) {
    return Field{key, Presence::optional, [&reading, &flap, key, setting](const Node& value) {
                   assign(flap.*setting, read_integer(reading, value, key, {1, penalty_max}));
                 }};
  };
  read_map(reading, node, "flap",
           {{"half-life", Presence::optional,
             [&](const Node& value) {
               assign(flap.half_life, read_duration(reading, value, "half-life",
                                                    {Milliseconds{1000}, leash_duration_max}));
             }},
            penalty("suppress", &FlapSettings::suppress),
            penalty("reuse", &FlapSettings::reuse)});
  if (flap.reuse >= flap.suppress) {
    reading.error(node.at, "bad-flap", "reuse {} is not below suppress {}; expected it lower",
                  flap.reuse, flap.suppress);
    return;
  }
  if (flap.suppress >= flap.reuse * std::uint64_t{flap_penalty_limit}) {
    reading.error(node.at, "bad-flap",
                  "suppress {} is never reached, as a penalty grows to {} times reuse {} at most; "
                  "expected reuse higher or suppress lower",
                  flap.suppress, flap_penalty_limit, flap.reuse);
    return;
  }
  entry.add([flap](LeashSettings& s) { s.flap = flap; });
}

void read_mass_failure(const Reading& reading, const Node& node, LeashEntry& entry) {
  read_map(
      reading, node, "mass-failure",
      {{"share", Presence::optional,
        [&](const Node& value) {
          assign(entry.mass_failure.share, read_share(reading, value, "share", 1));
        }},
       {"window", Presence::optional, [&](const Node& value) {
          assign(entry.mass_failure.window,
                 read_duration(reading, value, "window", {Milliseconds{1000}, leash_duration_max}));
        }}});
}

/// The keys that both places have, as fields that write to `entry`.
class LeashFields {
 public:
  LeashFields(const Reading& reading, LeashEntry& entry) : reading_(reading), entry_(entry) {}

  Field percent(std::string_view key, unsigned LeashSettings::* setting, unsigned min) const {
    return {key, Presence::optional, [this, key, setting, min](const Node& value) {
              const auto share = read_share(reading_, value, key, min);
              if (share) entry_.add([setting, to = *share](LeashSettings& s) { s.*setting = to; });
            }};
  }
  Field duration(std::string_view key, Milliseconds LeashSettings::* setting) const {
    return {key, Presence::optional, [this, key, setting](const Node& value) {
              const auto time =
                  read_duration(reading_, value, key, {Milliseconds{0}, leash_duration_max});
              if (time) entry_.add([setting, to = *time](LeashSettings& s) { s.*setting = to; });
            }};
  }
  Field flap() const {
    return {"flap", Presence::optional,
            [this](const Node& value) { read_flap(reading_, value, entry_); }};
  }
  Field failback() const {
    return {"failback", Presence::optional, [this](const Node& value) {
              const auto by_hand = read_choice<bool>(reading_, value, "failback",
                                                     {{"auto", false}, {"manual", true}});
              if (!by_hand) return;
              entry_.add([to = *by_hand](LeashSettings& s) { s.failback_by_hand = to; });
            }};
  }

 private:
  const Reading& reading_;
  LeashEntry& entry_;
};

LeashEntry read(const Reading& reading, const Node& node, bool is_policy) {
  LeashEntry entry;
  const LeashFields fields(reading, entry);
  const Field removed = fields.percent("removed-per-minute", &LeashSettings::removed_per_minute, 1);
  const Field healthy = fields.percent("min-healthy", &LeashSettings::min_healthy, 0);
  const Field failover = fields.duration("failover-delay", &LeashSettings::failover_delay);
  const Field failback = fields.duration("failback-delay", &LeashSettings::failback_delay);
  const Field slowly = fields.duration("slow-start", &LeashSettings::slow_start);
  if (!is_policy) {
    read_map(reading, node, "leash",
             {removed, healthy, failover, failback, slowly, fields.flap(), fields.failback()});
    return entry;
  }
  read_map(reading, node, "leash",
           {removed,
            healthy,
            failover,
            failback,
            slowly,
            fields.flap(),
            fields.failback(),
            {"mass-failure", Presence::optional,
             [&](const Node& value) { read_mass_failure(reading, value, entry); }}});
  return entry;
}

}  // namespace

LeashEntry read_leash(const Reading& reading, const Node& node) {
  return read(reading, node, false);
}

LeashEntry read_policy_leash(const Reading& reading, const Node& node) {
  return read(reading, node, true);
}

}  // namespace demarc::zones::yaml
