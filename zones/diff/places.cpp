#include "zones/diff/places.h"

#include "zones/yaml/syntax.h"

namespace demarc::zones {
namespace {

std::string name_of(const yaml::Node& item, std::size_t number) {
  for (const std::string_view key : {"id", "name"}) {
    for (std::size_t i = 0; i < item.keys.size(); ++i) {
      if (item.keys[i].text == key && item.items[i].kind == yaml::NodeKind::scalar) {
        return item.items[i].text;
      }
    }
  }
  return std::to_string(number);
}

void add_below(const yaml::Node& node, const std::string& file, const std::string& path,
               std::map<std::string, Place>& places) {
  const auto at = [&](yaml::Position position) {
    return Place{file, position.line, position.column};
  };
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const yaml::Node& item = node.items[i];
    const bool is_key = node.kind == yaml::NodeKind::map;
    const std::string name = is_key ? node.keys[i].text : name_of(item, i);
    const std::string below = path.ends_with('#') ? path + name : path + "/" + name;
    places.try_emplace(below, at(is_key ? node.keys[i].at : item.at));
    add_below(item, file, below, places);
  }
}

}  // namespace

void PlaceIndex::add_file(const std::string& file, std::string_view text) {
  Diagnostics ignored;  // whoever loads the file reports them
  const auto root = yaml::parse_syntax(text, file, ignored);
  if (root) add_below(*root, file, file + "#", places_);
}

Place PlaceIndex::find(const std::string& file, std::string path) const {
  while (!path.empty()) {
    const auto found = places_.find(file + "#" + path);
    if (found != places_.end()) return found->second;
    const auto slash = path.rfind('/');
    path.resize(slash == std::string::npos ? 0 : slash);
  }
  return {file, 0, 0};
}

}  // namespace demarc::zones
