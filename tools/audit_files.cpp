#include "tools/audit_files.h"

#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

#include "geo/base/descriptor.h"
#include "zones/audit/folders.h"
#include "zones/jws.h"

namespace demarc::tools {
namespace {

constexpr mode_t private_file = 0600;

Result<void, SystemError> write_new(const std::string& path, const std::string& text) {
  const std::string temporary = path + ".new";
  const Descriptor file(
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, private_file));
  if (!file.is_open()) return system_error("open " + temporary);
  if (::write(file.number(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::fsync(file.number()) != 0 || ::rename(temporary.c_str(), path.c_str()) != 0) {
    return system_error("write " + path);
  }
  return {};
}

}  // namespace

Result<zones::NoteSigner, SystemError> log_signer(const std::string& key_path,
                                                  const std::string& origin) {
  std::error_code error;
  if (!std::filesystem::exists(key_path, error)) {
    std::filesystem::create_directories(std::filesystem::path(key_path).parent_path(), error);
    const auto pair = zones::make_key_pair(zones::KeyAlgorithm::EdDSA);
    if (!pair) return failure("log key: " + pair.error());
    if (auto written = write_new(key_path, pair->private_key_pem); !written) {
      return std::unexpected(written.error());
    }
  }
  auto signer = zones::NoteSigner::make(origin, zones::read_small(key_path));
  if (!signer) return failure("log key " + key_path + ": " + signer.error());
  return std::move(*signer);
}

std::string policy_folder(const std::string& audit, const std::string& digest) {
  return audit + "/policies/" + digest;
}

Result<void, SystemError> write_policy_copy(const std::string& audit, const std::string& digest,
                                            const NamedTexts& files) {
  const std::string folder = policy_folder(audit, digest);
  std::error_code error;
  if (digest.empty() || files.empty() || std::filesystem::exists(folder, error)) return {};
  // Under another name until it is whole.
  const std::string unfinished = folder + ".new";
  std::filesystem::remove_all(unfinished, error);
  for (const auto& [name, text] : files) {
    const auto path = std::filesystem::path(unfinished) / name;
    std::filesystem::create_directories(path.parent_path(), error);
    if (auto written = write_new(path.string(), text); !written) return written;
  }
  if (::rename(unfinished.c_str(), folder.c_str()) != 0) return system_error("rename " + folder);
  return {};
}

NamedTexts policy_files(const zones::Policy& policy) {
  NamedTexts files;
  if (!policy.text.empty()) files.emplace_back("policy.yaml", policy.text);
  if (!policy.approvals) return files;
  for (const zones::ApprovalKey& key : policy.approvals->keys) {
    files.emplace_back("keys/" + key.id + ".pem", key.public_key_pem);
  }
  return files;
}

}  // namespace demarc::tools
