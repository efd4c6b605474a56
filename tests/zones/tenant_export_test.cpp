// What is said of a whole map: its digest, the JSON for applications, and what a new one changes.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/zones/findings.h"
#include "zones/tenant_export.h"

namespace demarc::testing {
namespace {

using zones::TenantChangeKind;

std::unique_ptr<zones::Repository> with(const std::string& tenants) {
  Diagnostics diagnostics;
  auto repository = load({{"policy.yaml", small_policy},
                          {"keys/t.key", "0123456789abcdef"},
                          {"zones/a.yaml", service_head + R"(    residency: soft
    home: tenant
    default-home: EU
    tenants: { key: keys/t.key }
    records:
      - { region: eu, weight: 100, endpoint: eu.example.net, addresses: 192.0.2.1 }
      - { region: us, weight: 50, endpoint: us.example.net, addresses: 198.51.100.1 }
)"},
                          {"tenants.yaml", "api.example.com:\n  tenants:\n" + tenants}},
                         diagnostics);
  for (const auto& finding : diagnostics.list()) UNSCOPED_INFO(finding.line());
  REQUIRE(repository);
  return repository;
}

const std::string acme = "    acme: { home: EU, residency: hard, region: eu, regulated: true }\n";
const std::string beta = "    beta: { home: US }\n";

TEST_CASE("tenants: the digest is that of the canonical text", "[zones][tenants]") {
  const auto repository = with(beta + acme);
  CHECK(repository->tenants->digest() == zones::sha256_hex("service api.example.com opaque\n"
                                                           "acme EU hard eu line true high\n"
                                                           "beta US soft us hash false low\n"));
  CHECK(with(acme + beta)->tenants->digest() == repository->tenants->digest());
}

TEST_CASE("tenants: the export is JSON with the digest of the whole map", "[zones][tenants]") {
  const auto repository = with(acme + beta);
  std::string text;
  zones::export_tenants(*repository, {}, [&](std::string_view piece) { text += piece; });
  const auto parsed = nlohmann::json::parse(text);
  CHECK(parsed["digest"] == repository->tenants->digest());
  REQUIRE(parsed["services"].size() == 1);
  CHECK(parsed["services"][0]["service"] == "api.example.com");
  CHECK(parsed["services"][0]["labels"] == "opaque");
  const auto& tenants = parsed["services"][0]["tenants"];
  REQUIRE(tenants.size() == 2);
  CHECK(tenants[0] == nlohmann::json{{"name", "acme"},
                                     {"label", *repository->tenants->opaque_label({0, 0})},
                                     {"home", "EU"},
                                     {"residency", "hard"},
                                     {"regions", {"eu"}},
                                     {"placement", "line"},
                                     {"regulated", true},
                                     {"sensitivity", "high"}});
  CHECK(tenants[1]["placement"] == "hash");
}

TEST_CASE("tenants: an export of nobody is JSON as well", "[zones][tenants]") {
  std::string text;
  zones::export_tenants(zones::Repository{}, {}, [&](std::string_view piece) { text += piece; });
  CHECK(nlohmann::json::parse(text)["services"].empty());
}

TEST_CASE("tenants: what a new map changes, and what of it is the law's", "[zones][tenants]") {
  struct Row {
    const char* name;
    std::string before, after;
    std::size_t added, removed, moved, legal;
  };
  const auto row = GENERATE(values<Row>({
      {"nothing", acme + beta, beta + acme, 0, 0, 0, 0},
      {"an ordinary tenant comes", acme, acme + beta, 1, 0, 0, 0},
      {"a regulated tenant comes", beta, acme + beta, 1, 0, 0, 1},
      {"a regulated tenant goes", acme + beta, beta, 0, 1, 0, 1},
      {"a regulated tenant is no longer", acme,
       "    acme: { home: EU, residency: hard, region: eu }\n", 0, 0, 1, 1},
      {"another home", beta, "    beta: { home: EU }\n", 0, 0, 1, 1},
      {"hard to soft", "    a: { home: EU, residency: hard, region: eu }\n",
       "    a: { home: EU, region: eu }\n", 0, 0, 1, 1},
      {"by line instead of by hash", beta, "    beta: { home: US, region: us }\n", 0, 0, 1, 0},
      {"a soft region", "    a: { home: EU, region: eu }\n", "    a: { home: EU, region: us }\n", 0,
       0, 1, 0},
  }));
  CAPTURE(row.name);
  const auto before = with(row.before);
  const auto after = with(row.after);
  const auto changes = zones::diff_tenants(*before, *after);
  CHECK(changes.added == row.added);
  CHECK(changes.removed == row.removed);
  CHECK(changes.moved == row.moved);
  CHECK(changes.legal == row.legal);
  CHECK(changes.list.size() == row.added + row.removed + row.moved);
}

TEST_CASE("tenants: changes name both sides, the law's come first", "[zones][tenants]") {
  const auto before = with("    aaa: { home: US }\n" + acme);
  const auto after = with("    acme: { home: US, residency: hard, region: us, regulated: true }\n");
  const auto changes = zones::diff_tenants(*before, *after);
  REQUIRE(changes.list.size() == 2);
  const zones::TenantChange& moved = changes.list[0];
  CHECK(moved.tenant == "acme");
  CHECK(moved.service == "api.example.com");
  CHECK(moved.kind == TenantChangeKind::moved);
  CHECK(moved.is_legal);
  CHECK(moved.before->home == "EU");
  CHECK(moved.after->home == "US");
  CHECK(moved.after->regions == std::vector<std::string>{"us"});
  CHECK(changes.list[1].kind == TenantChangeKind::removed);
  CHECK_FALSE(changes.list[1].after);
  CHECK(zones::diff_tenants(*before, *after, 1).list.size() == 1);
  CHECK(zones::diff_tenants(*before, *after, 1).removed == 1);
  CHECK(zones::diff_tenants(zones::Repository{}, *before).added == 2);
  CHECK(zones::diff_tenants(*before, zones::Repository{}).removed == 2);
}

}  // namespace
}  // namespace demarc::testing
