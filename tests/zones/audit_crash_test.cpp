// The process ends, or the power goes, at every step of an append: what is on disk then opens.
#include <filesystem>
#include <fstream>
#include <map>

#include <sys/stat.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include "tests/support/temp_folder.h"
#include "zones/audit/log.h"
#include "zones/audit/trail.h"
#include "zones/audit/verify.h"
#include "zones/jws.h"
#include "zones/time_text.h"

using namespace demarc;
using namespace demarc::zones;
using demarc::testing::TempFolder;

namespace {

namespace fs = std::filesystem;

const WallTime noon = *parse_rfc3339("2026-11-23T12:00:00Z");
const NoteSigner signer =
    *NoteSigner::make("ns1/audit", make_key_pair(KeyAlgorithm::EdDSA)->private_key_pem);

AuditEntry fact(std::string kind, std::string jurisdiction) {
  return {.time = noon,
          .kind = std::move(kind),
          .jurisdiction = std::move(jurisdiction),
          .facts = {{"service", "api.example.com"}}};
}

std::vector<AuditEntry> facts(const std::vector<const char*>& jurisdictions) {
  std::vector<AuditEntry> entries;
  for (const char* jurisdiction : jurisdictions) {
    entries.push_back(fact("grant-step-" + std::to_string(entries.size()), jurisdiction));
  }
  return entries;
}

enum class Ending : std::uint8_t {
  killed,          // every call before the last one was carried out
  killed_midway,   // and half of the last one, if it was a write
  without_power,   // only what was synced is still there
  names_are_late,  // killed, and new files that are empty are not there yet
};

struct Stopped {};

/// A real disk on which the n-th call never returns.
class StoppingDisk {
 public:
  StoppingDisk(int stop_at, Ending ending) : stop_at_(stop_at), ending_(ending) {}

  DiskCalls calls() {
    DiskCalls calls;
    calls.write = [this](int file, const void* bytes, std::size_t size) {
      remember(file);
      const bool stops = calls_++ == stop_at_;
      if (stops && ending_ == Ending::killed_midway) (void)::write(file, bytes, size / 2);
      if (stops) throw Stopped{};
      return ::write(file, bytes, size);
    };
    calls.sync = [this](int file) {
      step();
      synced_[number_of(file)] = content_of(file);
      return 0;
    };
    calls.truncate = [this](int file, off_t size) {
      remember(file);
      step();
      return ::ftruncate(file, size);
    };
    calls.rename = [this](const char* from, const char* to) {
      step();
      return ::rename(from, to);
    };
    return calls;
  }

  /// What the disk holds after the machine is back.
  void settle(const AuditFolders& folders) const {
    for (const std::string& folder : folders.all()) {
      for (const auto& item : fs::directory_iterator(folder)) {
        if (ending_ == Ending::names_are_late && item.path().extension() == ".jsonl" &&
            item.file_size() == 0) {
          fs::remove(item.path());
        }
        if (ending_ != Ending::without_power) continue;
        struct stat status{};
        ::stat(item.path().c_str(), &status);
        const auto synced = synced_.find(status.st_ino);
        if (synced == synced_.end()) continue;
        std::ofstream(item.path(), std::ios::binary | std::ios::trunc) << synced->second;
      }
    }
  }

 private:
  void step() {
    if (calls_++ == stop_at_) throw Stopped{};
  }
  static ino_t number_of(int file) {
    struct stat status{};
    ::fstat(file, &status);
    return status.st_ino;
  }
  static std::string content_of(int file) {
    return read_small("/proc/self/fd/" + std::to_string(file));
  }
  void remember(int file) { synced_.try_emplace(number_of(file), content_of(file)); }

  int stop_at_;
  Ending ending_;
  int calls_ = 0;
  std::map<ino_t, std::string> synced_;
};

DiskCalls without_syncs() {
  DiskCalls calls;
  calls.sync = [](int) { return 0; };
  return calls;
}

/// A trail in two folders, and what a third party knows of it.
struct Trail {
  TempFolder main, other;
  std::string checkpoint;  // over all that was acknowledged
  std::uint64_t acknowledged = 0;

