// Where in its files a repository says what: every key of every YAML file with its line, by path.
// The model keeps places of services alone; zones/diff/difference.h looks up the rest here.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "geo/base/diagnostics.h"

namespace demarc::zones {

class PlaceIndex {
 public:
  /// Takes one file in; text that is no YAML adds nothing. Items of a list go by their `id` or
  /// `name`, else by their number from 0: "approvals/keys/legal-1", "approvals/rules/0".
  void add_file(const std::string& file, std::string_view text);

  /// The place of a path, or of the nearest thing around it; at least the file.
  [[nodiscard]] Place find(const std::string& file, std::string path) const;

 private:
  std::map<std::string, Place> places_;  // "policy.yaml#regions/eu"
};

}  // namespace demarc::zones
