// Domain names as the wire has them: uncompressed, ASCII lower case, with the root's zero byte.
// zones/model.h names owners with it, dns/ hashes and renders it.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace demarc::zones {

/// A domain name: 1..255 bytes, labels of 1..63 bytes (RFC 1035 §2.3.4), letters in lower case
/// (names compare without case, RFC 4343). Default: the root.
class Name {
 public:
  Name() : wire_(1, '\0') {}

  /// Presentation format with `\.` and `\DDD` escapes. A name without a last dot is relative to
  /// `origin`; "@" is `origin` itself. Nothing for empty labels, long labels or names, bad escapes.
  [[nodiscard]] static std::optional<Name> parse(std::string_view text, const Name& origin);

  /// As parse(), into this name, whose memory is used again. False: there is none, and this is the
  /// root. `origin` is another object.
  [[nodiscard]] bool assign(std::string_view text, const Name& origin);

  /// As parse(), but absolute with or without the last dot (the command line, tokens, endpoints).
  [[nodiscard]] static std::optional<Name> parse_absolute(std::string_view text);

  /// Uncompressed wire bytes, any case; nothing unless they are exactly one valid name.
  [[nodiscard]] static std::optional<Name> from_wire(std::span<const std::uint8_t> bytes);

  /// The name of these labels (wire, lower case, without the root) at the top of `ancestor`. The
  /// caller knows that it is a valid name.
  [[nodiscard]] static Name below(std::string_view labels, const Name& ancestor);

  [[nodiscard]] const std::string& wire() const noexcept { return wire_; }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const noexcept {
    return {reinterpret_cast<const std::uint8_t*>(wire_.data()), wire_.size()};
  }
  [[nodiscard]] bool is_root() const noexcept { return wire_.size() == 1; }
  /// Whether the leftmost label is `*` (RFC 4592).
  [[nodiscard]] bool is_wildcard() const noexcept {
    return wire_.size() > 2 && wire_[0] == 1 && wire_[1] == '*';
  }
  /// Labels without the root: 2 for example.com.
  [[nodiscard]] std::size_t label_count() const noexcept;
  /// Precondition: not the root.
  [[nodiscard]] Name parent() const;
  /// Whether this is `ancestor` or below it.
  [[nodiscard]] bool is_at_or_below(const Name& ancestor) const noexcept;

  /// Presentation format with the last dot; special characters escaped (RFC 1035 §5.1).
  [[nodiscard]] std::string text() const;
  /// As text(), without the last dot unless it is the root.
  [[nodiscard]] std::string text_without_dot() const;

  auto operator<=>(const Name&) const = default;

 private:
  std::string wire_;
};

}  // namespace demarc::zones

template <>
struct std::hash<demarc::zones::Name> {
  std::size_t operator()(const demarc::zones::Name& name) const noexcept {
    return std::hash<std::string>{}(name.wire());
  }
};
