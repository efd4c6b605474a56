// Values of the dns-01 challenge (RFC 8555 §8.4) that somebody asked us to answer for a while. Only
// kept in memory: a restart forgets them, as a certificate authority's client asks again anyway.
// tools/local_names.h publishes them, tools/cli_acme.cpp is how they come.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dns/local_names.h"
#include "dns/zone_table.h"
#include "geo/base/moment.h"
#include "geo/base/result.h"
#include "zones/name.h"

namespace demarc::tools {

/// In all, and for one name: a certificate with its wildcard needs two, several accounts a few
/// more.
inline constexpr std::size_t acme_values_max = 256;
inline constexpr std::size_t acme_values_per_name_max = 8;
inline constexpr Milliseconds acme_life_max{std::chrono::hours{24}};
inline constexpr std::uint32_t acme_ttl = 5;  // seconds

struct AcmeValue {
  zones::Name owner;  // `_acme-challenge.NAME`
  std::string value;
  WallTime ends;  // exclusive
  std::string who;
};

/// Control thread.
class AcmeValues {
 public:
  /// Adds a value, or gives one that is there its new end. `name` is absolute, with or without the
  /// label `_acme-challenge`; it exists in `zones`, in a zone of ours and not at a delegation, and
  /// no record of a zone file is where the value would be. A value is 43 letters of base64url
  /// (RFC 4648 §5), as a SHA-256 has. Returns what was added; the error is one sentence.
  [[nodiscard]] Result<AcmeValue, std::string> set(const dns::ZoneTable& zones,
                                                   const std::string& name,
                                                   const std::string& value, Milliseconds lasts,
                                                   const std::string& who, WallTime now);

  /// Takes away one value of a name, or all with an empty `value`; returns them.
  [[nodiscard]] std::vector<AcmeValue> remove(const std::string& name, std::string_view value);

  /// Takes away what has ended; returns it.
  [[nodiscard]] std::vector<AcmeValue> expire(WallTime now);

  /// By name, then in the order in which they came.
  [[nodiscard]] const std::vector<AcmeValue>& list() const noexcept { return values_; }
  /// As query threads read them; null: there are none.
  [[nodiscard]] std::shared_ptr<const dns::Challenges> challenges() const;

 private:
  std::vector<AcmeValue> values_;
};

}  // namespace demarc::tools
