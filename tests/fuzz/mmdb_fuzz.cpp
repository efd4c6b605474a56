// Any bytes as an MMDB file. The law: what is accepted is understood alike by our own walk of the
// tree and by libmaxminddb, at the first and the last address of every range.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "geo/base/descriptor.h"
#include "geo/mmdb/file.h"

namespace {

using demarc::Descriptor;
using demarc::geo::Address;
using demarc::geo::address_of;
using demarc::geo::MmdbFile;
using demarc::geo::RangeMap;

constexpr std::size_t ranges_looked_at = 64;

void check(bool holds) {
  if (!holds) std::abort();
}

template <typename Key>
void check_ranges(const MmdbFile& file, const RangeMap<Key>& map) {
  for (std::size_t i = 0; i < std::min(map.size(), ranges_looked_at); ++i) {
    for (const Key key : {map.starts[i], map.last(i)}) {
      const Address address = address_of(key);
      if (demarc::geo::embedded_ipv4(address)) continue;  // the caller replaces those
      check(file.find(address) == file.locations().at(map.values[i]));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Descriptor bytes(::memfd_create("fuzz", MFD_CLOEXEC));
  check(::write(bytes.number(), data, size) == static_cast<ssize_t>(size));
  const std::string path = "/proc/self/fd/" + std::to_string(bytes.number());
  const auto file = MmdbFile::open(path);
  if (!file) {
    check(file.error().text().starts_with(path + ": "));
    return 0;
  }
  check_ranges(*file, file->ipv4());
  check_ranges(*file, file->ipv6());
  check(!file->description().empty());
  return 0;
}
