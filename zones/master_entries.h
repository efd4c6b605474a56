// The entries of a master file (RFC 1035 §5.1): comments gone, continuation lines joined, each with
// its line. Split here and not by ldns, whose line numbers run ahead over empty lines.
// zones/master_file.h makes records of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "zones/byte_source.h"

namespace demarc::zones {

/// One record with all its continuation lines. 65,535 bytes of RDATA as \DDD escapes fit.
inline constexpr std::size_t master_line_bytes_max = std::size_t{512} << 10U;

struct Entry {
  std::size_t line = 0;
  bool starts_blank = false;  // the owner is the last one's
  std::string_view text;      // good until the next one is read
};

enum class SplitError : std::uint8_t {
  none,
  open_quote,
  open_parenthesis,
  stray_parenthesis,
  long_line,
  control
};

[[nodiscard]] std::string_view to_text(SplitError error);

class EntryReader {
 public:
  /// `source` outlives the reader. Any window gives the same entries; one that holds most lines
  /// gives them faster.
  EntryReader(const ByteSource& source, std::size_t window_bytes) : window_(source, window_bytes) {}

  /// False at the end of the file. `error` concerns the entry that was read.
  bool next(Entry& entry, SplitError& error);

 private:
  struct Nesting {
    unsigned depth = 0;  // of parentheses
    bool is_quoted = false;
  };

  void read_entry(Entry& entry, SplitError& error);
  bool read_plain_line(Entry& entry);
  void take(char letter, Nesting& nesting, SplitError& error);
  void skip_comment();

  ByteWindow window_;
  std::string joined_;  // the text of an entry that is no plain line
  std::size_t line_ = 1;
};

}  // namespace demarc::zones
