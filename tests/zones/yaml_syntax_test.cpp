// The first step of reading YAML: trees, places, and the limits just below, on and above them.
#include "zones/yaml/syntax.h"

#include <catch2/catch.hpp>

#include "zones/yaml/spelling.h"
#include "zones/yaml/utf8.h"

namespace demarc::zones::yaml {
namespace {

std::optional<Node> parse(const std::string& text, Diagnostics& diagnostics) {
  return parse_syntax(text, "x.yaml", diagnostics);
}

std::size_t findings_of(const std::string& text) {
  Diagnostics diagnostics;
  const bool is_read = parse(text, diagnostics).has_value();
  CHECK(is_read == diagnostics.list().empty());
  return diagnostics.list().size();
}

TEST_CASE("syntax: every node knows its place", "[zones][yaml]") {
  Diagnostics diagnostics;
  const auto root = parse("a: 1\nb:\n  - x\n  - { c: 'y' }\nd:\n", diagnostics);
  REQUIRE(root);
  CHECK(root->kind == NodeKind::map);
  CHECK(root->keys[1].at == Position{2, 1});
  const Node& list = root->items[1];
  CHECK(list.kind == NodeKind::list);
  CHECK(list.items[0].at == Position{3, 5});
  CHECK(list.items[1].items[0].text == "y");
  CHECK(list.items[1].items[0].at == Position{4, 10});
  CHECK(root->items[2].kind == NodeKind::null);
  CHECK(root->items[2].at == Position{5, 1});  // of its key
}

TEST_CASE("syntax: scalars are text", "[zones][yaml]") {
  Diagnostics diagnostics;
  const auto root = parse("[NO, 010, 0x1f, true, 1_000, 12:30:45, '', \"a\\tb\"]", diagnostics);
  REQUIRE(root);
  std::vector<std::string> texts;
  for (const Node& item : root->items) texts.push_back(item.text);
  CHECK(texts ==
        std::vector<std::string>{"NO", "010", "0x1f", "true", "1_000", "12:30:45", "", "a\tb"});
}

TEST_CASE("syntax: an empty document is nothing", "[zones][yaml]") {
  for (const char* text : {"", "# only a comment\n", "---\n", "~"}) {
    Diagnostics diagnostics;
    const auto root = parse(text, diagnostics);
    CAPTURE(text);
    CHECK((root && root->kind == NodeKind::null));
  }
}

TEST_CASE("syntax: depth ends at its limit", "[zones][yaml]") {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  CHECK(findings_of(nested(depth_max - 1)) == 0);
  CHECK(findings_of(nested(depth_max)) == 0);
  CHECK(findings_of(nested(depth_max + 1)) == 1);
  CHECK(findings_of(nested(499)) == 1);
  CHECK(findings_of(nested(100'000)) == 2);  // ours, and yaml-cpp's own guard
}

TEST_CASE("syntax: size ends at its limit", "[zones][yaml]") {
  const auto sized = [](std::size_t bytes) { return "a: 1 #" + std::string(bytes - 6, ' '); };
  CHECK(findings_of(sized(file_bytes_max - 1)) == 0);
  CHECK(findings_of(sized(file_bytes_max)) == 0);
  Diagnostics diagnostics;
  CHECK_FALSE(parse(sized(file_bytes_max + 1), diagnostics));
  CHECK(diagnostics.list().at(0).line() ==
        "x.yaml:0:0: [file-size] 8388609 bytes; expected at most 8388608, put large data in a "
        "master file");
}

TEST_CASE("syntax: findings end at their limit", "[zones][yaml]") {
  const auto anchors = [](std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += fmt::format("- &a{} 1\n", i);
    return text;
  };
  CHECK(findings_of(anchors(syntax_findings_max - 1)) == syntax_findings_max - 1);
  CHECK(findings_of(anchors(syntax_findings_max)) == syntax_findings_max);
  CHECK(findings_of(anchors(syntax_findings_max + 1)) == syntax_findings_max);
}

TEST_CASE("utf8: only whole, shortest sequences are text", "[zones][yaml]") {
  const auto [text, column] = GENERATE(table<std::string, std::size_t>({
      {"\xc3\xa9", 0},          // é
      {"\xe2\x82\xac", 0},      // €
      {"\xf0\x9f\x8c\x8d", 0},  // a globe
      {"a\xc3", 2},             // cut off
      {"\xc0\x80", 1},          // overlong
      {"\xe0\x80\x80", 1},      // overlong
      {"\xf0\x80\x80\x80", 1},  // overlong
      {"\xed\xa0\x80", 1},      // a surrogate
      {"\xf4\x90\x80\x80", 1},  // above U+10FFFF
      {"\x80", 1},              // a continuation alone
      {"ab\x7f", 3},            // DEL
  }));
  const auto bad = find_bad_text(text);
  CHECK(bad.has_value() == (column != 0));
  if (bad) CHECK(bad->column == column);
}

TEST_CASE("spelling: the nearest known word is meant", "[zones][yaml]") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("abc", "") == 3);
  CHECK(edit_distance("endpont", "endpoint") == 1);
  CHECK(edit_distance("ab", "ba") == 1);
  CHECK(edit_distance("kitten", "sitting") == 3);
  const std::vector<std::string> known = {"eu", "us"};
  CHECK(suggest("ue", known) == "did you mean `eu`?");
  CHECK(suggest("EU", known) == "did you mean `eu`?");
  CHECK(suggest("asia", known) == "expected one of eu, us");
  CHECK(suggest("x", {}) == "expected none here");
  CHECK(suggest("asia", std::vector<std::string>{"eu"}) == "expected eu");
  const std::vector<std::string> many(14, "region");
  CHECK(suggest("x", many) ==
        "expected one of region, region, region, region, region, region, region, region, region, "
        "region, region, region and 2 more");
}

}  // namespace
}  // namespace demarc::zones::yaml
