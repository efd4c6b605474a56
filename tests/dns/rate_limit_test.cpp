#include "dns/rate_limit.h"

#include <catch2/catch.hpp>

#include <map>
#include <string>

#include "tests/dns/world.h"
#include "tests/support/allocation_count.h"

namespace demarc::dns::test {
namespace {

std::map<RateDecision, int> ask(RateLimiter& limiter, const char* client, int times,
                                std::int64_t now_ms) {
  std::map<RateDecision, int> found;
  for (int i = 0; i < times; ++i) ++found[limiter.account(address(client), now_ms)];
  return found;
}

TEST_CASE("rate limit: a second's worth at once, then the rate", "[dns][rate]") {
  RateLimiter limiter({.per_second = 10, .slip = 0}, 1, 1);
  CHECK(ask(limiter, "192.0.2.1", 15, 1'000'000)[RateDecision::answer] == 10);
  CHECK(ask(limiter, "192.0.2.1", 5, 1'000'099)[RateDecision::answer] == 0);
  CHECK(ask(limiter, "192.0.2.1", 5, 1'000'100)[RateDecision::answer] == 1);
  CHECK(ask(limiter, "192.0.2.1", 15, 1'000'600)[RateDecision::answer] == 5);
  CHECK(ask(limiter, "192.0.2.1", 15, 2'000'000)[RateDecision::answer] == 10);
}

TEST_CASE("rate limit: one network shares, others do not", "[dns][rate]") {
  RateLimiter limiter({.per_second = 10, .ipv4_prefix = 24, .ipv6_prefix = 52}, 1, 1);
  CHECK(ask(limiter, "192.0.2.1", 10, 1000)[RateDecision::answer] == 10);
  CHECK(ask(limiter, "192.0.2.255", 1, 1000)[RateDecision::answer] == 0);
  CHECK(ask(limiter, "192.0.3.1", 1, 1000)[RateDecision::answer] == 1);
  CHECK(ask(limiter, "2001:db8:0:1::1", 10, 1000)[RateDecision::answer] == 10);
  CHECK(ask(limiter, "2001:db8:0:fff::1", 1, 1000)[RateDecision::answer] == 0);
  CHECK(ask(limiter, "2001:db8:0:1000::1", 1, 1000)[RateDecision::answer] == 1);
}

TEST_CASE("rate limit: every n-th slips out truncated", "[dns][rate]") {
  const auto [slip, truncated] =
      GENERATE(table<std::uint32_t, int>({{0, 0}, {1, 60}, {2, 30}, {7, 8}}));
  RateLimiter limiter({.per_second = 40, .slip = slip}, 1, 1);
  auto found = ask(limiter, "192.0.2.1", 100, 5000);
  CHECK(found[RateDecision::answer] == 40);
  CHECK(found[RateDecision::truncate] == truncated);
  CHECK(found[RateDecision::drop] == 60 - truncated);
}

TEST_CASE("rate limit: threads share, none goes below one", "[dns][rate]") {
  RateLimiter of_four({.per_second = 40}, 4, 1);
  CHECK(ask(of_four, "192.0.2.1", 100, 1000)[RateDecision::answer] == 10);
  RateLimiter of_many({.per_second = 3}, 64, 1);
  CHECK(ask(of_many, "192.0.2.1", 100, 1000)[RateDecision::answer] == 1);
}

TEST_CASE("rate limit: the exempt are never limited", "[dns][rate]") {
  RateLimiter limiter(
      {.per_second = 1,
       .exempt = {*geo::parse_prefix("192.0.2.0/25"), *geo::parse_prefix("::1/128")}},
      1, 1);
  CHECK(ask(limiter, "192.0.2.127", 50, 1000)[RateDecision::answer] == 50);
  CHECK(ask(limiter, "::1", 50, 1000)[RateDecision::answer] == 50);
  CHECK(ask(limiter, "192.0.2.128", 50, 1000)[RateDecision::answer] == 1);
}

TEST_CASE("rate limit: a flood from everywhere forgets, allocates nothing, limits on",
          "[dns][rate]") {
  RateLimiter limiter({.per_second = 10, .slip = 0}, 1, 1);
  CHECK(ask(limiter, "192.0.2.1", 20, 1000)[RateDecision::answer] == 10);
  const AllocationCount count;
  std::size_t answered = 0;
  geo::Address client = address("10.0.0.1");
  for (unsigned i = 0; i < 500'000; ++i) {
    client.bytes[0] = static_cast<std::uint8_t>(i >> 16);
    client.bytes[1] = static_cast<std::uint8_t>(i >> 8);
    client.bytes[2] = static_cast<std::uint8_t>(i);
    answered += limiter.account(client, 1000) == RateDecision::answer ? 1 : 0;
  }
  CHECK(count.since() == 0);
  CHECK(answered == 500'000);  // each of them asked once
  CHECK(ask(limiter, "198.51.100.1", 20, 1000)[RateDecision::answer] == 10);
}

TEST_CASE("rate limit: the responder drops, truncates, and lets proven clients pass",
          "[dns][rate][responder]") {
  World world;
  world.add("www.example.com. 300 IN A 192.0.2.80");
  Identity identity;
  identity.cookie_secrets.push_back(CookieSecret{9});
  world.parts.identity = std::make_shared<const Identity>(std::move(identity));
  const auto snapshot = world.build();
  Client client(*snapshot);
  client.worker().now = {.wall_ms = 1'800'000'000'000, .monotonic_ms = 1000};
  client.worker().limiter.emplace(RateLimit{.per_second = 4, .slip = 2}, 1U, 1U);
  const auto count = [&](const QueryParts& parts) {
    std::map<std::string, int> found;
    for (int i = 0; i < 10; ++i) {
      const auto bytes = client.ask_bytes(query_bytes(parts));
      ++found[bytes.empty() ? "dropped" : Message(bytes).tc() ? "truncated" : "answered"];
      if (!bytes.empty() && Message(bytes).tc()) CHECK(Message(bytes).answer().empty());
    }
    return found;
  };
  using Found = std::map<std::string, int>;
  SECTION("by network") {
    CHECK(count({}) == Found{{"answered", 4}, {"truncated", 3}, {"dropped", 3}});
    CHECK(client.worker().counters.rate_dropped.value() == 3);
    CHECK(client.worker().counters.rate_truncated.value() == 3);
  }
  SECTION("errors as well") {
    QueryParts parts;
    parts.flags = 4 << 3;
    CHECK(count(parts) == Found{{"answered", 4}, {"truncated", 3}, {"dropped", 3}});
  }
  SECTION("not over TCP") {
    client.transport = Transport::tcp;
    CHECK(count({}) == Found{{"answered", 10}});
  }
  SECTION("not with a good cookie") {
    const auto cookie =
        make_cookie(Bytes(8), client.from, 1'800'000'000, snapshot->identity->cookie_secrets);
    QueryParts parts;
    parts.has_edns = true;
    append16(parts.options, edns::cookie);
    append16(parts.options, cookie.size());
    parts.options.insert(parts.options.end(), cookie.begin(), cookie.end());
    CHECK(count(parts) == Found{{"answered", 10}});
    parts.options.back() ^= 1;
    CHECK(count(parts)["answered"] == 4);
  }
  SECTION("a dry run counts alone") {
    client.worker().limiter.emplace(RateLimit{.per_second = 4, .slip = 2, .is_dry_run = true}, 1U,
                                    1U);
    CHECK(count({}) == Found{{"answered", 10}});
    CHECK(client.worker().counters.rate_dropped.value() == 3);
    CHECK(client.worker().counters.rate_truncated.value() == 3);
  }
}

}  // namespace
}  // namespace demarc::dns::test
