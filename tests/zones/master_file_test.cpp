// Master files: records with their lines, and findings with theirs.
#include "zones/master_file.h"

#include <catch2/catch.hpp>

#include "zones/rdata.h"

namespace demarc::zones {
namespace {

struct Parsed {
  std::vector<std::string> records;  // "line owner ttl type size"
  std::vector<std::string> findings;

  bool operator==(const Parsed&) const = default;
};

Parsed parse(const std::string& text, std::size_t piece_bytes = std::string::npos,
             std::size_t window_bytes = master_window_bytes) {
  Parsed parsed;
  Diagnostics diagnostics;
  parse_master_file({.bytes = bytes_of(text, piece_bytes),
                     .file = "x.zone",
                     .origin = Name::parse_absolute("example.com").value(),
                     .default_ttl = 300,
                     .window_bytes = window_bytes},
                    diagnostics, [&](const StaticRecord& record) {
                      parsed.records.push_back(
                          fmt::format("{} {} {} {} {}", record.line, record.owner.text(),
                                      record.ttl, type_to_text(record.type), record.rdata.size()));
                    });
  for (const Diagnostic& finding : diagnostics.list()) parsed.findings.push_back(finding.line());
  return parsed;
}

TEST_CASE("master file: owners, TTLs, classes, comments and lines", "[zones][master]") {
  const Parsed parsed = parse(
      "; a comment\n"
      "\n"
      "a A 192.0.2.1 ; behind\n"
      "  IN 60 A 192.0.2.2\n"
      "  1h30m in A 192.0.2.3\r\n"
      "$TTL 2d\n"
      "@ TXT \"a;b(\" ( ; open\n"
      "   c\n"
      "   \"d\" )\n"
      "$ORIGIN sub\n"
      "b\tMX 10 @\n"
      "$ORIGIN example.com.\n"
      "c CNAME b\n"
      "d\\.e.example.com. A 192.0.2.4\n"
      "*.w TYPE65280 \\# 2 0102");
  CHECK(parsed.findings.empty());
  CHECK(parsed.records ==
        std::vector<std::string>{
            "3 a.example.com. 300 A 4", "4 a.example.com. 60 A 4", "5 a.example.com. 5400 A 4",
            "7 example.com. 172800 TXT 9", "11 b.sub.example.com. 172800 MX 19",
            "13 c.example.com. 172800 CNAME 15", "14 d\\.e.example.com. 172800 A 4",
            "15 *.w.example.com. 172800 TYPE65280 2"});
}

TEST_CASE("master file: what is refused, and where", "[zones][master]") {
  const auto [text, finding] = GENERATE(table<std::string, std::string>({
      {"$TTL x", "x.zone:1:1: [bad-ttl] $TTL is `x`; expected seconds from 0 to 2147483647"},
      {"a A 192.0.2.1\n$INCLUDE b",
       "x.zone:2:1: [master-directive] `$INCLUDE`; expected $ORIGIN, $TTL or a record, list "
       "further files under `include:`"},
      {"$GENERATE 1-2 a A 192.0.2.$",
       "x.zone:1:1: [master-directive] `$GENERATE`; expected $ORIGIN, $TTL or a record, list "
       "further files under `include:`"},
      {"$TTL 1 2", "x.zone:1:1: [master-directive] `2` behind $TTL; expected nothing"},
      {"$ORIGIN a..b", "x.zone:1:1: [bad-name] $ORIGIN is `a..b`; expected a domain name"},
      {" A 192.0.2.1",
       "x.zone:1:1: [master-syntax] a record without an owner before any other; expected an owner"},
      {"a..b A 192.0.2.1", "x.zone:1:1: [bad-name] owner is `a..b`; expected a domain name"},
      {"a CH A 192.0.2.1", "x.zone:1:1: [master-class] class `CH`; expected IN"},
      {"a 2147483648 A 192.0.2.1",
       "x.zone:1:1: [bad-ttl] TTL is `2147483648`; expected seconds from 0 to 2147483647"},
      {"a 1y A 192.0.2.1",
       "x.zone:1:1: [bad-ttl] TTL is `1y`; expected seconds from 0 to 2147483647"},
      {"a AX 1", "x.zone:1:1: [bad-type] record type is `AX`; expected one as A, MX or TYPE65280"},
      {"a", "x.zone:1:1: [bad-type] record type is ``; expected one as A, MX or TYPE65280"},
      {"\n\na A 1.2.3",
       "x.zone:3:1: [bad-rdata] A data is `1.2.3`: Syntax error, could not parse the RR's rdata; "
       "expected its presentation format"},
      {"a TXT \"x\nb A 192.0.2.1",
       "x.zone:1:1: [master-syntax] a quote that is not closed in its line; expected another "
       "quote"},
      {"a TXT ( x", "x.zone:1:1: [master-syntax] a parenthesis that is not closed; expected `)`"},
      {"a TXT x )", "x.zone:1:1: [master-syntax] `)` without `(`; expected none"},
      {"a TXT \x01",
       "x.zone:1:1: [master-syntax] a control character; expected printable characters"},
  }));
  CAPTURE(text);
  CHECK(parse(text).findings == std::vector<std::string>{finding});
}

TEST_CASE("master file: after a bad record the others are read", "[zones][master]") {
  const Parsed parsed = parse("a A x\nb A 192.0.2.1\nc AX 1\nd A 192.0.2.1\n");
  CHECK(parsed.findings.size() == 2);
  CHECK(parsed.records.size() == 2);
}

TEST_CASE("master file: a record has a largest length", "[zones][master]") {
  const auto record_of = [](std::size_t bytes) {
    const std::string head = "a A 192.0.2.1";
    return head + std::string(bytes - head.size(), ' ') + "\n";
  };
  CHECK(parse(record_of(master_line_bytes_max - 1)).findings.empty());
  CHECK(parse(record_of(master_line_bytes_max)).findings.empty());
  CHECK(parse(record_of(master_line_bytes_max + 1)).findings ==
        std::vector<std::string>{"x.zone:1:1: [master-syntax] a record that is too long; expected "
                                 "at most 524288 bytes"});
}

TEST_CASE("master file: findings have a largest number", "[zones][master]") {
  const auto bad_records = [](std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += "a A x\n";
    return text;
  };
  CHECK(parse(bad_records(master_findings_max - 1)).findings.size() == master_findings_max - 1);
  const auto findings = parse(bad_records(master_findings_max + 1)).findings;
  CHECK(findings.size() == master_findings_max + 1);
  CHECK(findings.back() ==
        "x.zone:50:1: [master-syntax] 50 findings; the rest of the file was not read");
}

TEST_CASE("master file: the records come in their order, each good while it is looked at",
          "[zones][master]") {
  std::vector<std::string> owners;
  Diagnostics diagnostics;
  parse_master_file({.bytes = bytes_of("a A 192.0.2.1\n  A 192.0.2.2\nb..c A 192.0.2.3\n"
                                       "  A 192.0.2.4\nd.example.net. AAAA 2001:db8::1\n"),
                     .file = "x.zone",
                     .origin = Name::parse_absolute("example.com").value()},
                    diagnostics,
                    [&](const StaticRecord& record) { owners.push_back(record.owner.text()); });
  // What follows a bad owner is nobody's.
  CHECK(owners == std::vector<std::string>{"a.example.com.", "a.example.com.", "d.example.net."});
  CHECK(diagnostics.list().size() == 2);
}

TEST_CASE("master file: cut anywhere it reads as it does whole", "[zones][master][pieces]") {
  const auto text = GENERATE(as<std::string>(), R"(; comment
$TTL 1h

a A 192.0.2.1 ; behind
   60 A 192.0.2.2
@ TXT "a;b(" ( ; open
   c
 ; between

   "d"e\" )
b\.c\032d MX 10 @
bad A x
  TXT "not closed
)) A 192.0.2.3
$ORIGIN sub
w AAAA 2001:db8::1
  ( A
  192.0.2.9 ) ; end)",
                             "a A 192.0.2.1\r\nb TXT ( \"c\" ; d\r\n e )\r\n\r\nf A 192.0.2.2\r",
                             "a TXT ( b\n c\n", "a TXT \"b", "a A 192.0.2.1\\", "\n\n \n", "",
                             "a TXT \x01\nb A 192.0.2.1");
  CAPTURE(text);
  const Parsed whole = parse(text);
  for (std::size_t bytes = 1; bytes <= text.size() + 2; ++bytes) {
    CAPTURE(bytes);
    CHECK(parse(text, bytes) == whole);
    CHECK(parse(text, std::string::npos, bytes) == whole);
    CHECK(parse(text, 3, bytes) == whole);
  }
}

