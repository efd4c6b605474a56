#include "zones/grant.h"

#include <algorithm>
#include <random>
#include <set>

#include "tests/zones/token_story.h"

using namespace demarc;
using namespace demarc::zones;
using namespace demarc::zones::testing;

namespace {

bool satisfied(const Required& require,
               const std::vector<std::pair<std::string, std::string>>& person_and_role) {
  std::vector<Signature> signatures;
  for (const auto& [person, role] : person_and_role) {
    signatures.push_back({.person = person, .role = role});
  }
  return is_satisfied(require, signatures);
}

}  // namespace

TEST_CASE("grant: k of n counts persons, not keys, not signatures", "[zones][grant]") {
  CHECK(satisfied({{"legal", 1}}, {{"anna", "legal"}}));
  CHECK_FALSE(satisfied({{"legal", 1}}, {}));
  CHECK_FALSE(satisfied({{"legal", 1}}, {{"ben", "security"}}));
  CHECK_FALSE(satisfied({{"legal", 2}}, {{"anna", "legal"}, {"anna", "legal"}}));
  CHECK(satisfied({{"legal", 2}}, {{"anna", "legal"}, {"carl", "legal"}}));
  CHECK_FALSE(
      satisfied({{"legal", 1}, {"security", 1}}, {{"anna", "legal"}, {"anna", "security"}}));
  CHECK(satisfied({{"legal", 1}, {"security", 1}}, {{"anna", "legal"}, {"ben", "security"}}));
  // Anna could fill both places; she must leave the one that Ben cannot fill.
  CHECK(satisfied({{"legal", 1}, {"security", 1}},
                  {{"anna", "legal"}, {"anna", "security"}, {"ben", "legal"}}));
  CHECK_FALSE(satisfied({}, {{"anna", "legal"}}));  // a rule that requires nobody approves nothing
}

namespace {

/// Whether persons can fill the places, by trying every assignment: slow and plainly right.
bool fills(std::vector<std::string> places,
           const std::map<std::string, std::set<std::string>>& roles,
           const std::set<std::string>& taken = {}) {
  if (places.empty()) return true;
  const std::string place = places.back();
  places.pop_back();
  return std::ranges::any_of(roles, [&](const auto& person) {
    if (!person.second.contains(place) || taken.contains(person.first)) return false;
    auto next = taken;
    next.insert(person.first);
    return fills(places, roles, next);
  });
}

}  // namespace

TEST_CASE("grant: no subset below the threshold makes a grant", "[zones][grant]") {
  std::mt19937 random(20261123);
  const std::vector<std::string> roles = {"legal", "security", "sre"};
  int satisfied_ones = 0;
  for (int round = 0; round < 3000; ++round) {
    Required required;
    std::vector<std::string> places;
    for (const auto& role : roles) {
      const auto count = static_cast<unsigned>(random() % 3);
      if (count == 0) continue;
      required[role] = count;
      places.insert(places.end(), count, role);
    }
    std::vector<Signature> signatures;
    std::map<std::string, std::set<std::string>> roles_of;
    for (auto i = random() % 7; i > 0; --i) {
      const std::string person(1, static_cast<char>('a' + random() % 5));
      const std::string& role = roles[random() % roles.size()];
      signatures.push_back({.person = person, .role = role});
      roles_of[person].insert(role);
    }
    const bool expected = !places.empty() && fills(places, roles_of);
    CHECK(is_satisfied(required, signatures) == expected);
    satisfied_ones += expected ? 1 : 0;
    if (!expected && !places.empty()) {
      // What is said to be missing, with new persons, is just enough: and nothing less is.
      auto missing = missing_roles(required, signatures);
      CHECK_FALSE(missing.empty());
      for (std::size_t i = 0; i < missing.size(); ++i) {
        CHECK_FALSE(is_satisfied(required, signatures));
        signatures.push_back({.person = "new-" + std::to_string(i), .role = missing[i]});
      }
      CHECK(is_satisfied(required, signatures));
    }
  }
  CHECK(satisfied_ones > 200);
}

namespace {

Claims asked(const std::function<void(Claims&)>& change) {
  Claims claims = claims_at(noon, "t", TokenType::approval);
  change(claims);
  return claims;
}

/// "SERVICE[/TENANT] FROM>TO SHARE" of what a scope permits.
std::vector<std::string> permits(const Repository& repository, const Claims& claims) {
  const auto scope = resolve_scope(repository, claims);
  REQUIRE(scope.has_value());
  Grant grant = begin_grant(*scope, "t", noon);
  grant.ends = noon + 1h;
  std::vector<std::string> list;
  for (const Permission& p : permission_of(repository, grant)) {
    CHECK(p.end == grant.ends);
    CHECK(p.mode == scope->mode);
    std::string text = repository.service(p.service).label;
    if (!p.tenant.empty()) text += "/" + p.tenant;
    for (const RegionId region : p.from) text += " " + repository.policy.region(region).name;
    text += ">";
    for (const RegionId region : p.to) text += repository.policy.region(region).name + " ";
    list.push_back(text + std::to_string(p.max_share));
    const auto alone = permission_for(repository, grant, p.service);
    REQUIRE(alone.has_value());
    CHECK(alone->tenant == p.tenant);
    CHECK(alone->from == p.from);
  }
  return list;
}

}  // namespace

