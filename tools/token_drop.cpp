#include "tools/token_drop.h"

#include <array>
#include <filesystem>

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/log.h"
#include "zones/jws.h"

namespace demarc::tools {
namespace {

constexpr std::uint32_t arrivals = IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR;
constexpr mode_t private_folder = 0700;
constexpr mode_t private_file = 0600;
constexpr int same_names_max = 10'000;

Descriptor open_folder(const std::string& path) {
  return Descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

constexpr const char* presenting_folder = ".presenting";

bool is_ours(const std::string& name) { return name == "accepted" || name == "refused"; }

/// The file's text, or why it is none to present. Never follows a link, never waits for a pipe.
Result<std::string, std::string> read_token(int folder, const std::string& name) {
  const Descriptor file(
      ::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.is_open()) {
    return std::unexpected<std::string>(errno == ELOOP ? "it is a link, expected a file"
                                                       : "it cannot be read");
  }
  struct stat status{};
  if (::fstat(file.number(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return std::unexpected<std::string>("it is no regular file");
  }
  std::string text(zones::token_bytes_max + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(file.number(), text.data() + size, text.size() - size);
    if (got < 0) return std::unexpected<std::string>("it cannot be read");
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > zones::token_bytes_max) {
    return std::unexpected("it is larger than " + std::to_string(zones::token_bytes_max) +
                           " bytes");
  }
  text.resize(size);
  return text;
}

/// Moves a file without replacing another; its new name, or nothing.
std::string move_away(int from, int to, const std::string& name) {
  for (int i = 0; i < same_names_max; ++i) {
    const std::string next = i == 0 ? name : name + "." + std::to_string(i);
    if (::renameat2(from, name.c_str(), to, next.c_str(), RENAME_NOREPLACE) == 0) return next;
    if (errno != EEXIST) break;
  }
  return {};
}

/// Beside the token, under a name that nothing has: somebody's token may be called `a.reason`.
void write_reason(int folder, const std::string& name, const std::string& reason) {
  const std::string text = reason + "\n";
  for (int i = 0; i < same_names_max; ++i) {
    const std::string file_name = name + ".reason" + (i == 0 ? "" : "." + std::to_string(i));
    const Descriptor file(::openat(folder, file_name.c_str(),
                                   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                                   private_file));
    if (!file.is_open() && errno == EEXIST) continue;
    if (file.is_open() && ::write(file.number(), text.data(), text.size()) >= 0) return;
    break;
  }
  log_warning("token-drop-reason-not-written name={}", name);
}

}  // namespace

Result<std::unique_ptr<TokenDrop>, SystemError> TokenDrop::open(EventLoop& loop,
                                                                const std::string& folder,
                                                                Present present) {
  std::unique_ptr<TokenDrop> drop(new TokenDrop(loop, folder, std::move(present)));
  if (auto opened = drop->open_folders(); !opened) return std::unexpected(opened.error());
  drop->inotify_ = Descriptor(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!drop->inotify_.is_open()) return system_error("inotify_init1");
  if (::inotify_add_watch(drop->inotify_.number(), folder.c_str(), arrivals) < 0) {
    return system_error("watch " + folder);
  }
  auto watched = loop.watch(drop->inotify_.number(), [self = drop.get()] { self->read_events(); });
  if (!watched) return std::unexpected(watched.error());
  drop->present_left();
  drop->read_folder();
  return drop;
}

TokenDrop::~TokenDrop() {
  *alive_ = false;
  if (inotify_.is_open()) loop_.unwatch(inotify_.number());
}

Result<void, SystemError> TokenDrop::open_folders() {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  for (auto [descriptor, path] :
       {std::pair{&here_, folder_}, std::pair{&accepted_, folder_ + "/accepted"},
        std::pair{&refused_, folder_ + "/refused"},
        std::pair{&presenting_, folder_ + "/" + presenting_folder}}) {
    ::mkdir(path.c_str(), private_folder);
    *descriptor = open_folder(path);
    if (!descriptor->is_open()) return system_error("open " + path);
  }
  return {};
}

/// What a process before us took and did not put away: presented again, it is refused as used if it
/// was accepted then.
void TokenDrop::present_left() {
  std::vector<std::string> names;
  std::error_code error;
  const std::string path = folder_ + "/" + presenting_folder;
  for (const auto& item : std::filesystem::directory_iterator(path, error)) {
    names.push_back(item.path().filename().string());
  }
  for (const std::string& name : names) present_taken(name);
}

void TokenDrop::read_events() {
  alignas(inotify_event) std::array<char, 16'384> buffer{};
  bool overflown = false;
  for (;;) {
    const ssize_t got = ::read(inotify_.number(), buffer.data(), buffer.size());
    if (got <= 0) break;
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      overflown |= (event->mask & IN_Q_OVERFLOW) != 0;
      if (event->len != 0) remember(event->name);
      at += sizeof(inotify_event) + event->len;
    }
  }
  if (overflown) read_folder();
}

void TokenDrop::read_folder() {
  read_again_ = false;
  std::error_code error;
  auto item = std::filesystem::directory_iterator(folder_, error);
  for (; !error && item != std::filesystem::directory_iterator(); item.increment(error)) {
    remember(item->path().filename().string());
  }
}

void TokenDrop::remember(const std::string& name) {
  if (name.starts_with('.') || is_ours(name) || is_waiting_.contains(name)) return;
  if (waiting_.size() >= drops_waiting_max) {
    read_again_ = true;
    return;
  }
  is_waiting_.insert(name);
  waiting_.push_back(name);
  if (waiting_.size() > 1) return;
  loop_.post([this, alive = alive_] {
    if (*alive) take_some();
  });
}

void TokenDrop::take_some() {
  for (std::size_t i = 0; i < drops_per_turn && !waiting_.empty(); ++i) {
    const std::string name = std::move(waiting_.front());
    waiting_.pop_front();
    is_waiting_.erase(name);
    take(name);
  }
  if (waiting_.empty()) {
    if (read_again_) read_folder();
    return;
  }
  loop_.post([this, alive = alive_] {
    if (*alive) take_some();
  });
}

void TokenDrop::take(const std::string& name) {
  struct stat status{};
  if (::fstatat(here_.number(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return;  // gone
  if (S_ISDIR(status.st_mode)) return;
  // Out of everybody's way first, so that what is read is what is put away: another file may come
  // under the same name meanwhile, and waits for its turn.
  if (::renameat2(here_.number(), name.c_str(), presenting_.number(), name.c_str(),
                  RENAME_NOREPLACE) != 0) {
    log_warning("token-drop-not-taken {}", system_error("rename " + name).error().text());
    return;
  }
  present_taken(name);
}

void TokenDrop::present_taken(const std::string& name) {
  const auto text = read_token(presenting_.number(), name);
  put_away(name, text ? present_(*text) : zones::Reply{false, "refused: " + text.error(), {}});
}

void TokenDrop::put_away(const std::string& name, const zones::Reply& reply) {
  const Descriptor& folder = reply.accepted ? accepted_ : refused_;
  const std::string moved = move_away(presenting_.number(), folder.number(), name);
  if (moved.empty()) {
    log_warning("token-drop-not-moved name={} answer=\"{}\"", name, reply.text);
    return;
  }
  write_reason(folder.number(), moved, reply.text);
  log_info("token-drop name={} accepted={} answer=\"{}\"", name, reply.accepted, reply.text);
}

}  // namespace demarc::tools
