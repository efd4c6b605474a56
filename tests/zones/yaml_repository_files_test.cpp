// The files of a repository, whole and in pieces: the same bytes, digests, limits and refusals.
#include "zones/yaml/repository_files.h"

#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <sys/stat.h>
#include <catch2/catch.hpp>

#include "tests/support/temp_folder.h"
#include "tests/zones/findings.h"
#include "zones/digest.h"

namespace demarc::zones {
namespace {

using testing::TempFolder;
using yaml::RepositoryFiles;

RepositoryFiles open(const TempFolder& folder) {
  auto files = RepositoryFiles::open(folder.path());
  REQUIRE(files);
  return std::move(*files);
}

/// What comes back, and what was read, `at_once` bytes at a time.
struct Pieces {
  Result<std::string, std::string> digest;
  std::string content;
};

Pieces read_pieces(RepositoryFiles& files, const std::string& path, std::size_t bytes_max,
                   std::size_t at_once) {
  std::string content;
  auto digest = files.read_pieces(path, bytes_max, [&](const ByteSource& bytes) {
    std::string buffer(at_once, '\0');
    while (const std::size_t count = bytes(buffer)) content.append(buffer, 0, count);
    CHECK(bytes(buffer) == 0);
  });
  return {std::move(digest), std::move(content)};
}

TEST_CASE("repository files: one has a largest size, whole and in pieces", "[zones][repository]") {
  const TempFolder folder;
  folder.write("a", "12345");
  auto files = open(folder);
  for (const std::size_t at_once : {1U, 4U, 5U, 6U, 100U}) {
    CAPTURE(at_once);
    CHECK(read_pieces(files, "a", 6, at_once).content == "12345");
    CHECK(read_pieces(files, "a", 5, at_once).digest == sha256_hex("12345"));
    CHECK(read_pieces(files, "a", 4, at_once).digest.error() ==
          "more than 4 bytes; expected at most 4 bytes");
  }
  CHECK(files.read("a", 6));
  CHECK(files.read("a", 5));
  CHECK(files.read("a", 4).error() == "more than 4 bytes; expected at most 4 bytes");
}

TEST_CASE("repository files: one that grows while it is read has the same largest size",
          "[zones][repository]") {
  const TempFolder folder;
  const std::string path = folder.write("a", "12345");
  auto files = open(folder);
  const auto read_growing = [&](std::size_t bytes_max) {
    std::string content;
    auto digest = files.read_pieces("a", bytes_max, [&](const ByteSource& bytes) {
      std::string buffer(3, '\0');
      content.append(buffer, 0, bytes(buffer));
      std::ofstream(path, std::ios::app) << "67";
      while (const std::size_t count = bytes(buffer)) content.append(buffer, 0, count);
    });
    return Pieces{std::move(digest), std::move(content)};
  };
  CHECK(read_growing(7).digest == sha256_hex("1234567"));
  const Pieces refused = read_growing(8);
  CHECK(refused.digest.error() == "more than 8 bytes; expected at most 8 bytes");
  CHECK(refused.content.size() <= 8);
}

TEST_CASE("repository files: what is not taken counts all the same", "[zones][repository]") {
  const TempFolder folder;
  const std::string text(200'000, 'x');
  folder.write("a", text);
  auto files = open(folder);
  const auto nothing = [](const ByteSource&) {};
  CHECK(files.read_pieces("a", text.size(), nothing) == sha256_hex(text));
  CHECK_FALSE(files.read_pieces("a", text.size() - 1, nothing));
}

TEST_CASE("repository files: digests are those of whole reading", "[zones][repository]") {
  const TempFolder folder;
  const auto [name, text] = GENERATE(table<std::string, std::string>(
      {{"empty", ""}, {"small", "zone"}, {"large", std::string(1'000'000, 'z')}}));
  CAPTURE(name);
  folder.write("a", text);
  folder.write("b", "b");
  auto whole = open(folder);
  CHECK(whole.read("a", text.size()) == text);
  REQUIRE(whole.read("b", 1));
  auto pieces = open(folder);
  REQUIRE(pieces.read("b", 1));
  CHECK_FALSE(read_pieces(pieces, "b", 0, 1).digest);  // what was refused is in no digest
  CHECK(read_pieces(pieces, "a", text.size(), 4096).content == text);
  CHECK(pieces.digest() == whole.digest());
  CHECK(whole.digest() == sha256_hex(fmt::format("a {}\nb {}", sha256_hex(text), sha256_hex("b"))));
}

TEST_CASE("repository files: in pieces nothing is read that is not read whole",
          "[zones][repository]") {
  const TempFolder folder;
  folder.write("outside", "secret");
  folder.write("inside/folder/a", "");
  namespace fs = std::filesystem;
  fs::create_symlink(folder.path() + "/outside", folder.path() + "/inside/link");
  REQUIRE(::mkfifo((folder.path() + "/inside/pipe").c_str(), 0600) == 0);
  auto opened = RepositoryFiles::open(folder.path() + "/inside");
  REQUIRE(opened);
  auto& files = *opened;
  for (const std::string& path :
       {std::string("../outside"), folder.path() + "/outside", std::string("link"),
        std::string("folder"), std::string("pipe"), std::string("none")}) {
    CAPTURE(path);
    bool is_used = false;
    const auto refused = files.read_pieces(path, 100, [&](const ByteSource&) { is_used = true; });
    REQUIRE_FALSE(refused);
    CHECK_FALSE(is_used);
    CHECK(refused.error() == files.read(path, 100).error());
    CHECK(files.size_bytes(path) == 0);
  }
  CHECK(files.digest() == open(folder).digest());  // of nothing
}

TEST_CASE("repository files: sizes", "[zones][repository]") {
  const TempFolder folder;
  folder.write("a", "12345");
  const auto files = open(folder);
  CHECK(files.size_bytes("a") == 5);
}

TEST_CASE("repository files: a master file that is too large is one finding",
          "[zones][repository]") {
  const TempFolder folder;
  folder.write("policy.yaml", testing::small_policy);
  folder.write("zones/a.yaml", testing::small_zone + "include: [a.zone]\n");
  folder.write("zones/a.zone", "bad A x\n");
  std::filesystem::resize_file(folder.path() + "/zones/a.zone", (std::size_t{512} << 20U) + 1);
  Diagnostics diagnostics;
  CHECK(load_repository(folder.path(), diagnostics) == nullptr);
  CHECK(testing::lines_of(diagnostics) ==
        std::vector<std::string>{
            "zones/a.yaml:4:11: [unreadable-file] a.zone: more than 536870912 bytes; expected at "
            "most 536870912 bytes"});
}

}  // namespace
}  // namespace demarc::zones
