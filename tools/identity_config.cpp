#include "tools/identity_config.h"

#include <fstream>
#include <iterator>

#include <fmt/format.h>

namespace demarc::tools {
namespace {

// A secret is 32 digits and a line end; a longer file is something else.
constexpr std::size_t secret_file_bytes_max = 128;

Result<dns::CookieSecret, std::string> read_secret(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::unexpected(path + ": it cannot be read; expected a cookie secret");
  std::string text(secret_file_bytes_max, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  const auto secret = dns::parse_cookie_secret(text);
  if (!secret) {
    return std::unexpected(
        fmt::format("{}: [bad-cookie-secret] no cookie secret; {}", path, secret.error()));
  }
  return *secret;
}

}  // namespace

Result<std::shared_ptr<const dns::Identity>, std::string> build_identity(
    const IdentityConfig& config, const std::string& node) {
  dns::Identity identity;
  identity.nsid = config.nsid.value_or(node).substr(0, dns::nsid_size_max);
  if (config.says_chaos) {
    identity.version = "Demarc " DEMARC_VERSION;
    identity.server = node.substr(0, dns::chaos_text_size_max);
  }
  identity.requires_cookie = config.requires_cookie;
  identity.keepalive = static_cast<std::uint16_t>(config.tcp_idle.count() / 100);
  if (config.has_cookies && config.secret_files.empty()) {
    identity.cookie_secrets.push_back(config.random_secret);
  }
  if (config.has_cookies) {
    for (const std::string& path : config.secret_files) {
      const auto secret = read_secret(path);
      if (!secret) return std::unexpected(secret.error());
      identity.cookie_secrets.push_back(*secret);
    }
  }
  if (!config.certificate_file.empty()) {
    auto tls = dns::TlsContext::load(config.certificate_file, config.key_file);
    if (!tls) return std::unexpected(tls.error());
    identity.tls = std::move(*tls);
  }
  return std::make_shared<const dns::Identity>(std::move(identity));
}

std::vector<std::string> files_of(const IdentityConfig& config) {
  std::vector<std::string> files = config.secret_files;
  for (const std::string* file : {&config.certificate_file, &config.key_file}) {
    if (!file->empty()) files.push_back(*file);
  }
  return files;
}

}  // namespace demarc::tools
