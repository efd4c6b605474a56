// Values out of nodes: what each accepts, just below, on and above its limits.
#include "zones/yaml/fields.h"

#include <catch2/catch.hpp>

#include "zones/yaml/check_file.h"

namespace demarc::zones::yaml {
namespace {

/// A node that holds `text`, or what the YAML in it says.
Node node(const std::string& text) {
  Diagnostics diagnostics;
  return parse_syntax(text, "x.yaml", diagnostics).value();
}

/// Whether `read` gives a value; if it does not, it must have said why.
template <typename Read>
bool reads(const Read& read, const std::string& text) {
  Diagnostics diagnostics;
  const Reading reading{"x.yaml", diagnostics};
  const bool has_value = read(reading, node(text)).has_value();
  CHECK(has_value == diagnostics.list().empty());
  return has_value;
}

TEST_CASE("fields: integers have no signs, leading zeros or other bases", "[zones][yaml]") {
  const auto read = [](const Reading& reading, const Node& item) {
    return read_integer(reading, item, "weight", {1, 65'535});
  };
  for (const char* good : {"1", "2", "65534", "65535", "'7'"}) CHECK(reads(read, good));
  for (const char* bad : {"0", "65536", "-1", "+1", "010", "0x1f", "1.0", "1e3", "1_000", "''", "~",
                          "[1]", "18446744073709551616"}) {
    CAPTURE(bad);
    CHECK_FALSE(reads(read, bad));
  }
}

TEST_CASE("fields: durations have a unit", "[zones][yaml]") {
  CHECK(parse_duration("250ms") == Milliseconds{250});
  CHECK(parse_duration("10s") == Milliseconds{10'000});
  CHECK(parse_duration("5m") == Milliseconds{300'000});
  CHECK(parse_duration("2h") == Milliseconds{7'200'000});
  CHECK(parse_duration("1d") == Milliseconds{86'400'000});
  for (const char* bad : {"", "10", "s", "1.5s", "-1s", "01s", "1 s", "1S", "1w",
                          "99999999999999999999s", "1000000001s"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_duration(bad));
  }
  CHECK(to_text(Milliseconds{0}) == "0s");
  CHECK(to_text(Milliseconds{1500}) == "1500ms");
  CHECK(to_text(Milliseconds{90'000}) == "90s");
  CHECK(to_text(Milliseconds{86'400'000}) == "1d");
}

TEST_CASE("fields: TTLs are seconds", "[zones][yaml]") {
  const auto read = [](const Reading& reading, const Node& item) {
    return read_ttl(reading, item, "ttl");
  };
  for (const char* good : {"0", "300", "2147483647", "5m", "1000ms"}) CHECK(reads(read, good));
  for (const char* bad : {"2147483648", "-1", "1500ms", "99999d", "05"}) {
    CAPTURE(bad);
    CHECK_FALSE(reads(read, bad));
  }
}

TEST_CASE("fields: NO is Norway, and only countries are countries", "[zones][yaml]") {
  for (const char* good : {"NO", "'NO'", "DE", "XK"}) CHECK(reads(read_country, good));
  for (const char* bad : {"no", "false", "UK", "EU", "ZZ", "D", "DEU", "''", "~"}) {
    CAPTURE(bad);
    CHECK_FALSE(reads(read_country, bad));
  }
}

TEST_CASE("fields: coordinates end at the poles and the date line", "[zones][yaml]") {
  for (const char* good : {"[0, 0]", "[90, 180]", "[-90, -180]", "[50.11, 8.68]"}) {
    CHECK(reads(read_coordinates, good));
  }
  for (const char* bad : {"[90.01, 0]", "[0, 180.01]", "[-90.01, 0]", "[nan, 0]", "[inf, 0]", "[1]",
                          "[1, 2, 3]", "[a, b]", "[[1], 2]", "50", "[50, ]"}) {
    CAPTURE(bad);
    CHECK_FALSE(reads(read_coordinates, bad));
  }
}

TEST_CASE("fields: subdivisions carry their country", "[zones][yaml]") {
  for (const char* good : {"US-CA", "DE-BE", "GB-ENG", "FR-75"}) {
    CHECK(reads(read_subdivision, good));
  }
  for (const char* bad : {"CA", "US", "US-", "US-CALI", "us-CA", "US-ca", "ZZ-A", "USCA"}) {
    CAPTURE(bad);
    CHECK_FALSE(reads(read_subdivision, bad));
  }
}

TEST_CASE("fields: text is one line of limited length", "[zones][yaml]") {
  const auto read = [](const Reading& reading, const Node& item) {
    return read_text(reading, item, "endpoint");
  };
  CHECK(reads(read, std::string(text_bytes_max - 1, 'a')));
  CHECK(reads(read, std::string(text_bytes_max, 'a')));
  CHECK_FALSE(reads(read, std::string(text_bytes_max + 1, 'a')));
  CHECK(reads(read, "|\n  one line\n"));
  CHECK_FALSE(reads(read, "|\n  two\n  lines\n"));

  Diagnostics diagnostics;
  const Reading reading{"x.yaml", diagnostics};
  (void)read(reading, node("|\n  two\n  lines\n"));
  (void)read(reading, node(std::string(text_bytes_max + 1, 'a')));
  REQUIRE(diagnostics.list().size() == 2);
  CHECK(diagnostics.list()[0].line() ==
        "x.yaml:1:1: [text-lines] endpoint has several lines; expected one");
  CHECK(diagnostics.list()[1].line() ==
        "x.yaml:1:1: [text-length] endpoint has 8193 bytes; expected at most 8192");
}

TEST_CASE("fields: names are short and plain", "[zones][yaml]") {
  const auto read = [](const Reading& reading, const Node& item) {
    return read_identifier(reading, item, "region");
  };
  CHECK(reads(read, std::string(identifier_bytes_max, 'a')));
  CHECK_FALSE(reads(read, std::string(identifier_bytes_max + 1, 'a')));
  CHECK(reads(read, "eu-west_1.a"));
  CHECK_FALSE(reads(read, "eu west"));
}

TEST_CASE("fields: lists have one item to a limit", "[zones][yaml]") {
  const auto count = [](const std::string& text) {
    Diagnostics diagnostics;
    std::size_t items = 0;
    const Reading reading{"x.yaml", diagnostics};
    read_one_or_list(reading, node(text), "asn", 2, [&items](const Node&) { ++items; });
    return diagnostics.list().empty() ? std::to_string(items) : diagnostics.list()[0].line();
  };
  CHECK(count("1") == "1");
  CHECK(count("[1]") == "1");
  CHECK(count("[1, 2]") == "2");
  CHECK(count("[1, 2, 3]") == "x.yaml:1:1: [too-many] asn has 3 items; expected at most 2");
  CHECK(count("[]") == "x.yaml:1:1: [empty-list] asn is an empty list; expected at least one item");
}

TEST_CASE("fields: maps of names have a limit", "[zones][yaml]") {
  const auto finding = [](const std::string& text) {
    Diagnostics diagnostics;
    const Reading reading{"x.yaml", diagnostics};
    read_named(reading, node(text), "regions", 1, [](const Key&, const Node&) {});
    return diagnostics.list().empty() ? std::string() : diagnostics.list()[0].line();
  };
  CHECK(finding("{ a: 1 }").empty());
  CHECK(finding("{ a: 1, b: 2 }") ==
        "x.yaml:1:1: [too-many] regions has 2 entries; expected at most 1");
}

TEST_CASE("check: on-fail is a list of commands", "[zones][yaml]") {
  const auto commands = parse_on_fail(" set-weight api.eu 0;set-weight  api.us   100 ; ");
  REQUIRE(commands);
  REQUIRE(commands->size() == 2);
  CHECK(commands->at(1).name == "api.us");
  CHECK(commands->at(1).weight == 100);
  for (const char* bad : {"", ";", "set-weight", "set-weight a", "set-weight a 1 2", "drain a",
                          "set-weight a 65536", "set-weight a -1", "set-weight a 0;;"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_on_fail(bad));
  }
  std::string many;
  for (std::size_t i = 0; i < commands_max; ++i) many += "set-weight a 0;";
  CHECK(parse_on_fail(many));
  CHECK_FALSE(parse_on_fail(many + "set-weight a 0"));
}

TEST_CASE("check: probe-at is an address and a port", "[zones][yaml]") {
  CHECK(parse_probe_at("127.0.0.1:8081")->port == 8081);
  CHECK(parse_probe_at("[::1]:65535")->address.family == geo::Family::ipv6);
  for (const char* bad : {"127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "::1:80", "[127.0.0.1]:80",
                          "localhost:80", ":80", "[]:80", "127.0.0.1:"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_probe_at(bad));
  }
}

}  // namespace
}  // namespace demarc::zones::yaml
