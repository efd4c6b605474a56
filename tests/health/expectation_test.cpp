// What a check expects of an answer besides its status: heard bytes in, one line out.
#include "health/expectation.h"

#include <catch2/catch.hpp>

#include <chrono>

using namespace demarc;
using namespace demarc::health;
using namespace std::chrono_literals;
using zones::ExpectedAnswer;

namespace {

const WallTime now{1'795'413'600'000ms};

std::string unmet(const ExpectedAnswer& expected, const HeardAnswer& heard) {
  const auto found = find_unmet(expected, heard, now);
  return !found ? "met" : (found->is_silence ? "silent: " : "") + found->why;
}

HeardAnswer body(std::string text, bool is_cut = false) {
  return {.body = std::move(text), .is_body_cut = is_cut};
}

}  // namespace

TEST_CASE("expectation: nothing is met by anything", "[health][expectation]") {
  CHECK(unmet({}, {}) == "met");
  CHECK(unmet({}, body("\x01\xff")) == "met");
}

TEST_CASE("expectation: a text in the body", "[health][expectation]") {
  const ExpectedAnswer expected{.body = "ready"};
  CHECK(unmet(expected, body("all is ready\n")) == "met");
  CHECK(unmet(expected, body("not read yet")) == "`ready` is not in the body");
  CHECK(unmet(expected, body("long", true)) == "`ready` is not in the body's beginning");
  CHECK(unmet({.body = std::string(100, 'x')}, body("")) ==
        "`" + std::string(60, 'x') + "...` is not in the body");
}

TEST_CASE("expectation: headers, any of several with the name", "[health][expectation]") {
  const ExpectedAnswer expected{.headers = {{"x-role", "primary"}}};
  CHECK(unmet(expected, {.headers = {{"x-role", "primary"}}}) == "met");
  CHECK(unmet(expected, {.headers = {{"x-role", "a"}, {"x-role", "primary"}}}) == "met");
  CHECK(unmet(expected, {.headers = {{"x-role2", "primary"}}}) == "no header x-role");
  CHECK(unmet(expected, {.headers = {{"x-role", "stand\nby"}}}) ==
        "header x-role is `stand?by`, expected `primary`");
}

TEST_CASE("expectation: a header line, whatever it is", "[health][expectation]") {
  using Header = std::pair<std::string, std::string>;
  CHECK(read_header_line("X-Role:  primary \r\n") == Header{"x-role", "primary"});
  CHECK(read_header_line("a:b:c") == Header{"a", "b:c"});
  CHECK(read_header_line("a:") == Header{"a", ""});
  CHECK_FALSE(read_header_line("HTTP/1.1 200 O:K"));
  CHECK_FALSE(read_header_line(": x"));
  CHECK_FALSE(read_header_line("\r\n"));
  CHECK_FALSE(read_header_line(""));
}

TEST_CASE("expectation: values in a JSON object", "[health][expectation]") {
  const std::string document =
      R"({"status": "ok", "lag": 3, "up": true, "why": null, "of": {"a/b": ["x", 1.5]}})";
  const auto [pointer, text, expected] = GENERATE(table<const char*, const char*, const char*>({
      {"/status", "ok", "met"},
      {"/status", "OK", "JSON /status is `ok`, expected `OK`"},
      {"/lag", "3", "met"},
      {"/lag", "3.0", "JSON /lag is `3`, expected `3.0`"},
      {"/up", "true", "met"},
      {"/why", "null", "met"},
      {"/of/a~1b/0", "x", "met"},
      {"/of/a~1b/1", "1.5", "met"},
      {"/of/a~1b/2", "x", "silent: the JSON: nothing is at /of/a~1b/2"},
      {"/of/a~1b/01", "x", "silent: the JSON: nothing is at /of/a~1b/01"},
      {"/none", "x", "silent: the JSON: nothing is at /none"},
  }));
  CAPTURE(pointer);
  CHECK(unmet({.values = {{pointer, text}}}, body(document)) == expected);
}

