// A plain main() for fuzz targets: replays the files of the corpus folders named on the command
// line, then as many mutations of them as `-runs=N` says (seeded, so that every run does the same).
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include <unistd.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Bytes = std::vector<std::uint8_t>;

// One input that takes this long is a finding; it is written to standard error, in hexadecimal.
constexpr unsigned seconds_max = 20;
const Bytes* current = nullptr;

void too_slow(int /*signal*/) {
  static constexpr char digits[] = "0123456789abcdef";
  for (const std::uint8_t byte : *current) {
    const char text[2] = {digits[byte >> 4], digits[byte & 15]};
    if (::write(STDERR_FILENO, text, 2) != 2) break;
  }
  ::_exit(1);
}

void run_one(const Bytes& input) {
  current = &input;
  ::alarm(seconds_max);
  LLVMFuzzerTestOneInput(input.data(), input.size());
  ::alarm(0);
}

Bytes read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

Bytes mutated(Bytes bytes, const Bytes& other, std::mt19937& random) {
  const auto pick = [&](std::size_t below) {
    return std::uniform_int_distribution<std::size_t>(0, below - 1)(random);
  };
  const std::size_t changes = 1 + pick(8);
  for (std::size_t i = 0; i < changes; ++i) {
    if (bytes.empty()) {
      bytes.push_back(static_cast<std::uint8_t>(pick(256)));
      continue;
    }
    const auto at = static_cast<std::ptrdiff_t>(pick(bytes.size()));
    switch (pick(5)) {
      case 0:
        bytes[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(pick(256));
        break;
      case 1:
        bytes[static_cast<std::size_t>(at)] ^= static_cast<std::uint8_t>(1U << pick(8));
        break;
      case 2:
        bytes.erase(bytes.begin() + at);
        break;
      case 3:
        bytes.insert(bytes.begin() + at, static_cast<std::uint8_t>(pick(256)));
        break;
      default: {  // a piece of another input
        if (other.empty()) break;
        const auto from = pick(other.size());
        const auto count = 1 + pick(other.size() - from);
        bytes.insert(bytes.begin() + at, other.begin() + static_cast<std::ptrdiff_t>(from),
                     other.begin() + static_cast<std::ptrdiff_t>(from + count));
        if (bytes.size() > 8192) bytes.resize(8192);
      }
    }
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<Bytes> corpus;
  std::size_t runs = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.starts_with("-runs=")) {
      runs = std::strtoull(argument.c_str() + 6, nullptr, 10);
    } else if (std::filesystem::is_directory(argument)) {
      for (const auto& item : std::filesystem::recursive_directory_iterator(argument)) {
        if (item.is_regular_file()) corpus.push_back(read(item.path()));
      }
    } else {
      corpus.push_back(read(argument));
    }
  }
  if (corpus.empty()) corpus.emplace_back();
  ::signal(SIGALRM, too_slow);
  for (const Bytes& input : corpus) run_one(input);
  std::mt19937 random(20261123);
  for (std::size_t i = 0; i < runs; ++i) {
    const Bytes input =
        mutated(corpus[random() % corpus.size()], corpus[random() % corpus.size()], random);
    run_one(input);
  }
  std::printf("%zu inputs replayed, %zu mutations\n", corpus.size(), runs);
  return 0;
}