TEST_CASE("master file: what is longer than the window", "[zones][master][pieces]") {
  constexpr std::size_t window = 64;
  const std::string name(50, 'n');
  const auto [what, text, records] =
      GENERATE_COPY(table<std::string, std::string, std::vector<std::string>>({
          {"a line",
           name + " A" + std::string(200, ' ') + "192.0.2.1\nb A 192.0.2.2\n",
           {"1 " + name + ".example.com. 300 A 4", "2 b.example.com. 300 A 4"}},
          {"a comment",
           ";" + std::string(1000, 'x') + "\nb A 192.0.2.2\n",
           {"2 b.example.com. 300 A 4"}},
          {"a comment behind a record",
           "a A 192.0.2.1 ;" + std::string(1000, '"') + "\nb A 192.0.2.2",
           {"1 a.example.com. 300 A 4", "2 b.example.com. 300 A 4"}},
          {"a quoted text",
           "a TXT \"" + std::string(200, ';') + "\"\nb A 192.0.2.2",
           {"1 a.example.com. 300 TXT 201", "2 b.example.com. 300 A 4"}},
          {"parentheses",
           "a TXT (" + std::string(300, '\n') + "c)\nb A 192.0.2.2",
           {"1 a.example.com. 300 TXT 2", "302 b.example.com. 300 A 4"}},
          {"blanks",
           std::string(500, ' ') + "\n" + std::string(500, '\n') + "b A 192.0.2.2",
           {"502 b.example.com. 300 A 4"}},
      }));
  CAPTURE(what);
  const Parsed parsed = parse(text, 7, window);
  CHECK(parsed.findings.empty());
  CHECK(parsed.records == records);
  CHECK(parse(text) == parsed);
}

