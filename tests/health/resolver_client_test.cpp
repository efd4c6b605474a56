// Questions to a resolver and its replies: parsed strictly, asked again when cut or silent.
#include "health/resolver_client.h"

#include <atomic>
#include <functional>
#include <random>
#include <thread>

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "health/resolver_message.h"

namespace demarc::health {
namespace {

using Bytes = std::vector<std::uint8_t>;

zones::Name name(std::string_view text) { return zones::Name::parse_absolute(text).value(); }

Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

constexpr std::uint8_t no_flags = 0, ad = 0x20, nxdomain = 3, servfail = 2;

/// Header and question as asked, `count` answers to follow. `low` is the header's fourth byte.
Bytes reply_head(const Bytes& query, std::uint8_t count, std::uint8_t low = no_flags,
                 std::uint8_t high = 0x81) {
  std::size_t end = 12;
  while (query[end] != 0) end += query[end] + 1U;
  Bytes out(query.begin(), query.begin() + static_cast<std::ptrdiff_t>(end + 5));
  out[2] = high;  // QR, RD
  out[3] = low;
  out[7] = count;
  out[11] = 0;  // no OPT
  return out;
}

bool asks_a(const Bytes& query) { return reply_head(query, 0).end()[-3] == 1; }

/// An A record at the question's name, by a pointer to it.
Bytes a_record(std::uint8_t last) {
  return {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 193, 0, 6, last};
}

const Question question = make_question(name("a.example"), AddressType::a, 0x1234, 0);

auto parse(const Bytes& bytes) { return parse_reply(bytes, question); }

TEST_CASE("resolver message: a question carries its letters, AD and EDNS", "[health][resolver]") {
  const Question mixed = make_question(name("ab.example"), AddressType::aaaa, 0xbeef, 0b10);
  const Bytes expected = {
      0xbe, 0xef, 0x01, 0x20, 0,    1,   0,   0,   0,   0,   0,   1,  // RD AD, 1 question, OPT
      2,    'A',  'b',  7,    'e',  'x', 'a', 'm', 'p', 'l', 'e', 0, 0, 28, 0, 1,  // AAAA IN
      0,    0,    41,   0x04, 0xd0, 0,   0,   0,   0,   0,   0};  // OPT, 1232 bytes
  CHECK(write_question(mixed) == expected);
}

TEST_CASE("resolver message: good replies", "[health][resolver]") {
  const Bytes query = write_question(question);
  const auto two = parse(joined({reply_head(query, 2, ad), a_record(1), a_record(2)}));
  REQUIRE(two);
  CHECK(two->is_validated);
  CHECK(two->addresses.size() == 2);
  CHECK(geo::to_text(two->addresses[1]) == "193.0.6.2");

  const auto none = parse(reply_head(query, 0, nxdomain));
  REQUIRE(none);
  CHECK_FALSE(none->exists);
  CHECK(none->addresses.empty());

  const auto cut = parse(reply_head(query, 0, no_flags, 0x83));
  REQUIRE(cut);
  CHECK(cut->is_truncated);

  // a.example CNAME b (a pointer to "example" within), and b's address.
  const Bytes alias = {0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 30, 0, 4, 1, 'b', 0xc0, 14};
  const Bytes target = {1, 'b', 0xc0, 14, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 193, 0, 6, 9};
  const auto chained = parse(joined({reply_head(query, 2), target, alias}));
  REQUIRE(chained);
  CHECK(chained->addresses == std::vector{*geo::parse_address("193.0.6.9")});
  CHECK_FALSE(chained->is_validated);
}

TEST_CASE("resolver message: an address of a name that nothing leads to is not taken",
          "[health][resolver]") {
  const Bytes other = {1, 'x', 0, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 193, 0, 6, 9};
  const auto reply = parse(joined({reply_head(write_question(question), 1), other}));
  REQUIRE(reply);
  CHECK(reply->addresses.empty());
}

TEST_CASE("resolver message: bad replies", "[health][resolver]") {
  const Bytes query = write_question(question);
  const Bytes good = joined({reply_head(query, 1), a_record(1)});
  const auto with = [&](std::size_t at, std::uint8_t value) {
    Bytes changed = good;
    changed[at] = value;
    return changed;
  };
  const auto rdata_of = [&](Bytes record) { return joined({reply_head(query, 1), record}); };
  Bytes circle = reply_head(query, 1);
  circle = joined({circle, {0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 30, 0, 2, 0xc0, 12}});
  const auto [what, bytes, expected] = GENERATE_COPY(table<const char*, Bytes, ReplyError>({
      {"another ID", with(0, 0x99), ReplyError::not_ours},
      {"a query", with(2, 0x01), ReplyError::not_ours},
      {"another opcode", with(2, 0x91), ReplyError::not_ours},
      {"no question", with(5, 0), ReplyError::not_ours},
      {"other letters", with(13, 'A'), ReplyError::not_ours},
      {"another type", with(24, 28), ReplyError::not_ours},
      {"SERVFAIL", with(3, servfail), ReplyError::refused},
      {"one answer too few", with(7, 2), ReplyError::malformed},
      {"too many answers", with(6, 4), ReplyError::too_many_addresses},
      {"a short address", rdata_of({0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 3, 1, 2, 3}),
       ReplyError::malformed},
      {"a pointer to itself", rdata_of({0xc0, 27, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 1, 2, 3, 4}),
       ReplyError::malformed},
      {"a pointer ahead", rdata_of({0xc0, 200, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 1, 2, 3, 4}),
       ReplyError::malformed},
      {"an alias of the wrong length",
       rdata_of({0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 30, 0, 4, 0xc0, 14, 0, 0}), ReplyError::malformed},
      {"an alias to itself", circle, ReplyError::too_many_links},
  }));
  CAPTURE(what);
  const auto reply = parse(bytes);
  REQUIRE_FALSE(reply);
  CHECK(reply.error() == expected);
  for (std::size_t size = 0; size < good.size(); ++size) {
    CHECK_FALSE(parse(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))));
  }
}

