// A real demarcd on a copy of the example repository, with real backends, for integration tests.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/support/dig.h"
#include "tests/support/dns_client.h"
#include "tests/support/http_backend.h"
#include "tests/support/process.h"
#include "tests/support/temp_folder.h"
#include "tests/support/wait_for.h"

namespace demarc::testing {

/// The MMDB of Debian's tor-geoipdb, made once by `demarc geo build`.
const std::string& country_database();

/// Runs the real `demarc`.
Finished run_demarc(std::vector<std::string> arguments);

struct TokenRequest {
  std::string lasts = "1h";
  std::string audience = "demarc-example";
  std::string zone = "example.com";
  std::string service = "api";
  std::string from = "eu";
  std::string to = "global-failover";
  std::string mode = "full-write";
  std::string kid = "legal-1";
  std::string id;
};

class Server {
 public:
  Server();

  /// Starts demarcd and waits for its ready line; fails the test if none comes.
  void start();
  /// Starts it where it must not come up; what it wrote to standard error.
  std::string start_in_vain();
  void stop() { process_.reset(); }
  void kill_hard();

  [[nodiscard]] pid_t pid() const { return process_->pid(); }
  [[nodiscard]] std::string log() const { return process_->errors(); }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] std::uint16_t port_v6() const noexcept { return port_v6_; }
  [[nodiscard]] std::uint16_t tls_port() const noexcept { return tls_port_; }
  [[nodiscard]] std::string path(const std::string& name) const {
    return folder_.path() + "/" + name;
  }

  /// A verb of `demarc` on this server's socket.
  [[nodiscard]] Finished ask(std::vector<std::string> arguments) const;
  [[nodiscard]] nlohmann::json status() const;
  /// What the status says of the check whose key ends so; an empty object if there is none.
  [[nodiscard]] nlohmann::json check(const std::string& key_ending) const;
  /// A field of it that is text; "no such check" if there is none.
  [[nodiscard]] std::string verdict(const std::string& key_ending) const;
  [[nodiscard]] std::string detail(const std::string& key_ending) const;
  [[nodiscard]] bool has_alert(const std::string& key_prefix) const;
  [[nodiscard]] std::string token(const TokenRequest& request = {}) const;
  Finished approve(const std::string& token) const;

  /// The A addresses of a name for an unknown client, sorted; by dig.
  [[nodiscard]] std::vector<std::string> addresses(const std::string& name) const;
  [[nodiscard]] bool answers(const std::string& name, const std::string& address) const {
    return addresses(name) == std::vector<std::string>{address};
  }

  /// Entries of the trail of one kind, by `demarc audit show`.
  [[nodiscard]] nlohmann::json entries(const std::string& kind) const;

  HttpBackend eu;
  HttpBackend abroad;

  // The example's addresses.
  static constexpr const char* api_home = "192.0.2.10";
  static constexpr const char* api_abroad = "198.51.100.10";
  static constexpr const char* shop_home = "192.0.2.20";
  static constexpr const char* shop_abroad = "198.51.100.20";

 private:
  TempFolder folder_;
  std::unique_ptr<Process> process_;
  std::uint16_t port_ = 0;
  std::uint16_t port_v6_ = 0;
  std::uint16_t tls_port_ = 0;
};

/// Replaces every occurrence in a file; fails the test if there is none.
void edit(const std::string& path, const std::string& from, const std::string& to);
[[nodiscard]] std::string read_file(const std::string& path);

}  // namespace demarc::testing
