// What is wrong in files that people edit: every finding with its place and a rule id.
// zones/yaml/ fills the list, `demarc check` and the daemon's log print it.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace demarc {

/// Where in a file: lines and columns count from 1; 0 where a finding is about the whole file.
struct Place {
  std::string file;
  std::size_t line = 0;
  std::size_t column = 0;

  auto operator<=>(const Place&) const = default;
};

enum class Severity : std::uint8_t { error, warning };

/// One finding. `rule` is a stable kebab-case id; `text` says what was found and what was expected.
struct Diagnostic {
  Place place;
  Severity severity = Severity::error;
  std::string rule;
  std::string text;

  /// `file:line:column: [rule] text`, with `warning: ` before the text of a warning.
  [[nodiscard]] std::string line() const {
    return fmt::format("{}:{}:{}: [{}] {}{}", place.file, place.line, place.column, rule,
                       severity == Severity::warning ? "warning: " : "", text);
  }
};

/// All findings of one check. A reader adds and goes on, so that one run shows every error.
class Diagnostics {
 public:
  template <typename... Args>
  void error(const Place& place, std::string_view rule, fmt::format_string<Args...> text,
             Args&&... args) {
    add({place, Severity::error, std::string(rule),
         fmt::format(text, std::forward<Args>(args)...)});
  }
  template <typename... Args>
  void warning(const Place& place, std::string_view rule, fmt::format_string<Args...> text,
               Args&&... args) {
    add({place, Severity::warning, std::string(rule),
         fmt::format(text, std::forward<Args>(args)...)});
  }
  void add(Diagnostic diagnostic) {
    if (diagnostic.severity == Severity::error) ++errors_;
    list_.push_back(std::move(diagnostic));
  }

  [[nodiscard]] bool has_errors() const noexcept { return errors_ != 0; }
  [[nodiscard]] std::size_t error_count() const noexcept { return errors_; }
  [[nodiscard]] const std::vector<Diagnostic>& list() const noexcept { return list_; }

 private:
  std::vector<Diagnostic> list_;
  std::size_t errors_ = 0;
};

}  // namespace demarc
