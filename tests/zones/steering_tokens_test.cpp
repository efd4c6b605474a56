// Tokens before steering: every refusal, every way of presenting one twice, break-glass,
// revocation.
#include <algorithm>
#include <set>

#include "tests/zones/token_story.h"
#include "zones/digest.h"

using namespace demarc;
using namespace demarc::zones;
using namespace demarc::zones::testing;

namespace {

/// How to come by one refusal: what happened before, and the token.
struct Refused {
  RefusalKind kind;
  std::function<std::string(TokenStory&)> token;
};

std::string approval(TokenStory& story, const std::function<void(Claims&)>& change = {}) {
  return story.token("legal-1", "t-1", change);
}

const std::vector<Refused>& refusals() {
  using K = RefusalKind;
  using S = TokenStory&;
  static const std::vector<Refused> rows = {
      {K::malformed, [](S) { return std::string("no token"); }},
      {K::algorithm,
       [](S s) {
         const auto text = issue_token(claims_at(s.clock.wall, "t", TokenType::approval), "sec-1",
                                       KeyAlgorithm::EdDSA, pair_of("legal-1").private_key_pem);
         return text.value();
       }},
      {K::unknown_key, [](S s) { return s.token("nobody-1", "t"); }},
      {K::expired_key,
       [](S s) {
         Approvals approvals = full_approvals();
         approvals.keys[0].not_after = s.clock.wall;
         s.load(tenant_repository(approvals));
         return approval(s);
       }},
      {K::expired_key,
       [](S s) {
         Approvals approvals = full_approvals();
         approvals.key_list = KeyList{.version = 1, .require = {{"legal", 1}}, .not_after = noon};
         s.load(tenant_repository(approvals));
         return approval(s);
       }},
      {K::signature,
       [](S s) {
         return issue_token(claims_at(s.clock.wall, "t", TokenType::approval), "legal-1",
                            KeyAlgorithm::EdDSA, pair_of("legal-9").private_key_pem)
             .value();
       }},
      {K::audience, [](S s) { return approval(s, [](Claims& c) { c.audience = "lab"; }); }},
      {K::not_yet_valid,
       [](S s) {
         return approval(s, [](Claims& c) {
           c.not_before += 1min;
           c.issued_at += 1min;
         });
       }},
      {K::expired,
       [](S s) {
         const std::string text = approval(s);
         s.pass(1h);
         return text;
       }},
      {K::overlong, [](S s) { return approval(s, [](Claims& c) { c.expires += 24h; }); }},
      {K::overlong,
       [](S s) {
         return s.token(
             "sec-1", "b", [](Claims& c) { c.expires += 3h + 1s; }, TokenType::break_glass);
       }},
      {K::overlong,
       [](S s) {
         return approval(s, [](Claims& c) {
           c.plan_template = "eu-to-us";
           c.expires += 1h + 1s;
         });
       }},
      {K::used,
       [](S s) {
         s.present(approval(s));
         return approval(s);
       }},
      {K::no_rule,
       [](S s) {
         return approval(s, [](Claims& c) {
           c.mode = Mode::scoped_write;
           c.service = "docs";
         });
       }},
      {K::no_rule,
       [](S s) {
         return s.token("sec-1", "t", [](Claims& c) {
           c.mode = Mode::read_only;
           c.service = "docs";
         });
       }},
      {K::revoked,
       [](S s) {
         s.happens(KeyRevoked{"legal-1", "operator", "lost"});
         return approval(s);
       }},
      {K::type,
       [](S s) {
         return s.token("legal-1", "d", [](Claims& c) { c.drill = "eu-down"; }, TokenType::drill);
       }},
      {K::type,
       [](S s) {
         return s.token(
             "legal-1", "k",
             [](Claims& c) {
               c.version = 2;
               c.keys_digest = std::string(64, 'a');
             },
             TokenType::key_list);
       }},
      {K::type,
       [](S s) {
         Approvals approvals = full_approvals();
         approvals.break_glass.reset();
         s.load(tenant_repository(approvals));
         return s.token("sec-1", "b", {}, TokenType::break_glass);
       }},
      {K::review,
       [](S s) {
         s.present(s.token("sec-1", "b-1", {}, TokenType::break_glass));
         return s.token("sec-2", "b-2", {}, TokenType::break_glass);
       }},
      {K::denied,
       [](S s) {
         Repository repository = tenant_repository();
         repository.policy.residency_rules = {{.id = "no-us", .to = {US}}};
         s.load(std::move(repository));
         return approval(s);
       }},
      {K::denied,
       [](S s) {  // rules, and none matches
         Repository repository = tenant_repository();
         repository.policy.residency_rules = {
             {.id = "docs", .effect = Effect::allow, .service = "docs.example.com"}};
         s.load(std::move(repository));
         return s.token("sec-1", "b", {}, TokenType::break_glass);
       }},
      {K::scope, [](S s) { return approval(s, [](Claims& c) { c.zone = "example.org"; }); }},
      {K::scope, [](S s) { return approval(s, [](Claims& c) { c.service = "shop"; }); }},
      {K::scope, [](S s) { return approval(s, [](Claims& c) { c.service = "news"; }); }},
      {K::scope, [](S s) { return approval(s, [](Claims& c) { c.to = {"mars"}; }); }},
      {K::scope, [](S s) { return approval(s, [](Claims& c) { c.from = {"us"}; }); }},
      {K::scope, [](S s) { return approval(s, [](Claims& c) { c.to = {"eu"}; }); }},
      {K::scope, [](S s) { return approval(s, [](Claims& c) { c.change = "chg-0"; }); }},
      {K::scope, [](S s) { return approval(s, [](Claims& c) { c.tenant = "nobody"; }); }},
      {K::scope, [](S s) { return approval(s, [](Claims& c) { c.service = "api-class-1"; }); }},
      {K::scope, [](S s) { return approval(s, [](Claims& c) { c.plan_template = "none"; }); }},
      {K::scope,
       [](S s) {
         return approval(s, [](Claims& c) {
           c.plan_template = "eu-to-us";
           c.max_share = 31;
         });
       }},
      {K::scope, [](S s) { return s.review("legal-9", "r", "grant-0"); }},
      {K::mode, [](S s) { return approval(s, [](Claims& c) { c.mode = Mode::read_only; }); }},
      {K::unsupported,
       [](S s) {
         const auto jws = parse_jws(approval(s)).value();
         std::string payload = jws.payload;
         payload.insert(1, "\"plan-sha256\":\"00\",");
         return sign_jws(jws.header, payload, KeyAlgorithm::EdDSA,
                         pair_of("legal-1").private_key_pem)
             .value();
       }},
      {K::frozen,
       [](S s) {
         s.happens(FreezeSet{true, "operator", "maintenance"});
         return approval(s);
       }},
      {K::not_now,
       [](S s) {
         s.happens(AuditBroken{"disk full"});
         return approval(s);
       }},
      {K::not_now,
       [](S s) {
         const std::string text = approval(s);
         s.clock.wall -= 3s;
         return text;
       }},
  };
  return rows;
}

}  // namespace

