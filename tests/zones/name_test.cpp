// Names: presentation format to wire and back, limits, and what lies below what.
#include "zones/name.h"

#include <catch2/catch.hpp>

namespace demarc::zones {
namespace {

const Name example = Name::parse_absolute("example.com").value();

std::string wire_of(std::string_view text) {
  const auto name = Name::parse(text, example);
  return name ? name->wire() : std::string("refused");
}

TEST_CASE("name: text becomes lower-case wire bytes", "[zones][name]") {
  using namespace std::string_literals;
  const auto [text, wire] = GENERATE(table<std::string, std::string>({
      {"www", "\3www\7example\3com\0"s},
      {"WWW.Example.COM.", "\3www\7example\3com\0"s},
      {"@", "\7example\3com\0"s},
      {".", "\0"s},
      {"*.a", "\1*\1a\7example\3com\0"s},
      {R"(a\.b)", "\3a.b\7example\3com\0"s},
      {R"(\065\255)", "\2a\377\7example\3com\0"s},
      {"", "refused"},
      {"a..b", "refused"},
      {".a", "refused"},
      {"..", "refused"},
      {R"(a\)", "refused"},
      {R"(a\25)", "refused"},
      {R"(a\256)", "refused"},
  }));
  CAPTURE(text);
  CHECK(wire_of(text) == wire);
}

TEST_CASE("name: labels end at 63 bytes, names at 255", "[zones][name]") {
  const std::string label(63, 'a');
  CHECK(Name::parse_absolute(label));
  CHECK_FALSE(Name::parse_absolute(label + "a"));

  const std::string three = label + "." + label + "." + label + ".";  // 192 bytes of wire
  CHECK(Name::parse_absolute(three + std::string(60, 'b'))->wire().size() == 254);
  CHECK(Name::parse_absolute(three + std::string(61, 'b'))->wire().size() == 255);
  CHECK_FALSE(Name::parse_absolute(three + std::string(62, 'b')));
  CHECK_FALSE(Name::parse(three + std::string(61, 'b'), example));
}

TEST_CASE("name: absolute with or without the last dot", "[zones][name]") {
  CHECK(Name::parse_absolute("example.com.") == example);
  CHECK(Name::parse_absolute("EXAMPLE.com") == example);
  CHECK_FALSE(Name::parse_absolute("@"));
  CHECK_FALSE(Name::parse_absolute(""));
}

TEST_CASE("name: only one whole name is taken from the wire", "[zones][name]") {
  const auto from = [](std::vector<std::uint8_t> bytes) { return Name::from_wire(bytes); };
  CHECK(from({0})->is_root());
  CHECK(from({1, 'A', 0})->text() == "a.");
  CHECK_FALSE(from({}));
  CHECK_FALSE(from({1, 'a'}));        // no end
  CHECK_FALSE(from({1, 'a', 0, 0}));  // more than a name
  CHECK_FALSE(from({0xc0, 0x0c}));    // a compression pointer
  CHECK_FALSE(from({3, 'a', 0}));     // a label beyond the end
  CHECK_FALSE(from({1, 'a', 0, 1, 'b', 0}));
}

TEST_CASE("name: text reads back as the same name", "[zones][name]") {
  for (const char* text : {".", "example.com.", R"(a\.b\\c.x.)", R"(\000\127\255.x.)",
                           R"(\;\(\)\@\$\".x.)", R"(a\032b.)"}) {
    const auto name = Name::parse_absolute(text);
    REQUIRE(name);
    CHECK(name->text() == text);
    CHECK(Name::parse_absolute(name->text()) == name);
  }
  CHECK(example.text_without_dot() == "example.com");
  CHECK(Name{}.text_without_dot() == ".");
}

TEST_CASE("name: what lies below what", "[zones][name]") {
  const auto name = [](const char* text) { return Name::parse_absolute(text).value(); };
  CHECK(example.is_at_or_below(example));
  CHECK(name("a.b.example.com").is_at_or_below(example));
  CHECK(example.is_at_or_below(Name{}));
  CHECK_FALSE(name("com").is_at_or_below(example));
  CHECK_FALSE(name("badexample.com").is_at_or_below(example));
  // The bytes of the ancestor, but inside a label: \7example is text here.
  CHECK_FALSE(name(R"(x\007example.com)").is_at_or_below(example));

  CHECK(name("a.example.com").parent() == example);
  CHECK(name("a.example.com").label_count() == 3);
  CHECK(Name{}.label_count() == 0);
  CHECK(name("*.a").is_wildcard());
  CHECK_FALSE(name("**.a").is_wildcard());
  CHECK_FALSE(name("a.*").is_wildcard());
}

}  // namespace
}  // namespace demarc::zones
