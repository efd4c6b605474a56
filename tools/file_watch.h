// Notices that files changed (inotify), after they have been quiet for a moment: an editor or a Git
// checkout changes many at once. tools/daemon.h reloads then.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tools/event_loop.h"

namespace demarc::tools {

class FileWatch {
 public:
  /// Watches folders with all folders below them, and the folders of single files. `changed` is
  /// called on the loop's thread, `timer_slot` is the loop's slot for the quiet time.
  [[nodiscard]] static Result<std::unique_ptr<FileWatch>, SystemError> open(
      EventLoop& loop, int timer_slot, std::vector<std::string> folders,
      std::vector<std::string> files, std::function<void()> changed);
  ~FileWatch();

 private:
  FileWatch(EventLoop& loop, int timer_slot, std::function<void()> changed)
      : loop_(loop), timer_slot_(timer_slot), changed_(std::move(changed)) {}
  void add_all();
  void read_events();
  [[nodiscard]] bool is_relevant(int watch, const char* name) const;

  EventLoop& loop_;
  int timer_slot_;
  std::function<void()> changed_;
  Descriptor inotify_;
  std::vector<std::string> folders_;
  std::vector<std::string> files_;
  std::set<int> folder_watches_;                                       // where every name counts
  std::map<int, std::set<std::string>> file_watches_;                  // where these names do
  std::optional<std::chrono::steady_clock::time_point> first_change_;  // not yet told
};

}  // namespace demarc::tools
