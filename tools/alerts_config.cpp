#include "tools/alerts_config.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "health/http_request.h"

namespace demarc::tools {
namespace {

using namespace zones::yaml;
using health::Receiver;
using health::ReceiverKind;

constexpr std::size_t filter_items_max = 256;
constexpr std::size_t secret_bytes_max = 4'096;
// Shorter ones can be guessed; 16 random bytes are what `openssl rand -hex 16` gives 32 letters of.
constexpr std::size_t secret_bytes_min = 16;
constexpr DurationRange reminder_range{std::chrono::minutes{1}, std::chrono::hours{24 * 7}};
constexpr DurationRange timeout_range{Milliseconds{100}, Milliseconds{60'000}};

class ReceiverReader {
 public:
  ReceiverReader(const Reading& reading, const std::filesystem::path& folder)
      : reading_(reading), folder_(folder) {}

  /// Nothing if a required key is missing or wrong; the finding was added then.
  std::optional<Receiver> read(const Node& node) {
    const bool is_map = read_map(
        reading_, node, "a receiver",
        {{"name", Presence::required, [&](const Node& n) { read_name(n); }},
         {"webhook", Presence::optional,
          [&](const Node& n) { read_url(n, "webhook", ReceiverKind::webhook); }},
         {"alertmanager", Presence::optional,
          [&](const Node& n) { read_url(n, "alertmanager", ReceiverKind::alertmanager); }},
         {"secret-file", Presence::optional, [&](const Node& n) { read_secret(n); }},
         {"ca", Presence::optional, [&](const Node& n) { read_ca(n); }},
         {"timeout", Presence::optional,
          [&](const Node& n) {
            assign(receiver_.timeout, read_duration(reading_, n, "timeout", timeout_range));
          }},
         {"levels", Presence::optional, [&](const Node& n) { read_levels(n); }},
         {"zones", Presence::optional,
          [&](const Node& n) { read_names(n, "zones", receiver_.filter.zones); }},
         {"services", Presence::optional,
          [&](const Node& n) { read_names(n, "services", receiver_.filter.services); }},
         {"homes", Presence::optional,
          [&](const Node& n) { read_names(n, "homes", receiver_.filter.homes); }}});
    if (!is_map || receiver_.name.empty()) return std::nullopt;
    if (urls_ != 1) {
      reading_.error(node.at, "bad-receiver",
                     "receiver `{}` has {}; expected one URL, under `webhook` or `alertmanager`",
                     receiver_.name, urls_ == 0 ? "no URL" : "two URLs");
      return std::nullopt;
    }
    if (secret_at_ && receiver_.kind == ReceiverKind::alertmanager) {
      reading_.error(*secret_at_, "bad-receiver",
                     "`secret-file` is for webhooks; Alertmanager checks no signature");
    }
    return std::move(receiver_);
  }

 private:
  void read_name(const Node& node) {
    auto name = read_identifier(reading_, node, "a receiver's name");
    if (!name) return;
    if (name->value.front() == '.') {  // it is a folder's name too
      reading_.error(node.at, "bad-name", "a receiver's name is `{}`, expected no dot at its start",
                     name->value);
      return;
    }
    receiver_.name = std::move(name->value);
  }

  void read_url(const Node& node, std::string_view what, ReceiverKind kind) {
    ++urls_;
    auto url = read_text(reading_, node, what);
    if (!url) return;
    if (const auto wrong = health::find_url_error(*url)) {
      return reading_.error(node.at, "bad-url",
                            "{} is `{}`: {}; expected http://HOST or https://HOST and a path", what,
                            *url, *wrong);
    }
    while (kind == ReceiverKind::alertmanager && url->ends_with('/')) url->pop_back();
    receiver_.kind = kind;
    receiver_.url = std::move(*url);
  }

  std::optional<std::string> read_path(const Node& node, std::string_view what) {
    const auto text = read_text(reading_, node, what);
    if (!text) return std::nullopt;
    const std::filesystem::path given(*text);
    return given.is_absolute() ? *text : (folder_ / given).lexically_normal().string();
  }

  void read_secret(const Node& node) {
    secret_at_ = node.at;
    const auto path = read_path(node, "secret-file");
    if (!path) return;
    std::ifstream in(*path, std::ios::binary);
    std::string secret{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    while (secret.ends_with('\n') || secret.ends_with('\r')) secret.pop_back();
    if (!in || secret.size() < secret_bytes_min || secret.size() > secret_bytes_max) {
      return reading_.error(
          node.at, "bad-secret",
          "secret-file `{}` {}; expected a file of {} to {} bytes, as `openssl rand -hex 32` makes",
          *path, in ? fmt::format("holds {} bytes", secret.size()) : "cannot be read",
          secret_bytes_min, secret_bytes_max);
    }
    std::error_code error;
    const auto permissions = std::filesystem::status(*path, error).permissions();
    using std::filesystem::perms;
    if (!error && (permissions & (perms::others_read | perms::others_write)) != perms::none) {
      reading_.warning(node.at, "open-secret",
                       "secret-file `{}` can be read by every user; expected mode 0600", *path);
    }
    receiver_.secret = std::move(secret);
  }

  void read_ca(const Node& node) {
    const auto path = read_path(node, "ca");
    if (!path) return;
    if (!std::ifstream(*path)) {
      return reading_.error(node.at, "unreadable", "ca `{}` cannot be read; expected a PEM file",
                            *path);
    }
    receiver_.ca_file = *path;
  }

  void read_levels(const Node& node) {
    using zones::AlertLevel;
    read_one_or_list(reading_, node, "levels", filter_items_max, [&](const Node& item) {
      const auto level = read_choice<AlertLevel>(reading_, item, "levels",
                                                 {{"critical", AlertLevel::critical},
                                                  {"warning", AlertLevel::warning},
                                                  {"info", AlertLevel::info}});
      if (level) receiver_.filter.levels.insert(*level);
    });
  }

  void read_names(const Node& node, std::string_view what, std::vector<std::string>& names) {
    read_one_or_list(reading_, node, what, filter_items_max, [&](const Node& item) {
      auto name = read_text(reading_, item, what);
      if (!name) return;
      if (name->size() > 1 && name->ends_with('.')) name->pop_back();
      names.push_back(std::move(*name));
    });
  }

  const Reading& reading_;
  const std::filesystem::path& folder_;
  Receiver receiver_;
  int urls_ = 0;
  std::optional<Position> secret_at_;
};

}  // namespace

AlertsConfig read_alerts(const Reading& reading, const Node& node,
                         const std::filesystem::path& folder) {
  AlertsConfig config;
  const auto read_receiver = [&](const Node& item) {
    auto receiver = ReceiverReader(reading, folder).read(item);
    if (!receiver) return;
    if (std::ranges::find(config.receivers, receiver->name, &Receiver::name) !=
        config.receivers.end()) {
      return reading.error(item.at, "duplicate-name",
                           "receiver `{}` is there twice; expected names that differ",
                           receiver->name);
    }
    config.receivers.push_back(std::move(*receiver));
  };
  read_map(reading, node, "alerts",
           {{"reminder", Presence::optional,
             [&](const Node& n) {
               assign(config.reminder, read_duration(reading, n, "reminder", reminder_range));
             }},
            {"receivers", Presence::optional, [&](const Node& n) {
               read_list(reading, n, "receivers", receivers_max, read_receiver);
             }}});
  return config;
}

}  // namespace demarc::tools
