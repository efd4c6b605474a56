#include "zones/key_list.h"

#include "tests/zones/token_story.h"

using namespace demarc;
using namespace demarc::zones;
using namespace demarc::zones::testing;

namespace {

/// A list of all keys; the next one needs a lawyer and somebody of security.
Approvals listed(std::uint32_t version, const std::vector<std::string>& tokens = {}) {
  Approvals approvals = full_approvals();
  approvals.key_list =
      KeyList{.version = version, .require = {{"legal", 1}, {"security", 1}}, .tokens = tokens};
  approvals.key_list->digest = key_list_digest(approvals);
  return approvals;
}

/// The next list: sec-2 is gone, and a key that the old list does not know is new.
Approvals next_list(std::uint32_t version = 2) {
  Approvals approvals = listed(version);
  approvals.keys.back() = {
      "new-1", "eve", "legal", KeyAlgorithm::EdDSA, pair_of("new-1").public_key_pem, {}};
  approvals.key_list->digest = key_list_digest(approvals);
  return approvals;
}

std::string list_token(const std::string& key, const Approvals& list,
                       const std::function<void(Claims&)>& change = {}) {
  Claims claims = claims_at(noon, "list-" + key, TokenType::key_list);
  claims.version = list.key_list->version;
  claims.keys_digest = list.key_list->digest;
  if (change) change(claims);
  return signed_by(key, claims);
}

Approvals with_tokens(Approvals list, const std::vector<std::string>& tokens) {
  list.key_list->tokens = tokens;
  return list;
}

/// "" or the rule of the finding, given list 1.
std::string judged(const std::optional<Approvals>& approvals, WallTime now = noon) {
  Policy policy = small_policy();
  policy.approvals = approvals;
  SteeringState state;
  state.trusted_keys = trusted_keys_of(listed(1));
  state.trusted_wall = now;
  const std::string revoked = public_key_digest(pair_of("sec-2").public_key_pem);
  state.revoked_keys[revoked] = {"sec-2", "operator", "lost", noon};
  const auto verdict = judge_key_list(policy, key_trust_of(state));
  if (verdict) return {};
  return verdict.error().substr(1, verdict.error().find(']') - 1);
}

}  // namespace

TEST_CASE("key list: its digest covers all that decides who may approve", "[zones][keys]") {
  const std::vector<std::function<void(Approvals&)>> changes = {
      [](Approvals&) {},
      [](Approvals& a) { a.key_list->version = 2; },
      [](Approvals& a) { a.audience = "lab"; },
      [](Approvals& a) { a.max_duration = 25h; },
      [](Approvals& a) { a.keys.pop_back(); },
      [](Approvals& a) { a.keys[0].id = "legal-x"; },
      [](Approvals& a) { a.keys[0].person = "eve"; },
      [](Approvals& a) { a.keys[0].role = "security"; },
      [](Approvals& a) { a.keys[0].algorithm = KeyAlgorithm::ES256; },
      [](Approvals& a) { a.keys[0].public_key_pem = pair_of("new-1").public_key_pem; },
      [](Approvals& a) { a.keys[0].not_after = noon; },
      [](Approvals& a) { a.rules[1].require["legal"] = 2; },
      [](Approvals& a) { std::swap(a.rules[0], a.rules[1]); },
      [](Approvals& a) { a.rules.pop_back(); },
      [](Approvals& a) { a.break_glass.reset(); },
      [](Approvals& a) { a.break_glass->max_duration = 1h; },
      [](Approvals& a) { a.break_glass->require = {{"sre", 1}}; },
      [](Approvals& a) { a.break_glass->review = {{"sre", 1}}; },
      [](Approvals& a) { a.drill.clear(); },
      [](Approvals& a) { a.key_list->require = {{"legal", 1}}; },
      [](Approvals& a) { a.key_list->not_after = noon; },
  };
  std::map<std::string, std::size_t> digests;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    Approvals approvals = listed(1);
    changes[i](approvals);
    CAPTURE(i);
    CHECK(digests.try_emplace(key_list_digest(approvals), i).second);
  }
  // The order of keys and the layout of their files mean nothing; signatures sign, they are not
  // signed.
  Approvals same = listed(1);
  std::ranges::reverse(same.keys);
  same.keys[0].public_key_pem += "\n";
  same.key_list->tokens = {"token"};
  CHECK(key_list_digest(same) == listed(1).key_list->digest);
}

