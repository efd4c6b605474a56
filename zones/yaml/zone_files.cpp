#include "zones/yaml/zone_files.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "zones/digest.h"
#include "zones/yaml/syntax.h"

namespace demarc::zones::yaml {
namespace {

// Beyond it the lock around reading is what the threads wait for.
constexpr std::size_t threads_max = 16;

struct Parsed {
  ZoneReading reading;
  std::size_t text_bytes = 0;
  bool is_unchanged = false;
};

class Reader {
 public:
  Reader(const std::vector<std::string>& names, RepositoryFiles& files,
         const ParsedZoneFiles* known)
      : names_(names), files_(files), known_(known), parsed_(names.size()) {}

  std::vector<Parsed> run(std::size_t threads) {
    std::vector<std::jthread> helpers;
    try {
      while (helpers.size() + 1 < threads) helpers.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
      // No more threads here: those that began do all.
    }
    work();
    helpers.clear();
    return std::move(parsed_);
  }

 private:
  void work() {
    for (std::size_t i = next_++; i < names_.size(); i = next_++) parsed_[i] = read(names_[i]);
  }

  Parsed read(const std::string& file) {
    Parsed parsed;
    ZoneReading& reading = parsed.reading;
    reading.file = file;
    const auto text = [&] {
      const std::scoped_lock lock(files_mutex_);
      // One byte above the limit is read, so that the finding is the syntax step's.
      return files_.read(file, file_bytes_max + 1);
    }();
    if (!text) {
      reading.findings.error({file, 0, 0}, "unreadable-file", "{}", text.error());
      return parsed;
    }
    parsed.text_bytes = text->size();
    reading.digest = sha256_hex(*text);
    if ((reading.values = find_known(file, reading.digest))) {
      parsed.is_unchanged = true;
      return parsed;
    }
    const auto tree = parse_syntax(*text, file, reading.findings);
    if (!tree) return parsed;
    reading.values =
        std::make_shared<const ZoneFile>(read_zone_file(Reading{file, reading.findings}, *tree));
    return parsed;
  }

  [[nodiscard]] std::shared_ptr<const ZoneFile> find_known(const std::string& file,
                                                           const std::string& digest) const {
    if (known_ == nullptr) return nullptr;
    const auto found = known_->files.find(file);
    const bool is_same = found != known_->files.end() && found->second.digest == digest;
    return is_same ? found->second.values : nullptr;
  }

  const std::vector<std::string>& names_;
  RepositoryFiles& files_;
  std::mutex files_mutex_;
  const ParsedZoneFiles* known_;
  std::vector<Parsed> parsed_;
  std::atomic<std::size_t> next_ = 0;
};

/// A file with findings is parsed each time, which tells them each time.
void keep(const std::vector<Parsed>& all, ParsedZoneFiles& known) {
  known.files.clear();
  known.parsed = 0;
  known.unchanged = 0;
  std::size_t kept_bytes = 0;
  for (const Parsed& one : all) {
    ++(one.is_unchanged ? known.unchanged : known.parsed);
    const ZoneReading& reading = one.reading;
    if (!reading.values || !reading.findings.list().empty()) continue;
    if (one.text_bytes > known.text_bytes_max - kept_bytes) continue;
    kept_bytes += one.text_bytes;
    known.files.emplace(reading.file,
                        ParsedZoneFiles::File{.digest = reading.digest, .values = reading.values});
  }
}

}  // namespace

std::vector<ZoneReading> read_zone_files(const std::vector<std::string>& names,
                                         RepositoryFiles& files, ParsedZoneFiles* known) {
  const bool is_first = known == nullptr || known->files.empty();
  const std::size_t cores =
      std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, threads_max);
  std::vector<Parsed> all =
      Reader(names, files, known).run(is_first ? std::min(cores, names.size()) : 1);
  if (known != nullptr) keep(all, *known);
  std::vector<ZoneReading> readings;
  readings.reserve(all.size());
  for (Parsed& one : all) readings.push_back(std::move(one.reading));
  return readings;
}

}  // namespace demarc::zones::yaml
