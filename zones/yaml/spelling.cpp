#include "zones/yaml/spelling.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace demarc::zones::yaml {
namespace {

// Longer words are no slips of the finger, and the distance costs the product of both lengths.
constexpr std::size_t word_bytes_max = 64;
constexpr std::size_t listed_max = 12;

char lowered(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Three rows of the table: a swap of neighbours looks two rows back.
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U);
      row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
      const bool is_swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (is_swap) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

std::string suggest(std::string_view word, std::span<const std::string> known) {
  if (known.empty()) return "expected none here";
  std::string letters(word.substr(0, word_bytes_max));
  std::ranges::transform(letters, letters.begin(), lowered);

  const std::string* nearest = nullptr;
  std::size_t distance = std::max<std::size_t>(1, letters.size() / 3) + 1;
  for (const std::string& candidate : known) {
    std::string other = candidate.substr(0, word_bytes_max);
    std::ranges::transform(other, other.begin(), lowered);
    const std::size_t found = edit_distance(letters, other);
    if (found >= distance) continue;
    distance = found;
    nearest = &candidate;
  }
  if (nearest != nullptr) return fmt::format("did you mean `{}`?", *nearest);

  const std::size_t listed = std::min(known.size(), listed_max);
  const std::string list = fmt::format(
      "{}", fmt::join(known.begin(), known.begin() + static_cast<std::ptrdiff_t>(listed), ", "));
  const std::size_t more = known.size() - listed;
  if (known.size() == 1) return "expected " + list;
  return more == 0 ? "expected one of " + list
                   : fmt::format("expected one of {} and {} more", list, more);
}

}  // namespace demarc::zones::yaml
