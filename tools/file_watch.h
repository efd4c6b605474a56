// Notices that files changed (inotify), after they have been quiet for a moment: an editor or a Git
// checkout changes many at once. tools/daemon.h reloads then.
#pragma once

#include <functional>
#include <memory>
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

  EventLoop& loop_;
  int timer_slot_;
  std::function<void()> changed_;
  Descriptor inotify_;
  std::vector<std::string> folders_;
  std::vector<std::string> files_;
};

}  // namespace demarc::tools
