// The key `https` of a service: every finding with its place, and what comes out of it.
#include <catch2/catch.hpp>

#include "tests/zones/findings.h"
#include "zones/https_binding.h"

namespace demarc::testing {
namespace {

const std::string one_record = R"(    records:
      - { region: eu, weight: 1, endpoint: a.eu.example, addresses: [192.0.2.1, "2001:db8::1"] }
)";

Files service_with(const std::string& body) {
  return {{"policy.yaml", small_policy}, {"zones/a.yaml", service_head + body}};
}

TEST_CASE("https key: what is refused, and where", "[zones][yaml][https]") {
  const std::vector<BadFile> rows = {
      {"no map",
       "    https: h2",
       {"zones/a.yaml:8:12: [wrong-type] https is text; expected a map"}},
      {"no alpn",
       "    https: { port: 443 }",
       {"zones/a.yaml:8:12: [missing-key] https without `alpn`; expected that key"}},
      {"an empty alpn",
       "    https: { alpn: [] }",
       {"zones/a.yaml:8:20: [empty-list] alpn is an empty list; expected at least one item"}},
      {"unknown keys",
       "    https: { alpn: h2, alnp: h3, ech: AAAA }",
       {"zones/a.yaml:8:24: [unknown-key] unknown key `alnp` in https; did you mean `alpn`?",
        "zones/a.yaml:8:34: [unknown-key] unknown key `ech` in https; expected one of alpn, port, "
        "no-default-alpn"}},
      {"ids",
       "    https: { alpn: [h2, \"h2,h3\", \"h 2\", h2, a123456789a123456789a123456789a12] }",
       {"zones/a.yaml:8:25: [bad-alpn] alpn has `h2,h3`; expected protocol ids of letters, digits "
        "and `-._/+`, at most 32 bytes each, as h2",
        "zones/a.yaml:8:34: [bad-alpn] alpn has `h 2`; expected protocol ids of letters, digits "
        "and `-._/+`, at most 32 bytes each, as h2",
        "zones/a.yaml:8:41: [alpn-twice] `h2` again; expected it once in alpn",
        "zones/a.yaml:8:45: [bad-alpn] alpn has `a123456789a123456789a123456789a12`; expected "
        "protocol ids of letters, digits and `-._/+`, at most 32 bytes each, as h2"}},
      {"ids that no client knows",
       "    https: { alpn: [H2, dot] }",
       {"zones/a.yaml:8:21: [unknown-alpn] warning: `H2` is no version of HTTP that clients know; "
        "did you "
        "mean `h2`?",
        "zones/a.yaml:8:25: [unknown-alpn] warning: `dot` is no version of HTTP that clients know; "
        "expected "
        "one of http/1.1, h2, h3"}},
      {"ports",
       "    https: { alpn: h2, port: 0 }",
       {"zones/a.yaml:8:30: [bad-integer] port is `0`; expected an integer from 1 to 65535"}},
      {"a port that is too high",
       "    https: { alpn: h2, port: 65536 }",
       {"zones/a.yaml:8:30: [bad-integer] port is `65536`; expected an integer from 1 to 65535"}},
      {"the default, and not",
       "    https: { alpn: [http/1.1], no-default-alpn: true }",
       {"zones/a.yaml:8:49: [alpn-default] no-default-alpn beside `http/1.1` in alpn, which is the "
        "default; expected one of them"}},
      {"no truth",
       "    https: { alpn: h2, no-default-alpn: yes }",
       {"zones/a.yaml:8:41: [bad-choice] no-default-alpn is `yes`; expected one of true, false"}},
      {"beside static records",
       "    https: { alpn: h2 }\nrecords:\n  api: { HTTPS: \"1 . alpn=h2\" }",
       {"zones/a.yaml:5:3: [service-and-static] service `api`, and its owner has static HTTPS "
        "records; expected one of them"}},
  };
  for (const BadFile& row : rows) {
    CAPTURE(row.name);
    CHECK(findings(service_with(one_record + row.text)) == row.findings);
  }
}

TEST_CASE("https key: it has no effect where every record is a CNAME", "[zones][yaml][https]") {
  CHECK(findings(service_with(R"(    records:
      - { region: eu, weight: 1, endpoint: a.eu.example }
    https: { alpn: h2 })")) ==
        std::vector<std::string>{"zones/a.yaml:8:12: [unused-key] warning: `https` has no effect "
                                 "here, every record answers as "
                                 "CNAME; expected it with `addresses`"});
}

TEST_CASE("https key: what comes out, as dig prints it", "[zones][yaml][https]") {
  struct Row {
    const char* text;
    const char* rdata;
  };
  for (const Row& row : std::vector<Row>{
           {"{ alpn: [h2, h3], port: 443 }",
            "1 . alpn=\"h2,h3\" ipv4hint=192.0.2.1 ipv6hint=2001:db8::1"},
           {"{ alpn: h2, no-default-alpn: true, port: 8443 }",
            "1 . alpn=\"h2\" no-default-alpn port=8443 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1"},
           {"{ alpn: http/1.1, no-default-alpn: false, port: 65535 }",
            "1 . alpn=\"http/1.1\" port=65535 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1"},
       }) {
    Diagnostics diagnostics;
    const auto repository = load(service_with(one_record + "    https: " + row.text), diagnostics);
    CHECK(lines_of(diagnostics).empty());
    REQUIRE(repository);
    const zones::Service& service = repository->services.at(0);
    REQUIRE(service.https);
    CHECK(zones::https_text(*service.https, service.records[0].addresses) == row.rdata);
  }
}

TEST_CASE("service: an answer has at most as many addresses as a message has room for",
          "[zones][rules]") {
  // 64 IPv4 addresses a record: 58 of them are 3712, below 3750; 59 are 3776.
  std::string records = "    records:\n";
  for (int at = 0; at < 60; ++at) {
    std::string addresses;
    for (int host = 0; host < 64; ++host) {
      addresses +=
          (host == 0 ? "10.1." : ", 10.1.") + std::to_string(at) + "." + std::to_string(host);
    }
    records += "      - { region: eu, weight: 1, endpoint: e" + std::to_string(at) +
               ".example.net, addresses: [" + addresses + "] }\n";
  }
  const auto found = [&](const std::string& answers) {
    return findings(service_with(records + "    answers: " + answers));
  };
  CHECK(found("one").empty());
  CHECK(found("58").empty());
  CHECK(found("59") == std::vector<std::string>{
                           "zones/a.yaml:5:3: [answers-too-large] an answer of `api` may have 3776 "
                           "IPv4 addresses; expected at most 3750, as a message has room for"});
  CHECK(found("all").size() == 1);
}

}  // namespace
}  // namespace demarc::testing
