#include "tools/daemon_config.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "zones/audit/note.h"
#include "zones/yaml/fields.h"

namespace demarc::tools {
namespace {

using namespace zones::yaml;

constexpr std::size_t listen_max = 64;
constexpr std::size_t databases_max = 16;
constexpr unsigned threads_max = 256;
constexpr unsigned rate_max = 1'000'000;
constexpr std::size_t tcp_connections_max = 1'000'000;
constexpr std::size_t networks_max = 64;  // each is compared with every client
constexpr std::size_t jurisdictions_max = 1000;
constexpr std::uint64_t rotate_mib_max = 1024;  // a segment is read whole before it is removed

std::string resolved(const std::filesystem::path& folder, const std::string& path) {
  const std::filesystem::path given(path);
  return given.is_absolute() ? path : (folder / given).lexically_normal().string();
}

/// Whether `path` is `folder` or in it, whatever links lead there.
bool lies_in(const std::string& path, const std::string& folder) {
  std::error_code error;
  const auto whole = [&](const std::string& text) {
    return std::filesystem::weakly_canonical(text, error);
  };
  auto inner = whole(path), outer = whole(folder);
  if (!outer.has_filename()) outer = outer.parent_path();
  const auto [left, right] = std::ranges::mismatch(outer, inner);
  return left == outer.end();
}

class ConfigReader {
 public:
  ConfigReader(Reading reading, std::filesystem::path folder)
      : reading_(std::move(reading)), folder_(std::move(folder)) {
    for (auto [member, name] : {std::pair{&DaemonConfig::state, "state"},
                                {&DaemonConfig::audit, "audit"},
                                {&DaemonConfig::control, "run/control.sock"}}) {
      config_.*member = resolved(folder_, name);
    }
  }

  DaemonConfig read(const Node& root) {
    const auto path_to = [&](std::string DaemonConfig::* member, const char* what) {
      return [this, member, what](const Node& node) {
        if (auto text = read_text(reading_, node, what)) {
          config_.*member = resolved(folder_, *text);
        }
      };
    };
    read_map(
        reading_, root, "the configuration",
        {{"node", Presence::optional,
          [&](const Node& n) {
            if (auto name = read_identifier(reading_, n, "node")) config_.node = name->value;
          }},
         {"listen", Presence::optional, [&](const Node& n) { read_listen(n, config_.listen); }},
         {"threads", Presence::optional, [&](const Node& n) { read_threads(n); }},
         {"cpu-steering", Presence::optional,
          [&](const Node& n) { read_switch(n, "cpu-steering", config_.steers_by_cpu); }},
         {"user", Presence::optional,
          [&](const Node& n) { assign(config_.user, read_text(reading_, n, "user")); }},
         {"repository", Presence::required,
          [&](const Node& n) {
            repository_at_ = n.at;
            read_folder(n, "repository", config_.repository);
          }},
         {"geoip", Presence::optional, [&](const Node& n) { read_geoip(n); }},
         {"state", Presence::optional, path_to(&DaemonConfig::state, "state")},
         {"audit", Presence::optional, [&](const Node& n) { read_audit(n); }},
         {"control", Presence::optional, path_to(&DaemonConfig::control, "control")},
         {"http", Presence::optional,
          [&](const Node& n) { config_.http = read_endpoint(n, "http"); }},
         {"tls", Presence::optional, [&](const Node& n) { read_tls(n); }},
         {"proxy-from", Presence::optional,
          [&](const Node& n) { read_networks(n, "proxy-from", config_.proxy_peers); }},
         {"rate-limit", Presence::optional, [&](const Node& n) { read_rate_limit(n); }},
         {"tcp", Presence::optional, [&](const Node& n) { read_tcp(n); }},
         {"history", Presence::optional, [&](const Node& n) { read_history(n); }},
         {"tsig-keys", Presence::optional,
          [&](const Node& n) { config_.tsig_keys = read_tsig_keys(reading_, n, folder_); }},
         {"nsid", Presence::optional, [&](const Node& n) { config_.identity.nsid = read_nsid(n); }},
         {"chaos", Presence::optional,
          [&](const Node& n) { read_switch(n, "chaos", config_.identity.says_chaos); }},
         {"cookies", Presence::optional, [&](const Node& n) { read_cookies(n); }},
         {"token-drop", Presence::optional, path_to(&DaemonConfig::token_drop, "token-drop")},
         {"resolver", Presence::optional,
          [&](const Node& n) { config_.resolver = read_endpoint(n, "resolver"); }},
         {"resolver-require-ad", Presence::optional,
          [&](const Node& n) {
            read_switch(n, "resolver-require-ad", config_.resolver_require_ad);
          }},
         {"probe-ca", Presence::optional, path_to(&DaemonConfig::probe_ca, "probe-ca")},
         {"evidence-folder", Presence::optional,
          path_to(&DaemonConfig::evidence, "evidence-folder")},
         {"programs-folder", Presence::optional,
          path_to(&DaemonConfig::programs, "programs-folder")},
         {"vantage", Presence::optional,
          [&](const Node& n) { config_.vantage = read_vantage(reading_, n, folder_); }},
         {"alerts", Presence::optional,
          [&](const Node& n) { config_.alerts = read_alerts(reading_, n, folder_); }},
         {"debug-verbs", Presence::optional,
          [&](const Node& n) { read_switch(n, "debug-verbs", config_.debug_verbs); }}});
    if (config_.listen.empty()) {
      config_.listen = {*parse_endpoint("127.0.0.1:5300"), *parse_endpoint("[::1]:5300")};
    }
    AuditConfig& trail = config_.trail;
    if (trail.key.empty()) trail.key = config_.state + "/audit-key.pem";
    if (trail.origin.empty()) trail.origin = config_.node + "/audit";
    check_folders();
    return std::move(config_);
  }

