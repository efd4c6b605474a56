// Notes, vkeys and proofs from outside: whatever is accepted is written back the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "zones/audit/proof_file.h"
#include "zones/audit/trail.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace demarc::zones;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto checkpoint = parse_checkpoint(text)) {
    if (render_checkpoint(*checkpoint) != text) std::abort();
  }
  if (const auto bytes = decode_base64(text)) {
    if (base64(*bytes) != text) std::abort();
  }
  (void)read_verifiers(text);
  if (open_note(text, {})) std::abort();  // nobody is trusted, so nothing opens
  std::size_t whole = 0;
  for (const NoteText& note : split_notes(text)) whole += note.text.size();
  if (whole != size) std::abort();
  if (const auto proof = parse_proof(text)) {
    if (check_proof(*proof, {})) std::abort();
    const auto again = parse_proof(write_json(*proof));
    if (!again) std::abort();
  }
  return 0;
}
