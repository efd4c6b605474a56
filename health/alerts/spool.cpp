#include "health/alerts/spool.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "health/alerts/message.h"
#include "zones/state_store.h"
#include "zones/time_text.h"

namespace demarc::health {
namespace {

namespace fs = std::filesystem;

// A notice is some kilobytes; what is longer is not ours.
constexpr std::size_t file_max_bytes = std::size_t{1} << 20U;

struct Numbered {
  std::uint64_t number = 0;
  fs::path path;
  auto operator<=>(const Numbered&) const = default;
};

std::optional<std::uint64_t> number_of(const fs::path& path) {
  if (path.extension() != ".json") return std::nullopt;
  const std::string stem = path.stem().string();
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(stem.data(), stem.data() + stem.size(), number);
  if (error != std::errc{} || end != stem.data() + stem.size()) return std::nullopt;
  return number;
}

/// The numbered files of a folder, oldest first; none if it cannot be read.
std::vector<Numbered> numbered_files(const std::string& folder) {
  std::vector<Numbered> files;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (const auto number = number_of(at->path())) files.push_back({*number, at->path()});
  }
  std::ranges::sort(files);
  return files;
}

Result<Notice, std::string> read_notice_file(const fs::path& path) {
  std::error_code error;
  if (fs::file_size(path, error) > file_max_bytes || error) {
    return std::unexpected(std::string("it is too long or cannot be read"));
  }
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in) return std::unexpected(std::string("it cannot be read"));
  return parse_notice(text);
}

}  // namespace

std::string Spool::path_of(std::uint64_t number) const {
  return fmt::format("{}/{:012}.json", folder_, number);
}
std::string Spool::dead_path_of(std::uint64_t number) const {
  return fmt::format("{}/dead/{:012}.json", folder_, number);
}

std::vector<Queued> Spool::load(std::vector<std::string>& troubles) {
  std::error_code error;
  fs::create_directories(folder_ + "/dead", error);
  if (error) troubles.push_back("create folder " + folder_ + ": " + error.message());
  std::vector<Queued> messages;
  for (const auto& [number, path] : numbered_files(folder_ + "/dead")) last_number_ = number;
  for (const auto& [number, path] : numbered_files(folder_)) {
    last_number_ = std::max(last_number_, number);
    if (auto notice = read_notice_file(path)) {
      messages.push_back({number, std::move(*notice), true});
      continue;
    } else {
      troubles.push_back(path.string() + ": " + notice.error());
    }
    fs::rename(path, dead_path_of(number), error);
  }
  return messages;
}

Result<void, SystemError> Spool::save(const Queued& message) {
  std::error_code error;
  fs::create_directories(folder_, error);  // it may have been there no more, or never
  if (error) return failure("create folder " + folder_ + ": " + error.message());
  return zones::replace_file(path_of(message.number), write_notice(message.notice));
}

void Spool::remove(std::uint64_t number) noexcept {
  std::error_code ignored;
  fs::remove(path_of(number), ignored);
}

Result<void, SystemError> Spool::bury(const Queued& message, const std::string& reason,
                                      WallTime now) {
  std::error_code error;
  fs::create_directories(folder_ + "/dead", error);
  // The notice is our own text, so it parses; it stands in the letter as it stood in the spool.
  const nlohmann::json letter = {
      {"reason", reason},
      {"given-up", zones::to_rfc3339(now)},
      {"notice", nlohmann::json::parse(write_notice(message.notice), nullptr, false)}};
  auto written =
      zones::replace_file(dead_path_of(message.number),
                          letter.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  remove(message.number);
  forget_oldest_dead();
  return written;
}

void Spool::forget_oldest_dead() const {
  const auto files = numbered_files(folder_ + "/dead");
  std::error_code ignored;
  for (std::size_t i = 0; i + dead_letters_max < files.size(); ++i) {
    fs::remove(files[i].path, ignored);
  }
}

std::size_t Spool::dead_letters() const { return numbered_files(folder_ + "/dead").size(); }

}  // namespace demarc::health