 private:
  void read_folder(const Node& node, const char* what, std::string& path) {
    if (auto text = read_text(reading_, node, what)) path = resolved(folder_, *text);
  }

  /// The repository is copied whole into `state`, and what is in it is text that people edit: what
  /// the server writes lies elsewhere.
  void check_folders() {
    std::vector<std::pair<std::string, std::string>> ours = {{"state", config_.state},
                                                             {"audit", config_.audit},
                                                             {"control", config_.control},
                                                             {"token-drop", config_.token_drop}};
    for (const auto& [name, folder] : config_.trail.jurisdictions) {
      ours.emplace_back("audit of " + name, folder);
    }
    for (const auto& [what, path] : ours) {
      if (path.empty() || config_.repository.empty()) continue;
      if (!lies_in(path, config_.repository) && !lies_in(config_.repository, path)) continue;
      reading_.error(
          repository_at_, "nested-folders",
          "repository {} and {} {} lie in one another; expected folders apart, since the "
          "server writes into one and copies the other",
          config_.repository, what, path);
    }
  }

  void read_audit(const Node& node) {
    AuditConfig& trail = config_.trail;
    if (node.kind == NodeKind::scalar) return read_folder(node, "audit", config_.audit);
    const DurationRange lasting{std::chrono::hours{24}, std::chrono::hours{24 * 36'500}};
    const DurationRange between{std::chrono::seconds{1}, std::chrono::hours{1}};
    read_map(reading_, node, "audit",
             {{"folder", Presence::optional,
               [&](const Node& n) { read_folder(n, "folder", config_.audit); }},
              {"key", Presence::optional, [&](const Node& n) { read_folder(n, "key", trail.key); }},
              {"origin", Presence::optional, [&](const Node& n) { read_origin(n); }},
              {"jurisdictions", Presence::optional,
               [&](const Node& n) {
                 read_named(reading_, n, "jurisdictions", jurisdictions_max,
                            [&](const Key& key, const Node& value) {
                              read_folder(value, "folder", trail.jurisdictions[key.text]);
                            });
               }},
              {"rotate-mib", Presence::optional,
               [&](const Node& n) {
                 assign(trail.rotate_mib,
                        read_integer(reading_, n, "rotate-mib", {1, rotate_mib_max}));
               }},
              {"retention", Presence::optional,
               [&](const Node& n) {
                 assign(trail.retention, read_duration(reading_, n, "retention", lasting));
               }},
              {"checkpoint-interval", Presence::optional, [&](const Node& n) {
                 assign(trail.checkpoint_interval,
                        read_duration(reading_, n, "checkpoint-interval", between));
               }}});
  }

  void read_origin(const Node& node) {
    const auto text = read_text(reading_, node, "origin");
    if (!text) return;
    if (!zones::is_note_name(*text)) {
      reading_.error(node.at, "bad-origin",
                     "origin is `{}`, expected a name without spaces and plus, such as "
                     "ns1.example.com/audit",
                     *text);
      return;
    }
    config_.trail.origin = *text;
  }

  std::optional<dns::Endpoint> read_endpoint(const Node& node, std::string_view what) {
    const auto text = read_text(reading_, node, what);
    if (!text) return std::nullopt;
    const auto endpoint = parse_endpoint(*text);
    if (!endpoint) {
      reading_.error(node.at, "bad-endpoint",
                     "{} is `{}`, expected ADDRESS:PORT such as 127.0.0.1:53 or [::1]:53", what,
                     *text);
    }
    return endpoint;
  }

  void read_listen(const Node& node, std::vector<dns::Endpoint>& listen) {
    read_one_or_list(reading_, node, "listen", listen_max, [&](const Node& item) {
      if (const auto endpoint = read_endpoint(item, "listen")) listen.push_back(*endpoint);
    });
  }

  void read_switch(const Node& node, std::string_view what, bool& value) {
    assign(value, read_choice<bool>(reading_, node, what, {{"true", true}, {"false", false}}));
  }

  void read_tls(const Node& node) {
    IdentityConfig& identity = config_.identity;
    const auto path_to = [&](std::string& path, const char* what) {
      return [this, &path, what](const Node& n) {
        if (const auto text = read_text(reading_, n, what)) path = resolved(folder_, *text);
      };
    };
    read_map(
        reading_, node, "tls",
        {{"listen", Presence::required, [&](const Node& n) { read_listen(n, config_.tls_listen); }},
         {"certificate", Presence::required, path_to(identity.certificate_file, "certificate")},
         {"key", Presence::required, path_to(identity.key_file, "key")}});
  }

  void read_rate_limit(const Node& node) {
    dns::RateLimit& limit = config_.rate_limit;
    const auto number = [&](std::uint32_t dns::RateLimit::* member, const char* what,
                            unsigned least) {
      return [this, &limit, member, what, least](const Node& n) {
        assign(limit.*member, read_integer(reading_, n, what, {least, rate_max}));
      };
    };
    const auto bits = [&](unsigned dns::RateLimit::* member, const char* what, unsigned most) {
      return [this, &limit, member, what, most](const Node& n) {
        assign(limit.*member, read_integer(reading_, n, what, {1, most}));
      };
    };
    read_map(
        reading_, node, "rate-limit",
        {{"per-second", Presence::required, number(&dns::RateLimit::per_second, "per-second", 1)},
         {"slip", Presence::optional, number(&dns::RateLimit::slip, "slip", 0)},
         {"ipv4-prefix", Presence::optional, bits(&dns::RateLimit::ipv4_prefix, "ipv4-prefix", 32)},
         {"ipv6-prefix", Presence::optional, bits(&dns::RateLimit::ipv6_prefix, "ipv6-prefix", 64)},
         {"dry-run", Presence::optional,
          [&](const Node& n) { read_switch(n, "dry-run", limit.is_dry_run); }},
         {"exempt", Presence::optional,
          [&](const Node& n) { read_networks(n, "exempt", limit.exempt); }}});
  }

  void read_tcp(const Node& node) {
    dns::TcpLimits& limits = config_.tcp;
    const auto number = [&](std::size_t dns::TcpLimits::* member, const char* what) {
      return [this, &limits, member, what](const Node& n) {
        assign(limits.*member, read_integer(reading_, n, what, {1, tcp_connections_max}));
      };
    };
    // What a client is told of it is tenths of a second in 16 bits (RFC 7828 §3.1).
    const DurationRange idle{std::chrono::seconds{1}, std::chrono::hours{1}};
    read_map(
        reading_, node, "tcp",
        {{"connections", Presence::optional, number(&dns::TcpLimits::connections, "connections")},
         {"per-client", Presence::optional,
          number(&dns::TcpLimits::connections_per_client, "per-client")},
         {"idle", Presence::optional, [&](const Node& n) {
            assign(limits.idle, read_duration(reading_, n, "idle", idle));
            config_.identity.tcp_idle = limits.idle;
          }}});
  }

  void read_history(const Node& node) {
    if (node.kind == NodeKind::scalar && node.text == "off") {
      config_.history = Milliseconds(0);
      return;
    }
    const DurationRange kept{std::chrono::hours{24}, std::chrono::hours{24 * 3660}};
    assign(config_.history, read_duration(reading_, node, "history", kept));
  }

  void read_networks(const Node& node, std::string_view what, std::vector<geo::Prefix>& networks) {
    read_one_or_list(reading_, node, what, networks_max, [&](const Node& item) {
      const auto text = read_text(reading_, item, what);
      const auto prefix = text ? geo::parse_prefix(*text) : std::nullopt;
      if (prefix) networks.push_back(*prefix);
      if (text && !prefix) {
        reading_.error(item.at, "bad-network",
                       "{} is `{}`, expected a network such as 192.0.2.0/24", what, *text);
      }
    });
  }

  std::optional<std::string> read_nsid(const Node& node) {
    auto text = read_text(reading_, node, "nsid");
    if (!text) return std::nullopt;
    if (text->size() > dns::nsid_size_max) {
      reading_.error(node.at, "bad-nsid", "nsid has {} bytes; expected at most {}", text->size(),
                     dns::nsid_size_max);
    }
    return *text == "none" ? std::string{} : *text;
  }

  void read_cookies(const Node& node) {
    IdentityConfig& identity = config_.identity;
    if (node.kind == NodeKind::scalar && node.text == "off") {
      identity.has_cookies = false;
      return;
    }
    read_map(
        reading_, node, "cookies",
        {{"secrets", Presence::optional,
          [&](const Node& list) {
            read_one_or_list(reading_, list, "secrets", cookie_secrets_max, [&](const Node& item) {
              if (auto path = read_text(reading_, item, "secrets")) {
                identity.secret_files.push_back(resolved(folder_, *path));
              }
            });
          }},
         {"require", Presence::optional,
          [&](const Node& value) { read_switch(value, "require", identity.requires_cookie); }}});
  }

  void read_threads(const Node& node) {
    const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
    if (node.kind == NodeKind::scalar && node.text == "auto") {
      config_.threads = cores;
      return;
    }
    assign(config_.threads, read_integer(reading_, node, "threads", {1, threads_max}));
  }

  void read_geoip(const Node& node) {
    read_one_or_list(reading_, node, "geoip", databases_max, [&](const Node& item) {
      if (auto text = read_text(reading_, item, "geoip")) {
        config_.geoip.push_back(resolved(folder_, *text));
      }
    });
  }

  Reading reading_;
  std::filesystem::path folder_;
  Position repository_at_;
  DaemonConfig config_;
};

}  // namespace

std::optional<dns::Endpoint> parse_endpoint(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view port_text = text.substr(colon + 1);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = geo::parse_address(host);
  if (!address || bracketed != (address->family == geo::Family::ipv6)) return std::nullopt;
  std::uint16_t port = 0;
  const auto [end, error] =
      std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (error != std::errc{} || end != port_text.data() + port_text.size()) return std::nullopt;
  return dns::Endpoint{*address, port};
}

std::optional<DaemonConfig> read_daemon_config(const std::string& path, Diagnostics& diagnostics) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    diagnostics.error({path, 0, 0}, "unreadable",
                      "it cannot be read; expected demarcd's configuration");
    return std::nullopt;
  }
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const auto root = parse_syntax(text, path, diagnostics);
  if (!root) return std::nullopt;
  const auto errors_before = diagnostics.error_count();
  ConfigReader reader({path, diagnostics}, std::filesystem::path(path).parent_path());
  DaemonConfig config = reader.read(*root);
  if (diagnostics.error_count() != errors_before) return std::nullopt;
  return config;
}

}  // namespace demarc::tools
