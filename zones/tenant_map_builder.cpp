#include "zones/tenant_map_builder.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <numeric>

#include "zones/digest.h"
#include "zones/tenant_export.h"

namespace demarc::zones {
namespace {

/// The eight letters after what all names begin with, as a number that sorts like them.
std::uint64_t sort_key(std::string_view name, std::size_t skip) noexcept {
  std::uint64_t key = 0;
  const std::string_view rest = name.substr(std::min(skip, name.size()));
  for (std::size_t i = 0; i < 8; ++i) {
    key = key << 8 | (i < rest.size() ? static_cast<std::uint8_t>(rest[i]) : 0U);
  }
  return key;
}

}  // namespace

std::size_t TenantMapBuilder::set_of(ServiceId service, TenantNaming naming) {
  for (std::size_t i = 0; i < map_.sets_.size(); ++i) {
    if (map_.sets_[i].service == service) return i;
  }
  assert(map_.sets_.empty() || map_.sets_.back().service < service);
  TenantMap::Set& set = map_.sets_.emplace_back();
  set.service = service;
  set.labels = naming.labels;
  naming_.push_back(std::move(naming));
  spots_.emplace_back();
  kinds_.emplace_back();
  const std::size_t at = index_of(service);
  if (map_.set_of_service_.size() <= at) map_.set_of_service_.resize(at + 1, 0);
  map_.set_of_service_[at] = static_cast<std::uint32_t>(map_.sets_.size());
  return map_.sets_.size() - 1;
}

std::optional<std::uint16_t> TenantMapBuilder::kind_of(std::size_t set, const TenantKind& kind) {
  auto& kinds = map_.sets_[set].kinds;
  if (const auto known = kinds_[set].find(kind); known != kinds_[set].end()) return known->second;
  if (kinds.size() == tenant_kinds_max) return std::nullopt;
  const auto next = static_cast<std::uint16_t>(kinds.size());
  kinds.push_back(kind);
  kinds_[set].emplace(kind, next);
  return next;
}

bool TenantMapBuilder::add(std::size_t set, std::string_view name, std::uint16_t kind,
                           TenantSpot spot) {
  TenantMap::Set& target = map_.sets_[set];
  assert(!name.empty() && name.size() < 64);
  if (size_ == tenants_max || target.names.size() + name.size() > 0xffff'ffffU) return false;
  TenantMap::Line line;
  line.name_at = static_cast<std::uint32_t>(target.names.size());
  line.name_size = static_cast<std::uint8_t>(name.size());
  line.kind = kind;
  target.names += name;
  target.lines.push_back(line);
  spots_[set].push_back(spot);
  ++size_;
  return true;
}

void TenantMapBuilder::order_set(std::size_t at) {
  TenantMap::Set& set = map_.sets_[at];
  const auto count = static_cast<std::uint32_t>(set.lines.size());
  bool is_ordered = true;
  std::size_t common = count == 0 ? 0 : set.name(0).size();
  for (std::uint32_t i = 1; i < count; ++i) {
    const std::string_view name = set.name(i);
    is_ordered = is_ordered && set.name(i - 1) < name;
    common = std::min(common, name.size());
    while (std::memcmp(name.data(), set.name(0).data(), common) != 0) --common;
  }
  if (is_ordered) return;

  struct Item {
    std::uint64_t key;
    std::uint32_t line;
  };
  std::vector<Item> items(count);
  for (std::uint32_t i = 0; i < count; ++i) items[i] = {sort_key(set.name(i), common), i};
  // A tenant's second line comes after its first.
  std::ranges::sort(items, [&](const Item& a, const Item& b) {
    if (a.key != b.key) return a.key < b.key;
    const int order = set.name(a.line).compare(set.name(b.line));
    return order != 0 ? order < 0 : a.line < b.line;
  });
  std::vector<TenantMap::Line> lines(count);
  for (std::uint32_t i = 0; i < count; ++i) lines[i] = set.lines[items[i].line];
  set.lines = std::move(lines);
  std::vector<TenantSpot> spots(count);
  for (std::uint32_t i = 0; i < count; ++i) spots[i] = spots_[at][items[i].line];
  spots_[at] = std::move(spots);
}

std::vector<TenantMapBuilder::Clash> TenantMapBuilder::order_lines(std::size_t clashes_max) {
  std::vector<Clash> clashes;
  for (std::size_t at = 0; at < map_.sets_.size(); ++at) {
    order_set(at);
    TenantMap::Set& set = map_.sets_[at];
    set.lines.shrink_to_fit();
    set.names.shrink_to_fit();
    std::uint32_t first = 0;
    for (std::uint32_t i = 1; i < set.lines.size(); ++i) {
      if (set.name(first) != set.name(i)) {
        first = i;
      } else if (clashes.size() < clashes_max) {
        clashes.push_back({std::string(set.name(i)), spots_[at][first], spots_[at][i]});
      }
    }
  }
  return clashes;
}

TenantSpot TenantMapBuilder::spot_of(TenantId id) const { return spots_[id.set][id.line]; }

void TenantMapBuilder::hash_labels(std::size_t at) {
  TenantMap::Set& set = map_.sets_[at];
  if (set.labels == TenantLabels::plain) return;
  HmacSha256 hmac(naming_[at].key);
  set.opaque.resize(set.lines.size());
  set.by_opaque.resize(set.lines.size());
  for (std::uint32_t i = 0; i < set.lines.size(); ++i) {
    const Sha256 hash = hmac.of(set.name(i));
    std::copy_n(hash.begin(), set.opaque[i].size(), set.opaque[i].begin());
    set.lines[i].opaque_rest = hash[set.opaque[i].size()] >> 6;
    std::uint64_t start = 0;
    std::memcpy(&start, set.opaque[i].data(), sizeof start);
    set.by_opaque.insert(start, i);
  }
}

void TenantMapBuilder::fill_tables() {
  for (std::size_t at = 0; at < map_.sets_.size(); ++at) {
    TenantMap::Set& set = map_.sets_[at];
    set.by_name.resize(set.lines.size());
    for (std::uint32_t i = 0; i < set.lines.size(); ++i) {
      set.by_name.insert(map_.hash_of(set.name(i)), i);
      const TenantKind& kind = set.kinds[set.lines[i].kind];
      auto& [tenants, regulated] = map_.counts_[kind.tenant_class];
      ++tenants;
      regulated += kind.regulated ? 1 : 0;
    }
    hash_labels(at);
  }
}

const TenantMap& TenantMapBuilder::finish(const Repository& repository) {
  const Sha256 digest = tenants_digest(repository, map_);
  std::memcpy(&map_.seed_, digest.data(), sizeof map_.seed_);
  map_.digest_ = to_hex(digest);
  fill_tables();
  return map_;
}

TenantMap TenantMapBuilder::finish_with(std::string digest) {
  (void)order_lines(0);
  map_.digest_ = std::move(digest);
  fill_tables();
  return take();
}

std::vector<TenantMapBuilder::Clash> TenantMapBuilder::label_clashes() const {
  std::vector<Clash> clashes;
  for (std::uint32_t at = 0; at < map_.sets_.size(); ++at) {
    const TenantMap::Set& set = map_.sets_[at];
    if (set.labels == TenantLabels::plain) continue;
    for (std::uint32_t i = 0; i < set.lines.size(); ++i) {
      const bool looks_opaque =
          set.labels == TenantLabels::both && set.name(i).size() == opaque_label_size;
      if (!looks_opaque) continue;
      const auto other = map_.find_opaque(set, set.name(i));
      if (other) {
        clashes.push_back({std::string(set.name(i)), spots_[at][*other], spots_[at][i], true});
      }
    }
  }
  return clashes;
}

}  // namespace demarc::zones
