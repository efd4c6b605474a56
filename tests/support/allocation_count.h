// Counts what a piece of code allocates, for the promise "allocates nothing" of the query path.
// Used by tests/geo/location_table_test.cpp and by the tests of dns/.
#pragma once

#include <cstdint>

namespace demarc {

/// The calls of operator new of this thread since the object was made. Linking this file replaces
/// the global operators (they still end in malloc, so sanitizers see every block). What a C library
/// takes from malloc directly is not counted.
class AllocationCount {
 public:
  AllocationCount() noexcept;

  [[nodiscard]] std::uint64_t since() const noexcept;

 private:
  std::uint64_t start_;
};

}  // namespace demarc
