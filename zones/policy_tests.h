// Expectations kept beside the policy: given these verdicts, orders and tokens, that is answered or
// held. The real steering runs them, with keys made for the run, so no private key is needed.
// zones/yaml/policy_tests_file.h reads them; `demarc check --policy-tests` shows what came of it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "geo/base/diagnostics.h"
#include "geo/base/moment.h"
#include "geo/location.h"
#include "zones/model.h"
#include "zones/token.h"

namespace demarc::zones {

struct NamedAt {
  std::string name;
  Place place;
};

/// A token to be signed for the run; what the claims leave out is filled in.
struct TestToken {
  NamedAt signed_by;  // key id
  Claims claims;
  Seconds lasts{std::chrono::hours{1}};
  Place place;
};

struct TestGiven {
  std::vector<NamedAt> down, drained;  // endpoints' host names or regions
  bool frozen = false;
  std::optional<WallTime> clock;
  std::vector<TestToken> tokens;
  std::vector<std::pair<NamedAt, double>> lag;  // by region
  std::optional<Effect> advice;                 // left out: the advisor does not answer
};

/// Who asks: a country, an address, a network; nothing: a client of no known country.
using TestClient = std::variant<std::monostate, geo::Code2, geo::Address, geo::Prefix>;

struct TestExpectation {
  Place place;
  NamedAt service;     // absolute owner name; may be left out beside `token` alone
  std::string tenant;  // of the service
  TestClient client;
  std::optional<std::vector<NamedAt>> answers;   // regions or endpoints; or "nodata", "servfail"
  std::optional<std::string> note;               // "none", "held", "exception", "all-down"
  std::optional<bool> held;                      // whether a change of the service is pending
  std::optional<std::vector<NamedAt>> crossing;  // regions outside home that answer; empty: none
  std::optional<std::string> rule;               // an id in the trail of the service
  std::optional<std::string> token;              // of the last one: "accepted", "refused KIND"
};

struct PolicyTest {
  std::string name;
  Place place;
  TestGiven given;
  std::vector<TestExpectation> expect;
};

struct FailedExpectation {
  Place place;
  std::string what;  // "api.example.com for DE: answers"
  std::string expected, observed;
};

struct PolicyTestResult {
  std::string name;
  Place place;
  std::size_t checked = 0;
  std::vector<FailedExpectation> failed;  // none: it passed
};

/// Where an address is; without databases only networks.yaml knows.
using Locate = std::function<geo::Location(const geo::Address&)>;

/// The moment of a test that names none: 2026-01-01T12:00:00Z.
[[nodiscard]] WallTime default_test_clock();

/// Names that do not exist (services, regions, endpoints, keys) are findings, and nothing runs.
/// Each test starts from a fresh steering; all end the same every time.
[[nodiscard]] std::vector<PolicyTestResult> run_policy_tests(const Repository& repository,
                                                             const std::vector<PolicyTest>& tests,
                                                             const Locate& locate,
                                                             Diagnostics& diagnostics);

}  // namespace demarc::zones
