// The geo verbs: make a database, look an address up.
#include <cstdio>
#include <filesystem>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "geo/build.h"
#include "geo/database.h"
#include "tools/cli.h"
#include "tools/clock.h"

namespace demarc::tools {
namespace {

// Where Debian's tor-geoipdb puts its files.
constexpr const char* debian_ipv4 = "/usr/share/tor/geoip";
constexpr const char* debian_ipv6 = "/usr/share/tor/geoip6";

void build(CliContext& context, geo::BuildRequest request) {
  if (request.inputs.empty()) {
    request.inputs = {debian_ipv4, debian_ipv6};
    if (!std::filesystem::exists(debian_ipv4)) {
      return fail(context, exit_usage,
                  "no input: expected CSV files, or Debian's package tor-geoipdb to be installed");
    }
  }
  request.build_time = std::chrono::floor<Seconds>(read_clocks().wall);
  Diagnostics diagnostics;
  const auto summary = geo::build_database(request, diagnostics);
  for (const Diagnostic& d : diagnostics.list()) note(context, d.line());
  if (!summary) return fail(context, exit_finding, summary.error().text());
  fmt::print("{}: {} networks, {} locations, {} nodes of {} bits, {} bytes\n", request.output,
             summary->networks, summary->locations, summary->nodes, summary->record_bits,
             summary->size_bytes);
}

void lookup(CliContext& context, const std::vector<std::string>& files,
            const std::string& address_text) {
  const auto address = geo::parse_address(address_text);
  if (!address) return fail(context, exit_usage, "`" + address_text + "` is no IP address");
  const auto databases = geo::Databases::open(files);
  if (!databases) return fail(context, exit_finding, databases.error().text());
  const geo::Location location = databases->find(*address, {});
  nlohmann::json out = {{"country", location.country.text()},
                        {"registered-country", location.registered_country.text()},
                        {"continent", location.continent.text()},
                        {"subdivision", location.subdivision},
                        {"asn", location.asn}};
  if (location.coordinates) {
    out["coordinates"] = {location.coordinates->latitude, location.coordinates->longitude};
  }
  fmt::print("{}\n", out.dump(2));
}

}  // namespace

void add_geo_verbs(CLI::App& app, CliContext& context) {
  auto* geo_verb = app.add_subcommand("geo", "GeoIP databases");
  geo_verb->require_subcommand(1);

  auto request = std::make_shared<geo::BuildRequest>();
  auto* build_verb = geo_verb->add_subcommand("build", "make an MMDB of text files");
  build_verb->add_option("--out", request->output, "the MMDB file to make")->required();
  build_verb->add_option("--type", request->database_type, "what the file calls itself")
      ->capture_default_str();
  build_verb->add_option("inputs", request->inputs,
                         "CSV or tor-geoipdb files; left out: Debian's tor-geoipdb");
  build_verb->callback([request, &context] { build(context, *request); });

  struct Lookup {
    std::vector<std::string> files;
    std::string address;
  };
  auto options = std::make_shared<Lookup>();
  auto* lookup_verb = geo_verb->add_subcommand("lookup", "what databases say of an address");
  lookup_verb->add_option("address", options->address)->required();
  lookup_verb->add_option("--geoip", options->files, "MMDB files, the first wins")->required();
  lookup_verb->callback([options, &context] { lookup(context, options->files, options->address); });
}

}  // namespace demarc::tools
