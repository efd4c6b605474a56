// Bytes in pieces, through a window: what it holds, and what it finds.
#include "zones/byte_source.h"

#include <algorithm>
#include <string>

#include <catch2/catch.hpp>

namespace demarc::zones {
namespace {

TEST_CASE("byte source: a text in pieces of any size is the text", "[zones][pieces]") {
  const std::string text = "one\ntwo\n\nthree";
  for (std::size_t piece = 1; piece <= text.size() + 1; ++piece) {
    for (std::size_t room = 1; room <= text.size() + 1; ++room) {
      const ByteSource source = bytes_of(text, piece);
      std::string read;
      std::string buffer(room, '\0');
      while (const std::size_t count = source(buffer)) {
        CHECK(count <= std::min(piece, room));
        read.append(buffer, 0, count);
      }
      CHECK(read == text);
      CHECK(source(buffer) == 0);
    }
  }
}

TEST_CASE("byte window: lines that fit, and one that does not", "[zones][pieces]") {
  const ByteSource source = bytes_of("ab\n\ncdef\nghij\nk", 3);
  ByteWindow window(source, 5);
  std::string lines;
  while (window.has_more()) {
    const auto line = window.find_line();
    if (line) {
      lines += "[" + std::string(*line) + "]";
      window.take(std::min(line->size() + 1, window.held().size()));
    } else {
      lines += window.take_one();
    }
  }
  CHECK(lines == "[ab][][cdef][ghij][k]");

  const ByteSource longer = bytes_of("abcdefg\nhi", 2);
  ByteWindow small(longer, 5);
  REQUIRE(small.has_more());
  CHECK_FALSE(small.find_line());
  CHECK(small.held() == "abcde");
  small.take(3);
  CHECK(small.find_line() == "defg");
}

TEST_CASE("byte window: a source that ended is not asked again", "[zones][pieces]") {
  int asked = 0;
  const ByteSource source = [&](std::span<char>) {
    ++asked;
    return std::size_t{0};
  };
  ByteWindow window(source, 8);
  CHECK_FALSE(window.has_more());
  CHECK_FALSE(window.has_more());
  CHECK(window.find_line() == "");
  CHECK(asked == 1);
}

}  // namespace
}  // namespace demarc::zones
