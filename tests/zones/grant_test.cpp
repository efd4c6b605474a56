#include "zones/grant.h"

#include <catch2/catch.hpp>

using namespace demarc::zones;

namespace {

bool satisfied(const Required& require,
               const std::vector<std::pair<std::string, std::string>>& person_and_role) {
  std::vector<Signature> signatures;
  for (const auto& [person, role] : person_and_role) {
    signatures.push_back({.person = person, .role = role});
  }
  return is_satisfied(require, signatures);
}

}  // namespace

TEST_CASE("grant: k of n counts persons, not keys, not signatures", "[zones][grant]") {
  CHECK(satisfied({{"legal", 1}}, {{"anna", "legal"}}));
  CHECK_FALSE(satisfied({{"legal", 1}}, {}));
  CHECK_FALSE(satisfied({{"legal", 1}}, {{"ben", "security"}}));
  CHECK_FALSE(satisfied({{"legal", 2}}, {{"anna", "legal"}, {"anna", "legal"}}));
  CHECK(satisfied({{"legal", 2}}, {{"anna", "legal"}, {"carl", "legal"}}));
  CHECK_FALSE(
      satisfied({{"legal", 1}, {"security", 1}}, {{"anna", "legal"}, {"anna", "security"}}));
  CHECK(satisfied({{"legal", 1}, {"security", 1}}, {{"anna", "legal"}, {"ben", "security"}}));
  // Anna could fill both places; she must leave the one that Ben cannot fill.
  CHECK(satisfied({{"legal", 1}, {"security", 1}},
                  {{"anna", "legal"}, {"anna", "security"}, {"ben", "legal"}}));
  CHECK_FALSE(satisfied({}, {{"anna", "legal"}}));  // a rule that requires nobody approves nothing
}
