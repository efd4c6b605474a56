// What people edit in a random history: jurisdictions, keys, rules and services.
#include <fmt/format.h>

#include "tests/simulation/history.h"
#include "tests/simulation/signers.h"
#include "tests/zones/world.h"
#include "zones/tenants.h"

namespace demarc::simulation {

using namespace zones;
using namespace zones::testing;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t service_count = 3;

/// Few countries, so that a reload costs microseconds; the oracle asks as each of them.
constexpr std::string_view countries[] = {"", "DE", "FR", "CH", "US", "JP", "BR"};

constexpr JurisdictionId JP{3};
constexpr RegionId jp{4};
constexpr std::uint64_t region_count = 5;

}  // namespace

Approvals History::random_approvals() {
  Approvals approvals{.audience = "sim", .max_duration = 2h, .keys = {}, .rules = {}};
  for (const Signer& signer : signers()) {
    if (one_in(16)) continue;
    ApprovalKey key{
        signer.key, signer.person, signer.role, signer.algorithm, pem_of(signer, !one_in(20)), {}};
    if (one_in(16)) key.not_after = clock_.wall + Seconds(pick(7200));
    approvals.keys.push_back(std::move(key));
  }
  static const std::vector<Required> requirements = {
      {{"legal", 1}}, {{"legal", 1}}, {{"legal", 1}, {"security", 1}}, {{"legal", 2}}};
  for (const Mode mode : {Mode::full_write, Mode::scoped_write, Mode::read_only}) {
    if (one_in(10)) continue;
    approvals.rules.push_back(
        {one_in(4) ? "example.com" : "*", mode, requirements[pick(requirements.size())]});
  }
  if (!one_in(3)) {
    approvals.break_glass = BreakGlass{.max_duration = one_in(2) ? Seconds(4h) : Seconds(30min),
                                       .require = {{"security", 1}},
                                       .review = {{"legal", 1}}};
  }
  return approvals;
}

Policy History::random_policy() {
  Policy policy = small_policy();
  policy.jurisdictions.push_back({"JP", {code("JP")}, {}});
  policy.regions.push_back({"jp", JP, {35, 139}});
  policy.digest = std::to_string(pick(1'000'000));
  if (!one_in(10)) policy.approvals = random_approvals();
  if (one_in(8)) policy.jurisdictions[0].approved_standby.clear();
  if (one_in(16)) policy.regions[index_of(eu2)].jurisdiction = CH;
  policy.mass_failure.share = one_in(3) ? 100 : 20 + 15 * static_cast<unsigned>(pick(4));
  if (one_in(2)) policy.mass_failure.window = 10min;
  add_random_rules(policy);
  policy.residency_rules = random_residency_rules();
  policy.assertions = random_assertions();
  if (one_in(4)) policy.advisor = Advisor{.url = "http://127.0.0.1:8181/v1/data/sim"};
  return policy;
}

void History::add_random_rules(Policy& policy) {
  if (one_in(3)) {
    PlanTemplate plan{.id = "eu-to-us",
                      .zone = "example.com",
                      .service = "s0.example.com",
                      .from = {"eu"},
                      .to = {"us"},
                      .mode = Mode::full_write,
                      .max_share = 40,
                      .max_duration = 1h,
                      .digest = one_in(2) ? "d1" : "d2"};
    policy.templates = {std::move(plan)};
  }
}

std::vector<ResidencyRule> History::random_residency_rules() {
  std::vector<ResidencyRule> list;
  const std::size_t rules = one_in(3) ? 1 + pick(3) : 0;
  for (std::size_t i = 0; i < rules; ++i) {
    ResidencyRule rule{.id = fmt::format("r{}", i),
                       .effect = one_in(3) ? Effect::deny : Effect::allow,
                       .zone = one_in(6) ? "example.org" : "*",
                       .service = one_in(3) ? "s0.example.com" : "*"};
    if (one_in(3)) rule.from = {EU};
    if (one_in(3)) rule.to = {one_in(2) ? US : JP};
    if (one_in(4)) rule.mode = Mode::full_write;
    list.push_back(std::move(rule));
  }
  return list;
}

