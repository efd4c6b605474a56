#include "tools/file_watch.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include <sys/inotify.h>
#include <unistd.h>

namespace demarc::tools {
namespace {

constexpr std::chrono::milliseconds quiet_time{200};
// Somebody who never stops writing does not put a change off for longer than this.
constexpr std::chrono::milliseconds wait_max{2000};
constexpr std::uint32_t changes = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                                  IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF;

bool is_hidden(const std::filesystem::path& path) {
  return path.filename().string().starts_with('.');
}

}  // namespace

Result<std::unique_ptr<FileWatch>, SystemError> FileWatch::open(EventLoop& loop, int timer_slot,
                                                                std::vector<std::string> folders,
                                                                std::vector<std::string> files,
                                                                std::function<void()> changed) {
  std::unique_ptr<FileWatch> watch(new FileWatch(loop, timer_slot, std::move(changed)));
  watch->folders_ = std::move(folders);
  watch->files_ = std::move(files);
  watch->inotify_ = Descriptor(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!watch->inotify_.is_open()) return system_error("inotify_init1");
  watch->add_all();
  auto watched =
      loop.watch(watch->inotify_.number(), [self = watch.get()] { self->read_events(); });
  if (!watched) return std::unexpected(watched.error());
  return watch;
}

FileWatch::~FileWatch() {
  if (inotify_.is_open()) loop_.unwatch(inotify_.number());
}

void FileWatch::add_all() {
  namespace fs = std::filesystem;
  const auto add = [&](const fs::path& path) {
    return ::inotify_add_watch(inotify_.number(), path.c_str(), changes);
  };
  for (const std::string& folder : folders_) {
    folder_watches_.insert(add(folder));
    std::error_code error;
    auto item = fs::recursive_directory_iterator(folder, error);
    for (; !error && item != fs::recursive_directory_iterator(); item.increment(error)) {
      if (is_hidden(item->path())) {
        item.disable_recursion_pending();
      } else if (item->is_directory(error)) {
        folder_watches_.insert(add(item->path()));
      }
    }
  }
  for (const std::string& file : files_) {
    const fs::path parent = fs::path(file).parent_path();
    const int watch = add(parent.empty() ? fs::path(".") : parent);
    file_watches_[watch].insert(fs::path(file).filename().string());
  }
}

bool FileWatch::is_relevant(int watch, const char* name) const {
  // `.git` and editors' swap files come and go without meaning.
  if (folder_watches_.contains(watch)) return name[0] != '.';
  const auto files = file_watches_.find(watch);
  return files != file_watches_.end() && files->second.contains(name);
}

void FileWatch::read_events() {
  alignas(inotify_event) std::array<char, 16'384> buffer{};
  bool relevant = false;
  for (;;) {
    const ssize_t got = ::read(inotify_.number(), buffer.data(), buffer.size());
    if (got <= 0) break;
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      relevant |= is_relevant(event->wd, event->len == 0 ? "" : event->name);
      at += sizeof(inotify_event) + event->len;
    }
  }
  if (!relevant) return;
  const auto now = std::chrono::steady_clock::now();
  if (!first_change_) first_change_ = now;
  loop_.set_timer(timer_slot_, std::min(now + quiet_time, *first_change_ + wait_max), [this] {
    first_change_.reset();
    add_all();  // folders may be new
    changed_();
  });
}

}  // namespace demarc::tools