TEST_CASE("steering: every refusal of a token, told and without effect", "[steering][token]") {
  std::set<RefusalKind> shown;
  for (const Refused& row : refusals()) {
    TokenStory story;
    const std::string text = row.token(story);
    const SteeringState before = story.steering.state();
    CAPTURE(to_text(row.kind));
    CHECK(story.present(text) == to_text(row.kind));
    CHECK(story.fact("token-refused").fact("rule") == to_text(row.kind));
    CHECK(story.steering.state().grants == before.grants);
    CHECK(story.steering.state().used_tokens == before.used_tokens);
    CHECK(story.steering.state().open_review == before.open_review);
    shown.insert(row.kind);
  }
  // RefusalKind's last one is not_now: every kind has its row.
  CHECK(shown.size() == static_cast<std::size_t>(RefusalKind::not_now) + 1);
}

TEST_CASE("steering: a token counts once on a node, and nowhere that knows of it", "[steering]") {
  TokenStory one, two;
  one.eu_down();
  const std::string legal = one.token("legal-1", "t-1"), security = one.token("sec-1", "t-2");
  CHECK(one.present(legal).empty());
  CHECK(one.present(legal) == "used");  // twice on one node does not make two persons
  CHECK(one.live() == 0);
  CHECK(one.present(security).empty());
  CHECK(one.live() == 1);
  CHECK(one.crosses());

  CHECK(two.present(legal).empty());  // another node that knows nothing accepts it on its own
  TokenStory three(tenant_repository(), one.steering.state());
  CHECK(three.present(legal) == "used");  // with the first one's state it does not

  const auto restored = parse_state(write_state(one.steering.state()));
  REQUIRE(restored.has_value());
  CHECK(*restored == one.steering.state());
  TokenStory again(tenant_repository(), *restored);
  CHECK(again.live() == 1);
  CHECK(again.present(security) == "used");

  Approvals stricter = full_approvals();
  stricter.rules[1].require["legal"] = 2;
  again.load(tenant_repository(stricter));
  CHECK(again.live() == 0);
  CHECK(again.fact("grant-ended").fact("why") == "the rule requires more persons now");
  CHECK(again.present(security) == "used");  // a changed policy gives no second use
}

