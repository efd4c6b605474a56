#include "dns/notify.h"

#include <algorithm>
#include <utility>

#include "dns/query.h"
#include "dns/wire.h"

namespace demarc::dns {

namespace {

constexpr std::uint8_t notify_opcode = 4U << 3;

std::uint64_t seconds_of(WallTime now) {
  return static_cast<std::uint64_t>(std::chrono::floor<Seconds>(now.time_since_epoch()).count());
}

Milliseconds wait_after(unsigned tries) {
  Milliseconds wait = notify_wait_first;
  for (unsigned count = 1; count < tries && wait < notify_wait_longest; ++count) wait *= 2;
  return std::min(wait, notify_wait_longest);
}

void append16(std::vector<std::uint8_t>& bytes, std::size_t value) {
  bytes.resize(bytes.size() + 2);
  put16(bytes.data() + bytes.size() - 2, value);
}

std::vector<std::uint8_t> question_of(const zones::Name& apex) {
  std::vector<std::uint8_t> bytes(apex.bytes().begin(), apex.bytes().end());
  append16(bytes, rrtype::soa);
  append16(bytes, rrclass::in);
  return bytes;
}

}  // namespace

void NotifyQueue::configure(const TransferTable& table) {
  std::vector<Entry> entries;
  for (std::uint32_t index = 0; index < table.zone_count(); ++index) {
    const TransferZone* const zone = table.find(index);
    if (zone == nullptr) continue;
    for (const NotifyTarget& target : zone->notify) {
      Entry entry{.apex = zone->apex, .target = target};
      const auto known = std::ranges::find_if(entries_, [&](const Entry& old) {
        return old.apex == zone->apex && old.target.address == target.address &&
               old.target.port == target.port;
      });
      if (known != entries_.end()) entry = std::move(*known);
      entry.target = target;
      entry.key.reset();
      if (target.key) entry.key = table.keys()[*target.key];
      entries.push_back(std::move(entry));
    }
  }
  entries_ = std::move(entries);
}

void NotifyQueue::change(const zones::Name& apex, std::uint32_t serial, MonotonicTime now) {
  for (Entry& entry : entries_) {
    if (entry.apex != apex) continue;
    entry.is_pending = true;
    entry.serial = serial;
    entry.tries = 0;
    entry.due = entry.sent_at ? std::max(now, *entry.sent_at + notify_spacing) : now;
  }
}

NotifyQueue::Due NotifyQueue::take_due(Moment now) {
  Due due;
  for (Entry& entry : entries_) {
    if (!entry.is_pending || entry.due > now.monotonic) continue;
    if (due.messages.size() == notify_burst_max) break;
    if (entry.tries == notify_tries_max) {
      entry.is_pending = false;
      due.given_up.push_back(
          {entry.apex, entry.target, entry.serial, NotifyOutcome::Kind::unanswered, 0});
      continue;
    }
    ++entry.tries;
    entry.sent_at = now.monotonic;
    entry.due = now.monotonic + wait_after(entry.tries);
    due.messages.push_back(write(entry, now.wall));
  }
  return due;
}

// Without the SOA: whoever is told asks for it, and believes that (RFC 1996 §3.11).
NotifyMessage NotifyQueue::write(Entry& entry, WallTime now) {
  entry.id = next_id_();
  NotifyMessage message{entry.target.address, entry.target.port, {}};
  std::vector<std::uint8_t>& bytes = message.bytes;
  append16(bytes, entry.id);
  bytes.push_back(notify_opcode | aa_bit);
  bytes.push_back(0);
  for (const std::size_t count : {1U, 0U, 0U, 0U}) append16(bytes, count);
  const auto question = question_of(entry.apex);
  bytes.insert(bytes.end(), question.begin(), question.end());
  if (entry.key) {
    const std::size_t size = bytes.size();
    bytes.resize(size + tsig_size_max);
    bytes.resize(sign_request(*entry.key, bytes, size, seconds_of(now), entry.mac));
  }
  return message;
}

bool NotifyQueue::answers(const Entry& entry, std::span<const std::uint8_t> bytes, WallTime now) {
  if (bytes.size() < header_size || get16(bytes.data()) != entry.id) return false;
  if ((bytes[2] & (qr_bit | opcode_mask)) != (qr_bit | notify_opcode)) return false;
  // As a query, the rest reads like any message.
  std::vector<std::uint8_t> as_query(bytes.begin(), bytes.end());
  as_query[2] = 0;
  Query query;
  const bool is_read = read_query(as_query, query) == Reading::good;
  if (!is_read || query.qtype != rrtype::soa ||
      !std::ranges::equal(query.qname.suffix(0), entry.apex.bytes())) {
    return false;
  }
  if (!entry.key) return true;
  const auto record = query.tsig_at != 0 ? read_tsig(bytes, query.tsig_at) : std::nullopt;
  return record && holds_for_answer(bytes, *record, *entry.key, entry.mac, seconds_of(now));
}

std::optional<NotifyOutcome> NotifyQueue::take_answer(const geo::Address& address,
                                                      std::uint16_t port,
                                                      std::span<const std::uint8_t> bytes,
                                                      WallTime now) {
  const auto entry = std::ranges::find_if(entries_, [&](const Entry& sent) {
    return sent.is_pending && sent.tries > 0 && sent.target.address == address &&
           sent.target.port == port && answers(sent, bytes, now);
  });
  if (entry == entries_.end()) return std::nullopt;
  entry->is_pending = false;
  const unsigned rcode = bytes[3] & rcode_mask;
  const auto kind = rcode == 0 ? NotifyOutcome::Kind::taken : NotifyOutcome::Kind::refused;
  return NotifyOutcome{entry->apex, entry->target, entry->serial, kind, rcode};
}

std::size_t NotifyQueue::waiting() const noexcept {
  return static_cast<std::size_t>(
      std::ranges::count_if(entries_, [](const Entry& entry) { return entry.is_pending; }));
}

}  // namespace demarc::dns
