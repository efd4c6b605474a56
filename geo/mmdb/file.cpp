#include "geo/mmdb/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>
#include <initializer_list>
#include <unordered_map>
#include <utility>

#include "geo/base/descriptor.h"
#include "geo/countries.h"
#include "geo/mmdb/layout.h"

namespace demarc::geo {
namespace {

constexpr std::size_t copy_bytes = 1 << 20;  // one read; any size would do

/// Copies a file into memory that no path leads to. libmaxminddb maps what it opens, so a file
/// overwritten in place would change under it, or end in SIGBUS when it got shorter.
Result<Descriptor, SystemError> private_copy(const std::string& path) {
  const Descriptor source(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat facts{};
  if (!source.is_open() || ::fstat(source.number(), &facts) != 0) {
    return system_error("open " + path);
  }
  if (!S_ISREG(facts.st_mode)) return failure(path + ": is no regular file");
  Descriptor copy(::memfd_create("demarc-geoip", MFD_CLOEXEC));
  if (!copy.is_open()) return system_error("create a private copy of " + path);

  std::size_t total = static_cast<std::size_t>(facts.st_size);
  std::vector<std::uint8_t> buffer(total > database_bytes_max ? 0 : copy_bytes);
  for (std::size_t copied = 0; total <= database_bytes_max; total = copied) {
    const ssize_t count = ::read(source.number(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error("read " + path);
    if (count == 0) return copy;
    for (ssize_t written = 0; written < count;) {
      const ssize_t more = ::write(copy.number(), buffer.data() + written,
                                   static_cast<std::size_t>(count - written));
      if (more < 0 && errno != EINTR) return system_error("write a private copy of " + path);
      if (more > 0) written += more;
    }
    copied += static_cast<std::size_t>(count);
  }
  return failure(fmt::format("{}: is larger than {} bytes", path, database_bytes_max));
}

/// The bytes of an open file, as long as this lives.
class Mapping {
 public:
  explicit Mapping(const Descriptor& file) {
    struct stat facts{};
    if (::fstat(file.number(), &facts) != 0 || facts.st_size == 0) return;
    size_ = static_cast<std::size_t>(facts.st_size);
    void* const at = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.number(), 0);
    if (at != MAP_FAILED) data_ = at;
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (data_ != nullptr) ::munmap(data_, size_);
  }
  [[nodiscard]] bool failed() const noexcept { return size_ != 0 && data_ == nullptr; }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const noexcept {
    return {static_cast<const std::uint8_t*>(data_), data_ == nullptr ? 0 : size_};
  }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

/// The value at a path of keys (array indices are decimal text), where the record has it.
std::optional<MMDB_entry_data_s> value_at(MMDB_entry_s& entry,
                                          std::initializer_list<const char*> keys) {
  std::array<const char*, 4> path{};  // ends in a null pointer
  assert(keys.size() < path.size());
  std::copy(keys.begin(), keys.end(), path.begin());
  MMDB_entry_data_s data{};
  if (MMDB_aget_value(&entry, &data, path.data()) != MMDB_SUCCESS || !data.has_data) {
    return std::nullopt;
  }
  return data;
}

/// The text at the first of `paths` that has one; empty if none does. Borrows the database.
std::string_view text_at(MMDB_entry_s& entry,
                         std::initializer_list<std::initializer_list<const char*>> paths) {
  for (const auto& path : paths) {
    const auto data = value_at(entry, path);
    if (data && data->type == MMDB_DATA_TYPE_UTF8_STRING)
      return {data->utf8_string, data->data_size};
  }
  return {};
}

std::optional<double> degrees_at(MMDB_entry_s& entry, const char* key, double max) {
  auto data = value_at(entry, {"location", key});
  if (!data) data = value_at(entry, {key});
  if (!data) return std::nullopt;
  double degrees = max + 1;
  if (data->type == MMDB_DATA_TYPE_DOUBLE) degrees = data->double_value;
  if (data->type == MMDB_DATA_TYPE_FLOAT) degrees = static_cast<double>(data->float_value);
  if (!std::isfinite(degrees) || std::abs(degrees) > max) return std::nullopt;
  return degrees;
}

std::uint32_t asn_at(MMDB_entry_s& entry) {
  const auto data = value_at(entry, {"autonomous_system_number"});
  if (data && data->type == MMDB_DATA_TYPE_UINT32) return data->uint32;
  if (data && data->type == MMDB_DATA_TYPE_UINT16) return data->uint16;
  std::string_view text = text_at(entry, {{"asn"}});  // "AS64500"
  if (!text.starts_with("AS")) return 0;
  text.remove_prefix(2);
  std::uint32_t asn = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), asn);
  return error == std::errc{} && end == text.data() + text.size() ? asn : 0;
}

/// A country of our table, for databases also have codes that are none (`EU`, `AP`, `ZZ`).
Code2 country_of(std::string_view text) {
  const auto code = parse_code2(text);
  return code && find_country(*code) != nullptr ? *code : Code2{};
}

/// "US-CA" from GeoIP2's "CA" or a flat "US-CA"; empty if there is none.
std::string subdivision_of(Code2 country, std::string_view code) {
  if (code.empty() || !country.known()) return {};
  if (code.size() > 3 && code[2] == '-') return std::string(code);
  return fmt::format("{}-{}", country.text(), code);
}

/// What one record says, in any of the layouts that databases have.
Location location_of(MMDB_entry_s& entry) {
  Location location;
  location.country =
      country_of(text_at(entry, {{"country", "iso_code"}, {"country_code"}, {"country"}}));
  location.registered_country =
      country_of(text_at(entry, {{"registered_country", "iso_code"}, {"registered_country_code"}}));
  const auto continent =
      parse_code2(text_at(entry, {{"continent", "code"}, {"continent_code"}, {"continent"}}));
  if (continent && is_continent(*continent)) location.continent = *continent;
  location.subdivision =
      subdivision_of(location.country, text_at(entry, {{"subdivisions", "0", "iso_code"}}));
  location.asn = asn_at(entry);
  const auto latitude = degrees_at(entry, "latitude", 90);
  const auto longitude = degrees_at(entry, "longitude", 180);
  if (latitude && longitude) location.coordinates = Coordinates{*latitude, *longitude};
  return completed(std::move(location));
}

/// Numbers the distinct locations of a database: many records differ only in what we do not use.
class LocationReader {
 public:
  LocationReader(MMDB_s& database, std::span<const std::uint8_t> data)
      : database_(database), data_(data), locations_{Location{}}, numbers_{{Location{}, 0}} {}

  [[nodiscard]] const std::string& error() const noexcept { return error_; }
  [[nodiscard]] std::vector<Location> take_locations() { return std::move(locations_); }

  /// From data offsets plus one to numbers of locations.
  template <typename Key>
  RangeMap<Key> read(const RangeMap<Key>& offsets) {
    RangeMap<Key> map;
    map.starts.reserve(offsets.size());
    map.values.reserve(offsets.size());
    for (std::size_t i = 0; i < offsets.size(); ++i) {
      map.append(offsets.starts[i], number_of(offsets.values[i]));
    }
    return map;
  }

 private:
  std::uint32_t number_of(std::uint32_t offset_plus_one) {
    if (offset_plus_one == 0) return 0;
    const auto [known, is_new] = by_offset_.try_emplace(offset_plus_one, 0);
    if (is_new) known->second = read_record(offset_plus_one - 1);
    return known->second;
  }

  std::uint32_t read_record(std::uint32_t offset) {
    const std::string wrong = check_mmdb_record(data_, offset);
    if (!wrong.empty()) {
      if (error_.empty()) error_ = fmt::format("has a bad record: data at {} {}", offset, wrong);
      return 0;
    }
    MMDB_entry_s entry{&database_, offset};
    Location location = location_of(entry);
    const auto [known, is_new] =
        numbers_.try_emplace(location, static_cast<std::uint32_t>(locations_.size()));
    if (is_new) locations_.push_back(std::move(location));
    return known->second;
  }

  MMDB_s& database_;
  std::span<const std::uint8_t> data_;
  std::vector<Location> locations_;
  std::unordered_map<Location, std::uint32_t, LocationHash> numbers_;
  std::unordered_map<std::uint32_t, std::uint32_t> by_offset_;
  std::string error_;
};

}  // namespace

void MmdbFile::Close::operator()(MMDB_s* database) const noexcept {
  MMDB_close(database);
  delete database;
}

Result<MmdbFile, SystemError> MmdbFile::open(const std::string& path) {
  const auto wrong = [&path](const std::string& what) { return failure(path + ": " + what); };
  const auto copy = private_copy(path);
  if (!copy) return std::unexpected(copy.error());
  const Mapping mapping(*copy);
  if (mapping.failed()) return system_error("map a private copy of " + path);

  const auto layout = check_mmdb_layout(mapping.bytes());
  if (!layout) return wrong(layout.error());
  const auto ranges = walk_mmdb(*layout);
  if (!ranges) return wrong(ranges.error());

  auto raw = std::make_unique<MMDB_s>();
  const std::string copy_path = fmt::format("/proc/self/fd/{}", copy->number());
  const int status = MMDB_open(copy_path.c_str(), MMDB_MODE_MMAP, raw.get());
  if (status != MMDB_SUCCESS) return wrong(fmt::format("libmaxminddb: {}", MMDB_strerror(status)));
  MmdbFile file;
  file.database_.reset(raw.release());  // to be closed from here on

  LocationReader reader(*file.database_, layout->data);
  file.ipv4_ = reader.read(ranges->ipv4);
  file.ipv6_ = reader.read(ranges->ipv6);
  if (!reader.error().empty()) return wrong(reader.error());
  file.locations_ = reader.take_locations();
  file.path_ = path;
  file.type_ = layout->database_type;
  file.build_epoch_ = layout->build_epoch;
  file.networks_ = ranges->networks;
  return file;
}

Location MmdbFile::find(const Address& address) const {
  sockaddr_storage storage{};
  if (address.family == Family::ipv4) {
    auto& socket_address = reinterpret_cast<sockaddr_in&>(storage);
    socket_address.sin_family = AF_INET;
    std::memcpy(&socket_address.sin_addr, address.bytes.data(), 4);
  } else {
    // ::/96 is where the tree has IPv4; no IPv6 client is at home there.
    const bool is_ipv4_half = key_of<Key6>(address) >> 32 == 0;
    if (is_ipv4_half || database_->metadata.ip_version == 4) return {};
    auto& socket_address = reinterpret_cast<sockaddr_in6&>(storage);
    socket_address.sin6_family = AF_INET6;
    std::memcpy(&socket_address.sin6_addr, address.bytes.data(), 16);
  }
  int error = MMDB_SUCCESS;
  MMDB_lookup_result_s found =
      MMDB_lookup_sockaddr(database_.get(), reinterpret_cast<const sockaddr*>(&storage), &error);
  if (error != MMDB_SUCCESS || !found.found_entry) return {};
  return location_of(found.entry);
}

std::string MmdbFile::description() const {
  using std::chrono::sys_seconds;
  const auto longest = static_cast<std::uint64_t>(sys_seconds::duration::max().count());
  std::string built = "at an unknown time";
  // Years beyond four digits are nonsense that the calendar below could not hold either.
  constexpr std::uint64_t year_10000 = 253'402'300'800;
  if (build_epoch_ != 0 && build_epoch_ < std::min(longest, year_10000)) {
    const sys_seconds time{std::chrono::seconds(static_cast<std::int64_t>(build_epoch_))};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(time - day);
    built = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                        clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  }
  return fmt::format("{}: {}, built {}, {} networks", path_, type_, built, networks_);
}

}  // namespace demarc::geo
