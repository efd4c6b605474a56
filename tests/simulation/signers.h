// The people of the simulation and their keys: anna has two keys of one role and one of another.
// tests/simulation/history.cpp signs with them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "zones/jws.h"
#include "zones/model.h"

namespace demarc::simulation {

struct Signer {
  std::string key, person, role;
  zones::KeyAlgorithm algorithm = zones::KeyAlgorithm::EdDSA;
};

inline const std::vector<Signer>& signers() {
  static const std::vector<Signer> all = {{"legal-1", "anna", "legal"},
                                          {"legal-2", "anna", "legal"},
                                          {"legal-9", "dora", "legal"},
                                          {"sec-anna", "anna", "security"},
                                          {"sec-1", "ben", "security"}};
  return all;
}

/// The signer's key that counts today, or, with another life, one that was given to the same id.
inline const zones::KeyPair& pair_of(const std::string& key, bool is_usual = true) {
  static std::map<std::string, zones::KeyPair> pairs;
  const std::string name = key + (is_usual ? "" : "/other");
  const auto known = pairs.find(name);
  if (known != pairs.end()) return known->second;
  return pairs[name] = zones::make_key_pair(zones::KeyAlgorithm::EdDSA).value();
}

inline std::string pem_of(const Signer& signer, bool is_usual) {
  return pair_of(signer.key, is_usual).public_key_pem;
}

}  // namespace demarc::simulation
