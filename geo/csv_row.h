// One row of a CSV file, cut into fields (RFC 4180, but a field does not span lines).
// Private to geo/: geo/network_csv.cpp makes networks of the fields.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace demarc::geo {

struct Field {
  std::string_view text;   // without its quotes, or without the blanks around it
  std::size_t column = 0;  // in bytes, from 1
};

/// Keeps its memory from row to row.
class CsvRow {
 public:
  /// Empty if all is well, else what is wrong at error_column(). The fields borrow `line` and this.
  [[nodiscard]] std::string_view split(std::string_view line);

  [[nodiscard]] const std::vector<Field>& fields() const noexcept { return fields_; }
  [[nodiscard]] std::size_t error_column() const noexcept { return error_column_; }

 private:
  void read_plain(std::string_view line, std::size_t& at);
  std::string_view read_quoted(std::string_view line, std::size_t& at);

  std::vector<Field> fields_;
  std::deque<std::string> buffers_;  // no vector: fields point into them while more are added
  std::size_t buffers_used_ = 0;
  std::size_t error_column_ = 0;
};

}  // namespace demarc::geo
