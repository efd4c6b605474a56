#include "tools/ustar.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <catch2/catch.hpp>

#include "tests/support/process.h"
#include "tests/support/temp_folder.h"

using namespace demarc;
using namespace demarc::tools;
using demarc::testing::TempFolder;

namespace {

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace

TEST_CASE("ustar: tar reads back every file as it was", "[tools][ustar]") {
  const TempFolder folder;
  const std::string deep = std::string(90, 'a') + "/" + std::string(60, 'b') + "/" +
                           std::string(99, 'c');  // more than one header field holds
  std::string bytes(1025, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i);
  const std::map<std::string, std::string> files = {{"case/empty", ""},
                                                    {"case/entries.jsonl", "{}\n"},
                                                    {"case/block", std::string(512, 'x')},
                                                    {"case/bytes", bytes},
                                                    {deep, "deep"},
                                                    {std::string(100, 'n'), "the longest name"}};
  const auto archive = render_ustar(files);
  REQUIRE(archive);
  CHECK(archive->size() % 512 == 0);
  CHECK(*archive == *render_ustar(files));
  const std::string path = folder.write("case.tar", *archive);
  const auto tar =
      demarc::testing::run({"tar", "-C", folder.path(), "--warning=no-timestamp", "-xf", path});
  INFO(tar.err);
  REQUIRE(tar.exit == 0);
  CHECK(tar.err.empty());
  for (const auto& [name, text] : files) {
    CAPTURE(name);
    CHECK(read(folder.path() + "/" + name) == text);
  }
  std::size_t found = 0;
  for (const auto& item : std::filesystem::recursive_directory_iterator(folder.path())) {
    found += item.is_regular_file() ? 1 : 0;
  }
  CHECK(found == files.size() + 1);
}

TEST_CASE("ustar: a name that fits into no header makes no archive", "[tools][ustar]") {
  const std::string name = GENERATE(std::string(101, 'n'), std::string(156, 'p') + "/name",
                                    "short/" + std::string(101, 'n'));
  CAPTURE(name);
  CHECK_FALSE(render_ustar({{name, "text"}}));
}
