#include "zones/policy_tests_names.h"

#include <algorithm>

#include "zones/tenants.h"

namespace demarc::zones {
namespace {

class Checker {
 public:
  Checker(const Repository& repository, Diagnostics& diagnostics)
      : repository_(repository), policy_(repository.policy), diagnostics_(diagnostics) {}

  void check(const PolicyTest& test) {
    for (const NamedAt& target : test.given.down) check_down(target);
    for (const NamedAt& target : test.given.drained) {
      if (!any_record(target.name)) unknown_target(target);
    }
    for (const auto& [region, value] : test.given.lag) check_region(region);
    for (const TestToken& token : test.given.tokens) check_token(token);
    for (const TestExpectation& expect : test.expect) check_expectation(expect);
  }

 private:
  bool any_record(const std::string& target) const {
    return std::ranges::any_of(repository_.services, [&](const Service& service) {
      return std::ranges::any_of(
          service.records, [&](const Record& record) { return is_meant(policy_, record, target); });
    });
  }

  void unknown_target(const NamedAt& target) {
    diagnostics_.error(target.place, "unknown-target",
                       "no record has the region or endpoint `{}`; expected one of a service",
                       target.name);
  }

  void check_down(const NamedAt& target) {
    if (!any_record(target.name)) return unknown_target(target);
    const bool is_checked = std::ranges::any_of(repository_.services, [&](const Service& service) {
      return std::ranges::any_of(service.checks, [&](const HealthCheck& check) {
        return is_meant(policy_, service.record(check.record), target.name);
      });
    });
    if (is_checked) return;
    diagnostics_.error(target.place, "unchecked-target",
                       "no health check belongs to `{}`, so it is never down; expected one that is "
                       "checked, or `drained`",
                       target.name);
  }

  void check_region(const NamedAt& region) {
    if (policy_.find_region(region.name)) return;
    diagnostics_.error(region.place, "unknown-region",
                       "the policy has no region `{}`; expected one of its regions", region.name);
  }

  void check_token(const TestToken& token) {
    const auto& approvals = policy_.approvals;
    if (approvals && std::ranges::count(approvals->keys, token.signed_by.name, &ApprovalKey::id)) {
      return;
    }
    diagnostics_.error(token.signed_by.place, "unknown-key-id",
                       "the policy has no key `{}`; expected the id of one of its keys",
                       token.signed_by.name);
  }

  void check_expectation(const TestExpectation& expect) {
    if (!expect.service.name.empty() && !find_tested(repository_, expect)) {
      diagnostics_.error(expect.service.place, "unknown-service",
                         "there is no service `{}`{}{}; expected an absolute name as "
                         "api.example.com",
                         expect.service.name, expect.tenant.empty() ? "" : " with a tenant ",
                         expect.tenant);
    }
    if (expect.answers) {
      for (const NamedAt& one : *expect.answers) check_answer(one);
    }
    if (expect.crossing) {
      for (const NamedAt& one : *expect.crossing) check_region(one);
    }
  }

  void check_answer(const NamedAt& one) {
    if (one.name == "nodata" || one.name == "servfail" || policy_.find_region(one.name)) return;
    if (!any_record(one.name)) unknown_target(one);
  }

  const Repository& repository_;
  const Policy& policy_;
  Diagnostics& diagnostics_;
};

}  // namespace

bool is_meant(const Policy& policy, const Record& record, const std::string& target) {
  const auto name = Name::parse_absolute(target);
  return policy.region(record.region).name == target || (name && record.endpoint_name == *name);
}

std::optional<ServiceId> find_tested(const Repository& repository, const TestExpectation& expect) {
  const auto owner = Name::parse_absolute(expect.service.name);
  const auto service = owner ? repository.find_service(*owner) : std::nullopt;
  if (!service || expect.tenant.empty()) return service;
  return repository.tenants ? repository.tenants->class_of(*service, expect.tenant) : std::nullopt;
}

void check_test_names(const Repository& repository, const std::vector<PolicyTest>& tests,
                      Diagnostics& diagnostics) {
  Checker checker(repository, diagnostics);
  for (const PolicyTest& test : tests) checker.check(test);
}

}  // namespace demarc::zones
