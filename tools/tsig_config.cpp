#include "tools/tsig_config.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "geo/base/descriptor.h"

namespace demarc::tools {
namespace {

using namespace zones::yaml;

// A secret in base64 with white space around it; a longer file is something else.
constexpr std::size_t file_bytes_max = 4 * tsig_secret_bytes_max;
// The group may read it: the daemon's own group, with the file another's.
constexpr mode_t too_open = S_IWGRP | S_IXGRP | S_IRWXO;

int value_of(char letter) {
  if (letter >= 'A' && letter <= 'Z') return letter - 'A';
  if (letter >= 'a' && letter <= 'z') return letter - 'a' + 26;
  if (letter >= '0' && letter <= '9') return letter - '0' + 52;
  return letter == '+' ? 62 : letter == '/' ? 63 : -1;
}

std::optional<std::vector<std::uint8_t>> parse_base64(std::string_view text) {
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  if (text.size() % 4 != 0) return std::nullopt;
  std::vector<std::uint8_t> bytes;
  unsigned bits = 0;
  unsigned bit_count = 0;
  for (const char letter : text.substr(0, text.size() - padding)) {
    const int value = value_of(letter);
    if (value < 0) return std::nullopt;
    bits = (bits << 6U) | static_cast<unsigned>(value);
    bit_count += 6;
    if (bit_count < 8) continue;
    bit_count -= 8;
    bytes.push_back(static_cast<std::uint8_t>(bits >> bit_count));
    bits &= (1U << bit_count) - 1;
  }
  return bytes;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

Result<std::vector<std::uint8_t>, std::string> read_secret(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status{};
  if (!file.is_open() || ::fstat(file.number(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return std::unexpected(path + ": it cannot be read; expected a TSIG secret");
  }
  if ((status.st_mode & too_open) != 0) {
    return std::unexpected(
        fmt::format("{}: [open-secret] mode {:04o} lets others at it; expected 0600", path,
                    status.st_mode & 07777U));
  }
  std::array<char, file_bytes_max> text{};
  const ssize_t size = ::read(file.number(), text.data(), text.size());
  const auto secret =
      parse_base64(trimmed({text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))}));
  if (!secret || secret->size() < tsig_secret_bytes_min || secret->size() > tsig_secret_bytes_max) {
    return std::unexpected(
        fmt::format("{}: [bad-tsig-secret] no TSIG secret; expected {} to {} bytes in base64, as "
                    "`openssl rand -base64 32` makes",
                    path, tsig_secret_bytes_min, tsig_secret_bytes_max));
  }
  return *secret;
}

class KeyListReader {
 public:
  KeyListReader(const Reading& reading, const std::filesystem::path& folder)
      : reading_(reading), folder_(folder) {}

  std::vector<TsigKeyConfig> read(const Node& node) {
    read_list(reading_, node, "tsig-keys", tsig_keys_max, [&](const Node& item) {
      TsigKeyConfig key;
      read_map(reading_, item, "TSIG key",
               {{"name", Presence::required, [&](const Node& n) { read_name(n, key); }},
                {"algorithm", Presence::required,
                 [&](const Node& n) {
                   (void)read_choice<bool>(reading_, n, "algorithm", {{"hmac-sha256", true}});
                 }},
                {"secret-file", Presence::required, [&](const Node& n) {
                   const auto path = read_text(reading_, n, "secret-file");
                   if (path) key.secret_file = (folder_ / *path).lexically_normal().string();
                 }}});
      keys_.push_back(std::move(key));
    });
    return std::move(keys_);
  }

 private:
  void read_name(const Node& node, TsigKeyConfig& key) {
    const auto text = read_text(reading_, node, "name");
    if (!text) return;
    const auto name = zones::Name::parse_absolute(*text);
    if (!name || name->is_root() || geo::parse_address(*text)) {
      reading_.error(node.at, "bad-name",
                     "the key's name is `{}`; expected one as a domain has it, such as "
                     "transfer.example.com",
                     *text);
      return;
    }
    if (std::ranges::find(keys_, *name, &TsigKeyConfig::name) != keys_.end()) {
      reading_.error(node.at, "key-twice", "a second key `{}`; expected one a name", *text);
    }
    key.name = *name;
  }

  const Reading& reading_;
  const std::filesystem::path& folder_;
  std::vector<TsigKeyConfig> keys_;
};

}  // namespace

std::vector<TsigKeyConfig> read_tsig_keys(const Reading& reading, const Node& node,
                                          const std::filesystem::path& folder) {
  return KeyListReader(reading, folder).read(node);
}

Result<dns::TsigKeys, std::string> load_tsig_keys(const std::vector<TsigKeyConfig>& keys) {
  dns::TsigKeys loaded;
  for (const TsigKeyConfig& key : keys) {
    auto secret = read_secret(key.secret_file);
    if (!secret) return std::unexpected(secret.error());
    loaded.push_back({key.name, std::move(*secret)});
  }
  return loaded;
}

}  // namespace demarc::tools
