// "did you mean": the known word nearest to one that is not known.
// zones/yaml/fields.h says it of keys and choices, the model steps of regions and jurisdictions.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace demarc::zones::yaml {

/// Letters to insert, remove, replace or swap with a neighbour to make `a` of `b`.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// The end of a finding about a word that is not in `known`: "did you mean `x`?" if one is within
/// a third of the word's letters, else "expected one of x, y", of many words only the first.
[[nodiscard]] std::string suggest(std::string_view word, std::span<const std::string> known);

}  // namespace demarc::zones::yaml
