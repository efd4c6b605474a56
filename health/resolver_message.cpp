#include "health/resolver_message.h"

#include <algorithm>
#include <map>
#include <optional>

namespace demarc::health {
namespace {

constexpr std::uint16_t class_in = 1;
constexpr std::uint16_t type_cname = 5;
constexpr std::uint16_t type_opt = 41;
constexpr std::uint16_t edns_size = 1232;
// More records than this do not fit into the addresses and aliases we would follow.
constexpr std::size_t answers_max = 512;

void put16(std::vector<std::uint8_t>& out, unsigned value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8U));
  out.push_back(static_cast<std::uint8_t>(value));
}

/// Reads forward; whatever does not fit makes every later read fail.
class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  [[nodiscard]] bool ok() const { return ok_; }

  std::uint16_t number16() {
    const auto two = take(2);
    return two.size() < 2 ? std::uint16_t{0} : static_cast<std::uint16_t>(two[0] << 8U | two[1]);
  }
  void skip(std::size_t count) { (void)take(count); }

  std::span<const std::uint8_t> take(std::size_t count) {
    if (!ok_ || bytes_.size() - at_ < count) {
      ok_ = false;
      return {};
    }
    const auto part = bytes_.subspan(at_, count);
    at_ += count;
    return part;
  }

  /// A name with its pointers followed. Each pointer must lead before the place it stands at, and
  /// before the last one's target, so there is an end.
  std::string name() {
    std::string wire;
    std::size_t at = at_, limit = bytes_.size();
    bool jumped = false;
    for (;;) {
      if (!ok_ || at >= bytes_.size()) break;
      const std::uint8_t length = bytes_[at];
      if (length >= 0xc0) {
        if (at + 1 >= bytes_.size()) break;
        const std::size_t target = (length & 0x3fU) << 8U | bytes_[at + 1];
        if (!jumped) at_ = at + 2;
        if (target >= std::min(at, limit)) break;
        jumped = true;
        limit = at = target;
        continue;
      }
      if (length > 63 || at + 1 + length > bytes_.size() || wire.size() + length + 1 > 255) break;
      wire.append(reinterpret_cast<const char*>(&bytes_[at]), length + std::size_t{1});
      at += length + std::size_t{1};
      if (length != 0) continue;
      if (!jumped) at_ = at;
      return wire;
    }
    ok_ = false;
    return {};
  }

  [[nodiscard]] std::size_t at() const { return at_; }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

std::optional<zones::Name> name_of(const std::string& wire) {
  return zones::Name::from_wire({reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size()});
}

/// What the answer section says, by owner.
struct Answers {
  std::map<zones::Name, zones::Name> aliases;
  std::map<zones::Name, std::vector<geo::Address>> addresses;
};

std::optional<geo::Address> address_of(std::span<const std::uint8_t> data, AddressType type) {
  geo::Address address;
  if (data.size() != (type == AddressType::a ? 4U : 16U)) return std::nullopt;
  address.family = type == AddressType::a ? geo::Family::ipv4 : geo::Family::ipv6;
  std::ranges::copy(data, address.bytes.begin());
  return address;
}

/// False: malformed.
bool read_answer(Reader& reader, const Question& question, Answers& answers) {
  const auto owner = name_of(reader.name());
  const std::uint16_t type = reader.number16();
  const std::uint16_t in_class = reader.number16();
  reader.skip(4);  // TTL
  const std::uint16_t length = reader.number16();
  const std::size_t start = reader.at();
  if (!reader.ok() || !owner) return false;
  if (type == type_cname && in_class == class_in) {
    const auto target = name_of(reader.name());
    if (!reader.ok() || !target || reader.at() != start + length) return false;
    answers.aliases.emplace(*owner, *target);
    return true;
  }
  const auto data = reader.take(length);
  if (!reader.ok()) return false;
  if (type != static_cast<std::uint16_t>(question.type) || in_class != class_in) return true;
  const auto address = address_of(data, question.type);
  if (!address) return false;
  answers.addresses[*owner].push_back(*address);
  return true;
}

