#include "tools/daemon_config.h"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "zones/yaml/fields.h"

namespace demarc::tools {
namespace {

using namespace zones::yaml;

constexpr std::size_t listen_max = 64;
constexpr std::size_t databases_max = 16;
constexpr unsigned threads_max = 256;

std::string resolved(const std::filesystem::path& folder, const std::string& path) {
  const std::filesystem::path given(path);
  return given.is_absolute() ? path : (folder / given).lexically_normal().string();
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
    read_map(reading_, root, "the configuration",
             {{"node", Presence::optional,
               [&](const Node& n) {
                 if (auto name = read_identifier(reading_, n, "node")) config_.node = name->value;
               }},
              {"listen", Presence::optional, [&](const Node& n) { read_listen(n); }},
              {"threads", Presence::optional, [&](const Node& n) { read_threads(n); }},
              {"repository", Presence::required, path_to(&DaemonConfig::repository, "repository")},
              {"geoip", Presence::optional, [&](const Node& n) { read_geoip(n); }},
              {"state", Presence::optional, path_to(&DaemonConfig::state, "state")},
              {"audit", Presence::optional, path_to(&DaemonConfig::audit, "audit")},
              {"control", Presence::optional, path_to(&DaemonConfig::control, "control")},
              {"http", Presence::optional,
               [&](const Node& n) { config_.http = read_endpoint(n, "http"); }},
              {"token-drop", Presence::optional, path_to(&DaemonConfig::token_drop, "token-drop")},
              {"probe-ca", Presence::optional, path_to(&DaemonConfig::probe_ca, "probe-ca")},
              {"debug-verbs", Presence::optional, [&](const Node& n) {
                 assign(config_.debug_verbs, read_choice<bool>(reading_, n, "debug-verbs",
                                                               {{"true", true}, {"false", false}}));
               }}});
    if (config_.listen.empty()) {
      config_.listen = {*parse_endpoint("127.0.0.1:5300"), *parse_endpoint("[::1]:5300")};
    }
    return std::move(config_);
  }

 private:
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

  void read_listen(const Node& node) {
    read_one_or_list(reading_, node, "listen", listen_max, [&](const Node& item) {
      if (const auto endpoint = read_endpoint(item, "listen")) config_.listen.push_back(*endpoint);
    });
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