TEST_CASE("expectation: what is no JSON object meets nothing", "[health][expectation]") {
  const ExpectedAnswer expected{.values = {{"/status", "ok"}}};
  for (const char* const text : {"", "ok", "[1]", R"({"status": "ok")", R"({"status": "ok"} x)",
                                 R"({"status": "ok", "status": "ok"})"}) {
    CAPTURE(text);
    CHECK(unmet(expected, body(text)).starts_with("silent: the JSON: "));
  }
  CHECK(unmet(expected, body(R"({"status": "ok"})", true)) == "silent: the JSON is too long");
  const std::string deep = std::string(10'000, '[');
  CHECK(unmet(expected, body("{\"a\":" + deep)).starts_with("silent: the JSON: "));
}

TEST_CASE("expectation: a certificate that is good for some time yet", "[health][expectation]") {
  const ExpectedAnswer expected{.certificate_left = 48h};
  CHECK(unmet(expected, {.certificate_end = now + 48h}) == "met");
  CHECK(unmet(expected, {.certificate_end = now + 47h + 59min}) ==
        "the certificate is good for 47 h, expected 48 h at least");
  CHECK(unmet(expected, {}) == "when the certificate ends cannot be told");
  CHECK(unmet({}, {}) == "met");
  CHECK(unmet({}, {.certificate_end = now + 1ms}) == "met");
  // Of somebody else's server that is no word about the record (`no-answer: stale`).
  CHECK(unmet({}, {.certificate_end = now}) == "silent: the certificate has expired");
}

TEST_CASE("expectation: a comparison with a number in a JSON object", "[health][expectation]") {
  const std::string document =
      R"({"rate": 0.25, "text": "7", "nan": "NaN", "what": "x", "b": true})";
  const auto [pointer, text, expected] = GENERATE(table<const char*, const char*, const char*>({
      {"/rate", "< 0.3", "met"},
      {"/rate", "< 0.25", "JSON /rate is 0.25, expected < 0.25"},
      {"/text", ">= 7", "met"},
      {"/nan", "< 1", "silent: JSON /nan is `NaN`, which is no number"},
      {"/what", "< 1", "silent: JSON /what is `x`, which is no number"},
      {"/b", "< 1", "silent: JSON /b is `true`, which is no number"},
      {"/none", "< 1", "silent: the JSON: nothing is at /none"},
  }));
  CAPTURE(pointer, text);
  CHECK(unmet({.values = {{pointer, text}}}, body(document)) == expected);
}

TEST_CASE("expectation: what a Prometheus query gave", "[health][expectation]") {
  const auto vector = [](const std::string& result) {
    return R"({"status":"success","data":{"resultType":"vector","result":[)" + result + "]}}";
  };
  const std::string half = R"({"metric":{},"value":[1.5,"0.5"]})";
  const auto [answer, expected] = GENERATE_COPY(table<std::string, const char*>({
      {vector(half), "met"},
      {R"({"status":"success","data":{"resultType":"scalar","result":[1,"0.25"]}})", "met"},
      {vector(half + R"(,{"metric":{},"value":[1,"2"]})"), "the value is 2, expected < 1"},
      {vector(R"({"metric":{},"value":[1,"NaN"]})"),
       "silent: the value is `NaN`, which is no number"},
      {vector(""), "silent: the query finds no series"},
      {vector(R"({"metric":{}})"), "silent: not an answer of Prometheus"},
      {vector(R"({"metric":{},"value":[1,0.5]})"), "silent: not an answer of Prometheus"},
      {R"({"status":"success","data":{"resultType":"matrix","result":[]}})",
       "silent: the query gives no instant value"},
      {R"({"status":"error","error":"x"})", "silent: not an answer of Prometheus"},
      {R"({"data":[]})", "silent: not an answer of Prometheus"},
  }));
  CAPTURE(answer);
  CHECK(unmet({.query_value = "< 1"}, body(answer)) == expected);
}
