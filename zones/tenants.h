// Tenants: customers of a service who have a home of their own (DESIGN.md section 3, tenants.yaml).
// Tenants that are steered alike are one class, a service of its own in the model
// (Service::tenants_of): gate, steering and compiler treat it like any other. This is the map from
// names to classes; dns/ asks it for a query's first label, zones/grant.h for a token's tenant.
// zones/tenant_map_builder.h fills it, zones/tenant_export.h writes and compares it.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "zones/model.h"

namespace demarc::zones {

/// Data that must not be anywhere but where a line says, or data that may be placed by hash.
enum class Sensitivity : std::uint8_t { low, high };

/// How a tenant came to its regions.
enum class Placement : std::uint8_t { line, hash };

/// What tenants have in common whose lines say the same.
struct TenantKind {
  ServiceId service{};       // whose tenants they are
  ServiceId tenant_class{};  // what answers them
  JurisdictionId home{};
  Residency residency = Residency::hard;
  Placement placement = Placement::line;
  std::vector<RegionId> regions;  // of the line, in its order; by hash: the first two at most
  bool regulated = false;
  Sensitivity sensitivity = Sensitivity::low;
  auto operator<=>(const TenantKind&) const = default;
};

/// A tenant's place in the map it comes from.
struct TenantId {
  std::uint32_t set = 0;   // one a service
  std::uint32_t line = 0;  // by name
  auto operator<=>(const TenantId&) const = default;
};

/// An opaque label: the first 26 characters of the base32 (RFC 4648 §6, lower case, no padding) of
/// HMAC-SHA256 of the tenant's name. 130 bits: more than anybody can guess or make collide.
inline constexpr std::size_t opaque_label_size = 26;

/// Immutable once built; any number of threads may read it. About 30 bytes a tenant, twice that
/// with opaque labels.
class TenantMap {
 public:
  /// By the service that has the tenants, and the tenant's name.
  using Classes = std::map<std::pair<ServiceId, std::string>, ServiceId>;

  TenantMap() = default;
  /// A small map of regulated tenants without homes or regions: for what only asks for classes.
  TenantMap(const Classes& classes, std::string digest);

  /// The class of a tenant of `service`; nothing if it has no such tenant. Names in lower case.
  [[nodiscard]] std::optional<ServiceId> class_of(ServiceId service, std::string_view tenant) const;
  /// How many regulated tenants a class has.
  [[nodiscard]] std::size_t regulated_in(ServiceId tenant_class) const;
  [[nodiscard]] std::size_t tenants_in(ServiceId tenant_class) const;
  /// SHA-256 in hex of the whole map, canonical; it is in every audit entry.
  [[nodiscard]] const std::string& digest() const noexcept { return digest_; }

  [[nodiscard]] std::optional<TenantId> find(ServiceId service,
                                             std::string_view tenant) const noexcept;
  /// By the first label of a name on the wire, lower case: the tenant's name, its opaque label, or
  /// either, as the service has it. Allocates nothing.
  [[nodiscard]] std::optional<TenantId> find_label(
      ServiceId service, std::span<const std::uint8_t> label) const noexcept;

  [[nodiscard]] std::string_view name(TenantId id) const noexcept;
  [[nodiscard]] const TenantKind& kind(TenantId id) const noexcept;
  /// Nothing with labels `plain`.
  [[nodiscard]] std::optional<std::string> opaque_label(TenantId id) const;

  /// Tenants of all services.
  [[nodiscard]] std::size_t size() const noexcept;
  [[nodiscard]] std::size_t size_bytes() const noexcept;
  /// One set for each service with tenants, in the order of ServiceId.
  [[nodiscard]] std::size_t set_count() const noexcept { return sets_.size(); }
  [[nodiscard]] ServiceId service_of(std::size_t set) const { return sets_.at(set).service; }
  [[nodiscard]] TenantLabels labels_of(std::size_t set) const { return sets_.at(set).labels; }
  /// Tenants of a set: lines 0 to this, ordered by name.
  [[nodiscard]] std::size_t size_of(std::size_t set) const { return sets_.at(set).lines.size(); }

 private:
  friend class TenantMapBuilder;

  struct Line {
    std::uint32_t name_at = 0;
    std::uint16_t kind = 0;
    std::uint8_t name_size = 0;
    std::uint8_t opaque_rest = 0;  // the last two bits of the opaque label
  };
  using Opaque = std::array<std::uint8_t, 16>;  // its first 128 bits

  /// Open addressing, linear probing: eight bits of the hash and, from 1, the line; 0: empty.
  class Slots {
   public:
    void resize(std::size_t line_count);
    void insert(std::uint64_t hash, std::uint32_t line) noexcept;
    template <typename IsMeant>
    [[nodiscard]] std::optional<std::uint32_t> find(std::uint64_t hash,
                                                    const IsMeant& is_meant) const noexcept;
    [[nodiscard]] std::size_t size_bytes() const noexcept { return slots_.size() * sizeof(Slot); }

   private:
    using Slot = std::uint32_t;
    std::vector<Slot> slots_;
  };

  struct Set {
    ServiceId service{};
    TenantLabels labels = TenantLabels::plain;
    std::vector<Line> lines;  // by name
    std::string names;
    std::vector<TenantKind> kinds;
    Slots by_name;
    std::vector<Opaque> opaque;  // by line
    Slots by_opaque;

    [[nodiscard]] std::string_view name(std::uint32_t line) const noexcept {
      return std::string_view(names).substr(lines[line].name_at, lines[line].name_size);
    }
  };

  [[nodiscard]] std::uint64_t hash_of(std::string_view name) const noexcept;
  [[nodiscard]] const Set* find_set(ServiceId service, std::uint32_t& index) const noexcept;
  [[nodiscard]] std::optional<std::uint32_t> find_name(const Set& set,
                                                       std::string_view name) const noexcept;
  [[nodiscard]] std::optional<std::uint32_t> find_opaque(const Set& set,
                                                         std::string_view label) const noexcept;

  std::vector<Set> sets_;
  std::vector<std::uint32_t> set_of_service_;  // by ServiceId, from 1; 0: none
  std::map<ServiceId, std::pair<std::size_t, std::size_t>> counts_;  // class -> tenants, regulated
  std::string digest_;
  std::uint64_t seed_ = 0;  // of the digest: who names one tenant cannot choose where it falls
};

[[nodiscard]] std::string_view to_text(Sensitivity sensitivity) noexcept;

}  // namespace demarc::zones
