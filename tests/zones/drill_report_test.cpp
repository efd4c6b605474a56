// The report: kept as JSON, shown as Markdown and HTML, with nothing of its texts taken for markup.
#include <algorithm>
#include <cctype>

#include <catch2/catch.hpp>

#include "zones/drill/report_html.h"
#include "zones/drill/report_json.h"
#include "zones/drill/report_markdown.h"

namespace demarc::testing {
namespace {

using namespace zones::drill;

const std::string evil = "<script>alert('x')</script>&\"|`";

/// Every text of it is hostile, every optional is there once and missing once.
Report hostile_report() {
  Report report;
  report.scenario = report.description = report.how = report.node = evil;
  report.scenario_digest = report.configuration_digest = report.policy_digest = evil;
  report.started = WallTime(Milliseconds(1'800'000'000'000));
  report.lasted = Milliseconds(600'000);
  report.participants = report.remediation_owners = report.activation = {evil};
  report.deactivation = report.assumptions = report.violations = {evil};
  report.read_rto = report.write_rto = Milliseconds(1000);
  Answer answer{.note = zones::ChoiceNote::exception,
                .regions = {evil},
                .endpoints = {evil},
                .share = 50,
                .rest = {evil},
                .abroad = true};
  report.lanes = {{evil,
                   evil,
                   evil,
                   evil,
                   {evil},
                   {{Milliseconds(-5), Milliseconds(400'000), answer},
                    {Milliseconds(400'000), Milliseconds(600'000), {}}},
                   true}};
  report.marks = {{Milliseconds(0), evil, evil, evil},
                  {Milliseconds(599'999), "failure", evil, evil}};
  report.recoveries = {{.service = evil, .access = evil, .endpoints = {evil}, .how = evil},
                       {.service = evil,
                        .detected = Milliseconds(1),
                        .decided = Milliseconds(2),
                        .published = Milliseconds(3),
                        .ttl = Milliseconds(30'000),
                        .measured = Milliseconds(30'003),
                        .worst = Milliseconds(40'000),
                        .back = Milliseconds(5),
                        .how = evil,
                        .met = true}};
  report.decisions = {{Milliseconds(1), evil, evil, {{evil, evil}}}};
  report.expected = {{Milliseconds(1), evil, evil, evil, false}};
  report.aborted = evil;
  report.sign_off = {{evil, 1}};
  report.sign_offs = {{evil, evil, evil, evil, evil}};
  return report;
}

/// Whether every element that begins also ends, in order, and every `&` is an entity: enough to be
/// well-formed for a page that has no comments and no CDATA.
std::string malformed(std::string_view page) {
  std::vector<std::string> open;
  for (std::size_t at = 0; at < page.size(); ++at) {
    if (page[at] == '&' && page.substr(at, 5) != "&amp;" && page.substr(at, 4) != "&lt;" &&
        page.substr(at, 4) != "&gt;" && page.substr(at, 6) != "&quot;" &&
        page.substr(at, 5) != "&#39;") {
      return "a bare & at " + std::to_string(at);
    }
    if (page[at] != '<') continue;
    const auto end = page.find('>', at);
    if (end == std::string_view::npos) return "an element that does not end";
    const auto tag = page.substr(at + 1, end - at - 1);
    at = end;
    if (tag.starts_with('!') || tag.ends_with('/')) continue;
    const auto name = [](std::string_view text) {
      return std::string(text.substr(0, text.find_first_of(" \n")));
    };
    if (!tag.starts_with('/')) {
      open.push_back(name(tag));
    } else if (open.empty() || open.back() != name(tag.substr(1))) {
      return "an end without a beginning: " + std::string(tag);
    } else {
      open.pop_back();
    }
  }
  return open.empty() ? "" : "never ended: " + open.back();
}

TEST_CASE("report: what is written is read back as the same", "[zones][drill]") {
  const Report report = hostile_report();
  const auto again = parse_report(write_report(report));
  REQUIRE(again);
  CHECK(*again == report);
}

TEST_CASE("report: other JSON is refused with a reason", "[zones][drill]") {
  const std::string good = write_report(hostile_report());
  CHECK_FALSE(parse_report("{}"));
  CHECK_FALSE(parse_report("[]"));
  CHECK_FALSE(parse_report(good.substr(0, good.size() / 2)));
  std::string other = good;
  other.replace(other.find("\"version\": 1"), 12, "\"version\": 2");
  const auto refused = parse_report(other);
  REQUIRE_FALSE(refused);
  CHECK(refused.error() == "it is no drill report of version 1");
}

TEST_CASE("report: the digest is of all but the sign-offs", "[zones][drill]") {
  Report report = hostile_report();
  const std::string digest = report_digest(report);
  report.sign_offs.clear();
  CHECK(report_digest(report) == digest);
  report.passed = true;
  CHECK(report_digest(report) != digest);
  CHECK(sign_off_subject("eu-down", digest) == "eu-down@" + digest.substr(0, 16));
}

TEST_CASE("report: the page is well-formed and takes nothing for markup", "[zones][drill]") {
  for (const Report& report : {hostile_report(), Report{}}) {
    const std::string page = render_html(report);
    CHECK(malformed(page) == "");
    CHECK(page.find("<script") == std::string::npos);
    CHECK(page.find(evil) == std::string::npos);
    CHECK(page.find("<svg") != std::string::npos);
    for (const char* outside : {"src=", "href=", "@import", "url("}) {
      CAPTURE(outside);
      CHECK(page.find(outside) == std::string::npos);
    }
  }
  CHECK(malformed("<p>a & b</p>") != "");  // the check itself can fail
  CHECK(malformed("<p><b></p></b>") != "");
}

TEST_CASE("report: Markdown keeps its tables whatever the texts say", "[zones][drill]") {
  const std::string text = render_markdown(hostile_report());
  CHECK(text.find("<script") == std::string::npos);
  CHECK(text.find("&lt;script&gt;") != std::string::npos);
  // A row of the recovery table has 13 cells: 14 bars that are not escaped.
  const auto row = text.find("\n| &lt;script&gt;") + 1;
  REQUIRE(row != 0);
  std::size_t bars = 0;
  for (std::size_t i = row; text[i] != '\n'; ++i) {
    if (text[i] == '|' && (i == 0 || text[i - 1] != '\\')) ++bars;
  }
  CHECK(bars == 14);
}

TEST_CASE("report: times read like times", "[zones][drill]") {
  const auto [ms, text] = GENERATE(table<int, const char*>({{0, "0 s"},
                                                            {250, "0.25 s"},
                                                            {2134, "2.13 s"},
                                                            {59'000, "59 s"},
                                                            {60'000, "1 m"},
                                                            {61'400, "1 m 1 s"},
                                                            {3'600'000, "1 h"},
                                                            {-1500, "-1.50 s"}}));
  CHECK(duration_text(Milliseconds(ms)) == text);
}

}  // namespace
}  // namespace demarc::testing
