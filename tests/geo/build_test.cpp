#include "geo/build.h"

#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <iterator>

#include "geo/database.h"
#include "tests/geo/database_fixture.h"

namespace demarc::geo {
namespace {

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::size_t files_in(const std::string& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder),
                                                std::filesystem::directory_iterator{}));
}

TEST_CASE("build: several inputs become one file", "[geo][build]") {
  TemporaryFolder folder;
  const BuildRequest request{
      .inputs = {folder.file("geoip", "167772160,184549375,DE\n"),
                 folder.file("geoip6", "2001:db8::,2001:db8:ffff:ffff:ffff:ffff:ffff:ffff,JP\n"),
                 folder.file("asn.csv", "network,asn\n10.0.0.0/16,64500\n")},
      .output = folder.file("out.mmdb"),
      .build_time = std::chrono::sys_seconds(std::chrono::seconds(1'700'000'000))};
  Diagnostics diagnostics;
  const auto summary = build_database(request, diagnostics);
  REQUIRE(summary);
  CHECK(diagnostics.list().empty());
  CHECK(summary->networks == 3);
  CHECK(summary->locations == 3);
  CHECK(summary->record_bits == 24);
  CHECK(summary->size_bytes == content_of(request.output).size());
  CHECK(files_in(folder.path()) == 4);

  const auto databases = Databases::open({request.output});
  REQUIRE(databases);
  CHECK(databases->descriptions()[0] ==
        request.output + ": Demarc-GeoIP, built 2023-11-14T22:13:20Z, 10 networks");
  CHECK(databases->find(*parse_address("10.0.1.1"), {}).asn == 64'500);
  CHECK(databases->find(*parse_address("10.0.1.1"), {}).country.text() == "DE");
  CHECK(databases->find(*parse_address("2001:db8::1"), {}).country.text() == "JP");
}

TEST_CASE("build: on any error the old file stays, and no other is left", "[geo][build]") {
  TemporaryFolder folder;
  BuildRequest request{.inputs = {folder.file("in", "1.0.0.0,1.0.0.255,Germany\n")},
                       .output = folder.file("out.mmdb", "old")};
  Diagnostics diagnostics;
  const auto expect = [&](const std::string& text) {
    const auto summary = build_database(request, diagnostics);
    REQUIRE_FALSE(summary);
    CHECK(summary.error().text() == text);
    CHECK(content_of(folder.path() + "/out.mmdb") == "old");
    CHECK(files_in(folder.path()) == 2);
  };
  expect(request.output + " not written: 1 error in the input");
  CHECK(diagnostics.list().front().line() ==
        folder.path() + "/in:1:19: [csv-country] country is `Germany`, expected two letters");

  request.inputs = {};
  expect("no input file was given");
  request.inputs = {folder.path() + "/missing"};
  expect("open " + request.inputs[0] + ": No such file or directory");
  request.inputs = {folder.path()};
  expect("read " + folder.path() + ": Is a directory");

  request.inputs = {folder.file("in", "1.0.0.0,1.0.0.255,DE\n")};
  request.output = folder.path() + "/nowhere/out.mmdb";
  expect("create a file beside " + request.output + ": No such file or directory");
}

TEST_CASE("build: a full disk leaves the old file", "[geo][build]") {
  TemporaryFolder folder;
  const BuildRequest request{.inputs = {folder.file("in", "1.0.0.0,1.0.0.255,DE\n")},
                             .output = folder.file("out.mmdb", "old")};
  // A limit on file sizes fails the write half way, as a full disk does.
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &old_limit) == 0);
  const rlimit small{100, old_limit.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  Diagnostics diagnostics;
  const auto summary = build_database(request, diagnostics);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &old_limit) == 0);
  (void)std::signal(SIGXFSZ, old_handler);

  REQUIRE_FALSE(summary);
  CHECK(summary.error().error_number == EFBIG);
  CHECK(content_of(request.output) == "old");
  CHECK(files_in(folder.path()) == 2);
}

}  // namespace
}  // namespace demarc::geo