TEST_CASE("resolver message: just as many addresses as allowed, and one more",
          "[health][resolver]") {
  const auto with = [](std::size_t count) {
    Bytes bytes = reply_head(write_question(question), static_cast<std::uint8_t>(count));
    for (std::size_t i = 0; i < count; ++i) {
      const Bytes record = a_record(static_cast<std::uint8_t>(i));
      bytes.insert(bytes.end(), record.begin(), record.end());
    }
    return parse(bytes);
  };
  CHECK(with(resolved_addresses_max).value().addresses.size() == resolved_addresses_max);
  CHECK(with(resolved_addresses_max + 1).error() == ReplyError::too_many_addresses);
}

/// A resolver on 127.0.0.1 that answers as its script says.
class FakeResolver {
 public:
  /// All replies to one query; none: silence.
  using Script = std::function<std::vector<Bytes>(const Bytes& query, bool is_tcp)>;

  explicit FakeResolver(Script script) : script_(std::move(script)) {
    sockaddr_in address{
        .sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    for (int tries = 0; tries < 50; ++tries) {  // until the same port is free for both
      tcp_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      udp_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      address.sin_port = 0;
      if (::bind(tcp_, any, size) == 0 && ::getsockname(tcp_, any, &size) == 0 &&
          ::bind(udp_, any, size) == 0 && ::listen(tcp_, 8) == 0) {
        break;
      }
      ::close(tcp_);
      ::close(udp_);
    }
    port_ = ntohs(address.sin_port);
    stop_ = ::eventfd(0, EFD_CLOEXEC);
    thread_ = std::thread([this] { serve(); });
  }
  FakeResolver(const FakeResolver&) = delete;
  FakeResolver& operator=(const FakeResolver&) = delete;
  ~FakeResolver() {
    ::eventfd_write(stop_, 1);
    thread_.join();
    for (const int number : {stop_, tcp_, udp_}) ::close(number);
  }

  [[nodiscard]] ResolverConfig config() const {
    return {.address = geo::Address::ipv4(0x7f000001),
            .port = port_,
            .timeout = Milliseconds{500},
            .tries = 2};
  }
  [[nodiscard]] int asked() const { return asked_; }

 private:
  void serve() {
    for (;;) {
      pollfd waiting[] = {{stop_, POLLIN, 0}, {udp_, POLLIN, 0}, {tcp_, POLLIN, 0}};
      ::poll(waiting, 3, -1);
      if (waiting[0].revents != 0) return;
      if (waiting[1].revents != 0) answer_udp();
      if (waiting[2].revents != 0) answer_tcp();
    }
  }
  void answer_udp() {
    Bytes query(4096);
    sockaddr_in from{};
    socklen_t size = sizeof from;
    auto* const peer = reinterpret_cast<sockaddr*>(&from);
    const ssize_t got = ::recvfrom(udp_, query.data(), query.size(), 0, peer, &size);
    if (got < 12) return;
    query.resize(static_cast<std::size_t>(got));
    ++asked_;
    for (const Bytes& reply : script_(query, false)) {
      ::sendto(udp_, reply.data(), reply.size(), 0, peer, size);
    }
  }
  void answer_tcp() {
    const int peer = ::accept4(tcp_, nullptr, nullptr, SOCK_CLOEXEC);
    Bytes framed(4096);
    const ssize_t got = ::recv(peer, framed.data(), framed.size(), 0);
    if (got > 14) {
      const Bytes query(framed.begin() + 2, framed.begin() + got);
      for (const Bytes& reply : script_(query, true)) {
        const Bytes out = joined({{static_cast<std::uint8_t>(reply.size() >> 8U),
                                   static_cast<std::uint8_t>(reply.size())},
                                  reply});
        ::send(peer, out.data(), out.size(), MSG_NOSIGNAL);
      }
    }
    ::close(peer);
  }

  Script script_;
  int udp_ = -1, tcp_ = -1, stop_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> asked_ = 0;
  std::thread thread_;
};

Result<ResolvedName, std::string> ask(const FakeResolver& resolver) {
  std::mt19937_64 random(7);
  return resolve_name(resolver.config(), name("www.example"), [&] { return random(); });
}

TEST_CASE("resolver client: asks for both families, validated if both are", "[health][resolver]") {
  const std::uint8_t of_aaaa = GENERATE(ad, no_flags);
  const FakeResolver resolver([&](const Bytes& query, bool) -> std::vector<Bytes> {
    if (asks_a(query)) return {joined({reply_head(query, 1, ad), a_record(4)})};
    return {reply_head(query, 0, of_aaaa)};
  });
  const auto resolved = ask(resolver);
  REQUIRE(resolved);
  CHECK(resolved->addresses == std::vector{*geo::parse_address("193.0.6.4")});
  CHECK(resolved->is_validated == (of_aaaa == ad));
  CHECK(resolver.asked() == 2);
}

TEST_CASE("resolver client: a forged reply is passed over, the right one is taken",
          "[health][resolver]") {
  const FakeResolver resolver([](const Bytes& query, bool) -> std::vector<Bytes> {
    Bytes forged = joined({reply_head(query, 1, ad), a_record(66)});
    if (!asks_a(query)) return {reply_head(query, 0, ad)};
    forged[0] ^= 0xff;
    return {forged, {1, 2, 3}, joined({reply_head(query, 1, ad), a_record(4)})};
  });
  const auto resolved = ask(resolver);
  REQUIRE(resolved);
  CHECK(resolved->addresses == std::vector{*geo::parse_address("193.0.6.4")});
}

TEST_CASE("resolver client: cut over UDP, whole over TCP", "[health][resolver]") {
  const FakeResolver resolver([](const Bytes& query, bool is_tcp) -> std::vector<Bytes> {
    if (!is_tcp) return {reply_head(query, 0, no_flags, 0x83)};
    if (!asks_a(query)) return {reply_head(query, 0, ad)};
    return {joined({reply_head(query, 1, ad), a_record(4)})};
  });
  const auto resolved = ask(resolver);
  REQUIRE(resolved);
  CHECK(resolved->addresses.size() == 1);
  CHECK(resolved->is_validated);
}

TEST_CASE("resolver client: silence and errors end in words", "[health][resolver]") {
  const FakeResolver silent([](const Bytes&, bool) { return std::vector<Bytes>{}; });
  CHECK(ask(silent).error() == "no reply in time");
  CHECK(silent.asked() == 2);  // tries
  const FakeResolver failing([](const Bytes& query, bool) -> std::vector<Bytes> {
    return {reply_head(query, 0, servfail)};
  });
  CHECK(ask(failing).error() == "an error reply");
}

}  // namespace
}  // namespace demarc::health
