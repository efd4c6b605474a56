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

/// Writes the length of the last label of `wire`, which begins at `start`.
bool close_label(std::string& wire, std::size_t start) {
  const std::size_t size = wire.size() - start - 1;
  if (size == 0 || size > label_bytes_max) return false;
  wire[start] = static_cast<char>(size);
  return wire.size() < name_bytes_max;
}

/// Appends the labels before the origin; `is_absolute` says whether the text ended in a dot.
bool append_labels(std::string_view text, std::string& wire, bool& is_absolute) {
  std::size_t label = wire.size();
  wire += '\0';  // its length comes later
  is_absolute = false;
  while (!text.empty()) {
    const char letter = text.front();
    text.remove_prefix(1);
    if (letter == '.') {
      if (!close_label(wire, label)) return false;
      is_absolute = text.empty();
      if (is_absolute) return true;
      label = wire.size();
      wire += '\0';
    } else if (letter != '\\') {
      wire += lowered(letter);
    } else {
      const auto escaped = take_escape(text);
      if (!escaped) return false;
      wire += lowered(*escaped);
    }
  }
  return close_label(wire, label);
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
  std::optional<Name> name(std::in_place);
  if (!name->assign(text, origin)) name.reset();
  return name;
}

bool Name::assign(std::string_view text, const Name& origin) {
  assert(this != &origin);
  wire_.clear();
  bool is_absolute = text == ".";
  const bool has_labels = text != "@" && !is_absolute;
  const bool is_good = !has_labels || append_labels(text, wire_, is_absolute);
  if (is_good) wire_ += is_absolute ? std::string_view("\0", 1) : std::string_view(origin.wire_);
  if (is_good && wire_.size() <= name_bytes_max) return true;
  wire_.assign(1, '\0');
  return false;
}

std::optional<Name> Name::parse_absolute(std::string_view text) {
  // "@" stands for an origin, and here is none.
  if (text == "@") return std::nullopt;
  return parse(text, Name{});
}

Name Name::below(std::string_view labels, const Name& ancestor) {
  Name name;
  name.wire_.reserve(labels.size() + ancestor.wire_.size());
  name.wire_ = labels;
  name.wire_ += ancestor.wire_;
  return name;
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
