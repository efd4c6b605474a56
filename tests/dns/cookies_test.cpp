#include "dns/cookies.h"

#include <catch2/catch.hpp>

#include <string>

#include "tests/dns/message.h"

namespace demarc::dns::test {
namespace {

Bytes from_hex(std::string_view text) {
  Bytes bytes;
  for (std::size_t at = 0; at < text.size(); at += 2) {
    bytes.push_back(
        static_cast<std::uint8_t>(std::stoul(std::string(text.substr(at, 2)), nullptr, 16)));
  }
  return bytes;
}

struct Vector {
  const char* name;
  const char* client_cookie;
  const char* address;
  const char* secret;
  std::int64_t time;
  const char* old_server_cookie;  // what the client shows; empty: nothing yet
  const char* old_secret;         // that it was made with
  const char* server_cookie;      // what it gets
};

TEST_CASE("cookies: as RFC 9018 appendix A has them", "[dns][cookies]") {
  const auto row = GENERATE(values<Vector>({
      {"A.1: a new one", "2464c4abcf10c957", "198.51.100.100", "e5e973e5a6b2a43f48e7dc849e37bfcf",
       1559731985, "", "", "010000005cf79f111f8130c3eee29480"},
      {"A.2: renewed", "2464c4abcf10c957", "198.51.100.100", "e5e973e5a6b2a43f48e7dc849e37bfcf",
       1559734385, "010000005cf79f111f8130c3eee29480", "e5e973e5a6b2a43f48e7dc849e37bfcf",
       "010000005cf7a871d4a564a1442aca77"},
      {"A.3: reserved bits are hashed as they came", "fc93fc62807ddb86", "203.0.113.203",
       "e5e973e5a6b2a43f48e7dc849e37bfcf", 1559734700, "01abcdef5cf78f71a314227b6679ebf5",
       "e5e973e5a6b2a43f48e7dc849e37bfcf", "010000005cf7a9acf73a7810aca2381e"},
      {"A.4: IPv6, with a new secret", "22681ab97d52c298", "2001:db8:220:1:59de:d0f4:8769:82b8",
       "445536bcd2513298075a5d379663c962", 1559741961, "010000005cf7c57926556bd0934c72f8",
       "dd3bdf9344b678b185a6f5cb60fca715", "010000005cf7c609a6bb79d16625507a"},
  }));
  CAPTURE(row.name);
  CookieSecrets secrets{parse_cookie_secret(row.secret).value()};
  const geo::Address client = geo::parse_address(row.address).value();
  Bytes option = from_hex(row.client_cookie);
  const auto made = make_cookie(option, client, row.time, secrets);
  Bytes expected = option;
  const Bytes server = from_hex(row.server_cookie);
  expected.insert(expected.end(), server.begin(), server.end());
  CHECK(Bytes(made.begin(), made.end()) == expected);
  CHECK(check_cookie(made, client, row.time, secrets) == CookieState::good);
  if (*row.old_server_cookie == 0) return;
  const Bytes old = from_hex(row.old_server_cookie);
  option.insert(option.end(), old.begin(), old.end());
  secrets.push_back(parse_cookie_secret(row.old_secret).value());
  // While it lived; the one of A.3 is older than an hour when it is shown.
  const std::int64_t old_time = get32(old.data() + 4);
  CHECK(check_cookie(option, client, old_time, secrets) == CookieState::good);
  const bool is_fresh = row.time - old_time <= cookie_age_max;
  CHECK(check_cookie(option, client, row.time, secrets) ==
        (is_fresh ? CookieState::good : CookieState::unknown));
}

TEST_CASE("cookies: a good one is ours, of this client, and of now", "[dns][cookies]") {
  const CookieSecrets secrets{parse_cookie_secret("000102030405060708090a0b0c0d0e0f").value()};
  const CookieSecrets others{parse_cookie_secret("100102030405060708090a0b0c0d0e0f").value()};
  const geo::Address client = geo::parse_address("192.0.2.1").value();
  const Bytes asked = from_hex("0011223344556677");
  const std::int64_t made_at = 1'800'000'000;
  const auto cookie = make_cookie(asked, client, made_at, secrets);
  const auto state = [&](std::span<const std::uint8_t> option, std::int64_t now) {
    return check_cookie(option, client, now, secrets);
  };
  CHECK(state(cookie, made_at) == CookieState::good);
  CHECK(state(cookie, made_at + 3600) == CookieState::good);
  CHECK(state(cookie, made_at + 3601) == CookieState::unknown);
  CHECK(state(cookie, made_at - 300) == CookieState::good);
  CHECK(state(cookie, made_at - 301) == CookieState::unknown);
  CHECK(state(asked, made_at) == CookieState::unknown);
  CHECK(state({}, made_at) == CookieState::none);
  CHECK(check_cookie(cookie, client, made_at, {}) == CookieState::none);
  CHECK(check_cookie(cookie, client, made_at, others) == CookieState::unknown);
  CHECK(check_cookie(cookie, geo::parse_address("192.0.2.2").value(), made_at, secrets) ==
        CookieState::unknown);
  for (std::size_t at = 0; at < cookie.size(); ++at) {
    for (const unsigned bit : {1U, 128U}) {
      auto changed = cookie;
      changed[at] = static_cast<std::uint8_t>(changed[at] ^ bit);
      CAPTURE(at);
      CHECK(state(changed, made_at) == CookieState::unknown);
    }
  }
}

TEST_CASE("cookies: time wraps at 32 bits and a cookie does not care", "[dns][cookies]") {
  const CookieSecrets secrets{CookieSecret{1}};
  const geo::Address client = geo::parse_address("2001:db8::1").value();
  const auto cookie = make_cookie(Bytes(8), client, 0xffff'fff0, secrets);
  CHECK(check_cookie(cookie, client, 0x1'0000'0100, secrets) == CookieState::good);
  CHECK(check_cookie(cookie, client, 0x1'0000'0e10, secrets) == CookieState::unknown);
}

TEST_CASE("cookies: a secret is 32 hexadecimal digits", "[dns][cookies]") {
  CHECK(parse_cookie_secret(" e5e973e5a6b2a43f48e7dc849e37bfcf\n"));
  for (const char* const text :
       {"", "e5", "e5e973e5a6b2a43f48e7dc849e37bfcg", "e5e973e5a6b2a43f48e7dc849e37bfcf00",
        "+5e973e5a6b2a43f48e7dc849e37bfcf", "e5e973e5a6b2a43f 8e7dc849e37bfcf"}) {
    CAPTURE(text);
    const auto secret = parse_cookie_secret(text);
    REQUIRE_FALSE(secret);
    CHECK(secret.error() == "expected 32 hexadecimal digits");
  }
}

}  // namespace
}  // namespace demarc::dns::test