TEST_CASE("steering: one person with two keys and two roles is one person", "[steering][token]") {
  TokenStory story;
  CHECK(story.present(story.token("legal-1", "t-1")).empty());
  CHECK(story.reply().ends_with("needs 1 more: security"));
  CHECK(story.present(story.token("legal-2", "t-2")).empty());
  CHECK(story.present(story.token("sec-anna", "t-3")).empty());
  CHECK(story.live() == 0);
  CHECK(story.present(story.token("sec-2", "t-4")).empty());
  CHECK(story.live() == 1);
  const AuditEntry& fact = story.fact("grant-accepted");
  CHECK(fact.jurisdiction == "EU");
  CHECK(fact.fact("token-t-1") ==
        story.steering.state().grants.begin()->second.signatures[0].token);
  CHECK(fact.fact("token-t-4").size() > 100);
}

TEST_CASE("steering: tokens of different scopes never count together", "[steering][token]") {
  const std::vector<std::function<void(Claims&)>> changes = {
      [](Claims& c) { c.max_share = 10; }, [](Claims& c) { c.tenant = "acme"; },
      [](Claims& c) { c.plan_template = "eu-to-us"; }, [](Claims& c) { c.service = "*"; },
      [](Claims& c) { c.from = {"eu"}, c.service = "docs"; }};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    TokenStory story;
    CAPTURE(i);
    CHECK(story.present(story.token("legal-1", "t-1")).empty());
    CHECK(story.present(story.token("sec-1", "t-2", changes[i])).empty());
    CHECK(story.live() == 0);
    CHECK(story.steering.state().grants.size() == 2);
  }
}

TEST_CASE("steering: break-glass is told to everyone and reviewed before the next", "[steering]") {
  TokenStory story;
  story.eu_down();
  CHECK(story.present(story.token("sec-1", "b-1", {}, TokenType::break_glass)).empty());
  CHECK(story.crosses());
  CHECK(story.told()[0] == "grant-accepted");
  CHECK(story.told()[1] == "review-opened");
  const std::string grant = story.steering.state().grants.begin()->first;
  const auto alert =
      std::ranges::find(story.effects.alerts_raised, "break-glass/" + grant, &Alert::key);
  REQUIRE(alert != story.effects.alerts_raised.end());
  CHECK(alert->level == AlertLevel::critical);
  CHECK(alert->to_everyone);

  // After a restart it is still open, and told again.
  const auto restored = parse_state(write_state(story.steering.state()));
  REQUIRE(restored.has_value());
  CHECK(*restored == story.steering.state());
  TokenStory next(tenant_repository(), *restored);
  CHECK(std::ranges::count(next.effects.alerts_raised, "break-glass/" + grant, &Alert::key) == 1);
  CHECK(next.present(next.token("sec-2", "b-2", {}, TokenType::break_glass)) == "review");
  CHECK(next.present(next.token("legal-1", "t-1")).empty());  // ordinary ones go on

  CHECK(next.present(next.review("sec-1", "r-0", grant)) == "review");  // a signer of the grant
  CHECK(next.present(next.review("legal-1", "r-1", grant)).empty());
  CHECK(next.told() == Kinds{"review-signed"});
  CHECK(next.reply().ends_with("needs 1 more: security"));
  CHECK(next.present(next.review("sec-anna", "r-2", grant)).empty());  // Anna again: one person
  CHECK(next.steering.state().open_review.has_value());
  CHECK(next.present(next.review("sec-2", "r-3", grant)).empty());
  CHECK(next.told() == Kinds{"review-signed", "review-closed"});
  CHECK_FALSE(next.steering.state().open_review.has_value());
  CHECK(std::ranges::count(next.effects.alerts_ended, "break-glass/" + grant) == 1);
  CHECK(next.present(next.token("sec-2", "b-3", {}, TokenType::break_glass)).empty());
}

TEST_CASE("steering: break-glass counts by its own rule alone", "[steering][token]") {
  Approvals approvals = full_approvals();
  approvals.break_glass->require = {{"legal", 1}, {"security", 1}};
  TokenStory story(tenant_repository(approvals));
  CHECK(story.present(story.token("legal-1", "t-1")).empty());
  CHECK(story.present(story.token("sec-1", "b-1", {}, TokenType::break_glass)).empty());
  CHECK(story.live() == 0);  // an approval and a break-glass token are two scopes
  CHECK(story.present(story.token("legal-9", "b-2", {}, TokenType::break_glass)).empty());
  CHECK(story.live() == 1);
  approvals.break_glass.reset();
  story.load(tenant_repository(approvals));
  CHECK(story.live() == 0);
}

