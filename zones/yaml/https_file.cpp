#include "zones/yaml/https_file.h"

#include <algorithm>
#include <array>

namespace demarc::zones::yaml {
namespace {

constexpr std::string_view default_alpn = "http/1.1";  // RFC 9460 §9.1
constexpr std::uint64_t port_max = 65'535;

bool is_alpn_letter(char letter) {
  const bool is_alphanumeric = (letter >= 'a' && letter <= 'z') ||
                               (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9');
  return is_alphanumeric || std::string_view("-._/+").find(letter) != std::string_view::npos;
}

/// Any id of the registry will do, but a client of HTTP looks for those of HTTP, letter by letter.
void warn_unless_http(const Reading& reading, const TextAt& id) {
  static const std::array<std::string, 3> known = {std::string(default_alpn), "h2", "h3"};
  if (std::ranges::count(known, id.value) != 0) return;
  reading.warning(id.at, "unknown-alpn", "`{}` is no version of HTTP that clients know; {}",
                  id.value, suggest(id.value, known));
}

void read_alpn(const Reading& reading, const Node& node, std::vector<std::string>& alpn) {
  read_one_or_list(reading, node, "alpn", alpn_ids_max, [&](const Node& item) {
    auto id = read_text(reading, item, "alpn");
    if (!id) return;
    if (id->size() > alpn_id_bytes_max || !std::ranges::all_of(*id, is_alpn_letter)) {
      reading.error(item.at, "bad-alpn",
                    "alpn has `{}`; expected protocol ids of letters, digits and `-._/+`, at most "
                    "{} bytes each, as h2",
                    *id, alpn_id_bytes_max);
      return;
    }
    if (std::ranges::count(alpn, *id) != 0) {
      reading.error(item.at, "alpn-twice", "`{}` again; expected it once in alpn", *id);
      return;
    }
    warn_unless_http(reading, {*id, item.at});
    alpn.push_back(std::move(*id));
  });
}

}  // namespace

std::optional<At<HttpsBinding>> read_https(const Reading& reading, const Node& node) {
  At<HttpsBinding> https{{}, node.at};
  HttpsBinding& binding = https.value;
  Position without_default;
  const bool is_map =
      read_map(reading, node, "https",
               {{"alpn", Presence::required,
                 [&](const Node& value) { read_alpn(reading, value, binding.alpn); }},
                {"port", Presence::optional,
                 [&](const Node& value) {
                   assign(binding.port, read_integer(reading, value, "port", {1, port_max}));
                 }},
                {"no-default-alpn", Presence::optional, [&](const Node& value) {
                   const auto without = read_choice<bool>(reading, value, "no-default-alpn",
                                                          {{"true", true}, {"false", false}});
                   binding.has_default_alpn = !without.value_or(false);
                   without_default = value.at;
                 }}});
  if (!binding.has_default_alpn && std::ranges::count(binding.alpn, default_alpn) != 0) {
    reading.error(without_default, "alpn-default",
                  "no-default-alpn beside `{}` in alpn, which is the default; expected one of them",
                  default_alpn);
  }
  return is_map ? std::optional(std::move(https)) : std::nullopt;
}

}  // namespace demarc::zones::yaml
