#include "zones/tenant_export.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace demarc::zones {
namespace {

// What is written at once.
constexpr std::size_t piece_bytes = std::size_t{64} << 10U;

std::string owner_of(const Repository& repository, const TenantMap& map, std::size_t set) {
  return repository.service(map.service_of(set)).owner.text_without_dot();
}

/// Sets by the owner's name, which files give, not by ids, which order gives.
std::map<std::string, std::uint32_t> sets_by_owner(const Repository& repository,
                                                   const TenantMap* map) {
  std::map<std::string, std::uint32_t> sets;
  if (map == nullptr) return sets;
  for (std::uint32_t set = 0; set < map->set_count(); ++set) {
    sets[owner_of(repository, *map, set)] = set;
  }
  return sets;
}

/// What `write` makes of each kind, made once: there are few kinds and a million lines.
template <typename Made, typename Make>
class ByKind {
 public:
  ByKind(const TenantMap& map, Make make) : map_(map), make_(std::move(make)) {}
  const Made& of(TenantId id) {
    const TenantKind& kind = map_.kind(id);
    if (&kind == last_) return *made_last_;
    const auto [found, is_new] = made_.try_emplace(&kind);
    if (is_new) found->second = make_(kind);
    last_ = &kind;
    made_last_ = &found->second;
    return *made_last_;
  }

 private:
  const TenantMap& map_;
  Make make_;
  std::map<const TenantKind*, Made> made_;
  const TenantKind* last_ = nullptr;
  const Made* made_last_ = nullptr;
};

std::string_view placement_text(Placement placement) {
  return placement == Placement::hash ? "hash" : "line";
}

std::string canonical(const Policy& policy, const TenantKind& kind) {
  const TenantState state = tenant_state(policy, kind);
  return fmt::format(" {} {} {} {} {} {}\n", state.home, state.residency,
                     fmt::join(state.regions, ","), placement_text(state.placement),
                     state.regulated, state.sensitivity);
}

std::string json_tail(const Policy& policy, const TenantKind& kind) {
  // Names of regions and jurisdictions are identifiers: nothing in them needs an escape.
  const TenantState state = tenant_state(policy, kind);
  std::string regions;
  for (const std::string& region : state.regions) {
    regions += fmt::format("{}\"{}\"", regions.empty() ? "" : ",", region);
  }
  return fmt::format(
      "\"home\":\"{}\",\"residency\":\"{}\",\"regions\":[{}],\"placement\":\"{}\","
      "\"regulated\":{},\"sensitivity\":\"{}\"}}",
      state.home, state.residency, regions, placement_text(state.placement), state.regulated,
      state.sensitivity);
}

/// An owner may have characters that its text escapes, and JSON as well.
std::string json_text(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') out += '\\';
    out += letter;
  }
  return out;
}

/// Walks two ordered lists of tenants side by side.
class Comparison {
 public:
  Comparison(const Repository& before, const Repository& after, std::size_t list_max)
      : before_(before), after_(after), list_max_(list_max) {}

  void compare(const std::string& owner, std::optional<std::uint32_t> old_set,
               std::optional<std::uint32_t> new_set) {
    const TenantMap& was = map_or_empty(before_);
    const TenantMap& is = map_or_empty(after_);
    ByKind<TenantState, std::function<TenantState(const TenantKind&)>> states_before(
        was, [&](const TenantKind& kind) { return tenant_state(before_.policy, kind); });
    ByKind<TenantState, std::function<TenantState(const TenantKind&)>> states_after(
        is, [&](const TenantKind& kind) { return tenant_state(after_.policy, kind); });
    const std::size_t old_count = old_set ? was.size_of(*old_set) : 0;
    const std::size_t new_count = new_set ? is.size_of(*new_set) : 0;
    TenantId old_id{old_set.value_or(0), 0};
    TenantId new_id{new_set.value_or(0), 0};
    while (old_id.line < old_count || new_id.line < new_count) {
      int order = 0;
      if (old_id.line == old_count) {
        order = 1;
      } else if (new_id.line == new_count) {
        order = -1;
      } else {
        order = was.name(old_id).compare(is.name(new_id));
      }
      if (order == 0) {
        const TenantState& then = states_before.of(old_id);
        const TenantState& now = states_after.of(new_id);
        if (then != now) note(owner, is.name(new_id), &then, &now);
      } else if (order < 0) {
        note(owner, was.name(old_id), &states_before.of(old_id), nullptr);
      } else {
        note(owner, is.name(new_id), nullptr, &states_after.of(new_id));
      }
      old_id.line += order <= 0 ? 1 : 0;
      new_id.line += order >= 0 ? 1 : 0;
    }
  }

  TenantChanges take() {
    std::ranges::move(others_, std::back_inserter(changes_.list));
    if (changes_.list.size() > list_max_) changes_.list.resize(list_max_);
    return std::move(changes_);
  }

