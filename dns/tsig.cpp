#include "dns/tsig.h"

#include <algorithm>
#include <cassert>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace demarc::dns {

namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::array<std::uint8_t, 13> hmac_sha256{11,  'h', 'm', 'a', 'c', '-', 's',
                                                   'h', 'a', '2', '5', '6', 0};
constexpr std::size_t fixed_size = 10;       // TYPE, CLASS, TTL, RDLENGTH
constexpr std::size_t times_size = 8;        // Time Signed, Fudge
constexpr std::size_t server_time_size = 6;  // Other Data of BADTIME
constexpr std::size_t mac_size_min = 16;     // half of the hash (RFC 8945 §5.2.2.1)
constexpr std::uint8_t pointer_bits = 0xc0;

std::uint64_t get48(const std::uint8_t* at) noexcept {
  return (std::uint64_t{get16(at)} << 32) | get32(at + 2);
}

void put48(std::uint8_t* at, std::uint64_t value) noexcept {
  put16(at, (value >> 32) & 0xffff);
  put32(at + 2, static_cast<std::uint32_t>(value));
}

std::uint8_t lower(std::uint8_t letter) noexcept {
  return letter >= 'A' && letter <= 'Z' ? static_cast<std::uint8_t>(letter + 32) : letter;
}

/// The name at `at`, whose pointers lead backwards; the bytes it takes there, 0: it is none.
std::size_t read_name(Bytes message, std::size_t at, TsigName& name) noexcept {
  std::size_t taken = 0;
  std::size_t limit = at;  // a pointer leads before it: that ends every loop
  const std::size_t start = at;
  name.size = 0;
  while (at < message.size()) {
    const std::uint8_t length = message[at];
    if ((length & pointer_bits) == pointer_bits) {
      if (at + 2 > message.size()) return 0;
      const std::size_t target = get16(message.data() + at) & 0x3fff;
      if (taken == 0) taken = at + 2 - start;
      if (target >= limit) return 0;
      limit = at = target;
      continue;
    }
    const std::size_t size = std::size_t{length} + 1;
    if ((length & pointer_bits) != 0 || size > message.size() - at) return 0;
    if (name.size + size > name.bytes.size()) return 0;
    name.bytes[name.size] = length;
    std::ranges::transform(message.subspan(at + 1, length), name.bytes.data() + name.size + 1,
                           lower);
    name.size += size;
    at += size;
    if (length == 0) return taken != 0 ? taken : at - start;
  }
  return 0;
}

/// What is signed beside the message (RFC 8945 §4.3.3).
struct Variables {
  Bytes key;
  Bytes algorithm;
  std::uint64_t time_signed = 0;
  std::uint16_t fudge = tsig_fudge;
  TsigError error = TsigError::none;
  Bytes other;
};

enum class Signed : std::uint8_t { all, times_only };

