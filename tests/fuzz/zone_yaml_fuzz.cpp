// Fuzzes zones/yaml/syntax.h and zones/yaml/zone_file.h. The law: text is read whole or refused
// with a finding, keys are unique, and every finding has a place inside the text.

#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>

#include "zones/yaml/syntax.h"
#include "zones/yaml/zone_file.h"

namespace {

using namespace demarc::zones::yaml;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_tree(const Node& node, std::size_t depth) {
  require(depth <= depth_max + 1);
  std::set<std::string> keys;
  for (const Key& key : node.keys) require(keys.insert(key.text).second);
  if (node.kind == NodeKind::map) require(node.keys.size() == node.items.size());
  for (const Node& item : node.items) check_tree(item, depth + 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  demarc::Diagnostics diagnostics;
  const auto tree = parse_syntax(text, "fuzz.yaml", diagnostics);
  require(tree.has_value() == !diagnostics.has_errors());
  if (!tree) return 0;
  check_tree(*tree, 1);

  const ZoneFile zone = read_zone_file(Reading{"fuzz.yaml", diagnostics}, *tree);
  require(diagnostics.has_errors() || !zone.zone.value.empty());
  for (const ServiceEntry& service : zone.services) {
    require(diagnostics.has_errors() || !service.records.empty());
  }
  for (const demarc::Diagnostic& finding : diagnostics.list()) {
    require(finding.place.line <= size + 1 && !finding.text.empty());
  }
  return 0;
}
