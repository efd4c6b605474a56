// Tokens of other tools hold here, and Demarc's hold there: Node's jose, Python's jwcrypto and
// PyJWT, and openssl alone. One byte changed, and nobody takes any of them.
#include <chrono>
#include <cstdlib>
#include <iostream>

#include <catch2/catch.hpp>

#include "tests/integration/server.h"

namespace demarc::testing {
namespace {

const std::string scripts = DEMARC_SOURCE_DIR "/tests/integration/interop/";

/// Another maker of tokens: a program that knows `sign` and `verify`.
struct Maker {
  std::string name;
  std::vector<std::string> command;
  std::string missing;  // why it cannot be used here
};

Maker python(const std::string& module, const std::string& package) {
  Maker maker{module, {"/usr/bin/python3", scripts + "python_" + module + ".py"}, {}};
  // The interpreter's own packages: Debian's, not those of another Python in PATH.
  if (run({"/usr/bin/python3", "-c", "import " + module}).exit != 0) {
    maker.missing = package + " is not installed";
  }
  return maker;
}

Maker node_jose(const TempFolder& folder) {
  Maker maker{"jose", {"node", folder.path() + "/node_jose.mjs"}, {}};
  folder.write("node_jose.mjs", read_file(scripts + "node_jose.mjs"));
  if (run({"npm", "--version"}).exit != 0) {
    maker.missing = "npm is not installed";
  } else if (run({"npm", "install", "--prefix", folder.path(), "--no-audit", "--no-fund",
                  "--ignore-scripts", "jose@6"},
                 std::chrono::seconds(60))
                 .exit != 0) {
    maker.missing = "the npm registry cannot be reached";
  }
  // Who asks for it wants no silence.
  if (!maker.missing.empty() && std::getenv("DEMARC_NPM_TESTS") != nullptr) FAIL(maker.missing);
  return maker;
}

struct Kind {
  std::string algorithm, kid, secret, open;
};

class Workshop {
 public:
  Workshop() {
    std::filesystem::copy(DEMARC_SOURCE_DIR "/zones/example", repository(),
                          std::filesystem::copy_options::recursive);
    kinds_ = {
        make_keys("EdDSA", "ed-1", {"-algorithm", "ED25519"}),
        make_keys("ES256", "p256-1", {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"})};
    edit(repository() + "/policy.yaml", "  rules:\n",
         "    - { id: ed-1, person: e, role: legal, alg: EdDSA, public-key: keys/ed-1.pem }\n"
         "    - { id: p256-1, person: p, role: legal, alg: ES256, public-key: keys/p256-1.pem }\n"
         "  rules:\n");
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
    claims_ = folder_.write("claims.json", nlohmann::json{{"iss", "another tool"},
                                                          {"aud", "demarc-example"},
                                                          {"jti", "interop-1"},
                                                          {"iat", now},
                                                          {"nbf", now},
                                                          {"exp", now + 600},
                                                          {"zone", "example.com"},
                                                          {"service", "api"},
                                                          {"from", "eu"},
                                                          {"to", {"global-failover"}},
                                                          {"mode", "full-write"},
                                                          {"max-share", 25},
                                                          {"reason", "eu is lost"},
                                                          {"case", "TEST-1"}}
                                               .dump());
  }

  [[nodiscard]] const std::vector<Kind>& kinds() const { return kinds_; }
  [[nodiscard]] const std::string& claims() const { return claims_; }
  [[nodiscard]] const TempFolder& folder() const { return folder_; }
  [[nodiscard]] std::string write(const std::string& token) const {
    return folder_.write("token", token);
  }
  [[nodiscard]] bool demarc_takes(const std::string& token) const {
    const Finished verified =
        run_demarc({"--json", "token", "verify", write(token), "--repository", repository()});
    const auto report = nlohmann::json::parse(verified.out);
    CHECK((verified.exit == 0) == report["tokens"][0]["valid"].get<bool>());
    if (verified.exit == 0) CHECK(report["results"][0]["enough"] == true);
    return verified.exit == 0;
  }
  [[nodiscard]] std::string issue(const Kind& kind) const {
    const Finished issued = run_demarc(
        {"token",     "issue",        "--key",        kind.secret,  "--kid",  kind.kid,
         "--alg",     kind.algorithm, "--repository", repository(), "--zone", "example.com",
         "--service", "api",          "--from",       "eu",         "--to",   "global-failover",
         "--for",     "10m",          "--reason",     "eu is lost", "--case", "TEST-1"});
    INFO(issued.err);
    REQUIRE(issued.exit == 0);
    return issued.out.substr(0, issued.out.find('\n'));
  }

 private:
  [[nodiscard]] std::string repository() const { return folder_.path() + "/repository"; }

  Kind make_keys(const std::string& algorithm, const std::string& kid,
                 const std::vector<std::string>& options) {
    Kind kind{algorithm, kid, folder_.path() + "/" + kid + ".key",
              repository() + "/keys/" + kid + ".pem"};
    std::vector<std::string> make = {"openssl", "genpkey", "-out", kind.secret};
    make.insert(make.end(), options.begin(), options.end());
    REQUIRE(run(make).exit == 0);
    REQUIRE(run({"openssl", "pkey", "-in", kind.secret, "-pubout", "-out", kind.open}).exit == 0);
    std::filesystem::permissions(kind.secret, std::filesystem::perms::owner_read);
    return kind;
  }

  TempFolder folder_;
  std::vector<Kind> kinds_;
  std::string claims_;
};

/// The token with one byte changed in the middle of its header, payload or signature.
std::string changed(std::string token, int part) {
  std::size_t begin = 0;
  for (int i = 0; i < part; ++i) begin = token.find('.', begin) + 1;
  const std::size_t end = std::min(token.find('.', begin), token.size());
  char& byte = token[(begin + end) / 2];
  byte = byte == 'A' ? 'B' : 'A';
  return token;
}

Finished use(const Maker& maker, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), maker.command.begin(), maker.command.end());
  return run(std::move(arguments));
}

void check_both_ways(const Workshop& shop, const Maker& maker) {
  for (const Kind& kind : shop.kinds()) {
    CAPTURE(maker.name, kind.algorithm);
    const Finished made =
        use(maker, {"sign", kind.algorithm, kind.secret, kind.kid, shop.claims()});
    INFO(made.err);
    REQUIRE(made.exit == 0);
    const std::string theirs = made.out.substr(0, made.out.find('\n'));
    CHECK(shop.demarc_takes(theirs));

    const std::string ours = shop.issue(kind);
    const auto taken = [&](const std::string& token) {
      return use(maker, {"verify", kind.algorithm, kind.open, shop.write(token)}).exit == 0;
    };
    CHECK(taken(ours));
    CHECK(taken(theirs));
    for (const int part : {0, 1, 2}) {
      CAPTURE(part);
      CHECK_FALSE(shop.demarc_takes(changed(theirs, part)));
      CHECK_FALSE(shop.demarc_takes(changed(ours, part)));
      CHECK_FALSE(taken(changed(ours, part)));
    }
  }
}

}  // namespace

TEST_CASE("interop: tokens of other tools hold here, and ours there", "[integration][interop]") {
  const Workshop shop;
  const std::vector<Maker> makers = {{"openssl", {scripts + "openssl.sh"}, {}},
                                     python("jwcrypto", "python3-jwcrypto"),
                                     python("jwt", "python3-jwt"),
                                     node_jose(shop.folder())};
  int used = 0;
  for (const Maker& maker : makers) {
    if (!maker.missing.empty()) {
      std::cout << "skipped: tokens by " << maker.name << ": " << maker.missing << "\n";
      continue;
    }
    ++used;
    check_both_ways(shop, maker);
  }
  CHECK(used > 0);
}

}  // namespace demarc::testing
