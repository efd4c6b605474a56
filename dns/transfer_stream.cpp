#include "dns/transfer_stream.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "dns/snapshot.h"

namespace demarc::dns {

namespace {

constexpr std::size_t fixed_size = 10;  // TYPE, CLASS, TTL, RDLENGTH
constexpr std::size_t pointer_size = 2;
constexpr std::uint16_t apex_pointer = 0xc000 | header_size;  // the question's name
constexpr std::size_t soa_numbers_size = 20;

std::span<const std::uint8_t> bytes_of(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

void TransferStream::begin(const Snapshot& snapshot, const TransferRequest& request) noexcept {
  snapshot_ = &snapshot;
  zone_ = snapshot.transfers->find(request.zone);
  request_ = request;
  phase_ = Phase::first_soa;
  rrset_ = {};
  record_at_ = service_at_ = byte_at_ = 0;
  take(zone_->soa, zone_->soa.first);
}

void TransferStream::take(const zones::RRset& rrset, std::size_t position) noexcept {
  const zones::RRsets::Record record = zone_->rrsets->record(position);
  record_ = {.labels = bytes_of(record.labels),
             .rdata = bytes_of(record.rdata),
             .ttl = rrset.ttl,
             .type = rrset.type,
             .is_soa = rrset == zone_->soa};
}

const TransferStream::Record* TransferStream::current() noexcept {
  return phase_ == Phase::done ? nullptr : &record_;
}

void TransferStream::next() noexcept {
  switch (phase_) {
    case Phase::first_soa:
      phase_ = Phase::rrsets;
      return find_rrset();
    case Phase::rrsets:
      return find_rrset();
    case Phase::services:
      return find_service_record();
    case Phase::last_soa:
    case Phase::done:
      phase_ = Phase::done;
  }
}

void TransferStream::find_rrset() noexcept {
  const std::size_t record_count = zone_->rrsets->record_count();
  for (; record_at_ < record_count; ++record_at_) {
    const bool is_next_rrset = record_at_ >= std::size_t{rrset_.first} + rrset_.count;
    if (is_next_rrset) rrset_ = zone_->rrsets->at(record_at_, record_count);
    if (rrset_ != zone_->soa) return take(rrset_, record_at_++);
  }
  phase_ = Phase::services;
  find_service_record();
}

void TransferStream::find_service_record() noexcept {
  for (; service_at_ < zone_->services.size(); ++service_at_, byte_at_ = 0) {
    const auto& slot = snapshot_->services[zones::index_of(zone_->services[service_at_])];
    const std::span<const std::uint8_t> records = slot.answers->transfer_records();
    if (byte_at_ == records.size()) continue;
    std::size_t at = byte_at_;
    while (records[at] != 0) at += records[at] + std::size_t{1};
    ++at;
    record_ = {.labels = records.subspan(byte_at_, at - byte_at_ - zone_->apex.wire().size()),
               .rdata = records.subspan(at + fixed_size, get16(records.data() + at + 8)),
               .ttl = get32(records.data() + at + 4),
               .type = get16(records.data() + at)};
    byte_at_ = at + fixed_size + record_.rdata.size();
    return;
  }
  phase_ = Phase::last_soa;
  take(zone_->soa, zone_->soa.first);
}

std::size_t TransferStream::begin_message(std::span<std::uint8_t> out) const noexcept {
  std::memset(out.data(), 0, header_size);
  put16(out.data(), request_.id);
  out[2] = static_cast<std::uint8_t>(qr_bit | aa_bit | (request_.flags & rd_bit));
  put16(out.data() + 4, 1);
  std::memcpy(out.data() + header_size, request_.question.data(), request_.question_size);
  return header_size + request_.question_size;
}

// Returns where the record ends; `at` if it does not fit below `limit`. The owner is at or below
// the apex, to which it points: the labels before it are all that is written.
std::size_t TransferStream::write_record(std::span<std::uint8_t> out, std::size_t at,
                                         std::size_t limit) const noexcept {
  const std::size_t size = record_.labels.size() + pointer_size + fixed_size + record_.rdata.size();
  if (size > limit - at) return at;
  std::uint8_t* to = out.data() + at;
  std::ranges::copy(record_.labels, to);
  to += record_.labels.size();
  put16(to, apex_pointer);
  to += pointer_size;
  put16(to, record_.type);
  put16(to + 2, rrclass::in);
  put32(to + 4, record_.ttl);
  put16(to + 8, record_.rdata.size());
  std::ranges::copy(record_.rdata, to + fixed_size);
  if (record_.is_soa) {
    std::uint8_t* const numbers = to + fixed_size + record_.rdata.size() - soa_numbers_size;
    put32(numbers, snapshot_->serials[request_.zone]);
  }
  return at + size;
}

std::size_t TransferStream::end_message(std::span<std::uint8_t> out, std::size_t size,
                                        std::size_t count, std::uint64_t now) {
  put16(out.data() + 6, count);
  if (request_.has_edns) {
    std::uint8_t* const opt = out.data() + size;
    std::memset(opt, 0, edns::opt_size);
    put16(opt + 1, rrtype::opt);
    put16(opt + 3, udp_size_max);
    put16(opt + 7, request_.dnssec_ok ? 0x8000 : 0);
    size += edns::opt_size;
    put16(out.data() + 10, 1);
  }
  return request_.chain.signs() ? request_.chain.append(out, size, now) : size;
}

std::size_t TransferStream::write_message(std::span<std::uint8_t> out, std::uint64_t now) {
  assert(out.size() >= message_size_max);
  if (phase_ == Phase::done) return 0;
  const std::size_t behind = edns::opt_size + tsig_size_max;
  std::size_t size = begin_message(out);
  std::size_t count = 0;
  while (current() != nullptr) {
    const bool may_be_long = count == 0;
    const std::size_t limit = (may_be_long ? message_size_max : transfer_message_size) - behind;
    const std::size_t end = write_record(out, size, limit);
    if (end == size) break;
    size = end;
    ++count;
    next();
    if (size > transfer_message_size - behind) break;
  }
  return count == 0 ? 0 : end_message(out, size, count, now);
}

}  // namespace demarc::dns
