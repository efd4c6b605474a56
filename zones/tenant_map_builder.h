// Makes a TenantMap of lines: ordered, without duplicates, with its digest, its labels and the
// tables that find them. zones/tenant_classes.h says which kind a line is of; the readers
// zones/tenants_csv.h and zones/yaml/tenants_file.h bring the lines.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "geo/base/diagnostics.h"
#include "zones/tenants.h"

namespace demarc::zones {

/// Of one repository: ten times what we measure with. A slot of the tables has 24 bits for a line.
inline constexpr std::size_t tenants_max = 10'000'000;
/// Different sorts of lines of one service.
inline constexpr std::size_t tenant_kinds_max = 65'535;

/// Where a line was written, compact: there are a million of them while a map is read.
struct TenantSpot {
  std::uint32_t line = 0;
  std::uint16_t file = 0;  // index into the files that were read
  std::uint16_t column = 0;
};

class TenantMapBuilder {
 public:
  /// The set of a service, made when it is asked for first. In the order of ServiceId.
  [[nodiscard]] std::size_t set_of(ServiceId service, TenantNaming naming);

  /// The number of a kind in its set; nothing when there are too many.
  [[nodiscard]] std::optional<std::uint16_t> kind_of(std::size_t set, const TenantKind& kind);

  /// `name` is one label, lower case. False when there are too many tenants.
  bool add(std::size_t set, std::string_view name, std::uint16_t kind, TenantSpot spot);
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// Two lines of one tenant, or two tenants of one label on the wire.
  struct Clash {
    std::string name;
    TenantSpot first;
    TenantSpot second;
    bool is_label = false;
  };
  /// To be called once, before finish(): orders the lines. At most `clashes_max`.
  [[nodiscard]] std::vector<Clash> order_lines(std::size_t clashes_max);
  /// Where the map's tenant was written. After order_lines().
  [[nodiscard]] TenantSpot spot_of(TenantId id) const;

  /// The map, with names of the model for its digest. After order_lines(), without clashes.
  [[nodiscard]] const TenantMap& finish(const Repository& repository);
  /// Two tenants that the wire cannot tell apart. After finish().
  [[nodiscard]] std::vector<Clash> label_clashes() const;
  [[nodiscard]] TenantMap take() { return std::move(map_); }

  /// For maps whose digest is given.
  [[nodiscard]] TenantMap finish_with(std::string digest);

 private:
  void order_set(std::size_t set);
  void hash_labels(std::size_t set);
  void fill_tables();

  TenantMap map_;
  std::vector<TenantNaming> naming_;            // by set
  std::vector<std::vector<TenantSpot>> spots_;  // by set and line
  std::vector<std::map<TenantKind, std::uint16_t>> kinds_;
  std::size_t size_ = 0;
};

}  // namespace demarc::zones
