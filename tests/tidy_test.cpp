// What compilers and linters do not hold: which room may include which, how long a file may be,
// that the files a story names exist.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace {

namespace fs = std::filesystem;

const fs::path root = DEMARC_SOURCE_DIR;

struct SourceFile {
  std::string path;  // from the root
  std::string room;
  std::vector<std::string> lines;
};

std::vector<SourceFile> sources(std::vector<std::string> folders) {
  std::vector<SourceFile> files;
  for (const std::string& folder : folders) {
    for (const auto& item : fs::recursive_directory_iterator(root / folder)) {
      const auto extension = item.path().extension();
      if (extension != ".h" && extension != ".cpp") continue;
      SourceFile file{fs::relative(item.path(), root).string(), folder, {}};
      std::ifstream in(item.path());
      for (std::string line; std::getline(in, line);) file.lines.push_back(line);
      files.push_back(std::move(file));
    }
  }
  return files;
}

/// The path in `#include "..."`; empty for any other line.
std::string included(const std::string& line) {
  const std::string start = "#include \"";
  if (!line.starts_with(start)) return {};
  return line.substr(start.size(), line.find('"', start.size()) - start.size());
}

}  // namespace

TEST_CASE("tidy: includes run geo <- zones <- {health, dns} <- tools", "[tidy]") {
  const std::map<std::string, std::set<std::string>> may_include = {
      {"geo", {"geo"}},
      {"zones", {"geo", "zones"}},
      {"health", {"geo", "zones", "health"}},
      {"dns", {"geo", "zones", "dns"}},
      {"tools", {"geo", "zones", "health", "dns", "tools"}}};
  std::size_t includes = 0;
  for (const SourceFile& file : sources({"geo", "zones", "health", "dns", "tools"})) {
    for (const std::string& line : file.lines) {
      const std::string path = included(line);
      if (path.empty()) continue;
      ++includes;
      const std::string room = path.substr(0, path.find('/'));
      INFO(file.path << " includes " << path);
      CHECK(may_include.at(file.room).contains(room));
      CHECK(fs::exists(root / path));
    }
  }
  CHECK(includes > 300);
}

TEST_CASE("tidy: libraries stay in their rooms, and out of headers that others see", "[tidy]") {
  // DNS messages are built without ldns per query; curl, yaml-cpp, maxminddb and OpenSSL have one
  // home.
  const std::map<std::string, std::set<std::string>> home = {{"<ldns/", {"zones", "health"}},
                                                             {"<maxminddb.h", {"geo"}},
                                                             {"<curl/", {"health"}},
                                                             {"<yaml-cpp/", {"zones"}},
                                                             {"<openssl/", {"zones", "dns"}},
                                                             {"<httplib.h", {"tools"}},
                                                             {"<sodium/", {"dns"}}};
  for (const SourceFile& file : sources({"geo", "zones", "health", "dns", "tools"})) {
    for (const std::string& line : file.lines) {
      if (!line.starts_with("#include <")) continue;
      for (const auto& [library, rooms] : home) {
        if (line.find(library) == std::string::npos) continue;
        INFO(file.path << ": " << line);
        CHECK(rooms.contains(file.room));
        CHECK(file.path.ends_with(".cpp"));
      }
    }
  }
}

TEST_CASE("tidy: files stay short, headers guard themselves, nobody is called utils", "[tidy]") {
  const std::set<std::string> banned = {"utils", "util", "common", "helpers", "helper", "manager"};
  for (const SourceFile& file : sources({"geo", "zones", "health", "dns", "tools"})) {
    INFO(file.path << " has " << file.lines.size() << " lines");
    CHECK(file.lines.size() <= 500);
    CHECK_FALSE(banned.contains(fs::path(file.path).stem().string()));
    if (file.path.ends_with(".h")) {
      CHECK(std::ranges::count(file.lines, "#pragma once") == 1);
      CHECK(file.lines.at(0).starts_with("// "));
    }
  }
  std::size_t base = 0;
  for (const auto& item : fs::directory_iterator(root / "geo/base")) {
    if (item.path().extension() == ".h") ++base;
  }
  CHECK(base < 10);
}

TEST_CASE("tidy: the files that a file's first lines name exist", "[tidy]") {
  std::size_t named = 0;
  for (const SourceFile& file : sources({"geo", "zones", "health", "dns", "tools", "tests"})) {
    for (const std::string& line : file.lines) {
      if (!line.starts_with("//")) break;
      for (const std::string ending : {".h", ".cpp"}) {
        for (auto at = line.find(ending); at != std::string::npos; at = line.find(ending, at + 1)) {
          const auto end = at + ending.size();
          if (end < line.size() && (std::isalnum(static_cast<unsigned char>(line[end])) != 0)) {
            continue;
          }
          const auto start = line.find_last_of(" (\"`,", at) + 1;
          const std::string path = line.substr(start, end - start);
          if (path.find('/') == std::string::npos || path.find('*') != std::string::npos ||
              path.find('{') != std::string::npos) {
            continue;
          }
          ++named;
          INFO(file.path << " names " << path);
          CHECK(fs::exists(root / path));
        }
      }
    }
  }
  CHECK(named > 50);
}

TEST_CASE("tidy: the tests that dns/README.md names exist", "[tidy]") {
  std::ifstream readme(root / "dns/README.md");
  std::size_t named = 0;
  for (std::string line; std::getline(readme, line);) {
    std::string file;
    std::string text;
    for (std::size_t at = 0; line.starts_with('|') && at < line.size();) {
      const auto start = line.find_first_of("`\"", at);
      const auto end = start == std::string::npos ? start : line.find(line[start], start + 1);
      if (end == std::string::npos) break;
      const std::string name = line.substr(start + 1, end - start - 1);
      at = end + 1;
      if (line[start] == '"') {
        ++named;
        INFO(file << " has no test \"" << name << '"');
        CHECK(text.find("TEST_CASE(\"" + name + '"') != std::string::npos);
      } else if (name.starts_with("tests/")) {
        file = name;
        std::ifstream in(root / file);
        text.assign(std::istreambuf_iterator<char>(in), {});
      }
    }
  }
  CHECK(named > 50);
}

TEST_CASE("tidy: the top level is as its owner drew it", "[tidy]") {
  const std::set<std::string> folders = {"dns",   "health", "geo",  "zones",
                                         "tests", "tools",  "build"};
  for (const auto& item : fs::directory_iterator(root)) {
    const std::string name = item.path().filename().string();
    if (name.starts_with('.') || !item.is_directory()) continue;
    INFO(name);
    CHECK(folders.contains(name));
  }
}