std::vector<Assertion> History::random_assertions() {
  std::vector<Assertion> list;
  if (one_in(4)) {
    const auto first = pick(region_count),
               second = (first + 1 + pick(region_count - 1)) % region_count;
    list.push_back({.id = "apart",
                    .kind = Assertion::Kind::never_together,
                    .regions = {RegionId{static_cast<std::uint16_t>(first)},
                                RegionId{static_cast<std::uint16_t>(second)}}});
  }
  if (one_in(6)) {
    list.push_back({.id = "on",
                    .kind = Assertion::Kind::at_least,
                    .count = 1,
                    .regions = {eu, eu2},
                    .service = one_in(2) ? "*" : "s1.example.com"});
  }
  return list;
}

/// None at all, the default, or anything.
LeashSettings History::random_leash() {
  LeashSettings leash;
  if (one_in(3)) {
    leash.removed_per_minute = 100;
    leash.failback_delay = 0ms;
    return leash;
  }
  if (one_in(2)) return leash;
  leash.removed_per_minute = 1 + static_cast<unsigned>(pick(100));
  leash.min_healthy = static_cast<unsigned>(pick(101));
  leash.failover_delay = Milliseconds(pick(3) * 60'000);
  leash.failback_delay = Milliseconds(pick(600'000));
  leash.slow_start = Milliseconds(pick(2) * 300'000);
  if (one_in(3)) leash.flap = FlapSettings{};
  leash.failback_by_hand = one_in(2);
  return leash;
}

Service History::random_service(std::size_t number) {
  std::vector<Record> records;
  const std::size_t count = 1 + pick(4);
  for (std::size_t i = 0; i < count; ++i) {
    // A home and a place abroad first, so that there is something to be approved.
    const std::uint64_t any = i == 0 ? pick(2) : i == 1 ? 3 + pick(2) : pick(region_count);
    RegionId region{static_cast<std::uint16_t>(any)};
    // Often both places abroad: then there can be two exceptions that are unlike.
    if (i == 2 && one_in(2)) region = records[1].region == us ? jp : us;
    const bool foreign = region == us || region == jp;
    records.push_back(record(region, static_cast<std::uint16_t>(foreign ? 0 : pick(3) * 50),
                             fmt::format("e{}.s{}.example.net", i, number)));
    if (one_in(3)) records.back().capacity = 30 * (1 + pick(4));
    if (one_in(8)) {
      records.back().jurisdiction = JurisdictionId{static_cast<std::uint16_t>(pick(4))};
      records.back().addresses.clear();
    }
  }
  static constexpr Residency kinds[] = {Residency::hard, Residency::hard, Residency::hard,
                                        Residency::soft, Residency::none};
  Service made = service(fmt::format("s{}", number), kinds[pick(5)], std::move(records));
  if (one_in(3)) {
    // Unlike ones to go to, so that two exceptions of one service answer at once.
    made.route = RouteLines{{RouteLine{MatchCountry{{code("US")}}, {us, eu, jp, ch, eu2}, {}},
                             RouteLine{MatchCountry{{code("JP")}}, {jp, eu, eu2, ch, us}, {}},
                             RouteLine{MatchAll{}, {eu, eu2, ch, us, jp}, {}}}};
  } else if (one_in(3)) {
    made.route = RouteNearest{{eu, eu2, ch, us, jp}, {}};
  }
  if (made.residency == Residency::hard && one_in(3)) made.home_kind = HomeKind::client;
  made.on_block.answer = static_cast<BlockAnswer>(pick(3));
  if (one_in(4)) {
    made.on_block = {BlockAnswer::record, RecordId{static_cast<std::uint16_t>(pick(count))}};
  }
  static constexpr Access accesses[] = {Access::read, Access::scoped_write, Access::write};
  made.access = accesses[pick(3)];
  made.quorum = one_in(4) ? 2 : 1;
  made.degraded_weight = 1 + static_cast<unsigned>(pick(100));
  made.activation.target_healthy = one_in(3);
  made.leash = random_leash();
  add_random_checks(made, number);
  if (one_in(4)) made.activation.capacity = 20 * (1 + pick(5));
  for (const RegionId region : {us, jp}) {
    if (!one_in(5)) continue;
    made.activation.lag.push_back({.key = fmt::format("s{}/lag/{}", number, index_of(region)),
                                   .region = region,
                                   .url = "http://127.0.0.1/health",
                                   .pointer = "/lag",
                                   .max = 30,
                                   .interval = Milliseconds(60'000)});
  }
  return made;
}

/// The tenants of the first service: acme and asset of one class or of two, bolt of the second.
void History::add_random_tenants(Repository& repository) {
  Service& parent = repository.services.front();
  parent.home_kind = HomeKind::tenant;
  parent.home.reset();
  parent.residency = Residency::hard;
  parent.on_block = {};
  for (const char* label : {"s0/a", "s0/b"}) {
    Service made = parent;
    made.label = label;
    made.owner = name(fmt::format("class-{}.s0.example.com", label[3]));
    made.home = one_in(3) ? JurisdictionId{static_cast<std::uint16_t>(pick(4))} : EU;
    made.residency = one_in(5) ? Residency::soft : Residency::hard;
    made.route = RouteLines{{RouteLine{MatchAll{}, {eu, eu2, ch, us, jp}, {}}}};
    made.tenants_of = ServiceId{0};
    repository.services.push_back(std::move(made));
  }
  const ServiceId a{service_count}, b{service_count + 1};
  repository.tenants = std::make_shared<const TenantMap>(
      TenantMap::Classes{{{ServiceId{0}, "acme"}, a},
                         {{ServiceId{0}, "asset"}, one_in(2) ? a : b},
                         {{ServiceId{0}, "bolt"}, b}},
      std::to_string(pick(1'000'000)));
}

/// An edit of one thing, so that nothing else ends what it should end.
void History::edit(Policy& policy) {
  if (one_in(3)) {
    policy.residency_rules = random_residency_rules();
    policy.digest = std::to_string(pick(1'000'000));
    if (const auto& grants = steering_.state().grants; one_in(2) && !grants.empty()) {
      // What somebody allowed a while ago, somebody else forbids.
      const GrantScope& scope = grants.begin()->second.scope;
      if (const auto to = policy.find_region(scope.to.front())) {
        policy.residency_rules.insert(policy.residency_rules.begin(),
                                      {.id = "not-there",
                                       .effect = Effect::deny,
                                       .to = {policy.region(*to).jurisdiction},
                                       .mode = scope.mode});
      }
    }
    return;
  }
  if (one_in(3) || !policy.approvals) {
    policy.approvals = random_approvals();
    return;
  }
  const Signer& signer = signers()[pick(signers().size())];
  for (ApprovalKey& key : policy.approvals->keys) {
    if (key.id == signer.key) key.public_key_pem = pem_of(signer, one_in(2));
  }
}

void History::add_random_checks(Service& service, std::size_t number) {
  const std::size_t count = service.records.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (one_in(4)) continue;
    const std::size_t checks = one_in(6) ? 2 : 1;
    for (std::size_t c = 0; c < checks; ++c) {
      std::optional<std::vector<SetWeight>> on_fail;
      if (one_in(2)) on_fail.emplace();
      for (std::size_t j = 0; on_fail && j < count; ++j) {
        if (!one_in(2)) continue;
        on_fail->push_back(
            {RecordId{static_cast<std::uint16_t>(j)}, static_cast<std::uint16_t>(pick(2) * 100)});
      }
      add_check(service, i, on_fail);
      service.checks.back().key = fmt::format("s{}/e{}/{}", number, i, c);
      if (one_in(6)) service.checks.back().votes = static_cast<unsigned>(2 * pick(2));
    }
  }
}

void History::reload() {
  std::unique_ptr<Repository> repository;
  if (configuration_ && !one_in(3)) {
    repository = std::make_unique<Repository>(*configuration_->repository);
    edit(repository->policy);
  } else {
    std::vector<Service> services;
    for (std::size_t i = 0; i < service_count; ++i) services.push_back(random_service(i));
    repository = std::make_unique<Repository>(repository_of(std::move(services), random_policy()));
    if (one_in(3)) add_random_tenants(*repository);
  }
  repository->digest = std::to_string(pick(1'000'000));
  auto views = std::make_unique<Views>(*repository);
  clients_.clear();
  for (const std::string_view country : countries) {
    geo::Location location;
    if (!country.empty()) location.country = code(country);
    clients_.push_back({location.country, views->classify(location).value()});
  }
  configuration_ =
      std::make_shared<const Configuration>(Configuration{std::move(repository), std::move(views)});
  load();
}

void History::load() { happens(ConfigurationLoaded{configuration_, "sim"}); }

}  // namespace demarc::simulation
