// Text that is read in pieces, so that a file of any size needs only a window of memory.
// zones/yaml/repository_files.h gives the bytes of a file, zones/master_entries.h reads them.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace demarc::zones {

/// Fills the front of `buffer`, which is not empty, and says with how many bytes; 0: no more come.
using ByteSource = std::function<std::size_t(std::span<char> buffer)>;

/// The bytes of `text`, which outlives the source, at most `piece_bytes` at once.
[[nodiscard]] ByteSource bytes_of(std::string_view text,
                                  std::size_t piece_bytes = std::string_view::npos);

/// The bytes of a source that were not taken yet: as many as are looked at, at most its size.
class ByteWindow {
 public:
  /// `size_bytes` is at least 1.
  ByteWindow(const ByteSource& source, std::size_t size_bytes);

  /// Whether any bytes are left; reads on if all that it holds are taken.
  [[nodiscard]] bool has_more() { return at_ < end_ || fetch(); }
  /// What it holds, good until it reads on.
  [[nodiscard]] std::string_view held() const noexcept { return {bytes_.get() + at_, end_ - at_}; }
  /// Precondition of both: so many bytes are held.
  void take(std::size_t count) noexcept { at_ += count; }
  char take_one() noexcept { return bytes_[at_++]; }

  /// Up to the next line feed, without it, or to the end of the source; nothing is taken, and what
  /// comes back is held. Nothing: no window of this size holds the line.
  [[nodiscard]] std::optional<std::string_view> find_line();

 private:
  bool fetch();

  const ByteSource& source_;
  std::size_t size_bytes_;
  std::unique_ptr<char[]> bytes_;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  bool is_at_end_ = false;  // of the source
};

}  // namespace demarc::zones