class Digest {
 public:
  void add(Bytes bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  void add16(std::size_t value) {
    const std::size_t at = bytes_.size();
    bytes_.resize(at + 2);
    put16(bytes_.data() + at, value);
  }
  /// With the length before it (§5.3.1); an empty one is left out.
  void add_mac(Bytes mac) {
    if (mac.empty()) return;
    add16(mac.size());
    add(mac);
  }
  /// As it was before the TSIG record came to it.
  void add_message(Bytes message, std::uint16_t id, std::size_t additional_count) {
    const std::size_t at = bytes_.size();
    add(message);
    put16(bytes_.data() + at, id);
    put16(bytes_.data() + at + 10, additional_count);
  }
  void add_variables(const Variables& variables, Signed what) {
    if (what == Signed::all) {
      add(variables.key);
      add16(rrclass::any);
      add16(0);  // TTL
      add16(0);
      add(variables.algorithm);
    }
    std::array<std::uint8_t, times_size> times{};
    put48(times.data(), variables.time_signed);
    put16(times.data() + 6, variables.fudge);
    add(times);
    if (what == Signed::times_only) return;
    add16(static_cast<std::size_t>(variables.error));
    add16(variables.other.size());
    add(variables.other);
  }

  [[nodiscard]] TsigMac mac(const TsigKey& key) const {
    TsigMac mac{};
    unsigned size = 0;
    ::HMAC(EVP_sha256(), key.secret.data(), static_cast<int>(key.secret.size()), bytes_.data(),
           bytes_.size(), mac.data(), &size);
    assert(size == mac.size());
    return mac;
  }

 private:
  std::vector<std::uint8_t> bytes_;
};

/// What a received message must be signed with; `before` is the MAC it hangs on, or empty.
TsigMac mac_of_received(Bytes message, const Tsig& record, const TsigKey& key, Bytes before) {
  Digest digest;
  digest.add_mac(before);
  const std::size_t additional_count = get16(message.data() + 10);
  assert(additional_count != 0);
  digest.add_message(message.first(record.at), record.original_id, additional_count - 1);
  digest.add_variables({.key = record.key.view(),
                        .algorithm = record.algorithm.view(),
                        .time_signed = record.time_signed,
                        .fudge = record.fudge,
                        .error = static_cast<TsigError>(record.error),
                        .other = record.other},
                       Signed::all);
  return digest.mac(key);
}

TsigMac mac_of_ours(Bytes message, const TsigKey& key, Bytes before, const Variables& variables,
                    Signed what) {
  Digest digest;
  digest.add_mac(before);
  digest.add_message(message, get16(message.data()), get16(message.data() + 10));
  digest.add_variables(variables, what);
  return digest.mac(key);
}

bool is_in_time(const Tsig& record, std::uint64_t now) noexcept {
  const std::uint64_t apart =
      record.time_signed > now ? record.time_signed - now : now - record.time_signed;
  return apart <= record.fudge;
}

// With a whole MAC and a server's time, whether it has them or not.
std::size_t record_size(std::size_t key_size, std::size_t algorithm_size) noexcept {
  return key_size + fixed_size + algorithm_size + times_size + 8 + tsig_mac_size + server_time_size;
}

std::size_t write_record(std::span<std::uint8_t> out, std::size_t size, const Variables& variables,
                         Bytes mac) {
  assert(out.size() - size >= record_size(variables.key.size(), variables.algorithm.size()));
  std::uint8_t* at = out.data() + size;
  const auto write = [&at](Bytes bytes) { at = std::ranges::copy(bytes, at).out; };
  const auto write16 = [&at](std::size_t value) {
    put16(at, value);
    at += 2;
  };
  write(variables.key);
  write16(rrtype::tsig);
  write16(rrclass::any);
  write16(0);  // TTL
  write16(0);
  write16(variables.algorithm.size() + times_size + 8 + mac.size() + variables.other.size());
  write(variables.algorithm);
  put48(at, variables.time_signed);
  at += 6;
  write16(variables.fudge);
  write16(mac.size());
  write(mac);
  write16(get16(out.data()));  // Original ID
  write16(static_cast<std::size_t>(variables.error));
  write16(variables.other.size());
  write(variables.other);
  put16(out.data() + 10, get16(out.data() + 10) + 1U);
  return static_cast<std::size_t>(at - out.data());
}

Variables variables_of(const TsigKey& key, std::uint64_t now) {
  return {.key = key.name.bytes(), .algorithm = hmac_sha256, .time_signed = now};
}

}  // namespace

std::optional<Tsig> read_tsig(Bytes message, std::size_t at) noexcept {
  Tsig tsig;
  tsig.at = at;
  const std::size_t owner_size = read_name(message, at, tsig.key);
  if (owner_size == 0 || message.size() - at - owner_size < fixed_size) return std::nullopt;
  const std::uint8_t* const fixed = message.data() + at + owner_size;
  const bool is_well_formed = get16(fixed) == rrtype::tsig && get16(fixed + 2) == rrclass::any &&
                              get32(fixed + 4) == 0 &&
                              message.size() - at - owner_size - fixed_size == get16(fixed + 8);
  if (!is_well_formed) return std::nullopt;  // the last record reaches to the end
  std::size_t next = at + owner_size + fixed_size;
  const std::size_t algorithm_size = read_name(message, next, tsig.algorithm);
  const bool is_compressed = algorithm_size != tsig.algorithm.size;
  if (algorithm_size == 0 || is_compressed) return std::nullopt;
  next += algorithm_size;
  if (message.size() - next < times_size + 2) return std::nullopt;
  tsig.time_signed = get48(message.data() + next);
  tsig.fudge = get16(message.data() + next + 6);
  const std::size_t mac_size = get16(message.data() + next + times_size);
  next += times_size + 2;
  if (message.size() - next < mac_size + 6) return std::nullopt;
  tsig.mac = message.subspan(next, mac_size);
  next += mac_size;
  tsig.original_id = get16(message.data() + next);
  tsig.error = get16(message.data() + next + 2);
  const std::size_t other_size = get16(message.data() + next + 4);
  next += 6;
  if (message.size() - next != other_size) return std::nullopt;
  tsig.other = message.subspan(next);
  const bool has_possible_mac =
      tsig.mac.empty() || (tsig.mac.size() >= mac_size_min && tsig.mac.size() <= tsig_mac_size);
  const bool is_ours = std::ranges::equal(tsig.algorithm.view(), hmac_sha256);
  if (is_ours && !has_possible_mac) return std::nullopt;  // §5.2.2.1
  return tsig;
}

