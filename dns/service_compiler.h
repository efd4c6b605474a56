// Renders the records that a service's cleared weights name, and the tables to draw them from.
// The second half of dns/steered_answers.h, used by its compile_service() alone.
#pragma once

#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dns/steered_answers.h"

namespace demarc::dns {

class ServiceCompiler {
 public:
  ServiceCompiler(const zones::Repository& repository, const zones::Views& views,
                  const zones::ClearedWeights& cleared)
      : service_(repository.service(cleared.service())),
        views_(views),
        cleared_(cleared),
        is_transferred_(repository.zones.at(service_.zone).transfer.has_value()) {}

  [[nodiscard]] ServiceAnswers build();

 private:
  void note_types();
  void check_shares();
  void add_modes();
  ServiceAnswers::Bytes add_text(std::string_view text);
  void add_choice(const zones::Choice& choice);
  void add_all(const zones::Choice& choice, ServiceAnswers::Choice& compiled);
  [[nodiscard]] std::uint64_t hash_of(zones::RecordId id) const;
  std::uint16_t add_record(zones::RecordId id);
  std::uint16_t add_addresses(std::span<const geo::Address> addresses, geo::Family family);
  void add_https_front();
  std::uint16_t add_https(std::span<const geo::Address> addresses);
  void add_head(std::uint16_t type, std::size_t rdata_size);

  const zones::Service& service_;
  const zones::Views& views_;
  const zones::ClearedWeights& cleared_;
  bool is_transferred_;  // somebody may have the zone
  ServiceAnswers answers_;
  std::unordered_map<std::size_t, std::uint16_t> places_;  // of records that are rendered
};

}  // namespace demarc::dns
