#include "zones/yaml/vantages_file.h"

#include "zones/digest.h"
#include "zones/yaml/public_key.h"

namespace demarc::zones::yaml {

std::vector<VantageEntry> read_vantages(const Reading& reading, const Node& node) {
  std::vector<VantageEntry> entries;
  read_named(reading, node, "vantages", vantages_max, [&](const Key& key, const Node& item) {
    VantageEntry entry{.id = {key.text, key.at}, .algorithm = {}, .public_key = {}};
    check_identifier(reading, key.at, "vantage", key.text);
    read_map(reading, item, "vantage",
             {{"alg", Presence::required,
               [&](const Node& value) {
                 entry.algorithm = read_choice<KeyAlgorithm>(
                     reading, value, "alg",
                     {{"EdDSA", KeyAlgorithm::EdDSA}, {"ES256", KeyAlgorithm::ES256}});
               }},
              {"public-key", Presence::required, [&](const Node& value) {
                 if (auto path = read_text(reading, value, "public-key")) {
                   entry.public_key = {std::move(*path), value.at};
                 }
               }}});
    entries.push_back(std::move(entry));
  });
  return entries;
}

std::vector<Vantage> build_vantages(const std::vector<VantageEntry>& entries,
                                    const Reading& reading, RepositoryFiles& files,
                                    std::string& digests) {
  std::vector<Vantage> vantages;
  for (const VantageEntry& entry : entries) {
    Vantage vantage{.id = entry.id.value,
                    .algorithm = entry.algorithm.value_or(KeyAlgorithm::EdDSA),
                    .public_key_pem = {}};
    if (entry.algorithm && !entry.public_key.value.empty()) {
      auto pem = files.read(entry.public_key.value, key_file_bytes_max);
      if (!pem) {
        reading.error(entry.public_key.at, "unreadable-file", "{}: {}", entry.public_key.value,
                      pem.error());
      } else if (const auto key = parse_public_key(*pem, vantage.algorithm); !key) {
        report_key_fault(reading, entry.public_key, vantage.algorithm, key.error());
      } else {
        digests += "\nvantage " + sha256_hex(*pem);
        vantage.public_key_pem = std::move(*pem);
      }
    }
    vantages.push_back(std::move(vantage));
  }
  return vantages;
}

}  // namespace demarc::zones::yaml