TEST_CASE("grant: what a scope reaches, and nothing else", "[zones][grant]") {
  const Repository repository = tenant_repository();
  using Rows = std::vector<std::string>;
  const auto reaches = [&](const std::function<void(Claims&)>& change) {
    return permits(repository, asked(change));
  };
  // A service has its tenants with it; a tenant has nobody with it.
  CHECK(reaches([](Claims&) {}) ==
        Rows{"api eu>us 100", "api-class-1 eu>us 100", "api-class-2 eu>us 100"});
  CHECK(reaches([](Claims& c) { c.tenant = "acme"; }) == Rows{"api-class-1/acme eu>us 100"});
  CHECK(reaches([](Claims& c) { c.tenant = "ACME"; }) == Rows{"api-class-1/acme eu>us 100"});
  CHECK(reaches([](Claims& c) { c.service = "API.example.com."; }).size() == 3);
  CHECK(reaches([](Claims& c) { c.tenant = "bolt"; }) == Rows{"api-class-2/bolt eu>us 100"});
  CHECK(reaches([](Claims& c) { c.max_share = 5; }).front() == "api eu>us 5");
  // All hard services of the zone whose access the mode covers; the soft one is none of them.
  CHECK(reaches([](Claims& c) { c.service = "*"; }) ==
        Rows{"api eu>us 100", "docs eu>us 100", "api-class-1 eu>us 100", "api-class-2 eu>us 100"});
  CHECK(reaches([](Claims& c) {
          c.service = "*";
          c.mode = Mode::read_only;
        }) == Rows{"docs eu>us 100"});
  // The template's share, though the token says none; what the token says must be the same.
  const Rows by_template = {"api eu>us 30", "api-class-1 eu>us 30", "api-class-2 eu>us 30"};
  CHECK(reaches([](Claims& c) { c.plan_template = "eu-to-us"; }) == by_template);
  CHECK(reaches([](Claims& c) {
          c.plan_template = "eu-to-us";
          c.zone.clear();
          c.service.clear();
          c.from.clear();
          c.to.clear();
          c.mode_is_given = false;
        }) == by_template);
}

TEST_CASE("grant: a template's word against the token's", "[zones][grant]") {
  const Repository repository = tenant_repository();
  const std::vector<std::pair<const char*, std::function<void(Claims&)>>> rows = {
      {"zone", [](Claims& c) { c.zone = "example.org"; }},
      {"service", [](Claims& c) { c.service = "docs"; }},
      {"from", [](Claims& c) { c.from = {"eu", "eu2"}; }},
      {"to", [](Claims& c) { c.to = {"ch"}; }},
      {"mode", [](Claims& c) { c.mode = Mode::scoped_write; }},
      {"max-share", [](Claims& c) { c.max_share = 29; }}};
  for (const auto& [claim, change] : rows) {
    const auto scope = resolve_scope(repository, asked([&](Claims& c) {
                                       c.plan_template = "eu-to-us";
                                       change(c);
                                     }));
    REQUIRE_FALSE(scope.has_value());
    CHECK(scope.error().kind == RefusalKind::scope);
    CHECK(scope.error().text ==
          "`" + std::string(claim) + "` is not what the template `eu-to-us` says");
  }
}

TEST_CASE("grant: what it rests on must stay", "[zones][grant]") {
  const auto lost = [](const Claims& claims, const std::function<void(Repository&)>& change) {
    Repository repository = tenant_repository();
    const Grant grant = begin_grant(resolve_scope(repository, claims).value(), "t", noon);
    CHECK_FALSE(lost_backing(repository, grant).has_value());
    change(repository);
    return lost_backing(repository, grant).value_or("");
  };
  const Claims plan = asked([](Claims& c) { c.plan_template = "eu-to-us"; });
  const Claims tenant = asked([](Claims& c) { c.tenant = "acme"; });
  const Claims plain = asked([](Claims&) {});
  CHECK(lost(plan, [](Repository& r) { r.policy.templates[0].digest = "d2"; }) ==
        "the template eu-to-us was changed or removed");
  CHECK(lost(plan, [](Repository& r) { r.policy.templates.clear(); }) ==
        "the template eu-to-us was changed or removed");
  CHECK(lost(tenant, [](Repository& r) { r.tenants.reset(); }) ==
        "`api.example.com` has no tenant `acme`");
  CHECK(lost(plain, [](Repository& r) { r.policy.regions[0].jurisdiction = CH; }) ==
        "its regions lie in other jurisdictions now: eu=CH us=US");
  CHECK(lost(plain, [](Repository& r) {
          r.policy.residency_rules = {{.id = "no-us", .to = {US}}};
        }) == "the residency rule `no-us` denies going to `us`");
  CHECK(lost(plain, [](Repository& r) { r.policy.approvals->rules.clear(); }) ==
        "the rule that allowed it was removed");
}
