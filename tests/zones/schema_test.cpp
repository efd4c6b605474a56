// The published JSON Schemas know the same keys as the readers.
#include <algorithm>
#include <fstream>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/zones/findings.h"

namespace demarc::testing {
namespace {

using Json = nlohmann::json;

Json read_schema(const std::string& name) {
  std::ifstream file(DEMARC_SOURCE_DIR "/zones/schema/" + name + ".schema.json");
  return Json::parse(file);
}

/// The keys that a reader says it knows when it meets one that it does not.
std::vector<std::string> known_keys(const Files& files) {
  for (const std::string& line : findings(files)) {
    const std::size_t start = line.find("expected one of ");
    if (line.find("`zzzzzzzz`") == std::string::npos || start == std::string::npos) continue;
    std::vector<std::string> keys;
    std::string rest = line.substr(start + 16);
    rest = rest.substr(0, rest.find(" and "));  // a long list is cut
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(", "), rest.size());
      keys.push_back(rest.substr(0, end));
      rest.erase(0, end + 2);
    }
    return keys;
  }
  return {};
}

void check_keys(const Json& schema, const Files& files) {
  const std::vector<std::string> keys = known_keys(files);
  CHECK_FALSE(keys.empty());
  for (const std::string& key : keys) {
    CAPTURE(key);
    CHECK(schema.at("properties").contains(key));
  }
  if (keys.size() < 12) CHECK(schema.at("properties").size() == keys.size());
}

TEST_CASE("schema: policy.yaml has the reader's keys", "[zones][schema]") {
  const Json schema = read_schema("policy");
  const auto with = [](const std::string& text) {
    return Files{{"policy.yaml", text}, {"zones/a.yaml", small_zone}};
  };
  check_keys(schema, with("zzzzzzzz: 1"));
  const Json& properties = schema.at("properties");
  check_keys(properties["jurisdictions"]["additionalProperties"],
             with("jurisdictions: { EU: { zzzzzzzz: 1 } }"));
  check_keys(properties["regions"]["additionalProperties"],
             with("regions: { eu: { zzzzzzzz: 1 } }"));
  check_keys(properties["leash"], with("leash: { zzzzzzzz: 1 }"));
  const Json& approvals = properties["approvals"];
  check_keys(approvals, with("approvals: { zzzzzzzz: 1 }"));
  check_keys(approvals["properties"]["keys"]["items"],
             with("approvals: { keys: [{ zzzzzzzz: 1 }] }"));
  check_keys(approvals["properties"]["rules"]["items"],
             with("approvals: { rules: [{ zzzzzzzz: 1 }] }"));
  for (const char* part : {"break-glass", "key-list"}) {
    check_keys(approvals["properties"][part],
               with("approvals: { " + std::string(part) + ": { zzzzzzzz: 1 } }"));
  }
}

TEST_CASE("schema: networks.yaml has the reader's keys", "[zones][schema]") {
  check_keys(read_schema("networks").at("items"),
             {{"networks.yaml", "- { zzzzzzzz: 1 }"}, {"zones/a.yaml", small_zone}});
}

TEST_CASE("schema: tenants.yaml has the reader's keys", "[zones][schema]") {
  const Json schema = read_schema("tenants").at("additionalProperties");
  const auto with = [](const std::string& text) {
    return Files{
        {"policy.yaml", small_policy}, {"zones/a.yaml", small_zone}, {"tenants.yaml", text}};
  };
  check_keys(schema, with("a: { zzzzzzzz: 1 }"));
  check_keys(schema["properties"]["tenants"]["additionalProperties"],
             with("a: { tenants: { b: { zzzzzzzz: 1 } } }"));
}

TEST_CASE("schema: zone files have the reader's keys", "[zones][schema]") {
  const Json schema = read_schema("zone");
  const auto with = [](const std::string& text) { return Files{{"zones/a.yaml", text}}; };
  check_keys(schema, with("zzzzzzzz: 1"));
  check_keys(schema["properties"]["soa"], with("soa: { zzzzzzzz: 1 }"));
  check_keys(schema["properties"]["transfer"], with("transfer: { zzzzzzzz: 1 }"));
  check_keys(schema["properties"]["operator-names"], with("operator-names: { zzzzzzzz: 1 }"));
  const Json& service = schema["$defs"]["service"];
  check_keys(service, with("services: { a: { zzzzzzzz: 1 } }"));
  check_keys(service["properties"]["records"]["items"],
             with("services: { a: { records: [{ zzzzzzzz: 1 }] } }"));
  check_keys(schema["$defs"]["health-check"],
             with("services: { a: { health-checks: [{ zzzzzzzz: 1 }] } }"));
  check_keys(service["properties"]["leash"],
             with("services: { a: { leash: { zzzzzzzz: 1 } } }"));
  check_keys(service["properties"]["https"],
             with("services: { a: { https: { zzzzzzzz: 1 } } }"));
  check_keys(service["properties"]["tenants"],
             with("services: { a: { tenants: { zzzzzzzz: 1 } } }"));
  check_keys(service["properties"]["route"]["oneOf"][1],
             with("services: { a: { route: { zzzzzzzz: 1 } } }"));
}

}  // namespace
}  // namespace demarc::testing
