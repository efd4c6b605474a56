#include "tools/offline_steering.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "zones/repository.h"

namespace demarc::tools {

Result<std::unique_ptr<zones::Steering>, std::string> steer_offline(const std::string& folder) {
  Diagnostics diagnostics;
  auto repository = zones::load_repository(folder, diagnostics);
  if (!repository) {
    std::vector<std::string> lines;
    for (const Diagnostic& d : diagnostics.list()) lines.push_back(d.line());
    return std::unexpected(fmt::format("{}", fmt::join(lines, "\n")));
  }
  auto views = std::make_unique<zones::Views>(*repository);
  (void)views->classify(geo::Location{});
  auto steering = std::make_unique<zones::Steering>();
  (void)steering->step(
      {Moment{},
       zones::ConfigurationLoaded{std::make_shared<const zones::Configuration>(zones::Configuration{
                                      std::move(repository), std::move(views)}),
                                  "offline"}});
  return steering;
}

Result<nlohmann::json, std::string> explain_offline(const std::string& folder,
                                                    const std::vector<std::string>& geoip,
                                                    const ExplainRequest& request) {
  const auto steering = steer_offline(folder);
  if (!steering) return std::unexpected(steering.error());
  const auto databases = geo::Databases::open(geoip);
  if (!databases) return std::unexpected(databases.error().text());
  return explain(**steering, *databases, request);
}

}  // namespace demarc::tools