  [[nodiscard]] AuditOptions options(DiskCalls calls = without_syncs()) const {
    return {.folders = {main.path(), {{"US", other.path()}}},
            .node = "ns1",
            .signer = signer,
            .rotate_bytes = 600,
            .calls = std::move(calls)};
  }
  void copy_from(const Trail& trail) {
    fs::copy(trail.main.path(), main.path(), fs::copy_options::recursive);
    fs::copy(trail.other.path(), other.path(), fs::copy_options::recursive);
    checkpoint = trail.checkpoint;
    acknowledged = trail.acknowledged;
  }
};

AuditLog opened(AuditOptions options) {
  auto log = AuditLog::open(std::move(options));
  if (!log) FAIL(log.error().text());
  return std::move(*log);
}

/// As the controller does: opens, and says in the trail what was repaired.
std::vector<std::string> open_and_record(AuditOptions options) {
  AuditLog log = opened(std::move(options));
  std::vector<AuditEntry> entries;
  for (const std::string& repair : log.repairs()) {
    entries.push_back(fact("log-repaired", std::string(node_jurisdiction)));
    entries.back().facts.emplace_back("text", repair);
  }
  REQUIRE(log.append(entries).has_value());
  return log.repairs();
}

void begin(Trail& trail, const std::vector<std::vector<const char*>>& appends) {
  AuditLog log = opened(trail.options());
  for (const auto& append : appends) REQUIRE(log.append(facts(append)).has_value());
  trail.acknowledged = log.size();
  const auto files = open_trail(trail.options().folders);
  trail.checkpoint = find_checkpoint(*files, std::nullopt).value_or("");
}

std::vector<std::string> outside_of(const Trail& trail) {
  return trail.checkpoint.empty() ? std::vector<std::string>{}
                                  : std::vector<std::string>{trail.checkpoint};
}

/// Opens, verifies against the checkpoint a third party kept; what lies after it is the beginning
/// of the append that did not return, and the repairs.
void check_after(const Trail& trail, const std::vector<AuditEntry>& unfinished) {
  const auto folders = trail.options().folders;
  const bool was_whole = verify_audit(folders)->findings.empty();
  const auto repairs = open_and_record(trail.options());
  const bool is_new = trail.acknowledged == 0;  // no checkpoint yet is a finding of its own
  if (!is_new) CHECK(repairs.empty() == was_whole);
  if (is_new && repairs.empty()) return;
  const auto report = verify_audit(folders, {.outside = outside_of(trail)});
  for (const std::string& finding : report->findings) UNSCOPED_INFO(finding);
  CHECK(report->findings.empty());
  std::vector<std::string> kinds;
  REQUIRE(visit_audit(folders, [&](const ParsedEntry& read) {
    if (read.place.sequence >= trail.acknowledged && read.entry.kind != "log-repaired") {
      kinds.push_back(read.entry.kind);
    }
  }));
  REQUIRE(kinds.size() <= unfinished.size());
  for (std::size_t i = 0; i < kinds.size(); ++i) CHECK(kinds[i] == unfinished[i].kind);
  CHECK(open_and_record(trail.options()).empty());
}

/// True if `act` came to its end before the call at which the disk stops.
template <typename Act>
bool finishes(Act act) {
  try {
    act();
    return true;
  } catch (const Stopped&) {
    return false;
  }
}

constexpr int calls_max = 64;  // no append here makes as many

}  // namespace

TEST_CASE("crash: an entry whose predecessor was not written is set aside, and the trail opens",
          "[zones][audit][crash]") {
  Trail trail;
  begin(trail, {{"-"}});
  // The logs are written in the order of their names: EU's entries 2 and 4 first, then the power
  // goes before 1 and 3.
  StoppingDisk disk(2, Ending::killed);
  CHECK_FALSE(finishes([&] {
    AuditLog log = opened(trail.options(disk.calls()));
    (void)log.append(facts({"US", "EU", "-", "EU"}));
  }));
  const std::string eu = trail.main.path() + "/jurisdiction-EU.jsonl";
  const std::string unfinished = read_small(eu);
  REQUIRE(std::ranges::count(unfinished, '\n') == 2);
  {
    AuditLog log = opened(trail.options());
    CHECK(log.size() == 1);
    REQUIRE(log.repairs().size() == 1);
    CHECK(log.repairs().front().find("2 entries, 2 to 4,") != std::string::npos);
    CHECK(log.repairs().front().find(sha256_hex(unfinished)) != std::string::npos);
    CHECK(read_small(eu).empty());
  }
  std::size_t set_aside = 0;
  for (const auto& item : fs::directory_iterator(trail.main.path())) {
    if (item.path().extension() != ".unfinished") continue;
    ++set_aside;
    CHECK(read_small(item.path()) == unfinished);
  }
  CHECK(set_aside == 1);
  check_after(trail, {});
}

TEST_CASE("crash: wherever an append stops, the trail opens, verifies and keeps what it had",
          "[zones][audit][crash]") {
  const auto ending = GENERATE(Ending::killed, Ending::killed_midway, Ending::without_power,
                               Ending::names_are_late);
  const auto [name, before, append] =
      GENERATE(table<const char*, std::vector<std::vector<const char*>>, std::vector<const char*>>(
          {{"the first append", {}, {"-", "EU", "US", "-"}},
           {"one log", {{"-"}, {"EU"}}, {"EU", "EU"}},
           {"logs that take turns", {{"-"}, {"EU", "US"}}, {"EU", "US", "EU", "-", "US", "EU"}},
           {"two logs rotate", {{"-", "-", "-"}, {"EU", "EU", "US", "EU"}}, {"-", "US", "EU"}}}));
  CAPTURE(name, static_cast<int>(ending));
  const auto entries = facts(append);
  int stop_at = 0;
  for (bool is_finished = false; !is_finished; ++stop_at) {
    REQUIRE(stop_at < calls_max);
    CAPTURE(stop_at);
    Trail trail;
    begin(trail, before);
    StoppingDisk disk(stop_at, ending);
    is_finished = finishes([&] {
      AuditLog log = opened(trail.options(disk.calls()));
      const bool is_appended = log.append(entries).has_value();  // Stopped is not for REQUIRE
      REQUIRE(is_appended);
      trail.acknowledged = log.size();
      trail.checkpoint = *find_checkpoint(*open_trail(trail.options().folders), trail.acknowledged);
    });
    disk.settle(trail.options().folders);
    if (is_finished) {
      check_after(trail, {});
      continue;
    }
    // The repair itself may be stopped as well, at any of its steps.
    int repair_stop = 0;
    for (bool is_repaired = false; !is_repaired; ++repair_stop) {
      REQUIRE(repair_stop < calls_max);
      CAPTURE(repair_stop);
      Trail copy;
      copy.copy_from(trail);
      StoppingDisk again(repair_stop, ending);
      is_repaired = finishes([&] { (void)opened(copy.options(again.calls())); });
      again.settle(copy.options().folders);
      check_after(copy, entries);
    }
  }
  CHECK(stop_at > 4);
}
