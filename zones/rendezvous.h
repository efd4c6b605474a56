// Where a tenant without a region of its own is placed: weighted rendezvous hashing, so that a
// region that goes moves its own tenants alone. Integers only: any program can compute the same.
// zones/tenant_classes.h asks it for each such tenant; zones/README.md has the recipe.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "zones/digest.h"
#include "zones/model.h"

namespace demarc::zones {

/// A region that may take tenants.
struct Candidate {
  RegionId region{};
  std::uint64_t hash = 0;    // of its name: region_hash()
  std::uint64_t weight = 0;  // base weights of its records, together; above zero
};

/// The first eight bytes of SHA-256, high byte first: of the region's name, or of
/// "SERVICE/TENANT" (the owner without the last dot).
[[nodiscard]] std::uint64_t region_hash(std::string_view region);
[[nodiscard]] std::uint64_t tenant_hash(Sha256Stream& stream, std::string_view service,
                                        std::string_view tenant);

/// -log2 of the pair's hash as a fraction of 2^64, with 24 binary places: 1 to 64 * 2^24. Divided
/// by a weight, it is how late a region comes to take a tenant; the earliest wins.
[[nodiscard]] std::uint32_t lateness(std::uint64_t tenant, std::uint64_t region) noexcept;

/// All candidates, the one that takes the tenant first. Ties: the lower index.
[[nodiscard]] std::vector<std::size_t> rank(std::uint64_t tenant,
                                            std::span<const Candidate> candidates);

/// The first two of the ranking, without allocating; of one candidate twice the same.
struct TopTwo {
  std::size_t first = 0;
  std::size_t second = 0;
};
/// Precondition: at least one candidate.
[[nodiscard]] TopTwo top_two(std::uint64_t tenant, std::span<const Candidate> candidates) noexcept;

}  // namespace demarc::zones