TEST_CASE("steering: a revoked key ends what it signed and stays revoked", "[steering][revoke]") {
  TokenStory story;
  story.eu_down();
  (void)story.present(story.token("legal-1", "t-1"));
  (void)story.present(story.token("sec-1", "t-2"));
  REQUIRE(story.crosses());
  story.happens(FreezeSet{true, "operator", "a freeze hinders no revocation"});
  story.happens(KeyRevoked{"sec-1", "operator", ""});
  CHECK_FALSE(story.effects.reply->accepted);
  story.happens(KeyRevoked{"sec-1", "operator", "laptop lost"});
  CHECK(story.effects.reply->accepted);
  CHECK(story.live() == 0);
  CHECK_FALSE(story.crosses());
  CHECK(story.told()[0] == "key-revoked");
  CHECK(story.told()[1] == "grant-ended");
  story.happens(KeyRevoked{"sec-1", "operator", "again"});
  CHECK_FALSE(story.effects.reply->accepted);

  const auto restored = parse_state(write_state(story.steering.state()));
  REQUIRE(restored.has_value());
  CHECK(*restored == story.steering.state());
  Approvals renamed = full_approvals();
  renamed.keys[4].id = "sec-new";
  renamed.keys[4].public_key_pem += "\n";  // another text of the same key
  TokenStory next(tenant_repository(renamed), *restored);
  next.happens(FreezeSet{false, "operator", ""});
  const Claims claims = claims_at(next.clock.wall, "t-3", TokenType::approval);
  CHECK(next.present(
            issue_token(claims, "sec-new", KeyAlgorithm::ES256, pair_of("sec-1").private_key_pem)
                .value()) == "revoked");
  next.happens(KeyRevoked{"nobody", "operator", "x"});
  CHECK_FALSE(next.effects.reply->accepted);
}

TEST_CASE("steering: a token is revoked before anyone presents it", "[steering][revoke]") {
  TokenStory story;
  const std::string text = story.token("legal-1", "t-1");
  story.happens(GrantRevoked{"t-1", "operator", "sent to the wrong people", true});
  CHECK(story.effects.reply->accepted);
  CHECK(story.told() == Kinds{"token-revoked"});
  CHECK(story.effects.save_state);
  CHECK(story.present(text) == "used");
  story.pass(48h);
  CHECK(story.present(story.token("legal-1", "t-1")) == "used");  // not even signed anew

  (void)story.present(story.token("legal-1", "t-2"));
  (void)story.present(story.token("sec-1", "t-3"));
  CHECK(story.live() == 1);
  story.happens(GrantRevoked{"t-3", "operator", "mistake", true});
  CHECK(story.live() == 0);
  CHECK(story.told() == Kinds{"grant-ended", "token-revoked"});
}

TEST_CASE("steering state: a file of format 1 reads as it was meant", "[steering][state]") {
  const std::string body =
      R"({"checks":{},"configuration":"c","grants":{"grant-1":{"accepted":1,"complete":true,)"
      R"("ends":2,"scope":{"from":["eu"],"jurisdictions":"eu=EU us=US","mode":"full-write",)"
      R"("service":"api.example.com","to":["us"],"zone":"example.com"},"signatures":[{"case":"c",)"
      R"("key":"k","key-digest":"d","person":"p","reason":"r","role":"legal","token":"t"}]}},)"
      R"("orders":{},"pending":{},"serials":{},"told":{},"trusted-wall":5,"used-tokens":{"t":9}})";
  const auto text = [&](int version) {
    return "{\"version\":" + std::to_string(version) + ",\"sha256\":\"" + sha256_hex(body) +
           "\",\"state\":" + body + "}";
  };
  const auto state = parse_state(text(1));
  REQUIRE(state.has_value());
  const Grant& grant = state->grants.at("grant-1");
  CHECK(grant.scope.max_share == 100);
  CHECK(grant.scope.tenant.empty());
  CHECK_FALSE(grant.scope.break_glass);
  CHECK(grant.signatures[0].token.empty());
  CHECK_FALSE(state->trusted_keys.has_value());
  CHECK(parse_state(write_state(*state)) == state);
  CHECK_FALSE(parse_state(text(0)).has_value());
  CHECK_FALSE(parse_state(text(3)).has_value());
}

TEST_CASE("steering: a grant of format 1 goes on under the digest of its key's file",
          "[steering]") {
  TokenStory story;
  (void)story.present(story.token("legal-1", "t-1", [](Claims& c) {
    c.service = "docs";
    c.mode = Mode::read_only;
  }));
  REQUIRE(story.live() == 1);
  SteeringState old = story.steering.state();
  old.grants.begin()->second.signatures[0].key_digest =
      sha256_hex(pair_of("legal-1").public_key_pem);
  TokenStory next(tenant_repository(), old);
  CHECK(next.live() == 1);
  next.happens(KeyRevoked{"legal-1", "operator", "lost"});
  CHECK(next.live() == 0);
}
