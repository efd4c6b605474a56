#include "zones/audit/proof.h"

#include <functional>
#include <string>

#include <catch2/catch.hpp>

#include "zones/audit/note.h"

using namespace demarc::zones;

namespace {

std::vector<Sha256> leaves_of(std::size_t count) {
  std::vector<Sha256> leaves;
  for (std::size_t i = 0; i < count; ++i) leaves.push_back(leaf_hash("entry " + std::to_string(i)));
  return leaves;
}

using Leaves = std::span<const Sha256>;

/// RFC 9162 as it is written: MTH, PATH and SUBPROOF, by recursion alone.
std::size_t split(std::size_t n) {
  std::size_t k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}
Sha256 mth(Leaves d) {
  if (d.size() == 1) return d[0];
  const auto k = split(d.size());
  return node_hash(mth(d.first(k)), mth(d.subspan(k)));
}
std::vector<Sha256> path(std::size_t m, Leaves d) {
  if (d.size() == 1) return {};
  const auto k = split(d.size());
  auto proof = m < k ? path(m, d.first(k)) : path(m - k, d.subspan(k));
  proof.push_back(m < k ? mth(d.subspan(k)) : mth(d.first(k)));
  return proof;
}
std::vector<Sha256> subproof(std::size_t m, Leaves d, bool b) {
  if (m == d.size()) return b ? std::vector<Sha256>{} : std::vector<Sha256>{mth(d)};
  const auto k = split(d.size());
  auto proof = m <= k ? subproof(m, d.first(k), b) : subproof(m - k, d.subspan(k), false);
  proof.push_back(m <= k ? mth(d.subspan(k)) : mth(d.first(k)));
  return proof;
}

}  // namespace

TEST_CASE("proof: all sizes up to 70 are as RFC 9162 defines them, and hold for nothing else",
          "[zones][audit][proof]") {
  const auto all = leaves_of(70);
  for (std::size_t n = 1; n <= all.size(); ++n) {
    const Leaves tree = Leaves(all).first(n);
    const Sha256 root = root_of(tree);
    REQUIRE(root == mth(tree));
    for (std::size_t i = 0; i < n; ++i) {
      const auto proof = prove_inclusion(tree, i);
      REQUIRE(proof == path(i, tree));
      REQUIRE(is_included(tree[i], i, n, proof, root));
      REQUIRE_FALSE(is_included(leaf_hash("other"), i, n, proof, root));
      if (n > 1) REQUIRE_FALSE(is_included(tree[i], (i + 1) % n, n, proof, root));
      auto longer = proof;
      longer.push_back(root);
      REQUIRE_FALSE(is_included(tree[i], i, n, longer, root));
      if (!proof.empty()) {
        REQUIRE_FALSE(is_included(tree[i], i, n, std::span(proof).first(proof.size() - 1), root));
      }
    }
    for (std::size_t m = 1; m <= n; ++m) {
      const Sha256 first = root_of(tree.first(m));
      const auto proof = prove_consistency(tree, m);
      REQUIRE(proof == subproof(m, tree, true));
      REQUIRE(is_consistent(m, first, n, root, proof));
      REQUIRE_FALSE(is_consistent(m, leaf_hash("other"), n, root, proof));
      REQUIRE_FALSE(is_consistent(m, first, n, leaf_hash("other"), proof));
      auto longer = proof;
      longer.push_back(root);
      REQUIRE_FALSE(is_consistent(m, first, n, root, longer));
      for (std::size_t i = 0; i < proof.size(); ++i) {
        auto bad = proof;
        bad[i][31] ^= 1;
        REQUIRE_FALSE(is_consistent(m, first, n, root, bad));
      }
    }
  }
}

TEST_CASE("proof: the seven leaves of RFC 9162 section 2.1.5", "[zones][audit][proof]") {
  const auto d = leaves_of(7);
  const Sha256 a = d[0], b = d[1], c = d[2], d3 = d[3], e = d[4], f = d[5], j = d[6];
  const Sha256 g = node_hash(a, b), h = node_hash(c, d3), i = node_hash(e, f);
  const Sha256 k = node_hash(g, h), l = node_hash(i, j);
  using Proof = std::vector<Sha256>;
  CHECK(prove_inclusion(d, 0) == Proof{b, h, l});
  CHECK(prove_inclusion(d, 3) == Proof{c, g, l});
  CHECK(prove_inclusion(d, 4) == Proof{f, j, k});
  CHECK(prove_inclusion(d, 6) == Proof{i, k});
  CHECK(prove_consistency(d, 3) == Proof{c, d3, g, l});
  CHECK(prove_consistency(d, 4) == Proof{l});
  CHECK(prove_consistency(d, 6) == Proof{i, j, k});
}

TEST_CASE("proof: roots of the leaves that certificate transparency publishes as test vectors",
          "[zones][audit][proof]") {
  const std::vector<std::string> entries = {
      "",
      std::string(1, '\0'),
      "\x10",
      "\x20\x21",
      "\x30\x31",
      "\x40\x41\x42\x43",
      "\x50\x51\x52\x53\x54\x55\x56\x57",
      "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"};
  std::vector<Sha256> leaves;
  for (const auto& entry : entries) leaves.push_back(leaf_hash(entry));
  CHECK(to_hex(root_of(Leaves(leaves).first(1))) ==
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  CHECK(to_hex(root_of(Leaves(leaves).first(2))) ==
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
  CHECK(to_hex(root_of(leaves)) ==
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
  const auto proof = prove_consistency(leaves, 6);
  REQUIRE(proof.size() == 3);
  CHECK(to_hex(proof[0]) == "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a");
  CHECK(to_hex(proof[2]) == "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7");
}

TEST_CASE("note: the published note of Go's sumdb verifies, and no change of it does",
          "[zones][audit][note]") {
  const std::string vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
  const std::string text =
      "If you think cryptography is the answer to your problem,\n"
      "then you don't know what your problem is.\n";
  const std::string note =
      text + "\n\xe2\x80\x94 PeterNeumann " +
      "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJ"
      "nAM=\n";
  const auto verifier = parse_verifier(vkey);
  REQUIRE(verifier);
  CHECK(verifier->text() == vkey);
  CHECK(open_note(note, std::span(&*verifier, 1)) == text);
  CHECK_FALSE(open_note(note, {}));
  for (std::size_t i = 0; i < note.size(); ++i) {
    std::string bad = note;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    if (open_note(bad, std::span(&*verifier, 1))) FAIL("byte " << i << " was not found");
  }
  for (std::size_t i = 0; i < vkey.size(); ++i) {
    std::string bad = vkey;
    bad[i] = static_cast<char>(bad[i] + 1);
    if (parse_verifier(bad)) FAIL("byte " << i << " of the vkey was not found");
  }
}

TEST_CASE("note: base64 has one text for each value", "[zones][audit][note]") {
  for (const std::string bytes : {"", "f", "fo", "foo", "foob", "\xff\xfe"}) {
    CHECK(decode_base64(base64(bytes)) == bytes);
  }
  CHECK(base64("foob") == "Zm9vYg==");
  for (const char* bad : {"Zm9vYh==", "Zm9vYg=", "Zm9vYg", "Zm9vYg===", "Zm9v\n", "=", "===="}) {
    CAPTURE(bad);
    CHECK_FALSE(decode_base64(bad));
  }
}
