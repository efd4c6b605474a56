#include "zones/yaml/transfer_file.h"

#include <algorithm>
#include <optional>
#include <string_view>

namespace demarc::zones::yaml {
namespace {

constexpr std::uint64_t port_max = 65'535;

struct HostPort {
  std::string_view host;
  std::string_view port;  // empty: none was written
};

/// "192.0.2.1:5300", "[2001:db8::1]:5300", or an address alone.
HostPort split(std::string_view text) {
  if (text.starts_with('[')) {
    const auto end = text.find("]:");
    if (end == std::string_view::npos) return {};
    return {text.substr(1, end - 1), text.substr(end + 2)};
  }
  const bool has_port = std::ranges::count(text, ':') == 1;  // more colons: IPv6
  if (!has_port) return {text, {}};
  return {text.substr(0, text.find(':')), text.substr(text.find(':') + 1)};
}

bool read_target(std::string_view text, TransferTarget& target) {
  const HostPort parts = split(text);
  const auto address = geo::parse_address(parts.host);
  const bool is_bracketed = text.starts_with('[');
  if (!address || (is_bracketed && address->family == geo::Family::ipv4)) return false;
  target.address = *address;
  const bool has_port = is_bracketed || parts.host.size() != text.size();
  if (!has_port) return true;
  const auto port = parse_integer(parts.port);
  if (!port || *port == 0 || *port > port_max) return false;
  target.port = static_cast<std::uint16_t>(*port);
  return true;
}

class TransferReader {
 public:
  explicit TransferReader(const Reading& reading) : reading_(reading) {}

  Transfer read(const Node& node) {
    transfer_.place = reading_.place(node.at);
    read_map(reading_, node, "transfer",
             {{"allow", Presence::required, [&](const Node& value) { read_allow(value); }},
              {"notify", Presence::optional, [&](const Node& value) { read_notify(value); }}});
    return std::move(transfer_);
  }

 private:
  void read_allow(const Node& node) {
    read_one_or_list(reading_, node, "allow", transfer_allow_max, [&](const Node& item) {
      const auto text = read_text(reading_, item, "allow");
      if (!text) return;
      // What is written like a network is one, or a mistake; everything else is a name.
      const bool is_network =
          text->find_first_of(":/") != std::string::npos || geo::parse_address(*text).has_value();
      if (is_network) {
        if (const auto network = read_network(reading_, item)) {
          transfer_.networks.push_back(*network);
        }
      } else if (auto key = read_key(item)) {
        transfer_.keys.push_back(std::move(*key));
      }
    });
  }

  void read_notify(const Node& node) {
    read_one_or_list(reading_, node, "notify", transfer_notify_max, [&](const Node& item) {
      TransferTarget target;
      bool is_good = false;
      const auto read_to = [&](const Node& value) { is_good = read_address(value, target); };
      if (item.kind == NodeKind::map) {
        read_map(reading_, item, "notify",
                 {{"to", Presence::required, read_to},
                  {"key", Presence::optional, [&](const Node& value) {
                     target.key = read_key(value);
                     is_good = is_good && target.key;
                   }}});
      } else {
        read_to(item);
      }
      if (is_good) transfer_.notify.push_back(std::move(target));
    });
  }

  bool read_address(const Node& node, TransferTarget& target) {
    const auto text = read_text(reading_, node, "notify");
    if (!text) return false;
    if (read_target(*text, target)) return true;
    reading_.error(node.at, "bad-notify",
                   "notify is `{}`; expected an address, or an address and a port as "
                   "192.0.2.1:53 or [2001:db8::1]:53",
                   *text);
    return false;
  }

  std::optional<TransferKey> read_key(const Node& node) {
    const auto text = read_text(reading_, node, "key");
    if (!text) return std::nullopt;
    const auto name = Name::parse_absolute(*text);
    if (!name || name->is_root()) {
      reading_.error(node.at, "bad-tsig-key",
                     "`{}` is no network and no key's name; expected one, such as 192.0.2.0/24 or "
                     "transfer.example.com",
                     *text);
      return std::nullopt;
    }
    return TransferKey{*name, reading_.place(node.at)};
  }

  const Reading& reading_;
  Transfer transfer_;
};

}  // namespace

Transfer read_transfer(const Reading& reading, const Node& node) {
  return TransferReader(reading).read(node);
}

}  // namespace demarc::zones::yaml
