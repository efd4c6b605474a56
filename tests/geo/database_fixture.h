// Databases for tests: files that vanish again, written by our writer or byte by byte.
// Used by the tests of geo/ and by tests/fuzz/mmdb_fuzz.cpp.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "geo/mmdb/layout.h"
#include "geo/mmdb/writer.h"
#include "geo/network_csv.h"

namespace demarc::geo {

/// A folder of its own for one test, removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    const char* const base = std::getenv("TMPDIR");
    path_ = std::string(base != nullptr ? base : "/tmp") + "/demarc-geo-XXXXXX";
    if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("mkdtemp " + path_);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    for (const std::string& file : files_) ::unlink(file.c_str());
    ::rmdir(path_.c_str());
  }

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  /// The path of a file here, which need not exist.
  std::string file(std::string_view name) {
    files_.push_back(path_ + "/" + std::string(name));
    return files_.back();
  }
  std::string file(std::string_view name, std::string_view content) {
    std::ofstream(file(name), std::ios::binary) << content;
    return files_.back();
  }

 private:
  std::string path_;
  std::vector<std::string> files_;
};

inline std::string text_of(const std::vector<std::uint8_t>& bytes) {
  return {bytes.begin(), bytes.end()};
}

/// The MMDB image of a CSV text that has no faults.
inline MmdbImage image_of(std::string_view csv, const std::string& type = "Test-City") {
  NetworkList list;
  Diagnostics diagnostics;
  parse_networks(csv, "test.csv", list, diagnostics);
  if (!diagnostics.list().empty()) throw std::runtime_error(diagnostics.list().front().line());
  auto image = build_mmdb(list, {type, "a test", 1'700'000'000});
  if (!image) throw std::runtime_error(image.error().text());
  return std::move(*image);
}

/// Values of the data section, sizes below 29 or 285 for texts.
namespace raw {

inline std::string text(std::string_view value) {
  if (value.size() < 29)
    return std::string(1, static_cast<char>(0x40 | value.size())).append(value);
  return std::string({'\x5d', static_cast<char>(value.size() - 29)}).append(value);
}
inline std::string number16(std::uint16_t value) {
  return {'\xa2', static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
}
inline std::string number32(std::uint32_t value) {
  return {'\xc4', static_cast<char>(value >> 24), static_cast<char>(value >> 16 & 0xff),
          static_cast<char>(value >> 8 & 0xff), static_cast<char>(value & 0xff)};
}
inline std::string map(const std::vector<std::pair<std::string_view, std::string>>& members) {
  std::string bytes(1, static_cast<char>(0xe0 | members.size()));
  for (const auto& [key, value] : members) bytes += text(key) + value;
  return bytes;
}
inline std::string number64(std::uint64_t value) {
  std::string bytes = {'\x08', '\x02'};
  for (int shift = 56; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>(value >> shift & 0xff));
  }
  return bytes;
}
/// To an offset below 2048.
inline std::string pointer(std::uint32_t target) {
  return {static_cast<char>(0x20 | target >> 8), static_cast<char>(target & 0xff)};
}

}  // namespace raw

/// A file of 24-bit records, right or wrong.
struct RawMmdb {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> nodes;
  std::string data;
  std::uint16_t ip_version = 4;
  std::uint16_t record_size = 24;
  std::uint16_t format = 2;
  std::optional<std::uint32_t> node_count = std::nullopt;  // what the metadata claims

  /// The record for a place in `data`.
  [[nodiscard]] std::uint32_t to_data(std::size_t offset) const {
    return static_cast<std::uint32_t>(nodes.size() + mmdb_separator_bytes + offset);
  }
  [[nodiscard]] std::string bytes() const {
    std::string out;
    const auto add = [&out](std::uint32_t record) {
      for (const int shift : {16, 8, 0}) out.push_back(static_cast<char>(record >> shift & 0xff));
    };
    for (const auto& [left, right] : nodes) {
      add(left);
      add(right);
    }
    out += std::string(mmdb_separator_bytes, '\0') + data;
    out += mmdb_marker;
    const auto count = node_count.value_or(static_cast<std::uint32_t>(nodes.size()));
    return out + raw::map({{"binary_format_major_version", raw::number16(format)},
                           {"binary_format_minor_version", raw::number16(0)},
                           {"build_epoch", raw::number64(1'700'000'000)},
                           {"database_type", raw::text("Raw")},
                           {"description", raw::map({{"en", raw::text("by hand")}})},
                           {"ip_version", raw::number16(ip_version)},
                           {"languages", std::string("\x01\x04", 2) + raw::text("en")},
                           {"node_count", raw::number32(count)},
                           {"record_size", raw::number16(record_size)}});
  }
};

/// Two halves of IPv4: 0.0.0.0/1 says `record`, the rest nothing.
inline RawMmdb one_record(const std::string& record) {
  RawMmdb file{.nodes = {{0, 1}}, .data = record};
  file.nodes[0].first = file.to_data(0);
  return file;
}

}  // namespace demarc::geo
