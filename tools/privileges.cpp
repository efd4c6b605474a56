#include "tools/privileges.h"

#include <algorithm>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace demarc::tools {
namespace {

constexpr std::size_t entry_max = 1 << 16;  // bytes of one entry of the user database

struct User {
  uid_t id = 0;
  gid_t group = 0;
  std::string name;
};

template <typename Find>
std::optional<User> look_up(Find find) {
  std::vector<char> buffer(entry_max);
  passwd entry{};
  passwd* found = nullptr;
  if (find(&entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return std::nullopt;
  }
  return User{found->pw_uid, found->pw_gid, found->pw_name};
}

std::optional<User> user_named(const std::string& name) {
  return look_up([&](passwd* entry, char* buffer, std::size_t size, passwd** found) {
    return ::getpwnam_r(name.c_str(), entry, buffer, size, found);
  });
}

std::unexpected<std::string> refused(std::string text) { return std::unexpected(std::move(text)); }

Result<void, std::string> become(const User& user) {
  const auto failed = [&](const char* what) {
    return refused(system_error(fmt::format("{} for user {}", what, user.name)).error().text());
  };
  if (::initgroups(user.name.c_str(), user.group) != 0) return failed("initgroups");
  if (::setresgid(user.group, user.group, user.group) != 0) return failed("setresgid");
  // From root to anybody else all three ids at once: the capabilities go with them.
  if (::setresuid(user.id, user.id, user.id) != 0) return failed("setresuid");
  if (::setresuid(0, 0, 0) == 0) return refused("user " + user.name + " could become root again");
  return {};
}

}  // namespace

Result<void, std::string> give_up_privileges(const std::string& name) {
  if (!name.empty()) {
    const auto user = user_named(name);
    if (!user) return refused(fmt::format("user `{}` is not known on this machine", name));
    if (user->id == 0) {
      return refused(fmt::format("user `{}` is root; expected one of demarcd's own", name));
    }
    if (::geteuid() == 0) {
      if (auto done = become(*user); !done) return done;
    } else if (::geteuid() != user->id) {
      return refused(
          fmt::format("user `{}` is asked for, but this is {}; expected to be started "
                      "as root or as that user",
                      name, current_user()));
    }
  }
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return refused(system_error("prctl(PR_SET_NO_NEW_PRIVS)").error().text());
  }
  return {};
}

std::string current_user() {
  const auto user = look_up([](passwd* entry, char* buffer, std::size_t size, passwd** found) {
    return ::getpwuid_r(::geteuid(), entry, buffer, size, found);
  });
  return user ? user->name : fmt::format("user {}", ::geteuid());
}

std::size_t raise_descriptor_limit(std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur >= wanted) return limit.rlim_cur;
  const rlimit raised{wanted, std::max<rlim_t>(limit.rlim_max, wanted)};
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) return wanted;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, wanted);
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

}  // namespace demarc::tools
