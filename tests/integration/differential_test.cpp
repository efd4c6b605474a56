// The same random zones served by demarcd and by NSD, asked the same questions: every difference is
// a finding. Left out where NSD (Debian package `nsd`) is not installed. Another seed or more of
// it: DEMARC_DIFFERENTIAL_SEED, DEMARC_DIFFERENTIAL_ZONES.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <set>

#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "tests/dns/message.h"
#include "tests/support/dns_client.h"
#include "tests/support/free_port.h"
#include "tests/support/process.h"
#include "tests/support/temp_folder.h"
#include "tests/support/wait_for.h"

namespace demarc::testing {
namespace {

using Lines = std::vector<std::string>;

constexpr std::size_t questions_per_zone = 500;

struct RareType {
  std::uint16_t type;
  const char* text;
};
// What ldns and NSD both know, but for the types of signed zones.
constexpr RareType rare_types[] = {
    {13, R"(HINFO "cpu" "os")"},
    {17, R"(RP a.example.net. b.example.net.)"},
    {18, R"(AFSDB 1 host.example.net.)"},
    {19, R"(X25 "311061700956")"},
    {20, R"(ISDN "150862028003217" "004")"},
    {21, R"(RT 10 host.example.net.)"},
    {22, R"(NSAP 0x47000580005a0000000001e133ffffff00016100)"},
    {26, R"(PX 10 a.example.net. b.example.net.)"},
    {29, R"(LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m)"},
    {35, R"(NAPTR 10 20 "s" "SIP+D2U" "" _sip._udp.example.net.)"},
    {36, R"(KX 10 host.example.net.)"},
    {37, R"(CERT PKIX 1 RSASHA1 AAECAw==)"},
    {42, R"(APL 1:192.0.2.0/24 !2:2001:db8::/32)"},
    {44, R"(SSHFP 4 2 0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20)"},
    {49, R"(DHCID AAECAw==)"},
    {52, R"(TLSA 3 1 1 0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20)"},
    {53, R"(SMIMEA 3 1 1 0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20)"},
    {61, R"(OPENPGPKEY AAECAw==)"},
    {62, R"(CSYNC 66 3 A NS AAAA)"},
    {63,
     R"(ZONEMD 7 1 1 0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f200102030405060708090a0b0c0d0e0f10)"},
    {99, R"(SPF "v=spf1 -all")"},
    {104, R"(NID 10 0014:4fff:ff20:ee64)"},
    {105, R"(L32 10 192.0.2.1)"},
    {106, R"(L64 10 2001:0db8:1140:1000)"},
    {107, R"(LP 10 host.example.net.)"},
    {108, R"(EUI48 00-00-5e-00-53-2a)"},
    {109, R"(EUI64 00-00-5e-ef-10-00-00-2a)"},
    {256, R"(URI 10 1 "https://www.example.net/")"},
    {14, R"(MINFO a.example.net. b.example.net.)"},
    {7, R"(MB host.example.net.)"},
    {8, R"(MG host.example.net.)"},
    {9, R"(MR host.example.net.)"},
};

std::size_t number_from(const char* variable, std::size_t otherwise) {
  const char* const text = std::getenv(variable);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// Random zone text that both servers must take: no CNAME beside other data, one TTL an RRset,
/// nothing below a DNAME; and at and below `child`, a zone of its own on the same servers, a
/// delegation alone: NSD lets names that are hidden there exist, which makes NXDOMAIN of what a
/// wildcard covers (RFC 4592 §2.2.1). `others` are zones that targets may lie in.
class ZoneMaker {
 public:
  ZoneMaker(std::uint64_t seed, std::string apex, std::string child, Lines others)
      : random_(seed),
        apex_(std::move(apex)),
        child_(std::move(child)),
        others_(std::move(others)) {}

  [[nodiscard]] std::string make() {
    text_ = fmt::format(
        "{0} 3600 IN SOA ns.{0} hostmaster.{0} 7 7200 900 1209600 {1}\n"
        "{0} 3600 IN NS ns.elsewhere.example.\n",
        apex_, 30 + pick(100));
    taken_ = {apex_};
    if (child_.empty() && pick(12) == 0) {
      add_dname(apex_);
    } else {
      add_names();
    }
    if (pick(2) == 0) add_data(apex_);
    return std::move(text_);
  }

  /// A name in the zone, or just beside or below one, letters in any case.
  [[nodiscard]] std::string question() {
    std::string asked = pick(4) == 0 ? fmt::format("{}.{}", label(), name()) : name();
    if (pick(5) == 0) asked = targets_.empty() ? apex_ : targets_[pick(targets_.size())];
    if (pick(12) == 0) asked = apex_;
    if (pick(8) == 0 && !rare_owners_.empty()) asked = rare_owners_[pick(rare_owners_.size())];
    if (pick(4) == 0 && !dnames_.empty()) asked = below(dnames_[pick(dnames_.size())]);
    for (char& letter : asked) {
      if (pick(3) == 0) letter = static_cast<char>(std::toupper(letter));
    }
    return asked;
  }
  [[nodiscard]] std::uint16_t type() {
    static constexpr std::uint16_t types[] = {1,  1,  28,  16, 15,    5,  2,  6,
                                              33, 43, 257, 12, 65280, 64, 65, 39};
    if (pick(12) == 0) return rare_types[pick(std::size(rare_types))].type;
    return types[pick(std::size(types))];
  }
  std::size_t pick(std::size_t bound) { return random_() % bound; }

 private:
  void add_names() {
    text_ += fmt::format("{0} 3600 IN NS ns.{0}\nns.{0} 3600 IN A 192.0.2.53\n", apex_);
    taken_.insert("ns." + apex_);
    const std::size_t owners = 5 + pick(25);
    for (std::size_t i = 0; i < owners; ++i) add_owner(name());
    if (child_.empty()) return;
    text_ += fmt::format("{} 300 IN NS ns.{}\n", child_, child_);
    if (pick(2) == 0) text_ += fmt::format("{} 200 IN DS {}\n", child_, ds);
  }

  static constexpr const char* ds =
      "12345 13 2 0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20";

  /// Now and then so long that a DNAME makes too long a name of it (RFC 6672 §2.2).
  std::string below(const std::string& owner) {
    std::string made = label() + "." + owner;
    while (pick(2) == 0) made = label() + "." + made;
    const std::string longer = long_labels(1 + pick(3)) + made;
    return pick(8) == 0 && longer.size() <= name_text_max ? longer : made;
  }
  static constexpr std::size_t name_text_max = 250;
  std::string long_labels(std::size_t count) {
    std::string made;
    for (std::size_t i = 0; i < count; ++i) made += std::string(40 + pick(20), 'y') + ".";
    return made;
  }

  std::string label() {
    static const Lines labels = {"a", "b", "c", "d", "e", "*", "mail", "_tcp"};
    return labels[pick(labels.size())];
  }
  std::string name() {
    std::string made = label() + "." + apex_;
    while (pick(2) == 0) made = label() + "." + made;
    return made;
  }
  std::string target() {
    std::string made = pick(4) == 0 ? "host" + label() + ".other.example." : name();
    if (pick(8) == 0) made = label() + "." + others_[pick(others_.size())];
    if (pick(8) == 0 && !dnames_.empty()) made = below(dnames_[pick(dnames_.size())]);
    targets_.push_back(made);
    return made;
  }

  void add_owner(const std::string& owner) {
    const bool is_hidden = !child_.empty() && is_at_or_below(owner, child_);
    if (is_hidden || is_below_dname(owner) || !taken_.insert(owner).second) return;
    const std::size_t kind = pick(11);
    const bool is_wildcard = owner.starts_with("*");
    if (kind == 10 && !is_wildcard && may_have_dname(owner)) {
      add_dname(owner);
      if (pick(2) == 0) add_data(owner);
    } else if (kind < 2) {
      text_ += fmt::format("{} {} IN CNAME {}\n", owner, ttl(), target());
    } else if (kind == 2 && !is_wildcard) {
      add_delegation(owner);
    } else {
      add_data(owner);
    }
  }

  static bool is_at_or_below(const std::string& name, const std::string& ancestor) {
    return ("." + name).ends_with("." + ancestor);
  }
  bool is_below_dname(const std::string& owner) const {
    return std::ranges::any_of(
        dnames_, [&](const std::string& dname) { return is_at_or_below(owner, dname); });
  }
  bool may_have_dname(const std::string& owner) const {
    return (child_.empty() || !is_at_or_below(child_, owner)) &&
           std::ranges::none_of(taken_, [&](const std::string& name) {
             return name != owner && is_at_or_below(name, owner);
           });
  }

  void add_dname(const std::string& owner) {
    const std::string to = pick(5) == 0 ? long_labels(1 + pick(3)) + apex_ : target();
    text_ += fmt::format("{} {} IN DNAME {}\n", owner, ttl(), to);
    dnames_.push_back(owner);
  }

  /// Servers inside, outside, or inside another delegation (sibling glue).
  void add_delegation(const std::string& owner) {
    const unsigned time = ttl();
    for (std::size_t i = 0; i <= pick(3); ++i) {
      const std::size_t where = pick(3);
      std::string server = fmt::format("ns{}.out.example.", i);
      if (where == 0) server = fmt::format("ns{}.{}", i, owner);
      if (where == 1 && !servers_.empty()) server = servers_[pick(servers_.size())];
      text_ += fmt::format("{} {} IN NS {}\n", owner, time, server);
      if (where != 0 || !taken_.insert(server).second) continue;
      servers_.push_back(server);
      text_ += fmt::format("{} {} IN A 203.0.113.{}\n", server, ttl(), 1 + pick(200));
    }
    if (pick(2) == 0) text_ += fmt::format("{} {} IN DS {}\n", owner, ttl(), ds);
  }

  void add_data(const std::string& owner) {
    std::set<std::size_t> kinds;
    for (std::size_t i = 0; i <= pick(3); ++i) kinds.insert(pick(11));
    for (const std::size_t kind : kinds) {
      const unsigned time = ttl();
      if (kind == 10) {
        const char* const text = rare_types[pick(std::size(rare_types))].text;
        text_ += fmt::format("{} {} IN {}\n", owner, time, text);
        rare_owners_.push_back(owner);
        continue;
      }
      for (std::size_t i = 0; i <= pick(3); ++i) {
        text_ += fmt::format("{} {} IN {}\n", owner, time, data(kind, i));
      }
    }
  }
  std::string data(std::size_t kind, std::size_t index) {
    switch (kind) {
      case 0:
        return fmt::format("AAAA 2001:db8::{}", 1 + index);
      case 1:
        return fmt::format("TXT \"text {}\" \"{}\"", index, std::string(pick(250), 'x'));
      case 2:
        return fmt::format("MX {} {}", 10 * index, target());
      case 3:
        return fmt::format("SRV {} 5 5060 {}", index, target());
      case 4:
        return fmt::format("CAA 0 issue \"ca{}.example\"", index);
      case 5:
        return fmt::format("PTR {}", target());
      case 6:
        return fmt::format("TYPE65280 \\# 3 0102{:02x}", index);
      case 7:
        return fmt::format("HTTPS {} {} alpn=h2 port={}", 1 + index, pick(3) == 0 ? "." : target(),
                           8443 + index);
      case 8:
        return fmt::format("SVCB {} {} port=53", 1 + index, target());
      default:
        return fmt::format("A 198.51.100.{}", 1 + index);
    }
  }
  unsigned ttl() { return static_cast<unsigned>(60 * (1 + pick(50))); }

  std::mt19937_64 random_;
  std::string apex_;
  std::string child_;
  Lines others_;
  std::string text_;
  std::set<std::string> taken_;
  Lines targets_;
  Lines dnames_;
  Lines rare_owners_;
  Lines servers_;
};

/// What two servers must agree on. Additional records are a courtesy (RFC 2181 §5.4.1 and NSD's
/// minimal responses), but for the glue of a referral: the addresses of servers inside it.
struct Compared {
  unsigned rcode = 0;
  bool aa = false;
  bool tc = false;
  Lines answer, authority, glue;
  bool operator==(const Compared&) const = default;

  [[nodiscard]] std::string text() const {
    return fmt::format("rcode {} aa {} tc {}\n  answer: {}\n  authority: {}\n  glue: {}\n", rcode,
                       aa, tc, fmt::join(answer, " | "), fmt::join(authority, " | "),
                       fmt::join(glue, " | "));
  }
};

std::string lowered(std::string text) {
  for (char& letter : text) letter = static_cast<char>(std::tolower(letter));
  return text;
}

Compared read(const DnsReply& reply) {
  const dns::test::Message message(reply.bytes);
  Compared found{message.rcode(), message.aa(), message.tc(), {}, {}, {}};
  if (found.tc) return found;  // what fits into a truncated answer is anybody's choice
  for (const std::string& line : message.answer()) found.answer.push_back(lowered(line));
  for (const std::string& line : message.authority()) found.authority.push_back(lowered(line));
  std::ranges::sort(found.answer);
  std::ranges::sort(found.authority);
  if (found.authority.empty() || found.authority[0].find(" ns ") == std::string::npos) return found;
  const std::string cut = "." + found.authority[0].substr(0, found.authority[0].find(' '));
  for (const std::string& line : message.additional()) {
    const std::string lower = lowered(line);
    if (("." + lower.substr(0, lower.find(' '))).ends_with(cut)) found.glue.push_back(lower);
  }
  std::ranges::sort(found.glue);
  return found;
}

/// The names of a CNAME line: owner and target.
std::optional<std::pair<std::string, std::string>> cname_of(const std::string& line) {
  const auto at = line.find(" cname ");
  if (at == std::string::npos) return std::nullopt;
  return {{line.substr(0, line.find(' ')), line.substr(at + 7)}};
}

/// Nothing but CNAMEs, each of which leads to another of them: an error in the zone (RFC 1034
/// §3.6.2), of which every answer tells a beginning.
bool is_loop(const Lines& answer) {
  std::set<std::string> owners, targets;
  for (const std::string& line : answer) {
    const auto cname = cname_of(line);
    if (!cname) return false;
    owners.insert(cname->first);
    targets.insert(cname->second);
  }
  return !answer.empty() && std::ranges::includes(owners, targets);
}

bool has_dname(const Lines& answer) {
  return std::ranges::any_of(
      answer, [](const std::string& line) { return line.find(" dname ") != std::string::npos; });
}

/// A referral without the address of a server inside it. NSD leaves out what has no room, we say
/// that there is more (RFC 9471 §3.1).
bool lacks_glue(const Compared& found) {
  return std::ranges::any_of(found.authority, [&](const std::string& line) {
    const auto at = line.find(" ns ");
    if (at == std::string::npos) return false;
    const std::string server = line.substr(at + 4);
    const bool is_inside = server.ends_with("." + line.substr(0, line.find(' ')));
    return is_inside && std::ranges::none_of(found.glue, [&](const std::string& address) {
             return address.starts_with(server + " ");
           });
  });
}

/// DNAMEs that lead into each other make longer names each time: we leave the chain after eight
/// aliases, NSD goes on until a name is too long.
bool is_capped(const Compared& ours, const Compared& theirs) {
  constexpr unsigned yxdomain = 6;
  constexpr std::size_t aliases_max = 8;
  if (ours.rcode != 0 || theirs.tc != ours.tc) return false;
  if (ours.tc) return theirs.rcode == yxdomain;
  const auto aliases = std::ranges::count_if(
      ours.answer, [](const std::string& line) { return cname_of(line).has_value(); });
  return aliases == aliases_max && std::ranges::includes(theirs.answer, ours.answer);
}

/// NSD walks a loop through a wildcard until it meets the wildcard's own name, we until we meet its
/// record: it may tell one record more. And it writes names that a DNAME makes in full, where we
/// point to what is there: its answers are truncated earlier, or lose glue.
bool agree(const Compared& ours, const Compared& theirs) {
  if (ours == theirs) return true;
  if (theirs.tc && !ours.tc && has_dname(ours.answer)) return true;
  if (ours.tc && !theirs.tc && lacks_glue(theirs)) return true;
  if (is_capped(ours, theirs)) return true;
  Compared shortened = theirs;
  if (has_dname(ours.answer) && std::ranges::includes(ours.glue, theirs.glue)) {
    shortened.glue = ours.glue;
    if (shortened == ours) return true;
  }
  shortened.answer = ours.answer;
  return shortened == ours && !ours.answer.empty() && is_loop(theirs.answer) &&
         std::ranges::includes(theirs.answer, ours.answer);
}

TEST_CASE("differential: random zones are answered as NSD answers them",
          "[integration][differential]") {
  const std::string nsd = "/usr/sbin/nsd";
  if (!std::filesystem::exists(nsd)) {
    WARN("left out: NSD is not installed (apt-get install nsd)");
    return;
  }
  const std::uint64_t seed = number_from("DEMARC_DIFFERENTIAL_SEED", std::random_device{}());
  const std::size_t zone_count = number_from("DEMARC_DIFFERENTIAL_ZONES", 40);
  INFO("DEMARC_DIFFERENTIAL_SEED=" << seed);
  const TempFolder folder;
  const std::uint16_t nsd_port = free_port();
  std::string conf = fmt::format(
      "server:\n  ip-address: 127.0.0.1@{}\n  username: \"\"\n  chroot: \"\"\n  zonesdir: \"{}\"\n"
      "  database: \"\"\n  pidfile: \"{}/nsd.pid\"\n  xfrdfile: \"\"\n  zonelistfile: "
      "\"{}/z.list\"\n"
      "  minimal-responses: yes\n  rrl-ratelimit: 0\n  server-count: 1\n  hide-version: yes\n  "
      "logfile: "
      "\"{}/nsd.log\"\n"
      "remote-control:\n  control-enable: no\n",
      nsd_port, folder.path(), folder.path(), folder.path(), folder.path());
  std::vector<ZoneMaker> makers;
  Lines texts, apexes;
  // Every fourth one is a child of the one before, on the same servers.
  for (std::size_t i = 0; i < zone_count; ++i) {
    apexes.push_back(i % 4 == 3 ? fmt::format("a.z{}.test.", i - 1) : fmt::format("z{}.test.", i));
  }
  for (std::size_t i = 0; i < zone_count; ++i) {
    const std::string& apex = apexes[i];
    makers.emplace_back(seed + i, apex, i % 4 == 2 ? "a." + apex : std::string{}, apexes);
    const std::string text = makers.back().make();
    texts.push_back(text);
    folder.write(fmt::format("repository/zones/{}zone", apex), text);
    folder.write(
        fmt::format("repository/zones/{}yaml", apex),
        fmt::format("zone: {}\ninclude: [{}zone]\n", apex.substr(0, apex.size() - 1), apex));
    conf += fmt::format("zone:\n  name: \"{0}\"\n  zonefile: \"repository/zones/{0}zone\"\n", apex);
  }
  folder.write("nsd.conf", conf);
  folder.write("demarcd.yaml", "listen: \"127.0.0.1:0\"\nrepository: repository\nchaos: false\n");
  Process theirs({.argv = {nsd, "-d", "-c", folder.path() + "/nsd.conf"}});
  Process ours(
      {.argv = {DEMARC_BINARY_DIR "/tools/demarcd", "--config", folder.path() + "/demarcd.yaml"}});
  const auto ready = ours.wait_for_line("ready 127.0.0.1:");
  INFO(ours.errors());
  REQUIRE(ready);
  DnsClient us("127.0.0.1", static_cast<std::uint16_t>(std::stoi(ready->substr(16))));
  DnsClient them("127.0.0.1", nsd_port);
  REQUIRE(wait_for([&] {
    return them.ask({.name = "z0.test", .type = rr::SOA}, std::chrono::milliseconds(100))
        .has_value();
  }));

  std::vector<DnsQuestion> questions;
  for (ZoneMaker& maker : makers) {
    for (std::size_t i = 0; i < questions_per_zone; ++i) {
      questions.push_back({.name = maker.question(),
                           .type = maker.type(),
                           .subnet = {},
                           .edns = maker.pick(4) != 0});
    }
  }
  std::vector<Compared> found(questions.size()), expected(questions.size());
  const auto answered_by_us =
      us.ask_all(questions, [&](std::size_t i, const DnsReply& reply) { found[i] = read(reply); });
  const auto answered_by_them = them.ask_all(
      questions, [&](std::size_t i, const DnsReply& reply) { expected[i] = read(reply); });
  CHECK(answered_by_us.answered == questions.size());
  REQUIRE(answered_by_them.answered == questions.size());
  std::size_t differences = 0;
  std::set<unsigned> rcodes;
  std::set<std::string> shown;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    rcodes.insert(expected[i].rcode);
    if (agree(found[i], expected[i])) continue;
    if (++differences > 10) continue;
    for (const std::string& text : texts) {
      const std::string apex = text.substr(0, text.find(' '));
      if (lowered(questions[i].name).ends_with(apex) && shown.insert(apex).second) {
        UNSCOPED_INFO(text);
      }
    }
    UNSCOPED_INFO(questions[i].name << " type " << questions[i].type << " edns "
                                    << questions[i].edns << "\nours: " << found[i].text()
                                    << "NSD:  " << expected[i].text());
  }
  CHECK(differences == 0);
  CHECK(std::ranges::includes(rcodes, std::set<unsigned>{0, 3, 5}));
  WARN(questions.size() << " questions to " << zone_count << " zones, seed " << seed << ", "
                        << differences << " differences");
}

}  // namespace
}  // namespace demarc::testing
