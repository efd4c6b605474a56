// The health checks of a service: every finding, with its place. The body begins in line 6.
#include <catch2/catch.hpp>

#include "tests/zones/findings.h"

namespace demarc::testing {
#define ENDPOINT_KINDS                                                                  \
  "expected NAME[:PORT][/PATH] with or without http:// or https://, tcp://, tls:// or " \
  "grpc://NAME:PORT, grpcs://NAME, dns://NAME/QNAME, icmp://NAME, file:NAME or program:NAME"

namespace {

TEST_CASE("health checks: what is refused, and where", "[zones][yaml]") {
  const std::vector<BadFile> rows = {
      {"checks",
       R"(    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 0, endpoint: a.us.example, addresses: 198.51.100.1 }
    health-checks:
      - { endpoint: ftp://a.eu.example/ }
      - { endpoint: tcp://a.eu.example }
      - { endpoint: a.eu.example:0 }
      - { endpoint: 192.0.2.1/health }
      - { endpoint: b.eu.example/health }
      - { endpoint: a.eu.example/x, probe-at: 127.0.0.1 }
      - { endpoint: a.eu.example/x, interval: 10, timeout: 5ms, fall: 0, rise: 101 }
      - { endpoint: a.eu.example/1, expect-status: [99, 200-, 299-200, 600] }
      - { endpoint: a.eu.example/2, interval: 1s, timeout: 2s }
      - { endpoint: a.eu.example/3, interval: 99ms }
      - { interval: 1s }
      - { endpoint: "tcp://a.eu.example:1", expect-body: ok, certificate-min: 7d }
      - { endpoint: "http://a.eu.example/4", certificate-min: 30m, expect-json: { status: ok, /a~2: 1 } }
      - { endpoint: a.eu.example/5, expect-header: { "x role": a }, expect-body: "" })",
       {"zones/a.yaml:10:21: [bad-check-endpoint] endpoint is "
        "`ftp://a.eu.example/`; " ENDPOINT_KINDS,
        "zones/a.yaml:11:21: [bad-check-endpoint] endpoint is "
        "`tcp://a.eu.example`; " ENDPOINT_KINDS,
        "zones/a.yaml:12:21: [bad-check-endpoint] endpoint is `a.eu.example:0`; " ENDPOINT_KINDS,
        "zones/a.yaml:13:21: [bad-check-endpoint] endpoint is `192.0.2.1/health`; " ENDPOINT_KINDS,
        "zones/a.yaml:14:21: [check-without-record] no record has the endpoint `b.eu.example`; did "
        "you mean `a.eu.example`? (or say with `of` which record it speaks for)",
        "zones/a.yaml:15:47: [bad-probe-at] probe-at is `127.0.0.1`; expected an address and a "
        "port, as 127.0.0.1:8081 or \"[::1]:8081\"",
        "zones/a.yaml:16:21: [check-twice] a second check of `a.eu.example/x`; expected each "
        "endpoint once, or a `name` for this one",
        "zones/a.yaml:16:47: [bad-duration] interval is `10`; expected an integer and ms, s, m, h "
        "or d, from 100ms to 1h",
        "zones/a.yaml:16:60: [bad-duration] timeout is `5ms`; expected an integer and ms, s, m, h "
        "or d, from 10ms to 1h",
        "zones/a.yaml:16:71: [bad-integer] fall is `0`; expected an integer from 1 to 100",
        "zones/a.yaml:16:80: [bad-integer] rise is `101`; expected an integer from 1 to 100",
        "zones/a.yaml:17:53: [bad-status] expect-status is `99`; expected a code or a range from "
        "100 to 599, as 200-299",
        "zones/a.yaml:17:57: [bad-status] expect-status is `200-`; expected a code or a range from "
        "100 to 599, as 200-299",
        "zones/a.yaml:17:63: [bad-status] expect-status is `299-200`; expected a code or a range "
        "from 100 to 599, as 200-299",
        "zones/a.yaml:17:72: [bad-status] expect-status is `600`; expected a code or a range from "
        "100 to 599, as 200-299",
        "zones/a.yaml:18:60: [timeout-over-interval] timeout 2s is longer than the interval 1s; "
        "expected at most the interval",
        "zones/a.yaml:19:47: [bad-duration] interval is `99ms`; expected an integer and ms, s, m, "
        "h or d, from 100ms to 1h",
        "zones/a.yaml:20:9: [missing-key] health check without `endpoint`; expected it, or "
        "`calculated`",
        "zones/a.yaml:21:45: [setting-without-use] `expect-body` in a tcp check; expected it with "
        "an http:// or https:// endpoint only",
        "zones/a.yaml:21:62: [setting-without-use] `certificate-min` in a tcp check; expected it "
        "with an https://, tls:// or grpcs:// endpoint only",
        "zones/a.yaml:22:46: [setting-without-use] `certificate-min` in an http check; expected it "
        "with an https://, tls:// or grpcs:// endpoint only",
        "zones/a.yaml:22:63: [bad-duration] certificate-min is `30m`; expected an integer and ms, "
        "s, m, h or d, from 1h to 365d",
        "zones/a.yaml:22:83: [bad-pointer] the key is `status`; expected it to begin with /, and ~ "
        "as ~0 (RFC 6901)",
        "zones/a.yaml:22:95: [bad-pointer] the key is `/a~2`; expected it to begin with /, and ~ "
        "as ~0 (RFC 6901)",
        "zones/a.yaml:23:54: [bad-header] `x role` is no header's name; expected letters, digits "
        "and `-`",
        "zones/a.yaml:23:82: [wrong-type] expect-body is empty; expected text"}},
      {"settings that no probe of the kind has a use for",
       R"(    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 0, endpoint: a.us.example, addresses: 198.51.100.1 }
    health-checks:
      - { endpoint: "tcp://a.eu.example:1", expect-status: 200, method: GET, http-version: 2 }
      - { endpoint: "tls://a.eu.example:1", certificate-min: 7d, expect-header: { a: b }, certificate-every: 1m }
      - { endpoint: a.eu.example/1, method: HEAD, expect-body: ok, expect-json: { /a: 1 } }
      - { endpoint: a.eu.example/2, method: head, http-version: 3 }
      - { endpoint: tls://a.eu.example, expect-status: 200 }
      - { endpoint: "tls://a.eu.example:1/path" })",
       {"zones/a.yaml:10:45: [setting-without-use] `expect-status` in a tcp check; expected it "
        "with an http:// or https:// endpoint only",
        "zones/a.yaml:10:65: [setting-without-use] `method` in a tcp check; expected it with an "
        "http:// or https:// endpoint only",
        "zones/a.yaml:10:78: [setting-without-use] `http-version` in a tcp check; expected it with "
        "an http:// or https:// endpoint only",
        "zones/a.yaml:11:66: [setting-without-use] `expect-header` in a tls check; expected it "
        "with an http:// or https:// endpoint only",
        "zones/a.yaml:11:91: [setting-without-use] `certificate-every` in a tls check; expected "
        "it with an https:// or grpcs:// endpoint only",
        "zones/a.yaml:12:51: [setting-without-use] `expect-body` beside `method: HEAD`, whose "
        "answer has no body; expected `method: GET`",
        "zones/a.yaml:12:68: [setting-without-use] `expect-json` beside `method: HEAD`, whose "
        "answer has no body; expected `method: GET`",
        "zones/a.yaml:13:45: [bad-choice] method is `head`; did you mean `HEAD`?",
        "zones/a.yaml:13:65: [bad-choice] http-version is `3`; did you mean `2`?",
        "zones/a.yaml:14:21: [bad-check-endpoint] endpoint is "
        "`tls://a.eu.example`; " ENDPOINT_KINDS,
        "zones/a.yaml:15:21: [bad-check-endpoint] endpoint is "
        "`tls://a.eu.example:1/path`; " ENDPOINT_KINDS}},
      {"checks that speak for a record",
       R"(    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 0, endpoint: a.us.example }
    health-checks:
      - { endpoint: "http://192.0.2.9:9090", of: a.xx, query: up, expect-value: "> 0" }
      - { endpoint: "http://192.0.2.9:9090", of: a.eu, query: up }
      - { endpoint: "http://192.0.2.9:9090", of: a.eu, name: one, expect-value: "> 0" }
      - { endpoint: "http://192.0.2.9:9090", of: a.eu, name: two, query: up, expect-value: "> x" }
      - { endpoint: a.eu.example, name: three, no-answer: stale }
      - { endpoint: "http://192.0.2.9/", of: a.eu, name: two, query: up, expect-value: "> 0", method: GET }
      - { endpoint: "http://192.0.2.9/", of: a.eu, name: four, expect-json: { /a: "<< 3" } }
      - { endpoint: "http://[192.0.2.9]/", of: a.eu, name: five }
      - { endpoint: "http://status.example/", of: a.eu, name: six }
      - { endpoint: "file:eu.health" }
      - { endpoint: "file:../eu.health", of: a.eu }
      - { endpoint: "program:eu", of: a.eu, probe-at: "192.0.2.9:1" }
      - { endpoint: "file:eu", of: a.eu, degraded-above: 10ms, votes: 101 }
      - { endpoint: a.eu.example/slow, degraded-above: 4s }
      - { endpoint: "dns://a.eu.example/www.example.com/XX" }
      - { endpoint: "dns://a.eu.example/www.example.com/A", expect-answer: [192.0.2.1, x] }
      - { endpoint: "dns://a.us.example/www.example.com" }
      - { endpoint: "icmp://a.us.example" }
      - { endpoint: "icmp://a.eu.example:7" }
      - { endpoint: a.eu.example/answers, expect-answer: 192.0.2.1 }
      - { endpoint: "grpc://a.eu.example" }
      - { endpoint: "grpc://a.eu.example:1/a/b" }
    degraded-weight: 0%)",
       {"zones/a.yaml:10:50: [unknown-record] `a.xx` begins no record's endpoint; expected one of "
        "a.eu.example, a.us.example",
        "zones/a.yaml:11:63: [missing-key] `query` without `expect-value`; expected what its value "
        "must be, as `< 0.05`",
        "zones/a.yaml:12:67: [setting-without-use] `expect-value` without `query`; expected both",
        "zones/a.yaml:13:92: [bad-comparison] `> x` is no comparison; expected `<`, `<=`, `>` or "
        "`>=` and a number, as `< 0.05`",
        "zones/a.yaml:14:59: [setting-without-use] `no-answer: stale` in a check of the endpoint "
        "itself, which would never be down; expected it with `of` only",
        "zones/a.yaml:15:58: [check-twice] a second check of `two`; expected each name once",
        "zones/a.yaml:15:95: [setting-without-use] `method` beside `query`; expected "
        "`expect-value` alone",
        "zones/a.yaml:16:83: [bad-comparison] `<< 3` is no comparison; expected `<`, `<=`, `>` or "
        "`>=` and a number, as `< 0.05`",
        "zones/a.yaml:17:21: [bad-check-endpoint] endpoint is "
        "`http://[192.0.2.9]/`; " ENDPOINT_KINDS,
        "zones/a.yaml:18:21: [check-without-address] warning: a check of `status.example`, whose "
        "address nobody says, depends on the system's resolver; better `probe-at` in the check",
        "zones/a.yaml:19:21: [missing-key] `file:eu.health` without `of`; expected the record that "
        "it speaks for",
        "zones/a.yaml:20:21: [bad-check-endpoint] endpoint is `file:../eu.health`; " ENDPOINT_KINDS,
        "zones/a.yaml:21:45: [setting-without-use] `probe-at` in a program check; expected it with "
        "an endpoint that is somewhere else only",
        "zones/a.yaml:22:42: [setting-without-use] `degraded-above` in a file check; expected it "
        "with an endpoint that takes time to answer only",
        "zones/a.yaml:22:71: [bad-integer] votes is `101`; expected an integer from 0 to 100",
        "zones/a.yaml:23:40: [degraded-over-timeout] degraded-above 4s is not below the timeout "
        "4s, which is a failure; expected less",
        "zones/a.yaml:24:21: [bad-check-endpoint] endpoint is "
        "`dns://a.eu.example/www.example.com/XX`; " ENDPOINT_KINDS,
        "zones/a.yaml:25:21: [bad-rdata] expect-answer is `x`: Syntax error, could not parse the "
        "RR's rdata; expected A RDATA",
        "zones/a.yaml:26:21: [check-without-address] the address of `a.us.example` is said "
        "nowhere, and a check by dns resolves nothing; expected `addresses` in the record or "
        "`probe-at` in the check",
        "zones/a.yaml:27:21: [check-without-address] the address of `a.us.example` is said "
        "nowhere, and a check by icmp resolves nothing; expected `addresses` in the record or "
        "`probe-at` in the check",
        "zones/a.yaml:28:21: [bad-check-endpoint] endpoint is "
        "`icmp://a.eu.example:7`; " ENDPOINT_KINDS,
        "zones/a.yaml:29:43: [setting-without-use] `expect-answer` in an https check; expected it "
        "with a dns:// endpoint only",
        "zones/a.yaml:30:21: [bad-check-endpoint] endpoint is "
        "`grpc://a.eu.example`; " ENDPOINT_KINDS,
        "zones/a.yaml:31:21: [bad-check-endpoint] endpoint is "
        "`grpc://a.eu.example:1/a/b`; " ENDPOINT_KINDS,
        "zones/a.yaml:32:22: [bad-percent] degraded-weight is 0 %; expected 1 to 100"}},
      {"vantages",
       R"(    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
    health-checks:
      - { endpoint: a.eu.example/1, vantages: [paris, a b], on-fail: set-weight a.eu 0 }
      - { name: x, of: a.eu, calculated: { checks: a.eu.example/1 }, vantages: paris })",
       {"zones/a.yaml:9:48: [unknown-vantage] policy.yaml has no vantage `paris`; expected it "
        "under `vantages` there",
        "zones/a.yaml:9:48: [vantage-alone] warning: vantages without `quorum`: each of them takes "
        "the record out alone; better a quorum of 2",
        "zones/a.yaml:9:55: [bad-name] vantages is `a b`; expected 1 to 63 letters, digits, `-`, "
        "`_` or `.`",
        "zones/a.yaml:9:70: [on-fail-by-one] `on-fail` beside `vantages`, where one of them would "
        "move traffic alone; expected `quorum` to decide without it",
        "zones/a.yaml:10:70: [setting-without-use] `vantages` in a calculated check, which asks "
        "nothing; expected it with an endpoint",
        "zones/a.yaml:10:80: [unknown-vantage] policy.yaml has no vantage `paris`; expected it "
        "under `vantages` there"}},
      {"calculated checks",
       R"(    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
    health-checks:
      - { endpoint: a.eu.example/1, name: one, votes: 0 }
      - { endpoint: a.eu.example/2, votes: 0 }
      - { name: good, of: a.eu, calculated: { at-least: 1, checks: [one, a.eu.example/2] } }
      - { name: x, of: a.eu, calculated: { at-least: 4, checks: [one, two, one] } }
      - { name: y, of: a.eu, calculated: { checks: z } }
      - { name: z, of: a.eu, calculated: { checks: [one, y] } }
      - { name: u, of: a.eu, calculated: { checks: u }, interval: 1s, endpoint: a.eu.example/3 }
      - { name: v, calculated: { checks: one, inverted: maybe } }
      - { of: a.eu, calculated: { checks: one } })",
       {"zones/a.yaml:12:54: [bad-calculation] at-least is 4, of 3 checks; expected at most that",
        "zones/a.yaml:12:71: [unknown-check] the service has no check `two`; expected one of "
        "a.eu.example/2, good, one, u, x, y, z",
        "zones/a.yaml:12:76: [check-named-twice] `one` again; expected each check once",
        "zones/a.yaml:13:9: [calculated-in-a-circle] `example.com/api/y` follows itself, or a "
        "check that does; expected an order in which one can be told after the other",
        "zones/a.yaml:14:9: [calculated-in-a-circle] `example.com/api/z` follows itself, or a "
        "check that does; expected an order in which one can be told after the other",
        "zones/a.yaml:15:9: [calculated-in-a-circle] `example.com/api/u` follows itself, or a "
        "check that does; expected an order in which one can be told after the other",
        "zones/a.yaml:15:57: [setting-without-use] `interval` in a calculated check, which asks "
        "nothing; expected it with an endpoint",
        "zones/a.yaml:15:71: [setting-without-use] `endpoint` in a calculated check, which asks "
        "nothing; expected it with an endpoint",
        "zones/a.yaml:16:9: [missing-key] calculated check without `of`; expected the record that "
        "it speaks for",
        "zones/a.yaml:16:57: [bad-choice] inverted is `maybe`; expected one of true, false",
        "zones/a.yaml:17:9: [missing-key] calculated check without `name`; expected what it is "
        "called"}},
      {"on-fail",
       R"(    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 0, endpoint: a.us.example, addresses: 198.51.100.1 }
    health-checks:
      - { endpoint: a.eu.example/1, on-fail: set-weight a.eu }
      - { endpoint: a.eu.example/2, on-fail: set-weight a.e 0 }
      - { endpoint: a.eu.example/3, on-fail: set-weight a 0 }
      - { endpoint: a.eu.example/4, on-fail: set-weight a.eu 0; set-weight a.eu.example 1 }
      - { endpoint: a.eu.example/5, on-fail: set-weight a.eu 65536 }
      - { endpoint: a.eu.example/6, on-fail: ~ })",
       {"zones/a.yaml:10:46: [bad-on-fail] on-fail is `set-weight a.eu`; expected `set-weight NAME "
        "WEIGHT`, 1 to 100 of them with `;` between, weights from 0 to 65535",
        "zones/a.yaml:11:46: [unknown-record] `a.e` begins no record's endpoint; expected one of "
        "a.eu.example, a.us.example",
        "zones/a.yaml:12:46: [ambiguous-record] `a` begins the endpoints of several records; "
        "expected a longer name",
        "zones/a.yaml:13:46: [weight-twice] on-fail sets the weight of `a.eu.example` twice; "
        "expected once",
        "zones/a.yaml:14:46: [bad-on-fail] on-fail is `set-weight a.eu 65536`; expected "
        "`set-weight NAME WEIGHT`, 1 to 100 of them with `;` between, weights from 0 to 65535",
        "zones/a.yaml:15:37: [wrong-type] on-fail is nothing; expected text"}},
      {"quorum",
       R"(    records:
      - { region: eu, weight: 100, endpoint: a.eu.example, addresses: 192.0.2.1 }
      - { region: us, weight: 0, endpoint: a.us.example, addresses: 198.51.100.1 }
    quorum: 3
    health-checks: [{ endpoint: a.eu.example/1 }, { endpoint: a.eu.example/2 }])",
       {"zones/a.yaml:9:13: [quorum-too-large] quorum 3, but no record has more than 2 votes of "
        "checks; "
        "expected at most that"}},
      {"a quorum that is none",
       R"(    records: [{ region: eu, weight: 1, endpoint: a.eu.example, addresses: 192.0.2.1 }]
    health-checks: [{ endpoint: a.eu.example/1 }]
    quorum: most)",
       {"zones/a.yaml:8:13: [bad-quorum] quorum is `most`; expected `any`, `all` or an integer "
        "from "
        "1 to 1000"}},
      {"a quorum of none",
       R"(    records: [{ region: eu, weight: 1, endpoint: a.eu.example, addresses: 192.0.2.1 }]
    health-checks: [{ endpoint: a.eu.example/1 }]
    quorum: 0)",
       {"zones/a.yaml:8:13: [bad-quorum] quorum is `0`; expected `any`, `all` or an integer from 1 "
        "to 1000"}},
      {"a check without an address",
       R"(    records: [{ region: eu, weight: 1, endpoint: a.eu.example }]
    health-checks: [{ endpoint: a.eu.example/1 }])",
       {"zones/a.yaml:7:33: [check-without-address] warning: a check of `a.eu.example`, which has "
        "no addresses, depends on the system's resolver; better `addresses` in the record or "
        "`probe-at` in the check"}},
  };
  for (const BadFile& row : rows) {
    CAPTURE(row.name);
    CHECK(findings({{"policy.yaml", small_policy}, {"zones/a.yaml", service_head + row.text}}) ==
          row.findings);
  }
}

}  // namespace
}  // namespace demarc::testing