 private:
  static const TenantMap& map_or_empty(const Repository& repository) {
    static const TenantMap empty;
    return repository.tenants ? *repository.tenants : empty;
  }

  static bool is_legal(const TenantState* then, const TenantState* now) {
    if ((then != nullptr && then->regulated) || (now != nullptr && now->regulated)) return true;
    if (then == nullptr || now == nullptr) return false;
    const bool leaves_hard = (then->residency == "hard") != (now->residency == "hard");
    return then->home != now->home || leaves_hard;
  }

  void note(const std::string& owner, std::string_view tenant, const TenantState* then,
            const TenantState* now) {
    TenantChange change;
    change.kind = then == nullptr  ? TenantChangeKind::added
                  : now == nullptr ? TenantChangeKind::removed
                                   : TenantChangeKind::moved;
    ++(then == nullptr  ? changes_.added
       : now == nullptr ? changes_.removed
                        : changes_.moved);
    change.is_legal = is_legal(then, now);
    if (change.is_legal) ++changes_.legal;
    auto& list = change.is_legal ? changes_.list : others_;
    if (list.size() == list_max_) return;
    change.service = owner;
    change.tenant = tenant;
    if (then != nullptr) change.before = *then;
    if (now != nullptr) change.after = *now;
    list.push_back(std::move(change));
  }

  const Repository& before_;
  const Repository& after_;
  std::size_t list_max_;
  TenantChanges changes_;
  std::vector<TenantChange> others_;
};

}  // namespace

TenantState tenant_state(const Policy& policy, const TenantKind& kind) {
  TenantState state{.home = policy.jurisdiction(kind.home).name,
                    .residency = std::string(to_text(kind.residency)),
                    .regions = {},
                    .placement = kind.placement,
                    .regulated = kind.regulated,
                    .sensitivity = std::string(to_text(kind.sensitivity))};
  for (const RegionId region : kind.regions) state.regions.push_back(policy.region(region).name);
  return state;
}

Sha256 tenants_digest(const Repository& repository, const TenantMap& map) {
  Sha256Stream stream;
  std::string text;
  ByKind<std::string, std::function<std::string(const TenantKind&)>> words(
      map, [&](const TenantKind& kind) { return canonical(repository.policy, kind); });
  for (const auto& [owner, set] : sets_by_owner(repository, &map)) {
    text += fmt::format("service {} {}\n", owner, to_text(map.labels_of(set)));
    for (TenantId id{set, 0}; id.line < map.size_of(set); ++id.line) {
      text += map.name(id);
      text += words.of(id);
      if (text.size() < piece_bytes) continue;
      stream.add(text);
      text.clear();
    }
  }
  stream.add(text);
  return stream.finish();
}

void export_tenants(const Repository& repository, std::optional<ServiceId> service,
                    const std::function<void(std::string_view)>& write) {
  static const TenantMap empty;
  const TenantMap& map = repository.tenants ? *repository.tenants : empty;
  std::string text =
      fmt::format("{{\"format\":1,\"digest\":\"{}\",\"services\":[", map.digest());
  ByKind<std::string, std::function<std::string(const TenantKind&)>> words(
      map, [&](const TenantKind& kind) { return json_tail(repository.policy, kind); });
  bool is_first_set = true;
  for (const auto& [owner, set] : sets_by_owner(repository, &map)) {
    if (service && map.service_of(set) != *service) continue;
    text += fmt::format("{}\n{{\"service\":\"{}\",\"labels\":\"{}\",\"tenants\":[",
                        is_first_set ? "" : ",", json_text(owner), to_text(map.labels_of(set)));
    is_first_set = false;
    for (TenantId id{set, 0}; id.line < map.size_of(set); ++id.line) {
      text += id.line == 0 ? "\n{\"name\":\"" : ",\n{\"name\":\"";
      text += map.name(id);
      text += "\",";
      if (const auto label = map.opaque_label(id)) text += "\"label\":\"" + *label + "\",";
      text += words.of(id);
      if (text.size() < piece_bytes) continue;
      write(text);
      text.clear();
    }
    text += "\n]}";
  }
  text += "\n]}\n";
  write(text);
}

TenantChanges diff_tenants(const Repository& before, const Repository& after,
                           std::size_t list_max) {
  const auto old_sets = sets_by_owner(before, before.tenants.get());
  const auto new_sets = sets_by_owner(after, after.tenants.get());
  Comparison comparison(before, after, list_max);
  for (const auto& [owner, set] : old_sets) {
    const auto other = new_sets.find(owner);
    comparison.compare(owner, set,
                       other == new_sets.end() ? std::nullopt : std::optional(other->second));
  }
  for (const auto& [owner, set] : new_sets) {
    if (!old_sets.contains(owner)) comparison.compare(owner, std::nullopt, set);
  }
  return comparison.take();
}

}  // namespace demarc::zones
