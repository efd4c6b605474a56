// What the words of a tenant's line mean: its home, its regions, and the class that answers it.
// Tenants that are steered alike share a class, a service derived from the one that has them.
// zones/tenants_load.h brings the words, zones/tenant_map_builder.h takes the kinds,
// zones/rendezvous.h places tenants without a region.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "geo/base/diagnostics.h"
#include "geo/base/result.h"
#include "zones/digest.h"
#include "zones/model.h"
#include "zones/rendezvous.h"
#include "zones/tenant_map_builder.h"

namespace demarc::zones {

/// Classes of one repository: each is ruled, rendered and audited like a service of its own.
inline constexpr std::size_t tenant_classes_max = 1000;

/// The words of a line, in the order of the CSV's columns; empty: left out.
enum class TenantWord : std::uint8_t { home, residency, region, regulated, sensitivity };
inline constexpr std::size_t tenant_word_count = 5;
using TenantWords = std::array<std::string_view, tenant_word_count>;

struct TenantFinding {
  TenantWord word = TenantWord::home;
  std::string rule;
  std::string text;
};

/// Makes the place of a line only when somebody needs it: a million are read and few are told of.
using PlaceMaker = std::function<Place()>;

/// What all lines with the same words have in common.
struct TenantSort {
  std::size_t set = 0;
  std::string service;                   // owner without the last dot
  TenantKind kind;                       // but for class, and by hash for regions
  std::vector<Candidate> candidates;     // by hash: where it may go, by region name
  std::vector<std::uint16_t> kind_made;  // one, or by first and second candidate; no_kind: not yet
};

class TenantClasses {
 public:
  /// Appends classes to `repository`; both outlive this.
  TenantClasses(Repository& repository, TenantMapBuilder& builder)
      : repository_(repository), builder_(builder) {}

  /// What the words mean for tenants of `service`, which has `home: tenant`.
  [[nodiscard]] Result<TenantSort, TenantFinding> resolve(ServiceId service,
                                                          const TenantWords& words) const;

  /// The kind of one tenant, lower case; makes the class if it is the first of it, at `place`.
  [[nodiscard]] Result<std::uint16_t, TenantFinding> kind_of(TenantSort& sort,
                                                             std::string_view tenant,
                                                             const PlaceMaker& place);

  /// Where hashing may place tenants of this home: its regions that have weight, by name.
  [[nodiscard]] static std::vector<Candidate> candidates(const Repository& repository,
                                                         const Service& service,
                                                         JurisdictionId home);

 private:
  using ClassKey = std::tuple<ServiceId, JurisdictionId, Residency, std::vector<RegionId>>;

  [[nodiscard]] std::optional<TenantFinding> read_regions(const Service& service,
                                                          std::string_view words,
                                                          TenantKind& kind) const;
  [[nodiscard]] std::optional<TenantFinding> check_region(const Service& service,
                                                          const TenantKind& kind, RegionId region,
                                                          bool is_first) const;
  [[nodiscard]] std::vector<RegionId> order_of(const Service& service, JurisdictionId home,
                                               std::vector<RegionId> first) const;
  [[nodiscard]] std::optional<ServiceId> class_for(const TenantKind& kind, const PlaceMaker& place);
  [[nodiscard]] Service make_class(const TenantKind& kind, const std::vector<RegionId>& order,
                                   const Place& place) const;
  [[nodiscard]] Name class_owner(const Service& parent, const std::string& text) const;

  Repository& repository_;
  TenantMapBuilder& builder_;
  std::map<ClassKey, ServiceId> classes_;
  Sha256Stream stream_;
};

inline constexpr std::uint16_t no_kind = 0xffff;

}  // namespace demarc::zones