Result<std::vector<geo::Address>, ReplyError> follow(const Answers& answers,
                                                     const zones::Name& asked) {
  zones::Name at = asked;
  for (std::size_t links = 0; links <= alias_chain_max; ++links) {
    if (const auto found = answers.addresses.find(at); found != answers.addresses.end()) {
      if (found->second.size() > resolved_addresses_max) {
        return std::unexpected(ReplyError::too_many_addresses);
      }
      return found->second;
    }
    const auto alias = answers.aliases.find(at);
    if (alias == answers.aliases.end()) return std::vector<geo::Address>{};
    at = alias->second;
  }
  return std::unexpected(ReplyError::too_many_links);
}

}  // namespace

Question make_question(const zones::Name& name, AddressType type, std::uint16_t id,
                       std::uint64_t letters) {
  Question question{.id = id, .type = type, .name = name.wire(), .asked = name};
  std::size_t at = 0;
  while (at < question.name.size() && question.name[at] != 0) {
    const auto length = static_cast<std::size_t>(question.name[at]);
    for (std::size_t i = at + 1; i <= at + length; ++i) {
      char& letter = question.name[i];
      const bool is_upper = (letters >> (i % 64) & 1U) != 0;
      if (letter >= 'a' && letter <= 'z' && is_upper)
        letter = static_cast<char>(letter - 'a' + 'A');
    }
    at += length + 1;
  }
  return question;
}

std::vector<std::uint8_t> write_question(const Question& question) {
  std::vector<std::uint8_t> out;
  put16(out, question.id);
  put16(out, 0x0120);  // RD, AD
  for (const unsigned count : {1U, 0U, 0U, 1U}) put16(out, count);
  out.insert(out.end(), question.name.begin(), question.name.end());
  put16(out, static_cast<unsigned>(question.type));
  put16(out, class_in);
  out.push_back(0);  // OPT: the root, type, size, no extended RCODE, version 0, no flags, no data
  put16(out, type_opt);
  put16(out, edns_size);
  for (int i = 0; i < 3; ++i) put16(out, 0);
  return out;
}

const char* to_text(ReplyError error) noexcept {
  switch (error) {
    case ReplyError::malformed:
      return "a malformed reply";
    case ReplyError::not_ours:
      return "a reply to another question";
    case ReplyError::refused:
      return "an error reply";
    case ReplyError::too_many_links:
      return "too long a chain of aliases";
    case ReplyError::too_many_addresses:
      return "too many addresses";
  }
  return "a malformed reply";
}

Result<ResolverReply, ReplyError> parse_reply(std::span<const std::uint8_t> bytes,
                                              const Question& question) {
  Reader reader(bytes);
  const std::uint16_t id = reader.number16();
  const std::uint16_t flags = reader.number16();
  const std::uint16_t questions = reader.number16();
  const std::uint16_t count = reader.number16();
  reader.skip(4);
  if (!reader.ok()) return std::unexpected(ReplyError::malformed);
  const bool is_reply = (flags & 0x8000U) != 0 && (flags & 0x7800U) == 0;
  if (id != question.id || !is_reply || questions != 1) {
    return std::unexpected(ReplyError::not_ours);
  }
  const std::string name = reader.name();
  const std::uint16_t type = reader.number16();
  const std::uint16_t in_class = reader.number16();
  if (!reader.ok()) return std::unexpected(ReplyError::malformed);
  if (name != question.name || type != static_cast<std::uint16_t>(question.type) ||
      in_class != class_in) {
    return std::unexpected(ReplyError::not_ours);
  }
  ResolverReply reply;
  reply.is_truncated = (flags & 0x0200U) != 0;
  if (reply.is_truncated) return reply;
  const unsigned rcode = flags & 0x000fU;
  if (rcode != 0 && rcode != 3) return std::unexpected(ReplyError::refused);
  reply.exists = rcode == 0;
  reply.is_validated = (flags & 0x0020U) != 0;
  if (count > answers_max) return std::unexpected(ReplyError::too_many_addresses);
  Answers answers;
  for (std::size_t i = 0; i < count; ++i) {
    if (!read_answer(reader, question, answers)) return std::unexpected(ReplyError::malformed);
  }
  auto addresses = follow(answers, question.asked);
  if (!addresses) return std::unexpected(addresses.error());
  reply.addresses = std::move(*addresses);
  return reply;
}

}  // namespace demarc::health
