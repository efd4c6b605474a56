// The rules over crossings, resolved: names of jurisdictions and regions become ids.
// zones/yaml/rules_file.h reads them; zones/residency_rules.h and zones/assertions.h obey them.
#pragma once

#include "zones/model.h"
#include "zones/yaml/rules_file.h"

namespace demarc::zones::yaml {

/// Adds rules, templates, assertions and advisor. Precondition: jurisdictions and regions are in.
void add_rules(const RulesEntry& entry, const Reading& reading, Policy& policy);

}  // namespace demarc::zones::yaml
