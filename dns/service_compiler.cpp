#include "dns/service_compiler.h"

#include <algorithm>
#include <cassert>
#include <set>

#include "dns/client_subnet.h"
#include "dns/https_record.h"
#include "dns/transfer_records.h"
#include "dns/wire.h"
#include "zones/mode_signal.h"
#include "zones/rendezvous.h"

namespace demarc::dns {

namespace {

// What a message has for addresses beside its header, a question and an OPT of any size, and for a
// chain of CNAMEs before them.
constexpr std::size_t records_size_max = 60'000;

constexpr std::uint8_t share_whole = 100;     // percent
constexpr std::size_t string_size_max = 255;  // of a character-string

constexpr std::array families{geo::Family::ipv4, geo::Family::ipv6};

}  // namespace

ServiceAnswers ServiceCompiler::build() {
  answers_.view_ = service_.view;
  answers_.zone_ = static_cast<std::uint32_t>(service_.zone);
  answers_.ttl_ = service_.ttl;
  answers_.ttl_min_ = service_.ttl_min;
  if (const auto change = cleared_.may_change_at()) {
    answers_.may_change_ms_ = change->time_since_epoch().count();
  }
  answers_.is_sticky_ = service_.is_sticky;
  answers_.uses_client_subnet_ = service_.uses_client_subnet;
  answers_.answers_ = std::max<std::size_t>(service_.answers, 1);
  answers_.valid_until_ = cleared_.valid_until();
  answers_.choice_of_variant_ = cleared_.choice_of_variant();
  answers_.fenced_choice_of_variant_ = cleared_.fenced_choice_of_variant();
  assert(answers_.choice_of_variant_.size() == views_.variants(service_.view).size());
  assert(answers_.fenced_choice_of_variant_.size() == answers_.choice_of_variant_.size());
  note_types();
  if (service_.https) add_https_front();
  for (const zones::Choice& choice : cleared_.choices()) add_choice(choice);
  check_shares();
  add_modes();
  if (is_transferred_) answers_.transfer_records_ = transfer_records(service_, views_, cleared_);
  return std::move(answers_);
}

// By all records of the service, not by those that answer now: then a scope of 0 on "there is no
// such type" stays true whatever the weights become.
void ServiceCompiler::note_types() {
  for (const zones::Record& record : service_.records) {
    const bool is_cname = record.addresses.empty();
    for (bool& may_have : answers_.may_have_) may_have = may_have || is_cname;
    for (const geo::Address& address : record.addresses) {
      answers_.may_have_[address.family == geo::Family::ipv4 ? 0 : 1] = true;
      if (service_.https) answers_.may_have_[static_cast<std::size_t>(SteeredType::https)] = true;
    }
  }
  for (const zones::Choice& choice : cleared_.choices()) {
    if (choice.kind == zones::ChoiceKind::records) continue;
    answers_.may_have_.fill(true);  // SERVFAIL answers every type, for some clients only
  }
}

// The gate gives no share that makes no sense. If one ever comes, nothing is drawn by it: the
// fenced choices answer, and SERVFAIL where even they have a share, which only a crossing has.
void ServiceCompiler::check_shares() {
  const auto& choices = answers_.choices_;
  const auto is_whole = [&](std::size_t at) {
    return at < choices.size() && choices[at].share == share_whole;
  };
  const bool is_good = std::ranges::all_of(choices, [&](const ServiceAnswers::Choice& choice) {
    return choice.share == share_whole ||
           (choice.share > 0 && choice.share < share_whole && is_whole(choice.otherwise));
  });
  if (!is_good) answers_.choice_of_variant_ = answers_.fenced_choice_of_variant_;
  for (const std::uint16_t fenced : answers_.fenced_choice_of_variant_) {
    if (is_whole(fenced)) continue;
    answers_.choices_[fenced] = {.kind = zones::ChoiceKind::servfail,
                                 .note = zones::ChoiceNote::held};
    answers_.may_have_.fill(true);
  }
}

void ServiceCompiler::add_modes() {
  if (!zones::mode_owner(service_)) return;
  answers_.home_mode_ = add_text(zones::mode_text(std::nullopt));
  if (!cleared_.mode() || !cleared_.valid_until()) return;
  answers_.live_mode_ =
      add_text(zones::mode_text(zones::LiveMode{*cleared_.mode(), *cleared_.valid_until()}));
}

// A TXT record: the text in character-strings of at most 255 bytes (RFC 1035 §3.3.14).
ServiceAnswers::Bytes ServiceCompiler::add_text(std::string_view text) {
  const auto at = static_cast<std::uint32_t>(answers_.bytes_.size());
  const std::size_t string_count = (text.size() + string_size_max - 1) / string_size_max;
  add_head(rrtype::txt, text.size() + string_count);
  for (; !text.empty(); text.remove_prefix(std::min(text.size(), string_size_max))) {
    const std::string_view part = text.substr(0, string_size_max);
    answers_.bytes_.push_back(static_cast<std::uint8_t>(part.size()));
    answers_.bytes_.insert(answers_.bytes_.end(), part.begin(), part.end());
  }
  return {at, static_cast<std::uint16_t>(answers_.bytes_.size() - at)};
}

void ServiceCompiler::add_choice(const zones::Choice& choice) {
  ServiceAnswers::Choice compiled;
  compiled.kind = choice.kind;
  compiled.note = choice.note;
  compiled.share = choice.share;
  compiled.otherwise = choice.otherwise;
  if (choice.kind == zones::ChoiceKind::records) {
    assert(!choice.records.empty());
    compiled.first_column = static_cast<std::uint32_t>(answers_.columns_.size());
    compiled.column_count = static_cast<std::uint32_t>(choice.records.size());
    std::vector<std::uint16_t> weights;
    for (const zones::WeightedRecord& record : choice.records) {
      weights.push_back(record.weight);
      compiled.weight_sum += record.weight;
      answers_.weight_of_column_.push_back(record.weight);
      answers_.record_of_column_.push_back(add_record(record.record));
      if (service_.is_sticky) answers_.hash_of_column_.push_back(hash_of(record.record));
    }
    const auto columns = build_alias_table(weights);
    answers_.columns_.insert(answers_.columns_.end(), columns.begin(), columns.end());
    if (service_.answers > 1) add_all(choice, compiled);
  }
  answers_.choices_.push_back(compiled);
}

// All addresses of a choice as one RRset, each of them once (RFC 2181 §5).
void ServiceCompiler::add_all(const zones::Choice& choice, ServiceAnswers::Choice& compiled) {
  std::vector<geo::Address> addresses;
  std::set<geo::Address> seen;
  for (const zones::WeightedRecord& record : choice.records) {
    for (const geo::Address& address : service_.record(record.record).addresses) {
      const bool is_new = seen.insert(address).second;
      if (is_new) addresses.push_back(address);
      answers_.addresses_repeat_ = answers_.addresses_repeat_ || !is_new;
    }
  }
  for (std::size_t index = 0; index < families.size(); ++index) {
    compiled.all_at[index] = static_cast<std::uint32_t>(answers_.bytes_.size());
    compiled.all_count[index] = add_addresses(addresses, families[index]);
  }
  compiled.all_https_at = static_cast<std::uint32_t>(answers_.bytes_.size());
  compiled.all_https_size = add_https(addresses);
}

// Of what stays the same over edits of others and on other nodes. An endpoint stands once in a
// service.
std::uint64_t ServiceCompiler::hash_of(zones::RecordId id) const {
  return zones::region_hash(service_.owner.text() + service_.record(id).endpoint);
}

std::uint16_t ServiceCompiler::add_record(zones::RecordId id) {
  const auto next = static_cast<std::uint16_t>(answers_.records_.size());
  const auto [found, is_new] = places_.emplace(zones::index_of(id), next);
  if (!is_new) return found->second;

  const zones::Record& record = service_.record(id);
  ServiceAnswers::Record rendered;
  if (record.addresses.empty()) {
    const auto target = record.endpoint_name.bytes();
    rendered.cname_at = static_cast<std::uint32_t>(answers_.bytes_.size());
    add_head(rrtype::cname, target.size());
    answers_.bytes_.insert(answers_.bytes_.end(), target.begin(), target.end());
    rendered.cname_size = static_cast<std::uint16_t>(answers_.bytes_.size() - rendered.cname_at);
  }
  for (std::size_t index = 0; index < families.size(); ++index) {
    rendered.addresses_at[index] = static_cast<std::uint32_t>(answers_.bytes_.size());
    rendered.address_count[index] = add_addresses(record.addresses, families[index]);
  }
  rendered.https_at = static_cast<std::uint32_t>(answers_.bytes_.size());
  rendered.https_size = add_https(record.addresses);
  answers_.records_.push_back(rendered);
  return next;
}

std::uint16_t ServiceCompiler::add_addresses(std::span<const geo::Address> addresses,
                                             geo::Family family) {
  const bool is_ipv4 = family == geo::Family::ipv4;
  const std::size_t size = is_ipv4 ? 4 : 16;
  const std::size_t count_max = records_size_max / (rr_rdata_at + size);
  std::uint16_t count = 0;
  for (const geo::Address& address : addresses) {
    if (address.family != family || count == count_max) continue;
    add_head(is_ipv4 ? rrtype::a : rrtype::aaaa, size);
    answers_.bytes_.insert(answers_.bytes_.end(), address.bytes.begin(),
                           address.bytes.begin() + static_cast<std::ptrdiff_t>(size));
    ++count;
  }
  return count;
}

// What only those that are drawn together have in common.
void ServiceCompiler::add_https_front() {
  const auto at = static_cast<std::uint32_t>(answers_.bytes_.size());
  const auto front = https_front(*service_.https);
  add_head(rrtype::https, front.size());
  answers_.bytes_.insert(answers_.bytes_.end(), front.begin(), front.end());
  answers_.https_front_ = {at, static_cast<std::uint16_t>(answers_.bytes_.size() - at)};
}

// The size of the record; 0: there is none.
std::uint16_t ServiceCompiler::add_https(std::span<const geo::Address> addresses) {
  if (!service_.https || addresses.empty()) return 0;
  const auto rdata = https_rdata(*service_.https, addresses);
  add_head(rrtype::https, rdata.size());
  answers_.bytes_.insert(answers_.bytes_.end(), rdata.begin(), rdata.end());
  return static_cast<std::uint16_t>(rr_rdata_at + rdata.size());
}

void ServiceCompiler::add_head(std::uint16_t type, std::size_t rdata_size) {
  std::array<std::uint8_t, rr_rdata_at> head{};
  put16(head.data(), 0xc000 | header_size);
  put16(head.data() + 2, type);
  put16(head.data() + 4, rrclass::in);
  put32(head.data() + rr_ttl_at, service_.ttl);
  put16(head.data() + rr_rdata_at - 2, rdata_size);
  answers_.bytes_.insert(answers_.bytes_.end(), head.begin(), head.end());
}

}  // namespace demarc::dns
