#include "zones/name.h"

#include <algorithm>
#include <cassert>

#include <fmt/format.h>

namespace demarc::zones {
namespace {

constexpr std::size_t name_bytes_max = 255;  // with the root's zero byte (RFC 1035 §2.3.4)
constexpr std::size_t label_bytes_max = 63;

char lowered(char letter) noexcept {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool is_digit(char letter) noexcept { return letter >= '0' && letter <= '9'; }

/// Takes the escape behind a backslash off `text`: three digits or one other character.
std::optional<char> take_escape(std::string_view& text) {
  if (text.empty()) return std::nullopt;
  if (!is_digit(text[0])) {
    const char plain = text[0];
    text.remove_prefix(1);
    return plain;
  }
  if (text.size() < 3 || !is_digit(text[1]) || !is_digit(text[2])) return std::nullopt;
  const int value = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
  if (value > 255) return std::nullopt;
  text.remove_prefix(3);
  return static_cast<char>(value);
}

bool append_label(std::string& wire, const std::string& label) {
  if (label.empty() || label.size() > label_bytes_max) return false;
  wire += static_cast<char>(label.size());
  wire += label;
  return wire.size() < name_bytes_max;
}

/// Labels before the origin; `is_absolute` says whether the text ended in a dot.
std::optional<std::string> parse_labels(std::string_view text, bool& is_absolute) {
  std::string wire;
  std::string label;
  is_absolute = false;
  while (!text.empty()) {
    const char letter = text.front();
    text.remove_prefix(1);
    if (letter == '.') {
      if (!append_label(wire, label)) return std::nullopt;
      label.clear();
      is_absolute = text.empty();
      continue;
    }
    if (letter != '\\') {
      label += lowered(letter);
      continue;
    }
    const auto escaped = take_escape(text);
    if (!escaped) return std::nullopt;
    label += lowered(*escaped);
  }
  if (!is_absolute && !append_label(wire, label)) return std::nullopt;
  return wire;
}

void append_escaped(std::string& text, char letter) {
  static constexpr std::string_view special = ".\\\"();@$";
  const auto byte = static_cast<unsigned char>(letter);
  if (special.find(letter) != std::string_view::npos) {
    text += '\\';
    text += letter;
  } else if (byte <= ' ' || byte >= 0x7f) {
    text += fmt::format("\\{:03}", static_cast<unsigned>(byte));
  } else {
    text += letter;
  }
}

std::size_t label_step(const std::string& wire, std::size_t at) noexcept {
  return 1U + static_cast<unsigned char>(wire[at]);
}

}  // namespace

std::optional<Name> Name::parse(std::string_view text, const Name& origin) {
  if (text == "@") return origin;
  if (text == ".") return Name{};
  bool is_absolute = false;
  auto wire = parse_labels(text, is_absolute);
  if (!wire) return std::nullopt;
  *wire += is_absolute ? std::string(1, '\0') : origin.wire_;
  if (wire->size() > name_bytes_max) return std::nullopt;
  Name name;
  name.wire_ = std::move(*wire);
  return name;
}

std::optional<Name> Name::parse_absolute(std::string_view text) {
  // "@" stands for an origin, and here is none.
  if (text == "@") return std::nullopt;
  return parse(text, Name{});
}

std::optional<Name> Name::from_wire(std::span<const std::uint8_t> bytes) {
  if (bytes.empty() || bytes.size() > name_bytes_max) return std::nullopt;
  std::size_t at = 0;
  // A length above 63 is a compression pointer or reserved (RFC 1035 §4.1.4): no name by itself.
  while (at < bytes.size() && bytes[at] != 0 && bytes[at] <= label_bytes_max) at += 1U + bytes[at];
  if (at + 1 != bytes.size() || bytes[at] != 0) return std::nullopt;
  Name name;
  name.wire_.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (at = 0; name.wire_[at] != '\0'; at += label_step(name.wire_, at)) {
    const auto label = name.wire_.begin() + static_cast<std::ptrdiff_t>(at) + 1;
    std::transform(label, label + name.wire_[at], label, lowered);
  }
  return name;
}

std::size_t Name::label_count() const noexcept {
  std::size_t count = 0;
  for (std::size_t at = 0; wire_[at] != '\0'; at += label_step(wire_, at)) ++count;
  return count;
}

Name Name::parent() const {
  assert(!is_root());
  Name name;
  name.wire_ = wire_.substr(label_step(wire_, 0));
  return name;
}

bool Name::is_at_or_below(const Name& ancestor) const noexcept {
  if (wire_.size() < ancestor.wire_.size()) return false;
  const std::size_t cut = wire_.size() - ancestor.wire_.size();
  if (wire_.compare(cut, std::string::npos, ancestor.wire_) != 0) return false;
  // The bytes match; the cut must also lie between two labels.
  std::size_t at = 0;
  while (at < cut) at += label_step(wire_, at);
  return at == cut;
}

std::string Name::text() const {
  if (is_root()) return ".";
  std::string text;
  for (std::size_t at = 0; wire_[at] != '\0'; at += label_step(wire_, at)) {
    const std::string_view label =
        std::string_view(wire_).substr(at + 1, static_cast<unsigned char>(wire_[at]));
    for (const char letter : label) append_escaped(text, letter);
    text += '.';
  }
  return text;
}

std::string Name::text_without_dot() const {
  std::string name = text();
  if (!is_root()) name.pop_back();
  return name;
}

}  // namespace demarc::zones
