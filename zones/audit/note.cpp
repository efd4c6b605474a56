#include "zones/audit/note.h"

#include <algorithm>
#include <charconv>
#include <memory>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

namespace demarc::zones {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view signature_start = "\xe2\x80\x94 ";  // an em dash and a space
constexpr char ed25519 = 1;                                    // the signature type's byte
constexpr std::size_t signature_bytes = 64;
constexpr std::size_t signatures_max = 16;

template <auto function>
struct Free {
  template <typename T>
  void operator()(T* value) const {
    function(value);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
struct FreeBio {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};

std::unexpected<std::string> wrong(std::string text) { return std::unexpected(std::move(text)); }

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

template <std::size_t n>
std::string_view view_of(const std::array<std::uint8_t, n>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), n};
}

Key private_key(const std::string& pem) {
  const std::unique_ptr<BIO, FreeBio> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (key && EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_ED25519) key.reset();
  return key;
}

std::array<std::uint8_t, 4> key_id_of(std::string_view name, const NoteVerifier& verifier) {
  const Sha256 digest =
      sha256(std::string(name) + '\n' + ed25519 + std::string(view_of(verifier.key)));
  std::array<std::uint8_t, 4> id{};
  std::copy_n(digest.begin(), id.size(), id.begin());
  return id;
}

bool is_signed(const NoteVerifier& verifier, std::string_view text, std::string_view signature) {
  const Key key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, verifier.key.data(),
                                            verifier.key.size()));
  const DigestContext context(EVP_MD_CTX_new());
  const bool valid =
      key && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
      EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(text),
                       text.size()) == 1;
  ERR_clear_error();
  return valid;
}

std::optional<std::string_view> take_line(std::string_view& text) {
  const auto end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

}  // namespace

std::string base64(std::string_view bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t window = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      window = window << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text += k <= count ? alphabet[(window >> (18 - 6 * k)) & 63] : '=';
    }
  }
  return text;
}

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string bytes;
  std::uint32_t window = 0;
  unsigned bits = 0;
  std::string_view digits = text;
  while (digits.ends_with('=') && text.size() - digits.size() < 2) digits.remove_suffix(1);
  for (const char c : digits) {
    const auto value = alphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    window = window << 6 | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(window >> bits & 0xff);
  }
  // Padding that is missing or too much, or bits that no byte uses: a second spelling.
  return base64(bytes) == text ? std::optional(std::move(bytes)) : std::nullopt;
}

bool is_note_name(std::string_view name) noexcept {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return static_cast<unsigned char>(c) > ' ' && static_cast<unsigned char>(c) < 0x7f && c != '+';
  });
}

std::string NoteVerifier::text() const {
  return fmt::format("{}+{}+{}", name, to_hex(key_id),
                     base64(std::string(1, ed25519) + std::string(view_of(key))));
}

Result<NoteVerifier, std::string> parse_verifier(std::string_view vkey) {
  while (vkey.ends_with('\n')) vkey.remove_suffix(1);
  const auto first = vkey.find('+');
  const auto second = first == std::string_view::npos ? first : vkey.find('+', first + 1);
  if (second == std::string_view::npos) return wrong("it is no vkey; expected NAME+HASH+KEY");
  NoteVerifier verifier{.name = std::string(vkey.substr(0, first))};
  const auto key = decode_base64(vkey.substr(second + 1));
  if (!is_note_name(verifier.name)) return wrong("the vkey's name is not one");
  if (!key || key->size() != 1 + verifier.key.size() || key->front() != ed25519) {
    return wrong("the vkey's key is no Ed25519 key");
  }
  std::ranges::copy(std::string_view(*key).substr(1), verifier.key.begin());
  verifier.key_id = key_id_of(verifier.name, verifier);
  if (verifier.text() != vkey) return wrong("the vkey's hash is not that of its key");
  return verifier;
}

Result<NoteSigner, std::string> NoteSigner::make(std::string name, std::string pem) {
  if (!is_note_name(name)) return wrong("`" + name + "` is no name for a log key");
  const Key key = private_key(pem);
  if (!key) return wrong("expected a PEM private key of type Ed25519");
  NoteSigner signer;
  std::size_t size = signer.verifier_.key.size();
  if (EVP_PKEY_get_raw_public_key(key.get(), signer.verifier_.key.data(), &size) != 1) {
    return wrong("the key has no public part");
  }
  signer.verifier_.name = std::move(name);
  signer.verifier_.key_id = key_id_of(signer.verifier_.name, signer.verifier_);
  signer.pem_ = std::move(pem);
  return signer;
}

