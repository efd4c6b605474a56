#include "zones/byte_source.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace demarc::zones {

ByteSource bytes_of(std::string_view text, std::size_t piece_bytes) {
  assert(piece_bytes != 0);
  return [rest = text, piece_bytes](std::span<char> buffer) mutable {
    const std::size_t count = std::min({rest.size(), piece_bytes, buffer.size()});
    rest.copy(buffer.data(), count);
    rest.remove_prefix(count);
    return count;
  };
}

ByteWindow::ByteWindow(const ByteSource& source, std::size_t size_bytes)
    : source_(source),
      size_bytes_(size_bytes),
      bytes_(std::make_unique_for_overwrite<char[]>(size_bytes)) {
  assert(size_bytes != 0);
}

std::optional<std::string_view> ByteWindow::find_line() {
  std::size_t searched = 0;
  while (true) {
    const std::size_t end = held().find('\n', searched);
    if (end != std::string_view::npos) return held().substr(0, end);
    searched = held().size();
    if (fetch()) continue;
    return is_at_end_ ? std::optional(held()) : std::nullopt;
  }
}

/// False: the source has no more bytes, or there is no room for any.
bool ByteWindow::fetch() {
  if (is_at_end_) return false;
  if (end_ == size_bytes_ || at_ == end_) {
    std::memmove(bytes_.get(), bytes_.get() + at_, end_ - at_);
    end_ -= at_;
    at_ = 0;
  }
  if (end_ == size_bytes_) return false;
  const std::size_t count = source_({bytes_.get() + end_, size_bytes_ - end_});
  end_ += count;
  is_at_end_ = count == 0;
  return count != 0;
}

}  // namespace demarc::zones
