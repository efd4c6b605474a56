// dns checks: the question's bytes, and every kind of answer to it.
#include "health/dns_probe.h"

#include <catch2/catch.hpp>

using namespace demarc;
using namespace demarc::health;

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint16_t id = 0x1234;

Probe probe(std::string path, std::vector<std::string> answers = {}) {
  return {.scheme = zones::ProbeScheme::dns,
          .path = std::move(path),
          .expect = {.answers = std::move(answers)}};
}

/// An answer with 192.0.2.10 to the question of `asked`.
Bytes answer_to(const Probe& asked) {
  Bytes bytes = *write_dns_question(asked, id);
  bytes[2] = 0x84;
  bytes[7] = 1;
  for (const int byte : {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 192, 0, 2, 10}) {
    bytes.push_back(static_cast<std::uint8_t>(byte));
  }
  return bytes;
}

std::string judged(const Probe& asked, const Bytes& bytes) {
  const auto result = judge_dns_answer(asked, id, bytes);
  if (!result) return "not ours";
  return (result->outcome == ProbeOutcome::pass ? "pass: " : "fail: ") + result->detail;
}

}  // namespace

TEST_CASE("dns probe: the question", "[health][dns]") {
  CHECK(*write_dns_question(probe("/a.example./AAAA"), id) ==
        Bytes{0x12, 0x34, 1,   0,   0,   1,   0,   0,   0, 0, 0,  0, 1, 'a',
              7,    'e',  'x', 'a', 'm', 'p', 'l', 'e', 0, 0, 28, 0, 1});
  for (const char* const path : {"", "/", "/a.example.", "/a..b/A", "/a.example./NOTYPE", "a/A"}) {
    CAPTURE(path);
    CHECK_FALSE(write_dns_question(probe(path), id));
  }
}

TEST_CASE("dns probe: answers", "[health][dns]") {
  const Probe any = probe("/a.example./A");
  const Probe right = probe("/a.example./A", {"192.0.2.10"});
  const Probe wrong = probe("/a.example./A", {"192.0.2.10", "192.0.2.11"});
  const Bytes good = answer_to(any);
  CHECK(judged(any, good) == "pass: 1 A");
  CHECK(judged(right, good) == "pass: 1 A");
  CHECK(judged(wrong, good) == "fail: no A 192.0.2.11 in the answer");
  const auto with = [&](std::size_t at, int byte) {
    Bytes bytes = good;
    bytes.at(at) = static_cast<std::uint8_t>(byte);
    return bytes;
  };
  CHECK(judged(any, with(0, 0)) == "not ours");
  CHECK(judged(any, with(2, 0x04)) == "not ours");   // a query
  CHECK(judged(any, with(13, 'b')) == "not ours");   // another name
  CHECK(judged(any, with(24, 28)) == "not ours");    // another type
  CHECK(judged(any, with(13, 'A')) == "pass: 1 A");  // names have no case
  CHECK(judged(any, with(3, 2)) == "fail: RCODE 2");
  CHECK(judged(wrong, with(2, 0x86)) == "fail: the answer is truncated");
  CHECK(judged(any, with(30, 28)) == "fail: not a DNS message");  // an AAAA of four bytes
  Bytes empty = *write_dns_question(any, id);
  empty[2] = 0x84;
  CHECK(judged(any, empty) == "fail: no A");
  empty[2] = 0x86;
  CHECK(judged(any, empty) == "fail: the answer is truncated, and empty");
  CHECK(judged(any, {}) == "not ours");
  CHECK(judged(any, Bytes(good.begin(), good.end() - 1)) == "fail: not a DNS message");
}
