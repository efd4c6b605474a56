// `demarc tenant`: one tenant, lists of them, the map for applications, and where hashing places
// whom. tools/tenant_report.h knows one, zones/tenant_export.h writes all of them.
#include <algorithm>
#include <cstdio>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "tools/cli.h"
#include "tools/daemon_config.h"
#include "tools/offline_steering.h"
#include "tools/tenant_report.h"
#include "zones/repository.h"
#include "zones/tenant_export.h"

namespace demarc::tools {
namespace {

using nlohmann::json;
using namespace zones;

struct Options {
  std::string name, service, repository, home, region;
  std::vector<std::string> names;
  bool regulated = false;
};

void say(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

/// --repository, else that of demarcd's configuration.
std::unique_ptr<Repository> read_files(CliContext& context, const std::string& given) {
  std::string folder = given;
  Diagnostics diagnostics;
  if (folder.empty()) {
    const auto config =
        read_daemon_config(context.config.empty() ? "demarcd.yaml" : context.config, diagnostics);
    if (!config) {
      for (const Diagnostic& d : diagnostics.list()) note(context, d.line());
      fail(context, exit_usage, "no repository: expected --repository DIR or --config FILE");
      return nullptr;
    }
    folder = config->repository;
  }
  Diagnostics findings;
  auto repository = load_repository(folder, findings);
  if (repository) return repository;
  for (const Diagnostic& d : findings.list()) note(context, d.line());
  fail(context, exit_finding, folder + " has errors");
  return nullptr;
}

void show(CliContext& context, const Options& options) {
  std::optional<json> report;
  if (options.repository.empty()) {
    const auto answer = ask_server(
        context, {{"verb", "tenant"}, {"name", options.name}, {"service", options.service}});
    if (answer) report = answer->at("tenant");
  } else {
    const auto steering = steer_offline(options.repository);
    if (!steering) return fail(context, exit_finding, steering.error());
    auto made = tenant_report(**steering, options.name, options.service);
    if (!made) return fail(context, exit_finding, made.error());
    report = std::move(*made);
  }
  if (report) say(context.json ? report->dump(2) + "\n" : tenant_text(*report));
}

class Lister {
 public:
  Lister(const Repository& repository, const Options& options, bool as_json)
      : repository_(repository), options_(options), as_json_(as_json) {}

  /// As lines, or JSON with an object a line; written as it goes.
  std::size_t list(std::optional<ServiceId> service) {
    const TenantMap& map = *repository_.tenants;
    if (as_json_) out_ += "[";
    for (std::uint32_t set = 0; set < map.set_count(); ++set) {
      if (service && map.service_of(set) != *service) continue;
      for (TenantId id{set, 0}; id.line < map.size_of(set); ++id.line) {
        if (is_wanted(map.kind(id))) add(map, id);
      }
    }
    if (as_json_) out_ += "\n]\n";
    say(out_);
    return count_;
  }

 private:
  bool is_wanted(const TenantKind& kind) const {
    const Policy& policy = repository_.policy;
    const auto is_region = [&](RegionId id) { return policy.region(id).name == options_.region; };
    return (options_.home.empty() || policy.jurisdiction(kind.home).name == options_.home) &&
           (options_.region.empty() || std::ranges::any_of(kind.regions, is_region)) &&
           (!options_.regulated || kind.regulated);
  }

  void add(const TenantMap& map, TenantId id) {
    const TenantState state = tenant_state(repository_.policy, map.kind(id));
    const std::string owner = repository_.service(map.kind(id).service).owner.text_without_dot();
    const char* placement = state.placement == Placement::hash ? "hash" : "line";
    if (as_json_) {
      out_ += count_ == 0 ? "\n" : ",\n";
      out_ += json{{"name", map.name(id)},         {"service", owner},
                   {"home", state.home},           {"residency", state.residency},
                   {"regions", state.regions},     {"placement", placement},
                   {"regulated", state.regulated}, {"sensitivity", state.sensitivity}}
                  .dump();
    } else {
      out_ +=
          fmt::format("{:<24} {:<24} {:<8} {:<5} {:<20} {}{}\n", map.name(id), owner, state.home,
                      state.residency, fmt::format("{}", fmt::join(state.regions, ",")), placement,
                      state.regulated ? " regulated" : "");
    }
    ++count_;
    if (out_.size() < (std::size_t{64} << 10U)) return;
    say(out_);
    out_.clear();
  }

  const Repository& repository_;
  const Options& options_;
  bool as_json_;
  std::string out_;
  std::size_t count_ = 0;
};

std::optional<std::optional<ServiceId>> chosen_service(CliContext& context,
                                                       const Repository& repository,
                                                       const Options& options) {
  if (!repository.tenants) {
    fail(context, exit_finding, "no service of this repository has tenants");
    return std::nullopt;
  }
  if (options.service.empty()) return std::optional<ServiceId>{};
  const auto service = find_tenants_service(repository, options.service);
  if (service) return std::optional(*service);
  fail(context, exit_finding, service.error());
  return std::nullopt;
}

void list(CliContext& context, const Options& options) {
  const auto repository = read_files(context, options.repository);
  if (!repository) return;
  const auto service = chosen_service(context, *repository, options);
  if (!service) return;
  const std::size_t count = Lister(*repository, options, context.json).list(*service);
  if (!context.json) fmt::print("{} of {} tenants\n", count, repository->tenants->size());
}

void export_map(CliContext& context, const Options& options) {
  const auto repository = read_files(context, options.repository);
  if (!repository) return;
  const auto service = chosen_service(context, *repository, options);
  if (service) export_tenants(*repository, *service, say);
}

void place(CliContext& context, const Options& options) {
  const auto repository = read_files(context, options.repository);
  if (!repository) return;
  const auto placed = place_tenants(
      *repository, {.names = options.names, .service = options.service, .home = options.home});
  if (!placed) return fail(context, exit_finding, placed.error());
  if (context.json) return say(placed->dump(2) + "\n");
  for (const json& one : *placed) {
    std::vector<std::string> ranking;
    for (const json& region : one.at("ranking")) {
      ranking.push_back(fmt::format("{} (weight {}, lateness {})",
                                    region.at("region").get<std::string>(),
                                    region.at("weight").dump(), region.at("lateness").dump()));
    }
    fmt::print(
        "{} in {}: {}\n", one.at("tenant").get<std::string>(), one.at("home").get<std::string>(),
        ranking.empty() ? "no region with weight" : fmt::format("{}", fmt::join(ranking, ", ")));
  }
}

}  // namespace

void add_tenant_verbs(CLI::App& app, CliContext& context) {
  auto options = std::make_shared<Options>();
  auto* tenant = app.add_subcommand("tenant", "a tenant: names, law, class, today's answer");
  tenant->add_option("name", options->name, "its name, its opaque label, or LABEL.SERVICE");
  const auto common = [&](CLI::App* verb) {
    verb->add_option("--service", options->service, "the service that has it");
    verb->add_option("--repository", options->repository, "these files, without a server");
  };
  common(tenant);
  auto* list_verb = tenant->add_subcommand("list", "tenants of a repository, one a line");
  common(list_verb);
  list_verb->add_option("--home", options->home, "of this jurisdiction");
  list_verb->add_option("--region", options->region, "placed in this region");
  list_verb->add_flag("--regulated", options->regulated, "that are regulated");
  auto* export_verb = tenant->add_subcommand("export", "the whole map as JSON, with its digest");
  common(export_verb);
  auto* place_verb = tenant->add_subcommand("place", "where hashing places these names");
  common(place_verb);
  place_verb->add_option("names", options->names, "names of tenants")->required();
  place_verb->add_option("--home", options->home, "in this jurisdiction");
  list_verb->callback([options, &context] { list(context, *options); });
  export_verb->callback([options, &context] { export_map(context, *options); });
  place_verb->callback([options, &context] { place(context, *options); });
  tenant->callback([options, tenant, &context] {
    if (!tenant->get_subcommands().empty()) return;
    if (options->name.empty()) return fail(context, exit_usage, "tenant: expected a name");
    show(context, *options);
  });
}

}  // namespace demarc::tools
