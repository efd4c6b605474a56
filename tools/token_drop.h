// The drop folder: a token that is put into it is presented as if by `demarc approve`, then moved
// to `accepted` or `refused` inside it, with the answer beside it in a file NAME.reason. For a bad
// hour in which nobody has a shell on the server. tools/daemon.h opens it.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "geo/base/descriptor.h"
#include "geo/base/result.h"
#include "tools/event_loop.h"
#include "zones/events.h"

namespace demarc::tools {

/// Tokens taken in one turn of the loop: each may cost a write to the disk, and a folder full of
/// them must not keep verdicts waiting.
inline constexpr std::size_t drops_per_turn = 8;
/// Names remembered for later turns; beyond it the folder is read again.
inline constexpr std::size_t drops_waiting_max = 1000;

class TokenDrop {
 public:
  using Present = std::function<zones::Reply(const std::string& token)>;

  /// Makes the folder and those in it, and takes what is there. A file counts once it is moved in
  /// or closed after writing; a name that begins with a dot never does, so one may write there and
  /// rename. What is no regular file (a link above all) or too large is refused unread.
  [[nodiscard]] static Result<std::unique_ptr<TokenDrop>, SystemError> open(
      EventLoop& loop, const std::string& folder, Present present);
  ~TokenDrop();

 private:
  TokenDrop(EventLoop& loop, std::string folder, Present present)
      : loop_(loop), folder_(std::move(folder)), present_(std::move(present)) {}
  [[nodiscard]] Result<void, SystemError> open_folders();
  void read_events();
  void read_folder();
  void remember(const std::string& name);
  void take_some();
  void take(const std::string& name);
  void present_taken(const std::string& name);
  void present_left();
  void put_away(const std::string& name, const zones::Reply& reply);

  EventLoop& loop_;
  std::string folder_;
  Present present_;
  Descriptor inotify_;
  Descriptor here_, accepted_, refused_;
  Descriptor presenting_;  // taken from here_, not yet in one of the others
  std::deque<std::string> waiting_;
  std::set<std::string> is_waiting_;
  bool read_again_ = false;                                     // more names than may wait
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for turns that are posted
};

}  // namespace demarc::tools
