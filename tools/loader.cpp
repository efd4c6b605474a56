#include "tools/loader.h"

#include <malloc.h>

#include <algorithm>
#include <filesystem>
#include <future>
#include <thread>

#include <fmt/format.h>

#include "geo/location_table.h"

namespace demarc::tools {
namespace {

namespace fs = std::filesystem;

std::unexpected<LoadErrors> one_error(std::string text) {
  return std::unexpected(LoadErrors{std::move(text)});
}

/// A link that stays inside the repository becomes what it points at; any other stays a link, and
/// the reader refuses it.
void copy_link(const fs::path& link, const fs::path& to, const fs::path& repository,
               std::error_code& error) {
  const fs::path root = fs::canonical(repository, error);
  const fs::path target = fs::canonical(link, error);
  const auto [end, unused] = std::ranges::mismatch(root, target);
  if (error || end != root.end()) {
    error.clear();
    fs::copy_symlink(link, to, error);
    return;
  }
  fs::copy(target, to, fs::copy_options::recursive, error);
}

/// The records of zones that the rendered tables alone answer for: no service looks at them, and no
/// secondary is given them. A million names take some 30 MB here, and 80 MB in the tables.
void drop_rendered_records(zones::Repository& repository) {
  for (zones::Zone& zone : repository.zones) {
    if (zone.services.empty() && !zone.transfer) zone.rrsets = zones::RRsets(zone.apex);
  }
}

/// The first time on all cores; later the other cores answer queries.
Result<dns::ZoneTable, SystemError> build_zones(const zones::Repository& repository,
                                                const dns::ZoneTable* served) {
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  return dns::ZoneTable::build(repository,
                               {.last = served, .threads = served != nullptr ? 1 : cores});
}

Result<geo::LocationTable, SystemError> build_locations(const geo::Databases& databases,
                                                        const zones::Repository& repository,
                                                        zones::Views& views) {
  return geo::LocationTable::build(
      databases, repository.overrides, {views.marks().begin(), views.marks().end()},
      [&](const geo::Location& location) { return views.classify(location); });
}

bool is_hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

}  // namespace

Result<Loaded, LoadErrors> load(const LoadRequest& request) {
  Loaded loaded;
  // Databases and zones know nothing of each other, so they are read side by side.
  auto opening = std::async([&] { return geo::Databases::open(request.geoip); });
  Diagnostics diagnostics;
  auto repository = zones::load_repository(request.repository, diagnostics, request.parsed);
  LoadErrors errors;
  for (const Diagnostic& d : diagnostics.list()) {
    (d.severity == Severity::error ? errors : loaded.warnings).push_back(d.line());
  }
  if (!repository) return std::unexpected(std::move(errors));
  if (request.parsed != nullptr) {
    loaded.zone_files_parsed = request.parsed->parsed;
    loaded.zone_files_unchanged = request.parsed->unchanged;
  }
  if (request.keys) {
    // Before anything is made of it: an untrusted list must not even become the last good copy.
    const auto trust = zones::judge_key_list(repository->policy, *request.keys);
    if (!trust) return one_error("policy.yaml:0:0: " + trust.error());
  }

  auto databases = opening.get();
  if (!databases) return one_error(databases.error().text());
  auto views = std::make_unique<zones::Views>(*repository);
  if (views->needs_geo() && databases->empty()) {
    return one_error(
        "a route needs to know where clients are: expected `geoip:` in demarcd.yaml "
        "to name a database (`demarc geo build` makes one)");
  }
  if (!databases->empty()) {
    loaded.ground = zones::compare_with_ground(*repository, [&](const geo::Address& address) {
      return databases->find(address, repository->overrides);
    });
  }

  loaded.serials = request.serials;
  zones::assign_serials(*repository, loaded.serials, request.now);
  auto locating = std::async([&] { return build_locations(*databases, *repository, *views); });
  auto zone_table = build_zones(*repository, request.served.get());
  auto locations = locating.get();
  if (!locations) return one_error(locations.error().text());
  if (!zone_table) return one_error(zone_table.error().text());
  drop_rendered_records(*repository);

  loaded.parts.zones = std::make_shared<const dns::ZoneTable>(std::move(*zone_table));
  loaded.parts.locations = std::make_shared<const geo::LocationTable>(std::move(*locations));
  loaded.parts.views = dns::compile_views(*views, *loaded.parts.locations);
  loaded.databases = std::make_shared<const geo::Databases>(std::move(*databases));
  loaded.configuration = std::make_shared<const zones::Configuration>(
      zones::Configuration{std::move(repository), std::move(views)});
  if (request.tsig_keys) {
    const std::shared_ptr<const zones::Repository> shared(loaded.configuration,
                                                          loaded.configuration->repository.get());
    auto transfers = dns::TransferTable::build(shared, *request.tsig_keys);
    if (!transfers) return std::unexpected(std::move(transfers.error()));
    if (transfers->is_needed()) {
      loaded.parts.transfers = std::make_shared<const dns::TransferTable>(std::move(*transfers));
    }
  }
  malloc_trim(0);  // loading took several times what is kept
  return loaded;
}

Result<void, SystemError> copy_repository(const std::string& repository,
                                          const std::string& target) {
  std::error_code error;
  fs::remove_all(target, error);
  fs::create_directories(target, error);
  if (error) return failure("create " + target + ": " + error.message());
  auto item = fs::recursive_directory_iterator(repository, error);
  for (; !error && item != fs::recursive_directory_iterator(); item.increment(error)) {
    if (is_hidden(item->path())) {
      item.disable_recursion_pending();
      continue;
    }
    const fs::path to = fs::path(target) / fs::relative(item->path(), repository, error);
    if (error) break;
    if (item->is_symlink(error)) {
      copy_link(item->path(), to, repository, error);
    } else if (item->is_directory(error)) {
      fs::create_directories(to, error);
    } else {
      fs::copy(item->path(), to, fs::copy_options::copy_symlinks, error);
    }
    if (error) break;
  }
  if (error) return failure("copy " + repository + ": " + error.message());
  return {};
}

}  // namespace demarc::tools
