// `demarc acme`: values by which a certificate authority sees that a name is ours (RFC 8555 §8.4).
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/cli.h"
#include "zones/yaml/fields.h"

namespace demarc::tools {
namespace {

using nlohmann::json;

void answer(CliContext& context, const json& request) {
  const auto answer = ask_server(context, request);
  if (!answer) return;
  if (context.json) {
    fmt::print("{}\n", answer->dump(2));
  } else {
    fmt::print("{}\n", answer->value("text", "done"));
  }
}

void add_set(CLI::App& acme, CliContext& context) {
  struct Options {
    std::string name, value, lasts = "10m";
  };
  auto options = std::make_shared<Options>();
  auto* verb = acme.add_subcommand("set", "answer a challenge's value for a while");
  verb->add_option("name", options->name, "the name that the certificate is for")->required();
  verb->add_option("value", options->value, "what the certificate authority expects")->required();
  verb->add_option("--for", options->lasts, "how long, at most 24h")->capture_default_str();
  verb->callback([options, &context] {
    const auto lasts = zones::yaml::parse_duration(options->lasts);
    if (!lasts) {
      return fail(context, exit_usage,
                  "--for is `" + options->lasts + "`, expected an integer and ms, s, m, h or d");
    }
    answer(context, {{"verb", "acme-set"},
                     {"name", options->name},
                     {"value", options->value},
                     {"for-ms", lasts->count()}});
  });
}

void add_remove(CLI::App& acme, CliContext& context) {
  struct Options {
    std::string name, value;
  };
  auto options = std::make_shared<Options>();
  auto* verb = acme.add_subcommand("remove", "end a value before its time");
  verb->add_option("name", options->name, "the name that the certificate is for")->required();
  verb->add_option("value", options->value, "the value; left out: all of the name");
  verb->callback([options, &context] {
    answer(context, {{"verb", "acme-remove"}, {"name", options->name}, {"value", options->value}});
  });
}

void add_list(CLI::App& acme, CliContext& context) {
  acme.add_subcommand("list", "the values that are answered now")->callback([&context] {
    const auto answer = ask_server(context, {{"verb", "acme-list"}});
    if (!answer) return;
    const json& values = answer->at("values");
    if (context.json) return fmt::print("{}\n", values.dump(2));
    for (const json& one : values) {
      fmt::print("{} {} until {} by {}\n", one.value("name", ""), one.value("value", ""),
                 one.value("ends", ""), one.value("who", ""));
    }
  });
}

}  // namespace

void add_acme_verbs(CLI::App& app, CliContext& context) {
  auto* acme = app.add_subcommand("acme", "values for certificate authorities (dns-01)");
  acme->require_subcommand(1);
  acme->fallthrough();
  add_set(*acme, context);
  add_remove(*acme, context);
  add_list(*acme, context);
}

}  // namespace demarc::tools