TEST_CASE("master file: a quote, an escape and a parenthesis over the window's border",
          "[zones][master][pieces]") {
  constexpr std::size_t window = 32;
  const std::string entry = "a TXT ( \"b\\\";c\" d ; e\n \"f\" )\nb A 192.0.2.2\n";
  for (std::size_t before = 0; before <= window + entry.size(); ++before) {
    CAPTURE(before);
    const std::string text = ";" + std::string(before, 'x') + "\n" + entry;
    const Parsed parsed = parse(text, std::string::npos, window);
    CHECK(parsed.findings.empty());
    CHECK(parsed.records ==
          std::vector<std::string>{"2 a.example.com. 300 TXT 9", "4 b.example.com. 300 A 4"});
  }
}

TEST_CASE("master file: the largest record in any window", "[zones][master][pieces]") {
  const auto findings_of = [](std::size_t bytes, std::size_t window_bytes) {
    const std::string head = "a A 192.0.2.1";
    return parse(head + std::string(bytes - head.size(), ' ') + "\r\nb A 192.0.2.1\n",
                 std::string::npos, window_bytes);
  };
  for (const std::size_t window :
       {std::size_t{100}, master_line_bytes_max - 1, master_line_bytes_max,
        master_line_bytes_max + 1, master_line_bytes_max + 2, master_window_bytes}) {
    CAPTURE(window);
    CHECK(findings_of(master_line_bytes_max, window).records.size() == 2);
    const Parsed too_long = findings_of(master_line_bytes_max + 1, window);
    CHECK(too_long.records.size() == 1);
    CHECK(too_long.findings.size() == 1);
  }
}

TEST_CASE("master file: an open parenthesis over many lines is found where it was opened",
          "[zones][master][pieces]") {
  // What follows a record that is too long is not looked at, a `)` neither.
  const std::string lines(2 * master_line_bytes_max, '\n');
  for (const char* end : {"", " b )", " b )\nc A 192.0.2.1\n"}) {
    CHECK(
        parse("\na TXT (" + lines + end) ==
        Parsed{{}, {"x.zone:2:1: [master-syntax] a parenthesis that is not closed; expected `)`"}});
  }
}

}  // namespace
}  // namespace demarc::zones
