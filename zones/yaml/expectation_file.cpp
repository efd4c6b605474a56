#include "zones/yaml/expectation_file.h"

#include <algorithm>

#include "zones/comparison.h"

namespace demarc::zones::yaml {
namespace {

/// A token of RFC 9110 §5.6.2: what a header's name may be.
bool is_header_name(std::string_view text) {
  static constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return std::ranges::all_of(text, [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || others.contains(letter);
  });
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  });
  return text;
}

bool check_comparison(const Reading& reading, Position at, const std::string& text) {
  if (parse_comparison(text)) return true;
  reading.error(at, "bad-comparison",
                "`{}` is no comparison; expected `<`, `<=`, `>` or `>=` and a number, as `< 0.05`",
                text);
  return false;
}

}  // namespace

void read_expected_body(const Reading& reading, const Node& node, ExpectedAnswer& expect) {
  assign(expect.body, read_text(reading, node, "expect-body"));
}

void read_expected_headers(const Reading& reading, const Node& node, ExpectedAnswer& expect) {
  read_named(
      reading, node, "expect-header", expected_headers_max, [&](const Key& key, const Node& value) {
        auto text = read_text(reading, value, "the header's value");
        if (!is_header_name(key.text)) {
          reading.error(key.at, "bad-header",
                        "`{}` is no header's name; expected letters, digits and `-`", key.text);
        } else if (text) {
          expect.headers.push_back({lower(key.text), std::move(*text)});
        }
      });
}

void read_expected_values(const Reading& reading, const Node& node, ExpectedAnswer& expect) {
  read_named(reading, node, "expect-json", expected_values_max,
             [&](const Key& key, const Node& value) {
               auto text = read_text(reading, value, "the expected value");
               const bool is_good = check_pointer(reading, key.at, "the key", key.text);
               if (!is_good || !text) return;
               if (begins_comparison(*text) && !check_comparison(reading, value.at, *text)) return;
               expect.values.push_back({key.text, std::move(*text)});
             });
}

void read_query_value(const Reading& reading, const Node& node, ExpectedAnswer& expect) {
  auto text = read_text(reading, node, "expect-value");
  if (text && check_comparison(reading, node.at, *text)) expect.query_value = std::move(*text);
}

void read_expected_answers(const Reading& reading, const Node& node, ExpectedAnswer& expect) {
  read_one_or_list(reading, node, "expect-answer", expected_answers_max, [&](const Node& item) {
    if (auto text = read_text(reading, item, "expect-answer")) {
      expect.answers.push_back(std::move(*text));
    }
  });
}

void read_certificate_left(const Reading& reading, const Node& node, ExpectedAnswer& expect) {
  const DurationRange range{Milliseconds{std::chrono::hours{1}}, certificate_left_max};
  assign(expect.certificate_left, read_duration(reading, node, "certificate-min", range));
}

}  // namespace demarc::zones::yaml