TEST_CASE("key list: only what the list before it signed comes after it", "[zones][keys]") {
  const Approvals next = next_list();
  const std::string legal = list_token("legal-1", next), security = list_token("sec-1", next);
  CHECK(judged(listed(1)).empty());  // the same
  CHECK(judged(with_tokens(next, {legal, security})).empty());
  // Another audience is a mistake in the token, an old list a mistake in the file.
  CHECK(judged(std::nullopt) == "key-list-missing");
  CHECK(judged(full_approvals()) == "key-list-missing");
  CHECK(judged(next_list(1)) == "key-list-rollback");
  Approvals older = next_list(2);
  older.key_list->version = 0;
  older.key_list->digest = key_list_digest(older);
  CHECK(judged(older) == "key-list-rollback");
  CHECK(judged(next) == "key-list-unsigned");
  CHECK(judged(with_tokens(next, {legal})) == "key-list-unsigned");
  CHECK(judged(with_tokens(next, {legal, legal})) == "key-list-unsigned");
  // One person of the old list with two keys and two roles is one person.
  CHECK(judged(with_tokens(next, {legal, list_token("legal-2", next),
                                  list_token("sec-anna", next)})) == "key-list-unsigned");
  // Persons of the new list have no say in it, a revoked key neither.
  CHECK(judged(with_tokens(next, {security, list_token("new-1", next)})) == "key-list-unsigned");
  CHECK(judged(with_tokens(next, {legal, list_token("sec-2", next)})) == "key-list-unsigned");
  // Signatures on another list or version, of another type, or past their end.
  CHECK(judged(with_tokens(next, {legal, list_token("sec-1", next_list(3))})) ==
        "key-list-unsigned");
  CHECK(judged(with_tokens(next, {legal, list_token("sec-1", next, [](Claims& c) {
                                    c.version = 3;
                                  })})) == "key-list-unsigned");
  CHECK(judged(with_tokens(next, {legal, list_token("sec-1", next, [](Claims& c) {
                                    c.audience = "lab";
                                  })})) == "key-list-unsigned");
  CHECK(judged(with_tokens(
            next, {legal, signed_by("sec-1", claims_at(noon, "t", TokenType::approval))})) ==
        "key-list-unsigned");
  CHECK(judged(with_tokens(next, {legal, security}), noon + 1h) == "key-list-unsigned");
}

TEST_CASE("key list: a signature on it may live a year, not longer", "[zones][keys]") {
  const Approvals next = next_list();
  const auto living = [&](Seconds life) {
    return list_token("sec-1", next, [&](Claims& c) { c.expires = c.not_before + life; });
  };
  const std::string legal = list_token("legal-1", next);
  CHECK(judged(with_tokens(next, {legal, living(key_list_token_life_max)})).empty());
  CHECK(judged(with_tokens(next, {legal, living(key_list_token_life_max + 1s)})) ==
        "key-list-unsigned");
}

TEST_CASE("steering: a key list is trusted at first sight, then only rotated", "[steering][keys]") {
  TokenStory story;
  CHECK_FALSE(story.steering.state().trusted_keys.has_value());  // without one: as it always was
  story.load(tenant_repository(listed(1)));
  CHECK(story.fact("keys-trusted").fact("version") == "1");
  CHECK(story.fact("keys-trusted").fact("why") == "the first key list that was seen");
  story.load(tenant_repository(listed(1)));
  CHECK(std::ranges::count(story.told(), "keys-trusted") == 0);

  const Approvals next = next_list();
  const std::string security = list_token("sec-1", next);
  story.load(tenant_repository(with_tokens(next, {list_token("legal-1", next), security})));
  CHECK(story.fact("keys-trusted").fact("why") == "signed as list 1 requires");
  CHECK(story.fact("keys-trusted").fact("token-2") == security);
  CHECK(story.steering.state().trusted_keys->version == 2);
  const auto restored = parse_state(write_state(story.steering.state()));
  REQUIRE(restored.has_value());
  CHECK(*restored == story.steering.state());
  TokenStory again(tenant_repository(next), *restored);  // same list: no signature is looked at
  CHECK(again.present(again.token("legal-1", "t-1")).empty());
}

TEST_CASE("steering: handed an untrusted list, it grants nothing and ends all",
          "[steering][keys]") {
  const auto loaded = GENERATE(as<std::string>{}, "removed", "unsigned", "older");
  CAPTURE(loaded);
  TokenStory story(tenant_repository(listed(2)));
  story.eu_down();
  (void)story.present(story.token("legal-1", "t-1"));
  (void)story.present(story.token("sec-1", "t-2"));
  REQUIRE(story.crosses());
  story.load(tenant_repository(loaded == "removed"    ? full_approvals()
                               : loaded == "unsigned" ? next_list(3)
                                                      : listed(1)));
  CHECK(story.live() == 0);
  CHECK_FALSE(story.crosses());
  CHECK(story.fact("keys-refused").fact("why").starts_with("[key-list-"));
  CHECK(std::ranges::count(story.effects.alerts_raised, "key-list", &Alert::key) == 1);
  CHECK(story.present(story.token("legal-9", "t-3")) == "not-now");
  CHECK(story.steering.state().trusted_keys->version == 2);
  story.load(tenant_repository(listed(2)));
  CHECK(std::ranges::count(story.effects.alerts_ended, "key-list") == 1);
  CHECK(story.present(story.token("legal-9", "t-4")).empty());
}

TEST_CASE("steering: past the list's end nothing new counts, live grants go on",
          "[steering][keys]") {
  Approvals list = listed(1);
  list.key_list->not_after = noon + 30min;
  list.key_list->digest = key_list_digest(list);
  TokenStory story(tenant_repository(list));
  story.eu_down();
  (void)story.present(story.token("legal-1", "t-1"));
  (void)story.present(story.token("sec-1", "t-2"));
  REQUIRE(story.crosses());
  story.pass(30min);
  story.happens(TimerFired{});
  CHECK(story.crosses());
  CHECK(story.present(story.token("legal-9", "t-3")) == "expired-key");
  story.pass(30min);
  story.happens(TimerFired{});
  CHECK_FALSE(story.crosses());
}
