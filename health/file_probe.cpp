#include "health/file_probe.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "geo/base/descriptor.h"
#include "health/printable.h"

namespace demarc::health {
namespace {

ProbeResult silent(std::string detail) {
  return {.outcome = ProbeOutcome::silent, .detail = std::move(detail)};
}

WallTime written_at(const struct stat& facts) {
  const auto since =
      std::chrono::seconds{facts.st_mtim.tv_sec} + std::chrono::nanoseconds{facts.st_mtim.tv_nsec};
  return WallTime{std::chrono::floor<Milliseconds>(since)};
}

}  // namespace

ProbeResult judge_evidence(std::string_view text) {
  const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  const std::string_view word = line.substr(0, line.find(' '));
  const std::string_view why = line.substr(std::min(word.size() + 1, line.size()));
  const auto result = [&](ProbeOutcome outcome) {
    std::string detail = fmt::format("file: {}", word);
    if (!why.empty()) detail += ", " + printable(why);
    return ProbeResult{.outcome = outcome, .detail = std::move(detail)};
  };
  if (word == "up") return result(ProbeOutcome::pass);
  if (word == "degraded") return result(ProbeOutcome::weak);
  if (word == "down") return result(ProbeOutcome::fail);
  return silent("the file's first word is none of up, degraded and down");
}

ProbeResult probe_file(const Probe& probe, const std::string& folder, WallTime now) {
  if (folder.empty()) return silent("demarcd.yaml names no evidence folder");
  const std::string path = folder + "/" + probe.path;
  const Descriptor file(
      ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY));
  if (!file.is_open()) return silent(fmt::format("the file: {}", std::strerror(errno)));
  struct stat facts{};
  if (::fstat(file.number(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
    return silent("it is no plain file");
  }
  const auto age = now - written_at(facts);
  if (age > stale_after(probe.timing)) {
    return silent(fmt::format("the file is {} s old",
                              std::chrono::duration_cast<std::chrono::seconds>(age).count()));
  }
  std::array<char, evidence_bytes_max> bytes{};
  const ssize_t got = ::pread(file.number(), bytes.data(), bytes.size(), 0);
  if (got < 0) return silent(fmt::format("the file: {}", std::strerror(errno)));
  return judge_evidence({bytes.data(), static_cast<std::size_t>(got)});
}

}  // namespace demarc::health
