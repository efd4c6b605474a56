#include "tools/ustar.h"

#include <numeric>

#include <fmt/format.h>

namespace demarc::tools {
namespace {

constexpr std::size_t block_size = 512;  // bytes
constexpr std::size_t name_max = 100, prefix_max = 155;
constexpr std::size_t size_max = (std::size_t{1} << 33) - 1;  // eleven octal digits

// Where the fields of a header begin.
constexpr std::size_t mode_at = 100, owner_at = 108, group_at = 116, size_at = 124, time_at = 136,
                      sum_at = 148, type_at = 156, magic_at = 257, prefix_at = 345;

void put(std::string& header, std::size_t at, std::string_view text) {
  header.replace(at, text.size(), text);
}

std::optional<std::string> render_header(const std::string& name, std::size_t size) {
  std::string header(block_size, '\0');
  std::size_t slash = std::string::npos;
  if (name.size() > name_max) {
    slash = name.find('/', name.size() - name_max - 1);
    if (slash == std::string::npos || slash > prefix_max) return std::nullopt;
    put(header, prefix_at, name.substr(0, slash));
  }
  put(header, 0, name.substr(slash + 1));  // npos + 1 is 0: the whole name
  put(header, mode_at, "0000644");
  put(header, owner_at, "0000000");
  put(header, group_at, "0000000");
  put(header, size_at, fmt::format("{:011o}", size));
  put(header, time_at, "00000000000");
  put(header, type_at, "0");
  put(header, magic_at,
      std::string_view("ustar\0"
                       "00",
                       8));
  // The sum is taken with spaces where it will stand.
  put(header, sum_at, "        ");
  const unsigned sum = std::accumulate(header.begin(), header.end(), 0U, [](unsigned s, char c) {
    return s + static_cast<unsigned char>(c);
  });
  put(header, sum_at, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  return header;
}

}  // namespace

std::optional<std::string> render_ustar(const std::map<std::string, std::string>& files) {
  std::string archive;
  for (const auto& [name, text] : files) {
    if (text.size() > size_max) return std::nullopt;
    const auto header = render_header(name, text.size());
    if (!header) return std::nullopt;
    archive += *header + text;
    archive.resize((archive.size() + block_size - 1) / block_size * block_size, '\0');
  }
  archive.append(2 * block_size, '\0');
  return archive;
}

}  // namespace demarc::tools