std::size_t tsig_room(const Tsig& record) noexcept {
  return record_size(record.key.size, record.algorithm.size);
}

TsigRequest check_tsig(Bytes message, const Tsig& record, const TsigKeys& keys, std::uint64_t now) {
  TsigRequest request{.record = record};
  const auto key = std::ranges::find_if(keys, [&](const TsigKey& known) {
    return std::ranges::equal(known.name.bytes(), record.key.view());
  });
  if (key == keys.end() || !std::ranges::equal(record.algorithm.view(), hmac_sha256)) {
    return request;
  }
  request.key = &*key;
  request.error = TsigError::badsig;
  if (record.mac.empty()) return request;
  const TsigMac expected = mac_of_received(message, record, *key, {});
  if (CRYPTO_memcmp(expected.data(), record.mac.data(), record.mac.size()) != 0) return request;
  request.error = !is_in_time(record, now)            ? TsigError::badtime
                  : record.mac.size() < tsig_mac_size ? TsigError::badtrunc
                                                      : TsigError::none;
  return request;
}

bool holds_for_answer(Bytes message, const Tsig& record, const TsigKey& key,
                      const TsigMac& request_mac, std::uint64_t now) {
  if (!std::ranges::equal(key.name.bytes(), record.key.view()) ||
      !std::ranges::equal(record.algorithm.view(), hmac_sha256) ||
      record.mac.size() != tsig_mac_size || record.error != 0) {
    return false;
  }
  const TsigMac expected = mac_of_received(message, record, key, request_mac);
  return CRYPTO_memcmp(expected.data(), record.mac.data(), expected.size()) == 0 &&
         is_in_time(record, now);
}

std::size_t append_tsig(const TsigRequest& request, std::span<std::uint8_t> out, std::size_t size,
                        std::uint64_t now) {
  const Tsig& record = request.record;
  Variables variables{.key = record.key.view(),
                      .algorithm = record.algorithm.view(),
                      .time_signed = now,
                      .error = request.error};
  if (request.error == TsigError::badkey || request.error == TsigError::badsig) {
    variables.time_signed = record.time_signed;
    variables.fudge = record.fudge;
    return write_record(out, size, variables, {});
  }
  std::array<std::uint8_t, server_time_size> server_time{};
  if (request.error == TsigError::badtime) {  // §5.2.3: the client's time, and ours beside it
    put48(server_time.data(), now);
    variables.time_signed = record.time_signed;
    variables.fudge = record.fudge;
    variables.other = server_time;
  }
  const TsigMac mac =
      mac_of_ours(out.first(size), *request.key, record.mac, variables, Signed::all);
  return write_record(out, size, variables, mac);
}

std::size_t sign_request(const TsigKey& key, std::span<std::uint8_t> out, std::size_t size,
                         std::uint64_t now, TsigMac& mac) {
  const Variables variables = variables_of(key, now);
  mac = mac_of_ours(out.first(size), key, {}, variables, Signed::all);
  return write_record(out, size, variables, mac);
}

TsigChain::TsigChain(const TsigRequest& request) : key_(request.key) {
  assert(request.error == TsigError::none && request.record.mac.size() == last_.size());
  std::ranges::copy(request.record.mac, last_.begin());
}

std::size_t TsigChain::append(std::span<std::uint8_t> out, std::size_t size, std::uint64_t now) {
  const Variables variables = variables_of(*key_, now);
  last_ = mac_of_ours(out.first(size), *key_, last_, variables,
                      is_first_ ? Signed::all : Signed::times_only);
  is_first_ = false;
  return write_record(out, size, variables, last_);
}

}  // namespace demarc::dns
