#include "dns/transfer_table.h"

#include <algorithm>

#include <fmt/format.h>

namespace demarc::dns {

namespace {

class TableBuilder {
 public:
  TableBuilder(const zones::Repository& repository, const TsigKeys& keys)
      : repository_(repository), keys_(keys) {}

  TransferZone build(std::size_t index) {
    const zones::Zone& source = repository_.zones[index];
    TransferZone zone;
    zone.apex = source.apex;
    zone.digest = source.digest;
    zone.serial = source.serial;
    zone.rrsets = &source.rrsets;
    // Without one the zone does not load.
    zone.soa = source.rrsets.find(source.apex, rrtype::soa).value();
    for (const zones::ServiceId id : source.services) {
      const zones::Name& owner = repository_.service(id).owner;
      // What a zone has below the apex of another is hidden by it.
      if (repository_.find_zone(owner) == &source) zone.services.push_back(id);
    }
    const zones::Transfer& transfer = *source.transfer;
    zone.networks = transfer.networks;
    for (const zones::TransferKey& key : transfer.keys) {
      if (const auto known = find_key(key)) zone.keys.push_back(*known);
    }
    for (const zones::TransferTarget& target : transfer.notify) {
      zone.notify.push_back({target.address, target.port,
                             target.key ? find_key(*target.key) : std::optional<std::uint32_t>{}});
    }
    return zone;
  }

  [[nodiscard]] std::vector<std::string> take_errors() { return std::move(errors_); }

 private:
  std::optional<std::uint32_t> find_key(const zones::TransferKey& key) {
    const auto known = std::ranges::find(keys_, key.name, &TsigKey::name);
    if (known != keys_.end()) return static_cast<std::uint32_t>(known - keys_.begin());
    errors_.push_back(fmt::format(
        "{}:{}:{}: [unknown-tsig-key] key `{}` is not known here; expected one of `tsig-keys` in "
        "demarcd.yaml",
        key.place.file, key.place.line, key.place.column, key.name.text_without_dot()));
    return std::nullopt;
  }

  const zones::Repository& repository_;
  const TsigKeys& keys_;
  std::vector<std::string> errors_;
};

}  // namespace

bool TransferZone::allows(const geo::Address& client, const TsigKey* key,
                          const TsigKeys& known) const noexcept {
  const bool is_near = std::ranges::any_of(
      networks, [&](const geo::Prefix& network) { return network.contains(client); });
  return is_near || (key != nullptr && std::ranges::any_of(keys, [&](std::uint32_t index) {
                       return &known[index] == key;
                     }));
}

Result<TransferTable, std::vector<std::string>> TransferTable::build(
    std::shared_ptr<const zones::Repository> repository, TsigKeys keys) {
  TransferTable table;
  table.repository_ = std::move(repository);
  table.keys_ = std::move(keys);
  TableBuilder builder(*table.repository_, table.keys_);
  table.zones_.resize(table.repository_->zones.size());
  for (std::size_t index = 0; index < table.zones_.size(); ++index) {
    if (table.repository_->zones[index].transfer) table.zones_[index] = builder.build(index);
  }
  auto errors = builder.take_errors();
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return table;
}

bool TransferTable::is_needed() const noexcept {
  return !keys_.empty() ||
         std::ranges::any_of(zones_, [](const auto& zone) { return zone.has_value(); });
}

std::optional<std::uint32_t> TransferTable::find_apex(const zones::Name& apex) const noexcept {
  for (std::uint32_t index = 0; index < zones_.size(); ++index) {
    if (zones_[index] && zones_[index]->apex == apex) return index;
  }
  return std::nullopt;
}

}  // namespace demarc::dns
