// Which settings belong to which kind of probe: one that can never have a say is an error.
// zones/yaml/check_file.h reads the settings.
#pragma once

#include "zones/yaml/check_file.h"

namespace demarc::zones::yaml {

/// Adds an error at each key of `node` that the check's probe has no use for. Nothing if its
/// endpoint could not be read.
void check_fit(const Reading& reading, const Node& node, const CheckEntry& check);

}  // namespace demarc::zones::yaml
