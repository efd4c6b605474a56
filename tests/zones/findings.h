// What loading a repository finds: files in, lines of findings out.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/temp_folder.h"
#include "zones/repository.h"

namespace demarc::testing {

/// One row of a table of bad files: what the file says, and all that must be found.
struct BadFile {
  const char* name;
  std::string text;
  std::vector<std::string> findings;
};

/// Path -> content.
using Files = std::map<std::string, std::string>;

inline std::unique_ptr<zones::Repository> load(const Files& files, Diagnostics& diagnostics) {
  const TempFolder folder;
  for (const auto& [path, content] : files) folder.write(path, content);
  return zones::load_repository(folder.path(), diagnostics);
}

inline std::vector<std::string> lines_of(const Diagnostics& diagnostics) {
  std::vector<std::string> lines;
  for (const Diagnostic& finding : diagnostics.list()) lines.push_back(finding.line());
  return lines;
}

inline std::vector<std::string> findings(const Files& files) {
  Diagnostics diagnostics;
  (void)load(files, diagnostics);
  return lines_of(diagnostics);
}

/// A policy of three jurisdictions and a region in each; CH is the EU's standby.
inline const std::string small_policy = R"(jurisdictions:
  EU: { countries: [DE, FR], approved-standby: [CH] }
  CH: { countries: [CH] }
  US: { countries: [US] }
regions:
  eu: { jurisdiction: EU, location: [50, 8] }
  ch: { jurisdiction: CH, location: [47, 8] }
  us: { jurisdiction: US, location: [39, -77] }
)";

/// The first three lines of a good zone file.
inline const std::string small_zone = R"(zone: example.com
soa: { primary: ns1.example.net., contact: h@example.net }
nameservers: [ns1.example.net.]
)";

/// Lines 4 and 5: a service's body, indented by four, may follow.
inline const std::string service_head = small_zone + "services:\n  api:\n";

}  // namespace demarc::testing
