#include "zones/yaml/operator_names_file.h"

namespace demarc::zones::yaml {

OperatorNames read_operator_names(const Reading& reading, const Node& node) {
  OperatorNames names;
  const auto add_network = [&](const Node& item) {
    if (const auto prefix = read_network(reading, item)) names.allow.push_back(*prefix);
  };
  const auto truth = [&reading](bool& target, std::string_view what) {
    return [&reading, &target, what](const Node& value) {
      assign(target, read_choice<bool>(reading, value, what, {{"true", true}, {"false", false}}));
    };
  };
  const std::size_t errors_before = reading.diagnostics.list().size();
  read_map(reading, node, "operator-names",
           {{"allow", Presence::required,
             [&](const Node& value) {
               read_one_or_list(reading, value, "allow", operator_networks_max, add_network);
             }},
            {"geo", Presence::optional, truth(names.geo, "geo")},
            {"health", Presence::optional, truth(names.health, "health")},
            {"gate", Presence::optional, truth(names.gate, "gate")}});
  const bool is_sound = reading.diagnostics.list().size() == errors_before;
  if (is_sound && !names.geo && !names.health && !names.gate) {
    reading.error(node.at, "operator-names-nothing",
                  "operator-names without a name that is switched on; expected `true` for geo, "
                  "health or gate");
  }
  return names;
}

}  // namespace demarc::zones::yaml