Result<std::string, std::string> NoteSigner::sign(std::string_view text) const {
  const Key key = private_key(pem_);
  const DigestContext context(EVP_MD_CTX_new());
  std::string signature(signature_bytes, '\0');
  std::size_t size = signature.size();
  if (!key || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     bytes_of(text), text.size()) != 1) {
    ERR_clear_error();
    return wrong("the log key could not sign");
  }
  return fmt::format("{}\n{}{} {}\n", text, signature_start, verifier_.name,
                     base64(std::string(view_of(verifier_.key_id)) + signature));
}

Result<std::string, std::string> open_note(std::string_view note,
                                           std::span<const NoteVerifier> verifiers) {
  if (note.size() > note_bytes_max) return wrong("the note is too long");
  const auto blank = note.rfind("\n\n");
  if (blank == std::string_view::npos) return wrong("it is no signed note: no empty line");
  if (std::ranges::any_of(
          note, [](char c) { return static_cast<unsigned char>(c) < ' ' && c != '\n'; })) {
    return wrong("the note has a control character");
  }
  const std::string_view text = note.substr(0, blank + 1);
  std::string_view rest = note.substr(blank + 2);
  if (rest.empty()) return wrong("the note has no signature");
  bool is_known = false;
  for (std::size_t count = 0; !rest.empty(); ++count) {
    const auto line = take_line(rest);
    if (!line || !line->starts_with(signature_start) || count == signatures_max) {
      return wrong("its signature line is not written as one");
    }
    const std::string_view signed_by = line->substr(signature_start.size());
    const auto space = signed_by.find(' ');
    const auto bytes =
        space == std::string_view::npos ? std::nullopt : decode_base64(signed_by.substr(space + 1));
    if (!bytes || bytes->size() < 5 || !is_note_name(signed_by.substr(0, space))) {
      return wrong("its signature line is not written as one");
    }
    const auto known = std::ranges::find_if(verifiers, [&](const NoteVerifier& v) {
      return v.name == signed_by.substr(0, space) && bytes->starts_with(view_of(v.key_id));
    });
    if (known == verifiers.end()) continue;
    if (!is_signed(*known, text, std::string_view(*bytes).substr(4))) {
      return wrong("the signature of " + known->name + " does not hold");
    }
    is_known = true;
  }
  if (!is_known) return wrong("no known key signed it");
  return std::string(text);
}

std::string render_checkpoint(const Checkpoint& checkpoint) {
  return fmt::format("{}\n{}\n{}\n", checkpoint.origin, checkpoint.size,
                     base64(view_of(checkpoint.root)));
}

Result<Checkpoint, std::string> parse_checkpoint(std::string_view text) {
  std::string_view rest = text;
  const auto origin = take_line(rest), size = take_line(rest), root = take_line(rest);
  if (!origin || !size || !root || !rest.empty()) {
    return wrong("it is no checkpoint: expected origin, size and root, one a line");
  }
  Checkpoint checkpoint{.origin = std::string(*origin)};
  const auto [end, error] =
      std::from_chars(size->data(), size->data() + size->size(), checkpoint.size);
  const auto hash = decode_base64(*root);
  if (error != std::errc{} || end != size->data() + size->size() || !hash ||
      hash->size() != checkpoint.root.size()) {
    return wrong("its size or its root is not one");
  }
  std::ranges::copy(*hash, checkpoint.root.begin());
  if (origin->empty() || render_checkpoint(checkpoint) != text) {
    return wrong("it is not written as checkpoints are");
  }
  return checkpoint;
}

Result<Checkpoint, std::string> open_checkpoint(std::string_view note,
                                                std::span<const NoteVerifier> verifiers) {
  const auto text = open_note(note, verifiers);
  if (!text) return std::unexpected(text.error());
  auto checkpoint = parse_checkpoint(*text);
  if (checkpoint && std::ranges::none_of(verifiers, [&](const NoteVerifier& v) {
        return v.name == checkpoint->origin;
      })) {
    return wrong("its origin `" + checkpoint->origin + "` is not the key's name");
  }
  return checkpoint;
}

std::optional<Checkpoint> peek_checkpoint(std::string_view note) {
  const auto blank = note.rfind("\n\n");
  if (blank == std::string_view::npos) return std::nullopt;
  auto checkpoint = parse_checkpoint(note.substr(0, blank + 1));
  return checkpoint ? std::optional(std::move(*checkpoint)) : std::nullopt;
}

std::vector<NoteText> split_notes(std::string_view file) {
  std::vector<NoteText> notes;
  for (std::size_t line = 1; !file.empty(); line += checkpoint_lines) {
    std::size_t end = 0;
    for (std::size_t i = 0; i < checkpoint_lines && end < file.size(); ++i) {
      const auto found = file.find('\n', end);
      end = found == std::string_view::npos ? file.size() : found + 1;
    }
    notes.push_back({std::string(file.substr(0, end)), line});
    file.remove_prefix(end);
  }
  return notes;
}

}  // namespace demarc::zones
