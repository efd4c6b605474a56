#include "geo/database.h"

#include <algorithm>
#include <utility>

#include "geo/mmdb/file.h"

namespace demarc::geo {

Databases::Databases() : files_(std::make_unique<Files>()) {}
Databases::Databases(Databases&&) noexcept = default;
Databases& Databases::operator=(Databases&&) noexcept = default;
Databases::~Databases() = default;

Result<Databases, SystemError> Databases::open(const std::vector<std::string>& paths) {
  Databases databases;
  for (const std::string& path : paths) {
    auto file = MmdbFile::open(path);
    if (!file) return std::unexpected(std::move(file.error()));
    databases.files_->list.push_back(std::move(*file));
  }
  return databases;
}

bool Databases::empty() const noexcept { return files_ == nullptr || files_->list.empty(); }

std::vector<std::string> Databases::descriptions() const {
  std::vector<std::string> lines;
  if (empty()) return lines;
  for (const MmdbFile& file : files_->list) lines.push_back(file.description());
  return lines;
}

Location Databases::find(const Address& address, const std::vector<Override>& overrides) const {
  const Address client = embedded_ipv4(address).value_or(address);

  std::vector<const Override*> matching;  // the most specific first, of equal ones the first listed
  for (const Override& one : overrides) {
    if (one.network.contains(client)) matching.push_back(&one);
  }
  std::ranges::stable_sort(matching, std::ranges::greater{},
                           [](const Override* one) { return one->network.length; });

  Location location;
  for (const Override* one : matching) location = merged(location, completed(one->location));
  if (!empty()) {
    for (const MmdbFile& file : files_->list) location = merged(location, file.find(client));
  }
  location.network_mark = no_network_mark;
  return location;
}

}  // namespace demarc::geo
