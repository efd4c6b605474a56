// Signed notes and the checkpoints in them (c2sp.org/signed-note, c2sp.org/tlog-checkpoint): text,
// an empty line, and one line with an Ed25519 signature. zones/audit/log.h appends one after each
// decision about a border; zones/audit/verify.h and zones/audit/proof_file.h read them back.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "geo/base/result.h"
#include "zones/digest.h"

namespace demarc::zones {

/// Base64 with padding (RFC 4648 §4). Decoding takes exactly one text for each value.
[[nodiscard]] std::string base64(std::string_view bytes);
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);

/// Who may have signed: a name and a public key. Its text form is `NAME+HASH+BASE64`, a vkey.
struct NoteVerifier {
  std::string name;
  std::array<std::uint8_t, 4> key_id{};
  std::array<std::uint8_t, 32> key{};

  [[nodiscard]] std::string text() const;
  auto operator<=>(const NoteVerifier&) const = default;
};
[[nodiscard]] Result<NoteVerifier, std::string> parse_verifier(std::string_view vkey);

/// A name that a signature line and a vkey can carry: not empty, no space, no plus, no controls.
[[nodiscard]] bool is_note_name(std::string_view name) noexcept;

class NoteSigner {
 public:
  /// `pem` is a private key of type Ed25519; the error says what is wrong with either.
  [[nodiscard]] static Result<NoteSigner, std::string> make(std::string name, std::string pem);
  /// `text` ends in a line end; the whole note comes back.
  [[nodiscard]] Result<std::string, std::string> sign(std::string_view text) const;
  [[nodiscard]] const NoteVerifier& verifier() const noexcept { return verifier_; }

 private:
  NoteVerifier verifier_;
  std::string pem_;
};

/// A longer note is refused unread.
inline constexpr std::size_t note_bytes_max = 65'536;

/// The text of a note that one of `verifiers` signed, its last line end included. Signatures of
/// unknown keys are ignored, a bad one of a known key spoils the note.
[[nodiscard]] Result<std::string, std::string> open_note(std::string_view note,
                                                         std::span<const NoteVerifier> verifiers);

struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  Sha256 root{};
  auto operator<=>(const Checkpoint&) const = default;
};
/// The text to sign: origin, size, root, one a line.
[[nodiscard]] std::string render_checkpoint(const Checkpoint& checkpoint);
/// Reads what render_checkpoint writes; further lines, which the format allows, are not ours.
[[nodiscard]] Result<Checkpoint, std::string> parse_checkpoint(std::string_view text);
/// A note, opened, whose signer has the origin's name.
[[nodiscard]] Result<Checkpoint, std::string> open_checkpoint(
    std::string_view note, std::span<const NoteVerifier> verifiers);
/// What the note says, whoever signed it: to find one, never to believe it.
[[nodiscard]] std::optional<Checkpoint> peek_checkpoint(std::string_view note);

/// The file of checkpoints is one note after the other, each of checkpoint_lines lines.
inline constexpr std::size_t checkpoint_lines = 5;
struct NoteText {
  std::string text;
  std::size_t line = 0;  // of its first line, from 1
};
/// The last one may be shorter: torn, or not ours.
[[nodiscard]] std::vector<NoteText> split_notes(std::string_view file);

}  // namespace demarc::zones
