#include "tools/vantage_config.h"

#include "health/http_request.h"

namespace demarc::tools {

using namespace zones::yaml;

std::optional<VantageConfig> read_vantage(const Reading& reading, const Node& node,
                                          const std::filesystem::path& folder) {
  VantageConfig config;
  const auto read_url = [&](const Node& item) {
    auto url = read_text(reading, item, "push-to");
    if (!url) return;
    if (const auto wrong = health::find_url_error(*url)) {
      reading.error(item.at, "bad-url", "push-to is `{}`: {}", *url, *wrong);
      return;
    }
    config.push_to.push_back(std::move(*url));
  };
  const bool is_map = read_map(
      reading, node, "vantage",
      {{"id", Presence::required,
        [&](const Node& n) {
          if (auto id = read_identifier(reading, n, "id")) config.id = id->value;
        }},
       {"key", Presence::required,
        [&](const Node& n) {
          if (const auto text = read_text(reading, n, "key")) {
            config.key = (folder / *text).lexically_normal().string();
          }
        }},
       {"alg", Presence::optional,
        [&](const Node& n) {
          assign(config.algorithm,
                 read_choice<zones::KeyAlgorithm>(reading, n, "alg",
                                                  {{"EdDSA", zones::KeyAlgorithm::EdDSA},
                                                   {"ES256", zones::KeyAlgorithm::ES256}}));
        }},
       {"push-to", Presence::required,
        [&](const Node& n) { read_one_or_list(reading, n, "push-to", push_to_max, read_url); }}});
  if (!is_map) return std::nullopt;
  return config;
}

}  // namespace demarc::tools
