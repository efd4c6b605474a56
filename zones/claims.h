// What a token of each type may, must and must not say: its payload read strictly, and written.
// zones/token.h checks what it says against the policy and the time.
#pragma once

#include <string>

#include "geo/base/result.h"
#include "zones/token.h"

namespace demarc::zones {

/// The claims of a payload by the table of its type. A claim that the type does not know is
/// refused: it could be one that narrows what was signed.
[[nodiscard]] Result<Claims, Refusal> read_claims(TokenType type, const std::string& payload);

/// The payload that read_claims() reads back as the same.
[[nodiscard]] std::string write_claims(const Claims& claims);

/// The type by the header's `typ` (RFC 7515 §4.1.9: compared without case, with or without
/// "application/" before it); an absent one is an approval. Nothing for a `typ` of another kind of
/// token.
[[nodiscard]] std::optional<TokenType> type_of_typ(const std::optional<std::string>& typ);
/// The `typ` that Demarc writes.
[[nodiscard]] std::string typ_of(TokenType type);

}  // namespace demarc::zones
