// The third step for policy.yaml: names become ids, key files are read, the rules between its parts
// are checked. zones/yaml/policy_file.h gives the values, zones/model.h has the result.
#pragma once

#include <string>

#include "zones/model.h"
#include "zones/yaml/policy_file.h"
#include "zones/yaml/repository_files.h"

namespace demarc::zones::yaml {

/// How much of the policy other files may refer to.
enum class PolicyState : std::uint8_t {
  read,     // all of it
  missing,  // no policy.yaml: regions are what records name, no service may have residency
  broken,   // not to be read at all, which is reported: unknown names in other files are not
};

/// Builds the policy; where there are findings it is partial, but has every name that the file has.
/// `content_digest` is the SHA-256 of policy.yaml.
[[nodiscard]] Policy build_policy(const PolicyFile& file, const std::string& content_digest,
                                  const Reading& reading, RepositoryFiles& files);

/// The name of the one jurisdiction, of no country, in which all regions lie without policy.yaml.
inline constexpr std::string_view unknown_jurisdiction = "unknown";

}  // namespace demarc::zones::yaml
