// The verbs that ask a running demarcd over its control socket.
#include <cstdio>
#include <functional>
#include <memory>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "geo/countries.h"
#include "tools/alerts_status.h"
#include "tools/cli.h"
#include "tools/control_socket.h"
#include "tools/daemon_config.h"
#include "tools/explain.h"
#include "tools/history_report.h"
#include "tools/offline_steering.h"
#include "tools/settings_report.h"
#include "tools/status.h"
#include "zones/jws.h"
#include "zones/strict_json.h"
#include "zones/token.h"
#include "zones/yaml/fields.h"

namespace demarc::tools {
namespace {

using nlohmann::json;

// Longer than a stalled control thread may take.
constexpr int answer_within_seconds = 90;
constexpr auto look_again_after = std::chrono::milliseconds(50);

std::optional<std::string> find_socket(CliContext& context) {
  if (!context.socket.empty()) return context.socket;
  Diagnostics diagnostics;
  const std::string path = context.config.empty() ? "demarcd.yaml" : context.config;
  const auto config = read_daemon_config(path, diagnostics);
  if (config) return config->control;
  for (const Diagnostic& d : diagnostics.list()) note(context, d.line());
  fail(context, exit_usage, "no control socket: expected --socket PATH or --config demarcd.yaml");
  return std::nullopt;
}

/// Sends a request; nothing if it failed, which was said then.
std::optional<json> ask(CliContext& context, const json& request) {
  const auto socket = find_socket(context);
  if (!socket) return std::nullopt;
  const auto answer = ask_control(*socket, request.dump(), answer_within_seconds);
  if (!answer) {
    fail(context, exit_finding, answer.error().text());
    return std::nullopt;
  }
  const auto parsed = zones::parse_json_object(*answer);
  if (!parsed) {
    fail(context, exit_finding, "demarcd's answer: " + parsed.error());
    return std::nullopt;
  }
  if (!parsed->value("ok", false)) {
    fail(context, exit_finding, parsed->value("error", "demarcd gave no reason"));
    return std::nullopt;
  }
  return *parsed;
}

void print(const CliContext& context, const json& answer, const std::string& text) {
  if (context.json) {
    fmt::print("{}\n", answer.dump(2));
  } else {
    fmt::print("{}", text);
  }
}

/// For verbs that are answered by one sentence.
void decide(CliContext& context, const json& request) {
  if (const auto answer = ask(context, request)) {
    print(context, *answer, answer->value("text", "done") + "\n");
  }
}

void add_explain(CLI::App& app, CliContext& context) {
  struct Options {
    std::string name, client, country, repository;
    std::vector<std::string> down, geoip;
    bool settings = false;
  };
  auto options = std::make_shared<Options>();
  auto* verb = app.add_subcommand("explain", "why a client gets the answer it gets");
  verb->add_option("name", options->name, "the service, as an absolute name")->required();
  auto* client = verb->add_option("--client", options->client, "the client's IP address");
  verb->add_option("--country", options->country, "the client's country, two letters")
      ->excludes(client);
  verb->add_option("--down", options->down, "an endpoint or region to take as down");
  verb->add_option("--repository", options->repository,
                   "explain these files by base weights, without a server");
  verb->add_option("--geoip", options->geoip, "databases to use with --repository");
  verb->add_flag("--settings", options->settings,
                 "every setting that decides here, and where it came from");
  const auto show = [options, &context](const json& explained) {
    std::string text = explain_text(explained);
    if (options->settings) text += settings_text(explained.at("settings"));
    print(context, explained, text);
  };
  verb->callback([options, show, &context] {
    if (!options->client.empty() && !geo::parse_address(options->client)) {
      return fail(context, exit_usage, "`" + options->client + "` is no IP address");
    }
    const auto country = geo::parse_code2(options->country);
    if (!options->country.empty() && (!country || geo::find_country(*country) == nullptr)) {
      return fail(context, exit_usage, "`" + options->country + "` is no country code");
    }
    if (!options->repository.empty()) {
      const auto explained = explain_offline(options->repository, options->geoip,
                                             {options->name, geo::parse_address(options->client),
                                              geo::parse_code2(options->country), options->down});
      if (!explained) return fail(context, exit_finding, explained.error());
      return show(*explained);
    }
    const auto answer = ask(context, {{"verb", "explain"},
                                      {"name", options->name},
                                      {"client", options->client},
                                      {"country", options->country},
                                      {"down", options->down}});
    if (!answer) return;
    show(answer->at("explained"));
  });
}

void add_status(CLI::App& app, CliContext& context) {
  struct Options {
    bool wants_history = false;
    std::string check, since = "7d";
  };
  auto options = std::make_shared<Options>();
  auto* verb = app.add_subcommand("status", "what is served now, and why");
  auto* history = verb->add_flag("--history", options->wants_history,
                                 "how the checks fared: changes, time down, probe times");
  verb->add_option("--check", options->check, "with --history: those whose key has this in it")
      ->needs(history);
  verb->add_option("--since", options->since, "with --history: how far back: 12h, 30d")
      ->needs(history)
      ->capture_default_str();
  verb->callback([options, &context] {
    if (!options->wants_history) {
      const auto answer = ask(context, {{"verb", "status"}});
      if (answer) print(context, answer->at("status"), status_text(answer->at("status")));
      return;
    }
    const auto since = zones::yaml::parse_duration(options->since);
    if (!since) {
      return fail(context, exit_usage,
                  "--since is `" + options->since + "`, expected an integer and ms, s, m, h or d");
    }
    const auto answer = ask(
        context, {{"verb", "history"}, {"check", options->check}, {"since-ms", since->count()}});
    if (answer) print(context, answer->at("history"), history_text(answer->at("history")));
  });
  app.add_subcommand("pending", "crossings that wait for an approval; exit 1 if there are any")
      ->callback([&context] {
        const auto answer = ask(context, {{"verb", "pending"}});
        if (!answer) return;
        print(context, answer->at("pending"), pending_text(answer->at("pending")));
        if (!answer->at("pending").empty()) context.exit_code = exit_finding;
      });
}

/// What one receiver is known to have got; nothing if there is no answer.
std::optional<json> receiver_state(CliContext& context, const std::string& name) {
  const auto answer = ask(context, {{"verb", "alerts"}});
  if (!answer) return std::nullopt;
  for (const json& one : answer->at("alerts").at("receivers")) {
    if (one.at("receiver") == name) return one;
  }
  return json{{"delivered", 0}, {"failed", 0}, {"dead", 0}, {"last-error", ""}};
}

/// Sends a test message and waits until it has come or failed.
void test_receiver(CliContext& context, const std::string& name) {
  constexpr auto give_up_after = std::chrono::seconds(20);
  const auto before = receiver_state(context, name);
  if (!before || !ask(context, {{"verb", "test-alerts"}, {"receiver", name}})) return;
  const auto end = std::chrono::steady_clock::now() + give_up_after;
  while (std::chrono::steady_clock::now() < end) {
    const auto now = receiver_state(context, name);
    if (!now) return;
    const auto grew = [&](const char* count) { return now->at(count) > before->at(count); };
    if (grew("delivered")) return print(context, *now, name + " took the test message\n");
    if (grew("failed") || grew("dead")) {
      return fail(context, exit_finding,
                  name + ": " + now->at("last-error").get<std::string>() +
                      (grew("dead") ? "; given up" : "; it is tried again"));
    }
    std::this_thread::sleep_for(look_again_after);
  }
  fail(context, exit_finding, name + " has not taken it yet; `demarc alerts` tells how it goes on");
}

void add_alerts(CLI::App& app, CliContext& context) {
  auto* verb = app.add_subcommand("alerts", "alerts that stand, and who was told");
  auto* test = verb->add_subcommand("test", "send a test message to a receiver");
  auto name = std::make_shared<std::string>();
  test->add_option("receiver", *name, "its name in demarcd.yaml")->required();
  test->callback([name, &context] { test_receiver(context, *name); });
  verb->callback([test, &context] {
    if (test->parsed()) return;
    const auto answer = ask(context, {{"verb", "alerts"}});
    if (answer) print(context, answer->at("alerts"), alerts_text(answer->at("alerts")));
  });
}

void add_approve(CLI::App& app, CliContext& context) {
  auto path = std::make_shared<std::string>();
  auto* approve = app.add_subcommand("approve", "present an approval token");
  approve->add_option("token", *path, "a file with the token, or - for standard input")->required();
  approve->callback([path, &context] {
    const auto token = read_input(*path, zones::token_bytes_max);
    if (!token) return fail(context, exit_usage, "cannot read " + *path);
    decide(context, {{"verb", "approve"}, {"token", *token}});
  });

  auto* review = app.add_subcommand("review", "present a review of a break-glass grant");
  review->add_option("token", *path, "a file with the token, or - for standard input")->required();
  review->callback([path, &context] {
    const auto token = read_input(*path, zones::token_bytes_max);
    if (!token) return fail(context, exit_usage, "cannot read " + *path);
    const auto inspected = zones::inspect_token(*token);
    if (!inspected || !inspected->claims || inspected->claims->type != zones::TokenType::review) {
      return fail(context, exit_finding, *path + " holds no token of type review");
    }
    decide(context, {{"verb", "approve"}, {"token", *token}});
  });
}

void add_revoke(CLI::App& app, CliContext& context) {
  struct Revoke {
    std::string id, key, token, reason;
  };
  auto options = std::make_shared<Revoke>();
  auto* revoke = app.add_subcommand("revoke", "end a grant now, or all that a key or token did");
  auto* id =
      revoke->add_option("id", options->id, "the grant's id, or the jti of one of its tokens");
  auto* key = revoke->add_option("--key", options->key, "nothing this key signs counts any more");
  auto* token = revoke->add_option("--token", options->token, "a jti, presented already or never");
  key->excludes(id)->excludes(token);
  token->excludes(id);
  revoke->add_option("--reason", options->reason, "for the audit trail")->required();
  revoke->callback([options, &context] {
    if (options->id.empty() && options->key.empty() && options->token.empty()) {
      return fail(context, exit_usage, "expected a grant's id, --key KID or --token JTI");
    }
    json request = {{"verb", "revoke"}, {"reason", options->reason}};
    if (!options->id.empty()) request["id"] = options->id;
    if (!options->key.empty()) request["key"] = options->key;
    if (!options->token.empty()) request["token"] = options->token;
    decide(context, request);
  });
}

void add_orders(CLI::App& app, CliContext& context) {
  struct Options {
    std::string state, target, service, reason, lasts;
  };
  auto options = std::make_shared<Options>();
  const auto add_order = [&](const std::string& name, const std::string& help) {
    auto* verb = app.add_subcommand(name, help);
    if (name == "force") {
      verb->add_option("state", options->state, "up or down")->required();
    }
    verb->add_option("target", options->target,
                     "a region, an endpoint's host name, or a pattern of such: 'api.*.example'")
        ->required();
    verb->add_option("--service", options->service, "of this service alone");
    verb->add_option("--for", options->lasts, "how long: 30m, 2h, 1d")->required();
    verb->add_option("--reason", options->reason, "for the audit trail")->required();
    verb->callback([options, &context, name] {
      const auto lasts = zones::yaml::parse_duration(options->lasts);
      if (!lasts) {
        return fail(context, exit_usage,
                    "--for is `" + options->lasts + "`, expected an integer and ms, s, m, h or d");
      }
      decide(context, {{"verb", name},
                       {"state", options->state},
                       {"target", options->target},
                       {"service", options->service},
                       {"reason", options->reason},
                       {"for-ms", lasts->count()}});
    });
  };
  add_order("drain", "take an endpoint or region out, for a while");
  add_order("force", "count an endpoint or region as up or down, whatever health says");
  auto id = std::make_shared<std::string>();
  auto* undrain = app.add_subcommand("undrain", "end an order before its time");
  undrain->add_option("id", *id, "the order's id, or its target")->required();
  undrain->callback([id, &context] { decide(context, {{"verb", "undrain"}, {"id", *id}}); });
}

void add_failback(CLI::App& app, CliContext& context) {
  struct Options {
    std::string service, reason;
  };
  auto options = std::make_shared<Options>();
  auto* verb = app.add_subcommand("failback", "let a service with `failback: manual` come home");
  verb->add_option("service", options->service, "its name")->required();
  verb->add_option("--reason", options->reason, "for the audit trail")->required();
  verb->callback([options, &context] {
    decide(context,
           {{"verb", "failback"}, {"service", options->service}, {"reason", options->reason}});
  });
}

/// A verb whose one option is a reason.
void add_reasoned(CLI::App& app, CliContext& context, const std::string& name,
                  const std::string& help, bool reason_required) {
  auto reason = std::make_shared<std::string>();
  auto* verb = app.add_subcommand(name, help);
  verb->add_option("--reason", *reason, "for the audit trail")->required(reason_required);
  verb->callback(
      [name, reason, &context] { decide(context, {{"verb", name}, {"reason", *reason}}); });
}

void add_stall(CLI::App& app, CliContext& context) {
  auto lasts = std::make_shared<std::string>();
  auto* verb =
      app.add_subcommand("debug-stall", "hang the control thread, where demarcd allows it");
  verb->add_option("--for", *lasts, "how long, at most 60s")->required();
  verb->group("");  // not in the help: nobody needs it but drills and tests
  verb->callback([lasts, &context] {
    const auto duration = zones::yaml::parse_duration(*lasts);
    if (!duration) return fail(context, exit_usage, "--for: expected an integer and s or ms");
    decide(context, {{"verb", "debug-stall"}, {"for-ms", duration->count()}});
  });
}

std::string taken_text(const json& outcome) {
  std::string text;
  for (const json& warning : outcome.at("warnings")) text += warning.get<std::string>() + "\n";
  text +=
      fmt::format("taken: generation {}, {} zones, {} services, configuration {:.12}\n",
                  outcome.at("generation").dump(), outcome.at("zones").size(),
                  outcome.at("services").dump(), outcome.at("configuration").get<std::string>());
  constexpr std::size_t serials_shown_max = 20;  // --json has all
  const json& zones = outcome.at("zones");
  for (std::size_t i = 0; i < zones.size() && i < serials_shown_max; ++i) {
    text += fmt::format("  {} serial {}\n", zones[i].at("zone").get<std::string>(),
                        zones[i].at("serial").dump());
  }
  return text;
}

void tell_reload(CliContext& context, const json& outcome) {
  if (outcome.at("taken").get<bool>()) return print(context, outcome, taken_text(outcome));
  for (const json& error : outcome.at("errors")) note(context, error.get<std::string>());
  fail(context, exit_finding,
       fmt::format("refused: {} error(s); generation {} goes on serving",
                   outcome.at("errors").size(), outcome.at("generation").dump()));
}

/// Begins a reload and, unless `wait` is 0, sees what becomes of this very one.
void reload(CliContext& context, Milliseconds wait) {
  const auto end = std::chrono::steady_clock::now() + wait;
  const auto begun = ask(context, {{"verb", "reload"}});
  if (!begun) return;
  if (wait == Milliseconds(0)) return print(context, *begun, "reload begun\n");
  const json question = {{"verb", "reload-outcome"}, {"number", begun->at("number")}};
  do {
    const auto outcome = ask(context, question);
    if (!outcome) return;
    if (outcome->at("done").get<bool>()) return tell_reload(context, *outcome);
    std::this_thread::sleep_for(look_again_after);
  } while (std::chrono::steady_clock::now() < end);
  fail(context, exit_finding, "the reload goes on; `demarc status` and the log tell its end");
}

void add_reload(CLI::App& app, CliContext& context) {
  auto wait = std::make_shared<std::string>("60s");
  auto* verb = app.add_subcommand("reload", "read the repository again, and say what came of it");
  verb->add_option("--wait", *wait, "how long for its end; 0s: not at all")->capture_default_str();
  verb->callback([wait, &context] {
    const auto duration = zones::yaml::parse_duration(*wait);
    if (!duration) {
      return fail(context, exit_usage,
                  "--wait is `" + *wait + "`, expected an integer and ms, s, m, h or d");
    }
    reload(context, *duration);
  });
}

}  // namespace

std::optional<json> ask_server(CliContext& context, const json& request) {
  return ask(context, request);
}

void add_online_verbs(CLI::App& app, CliContext& context) {
  add_status(app, context);
  add_alerts(app, context);
  add_explain(app, context);
  add_stall(app, context);
  add_approve(app, context);
  add_revoke(app, context);
  add_orders(app, context);
  add_failback(app, context);
  add_reasoned(app, context, "freeze", "health and on-fail move nothing until unfreeze", true);
  add_reasoned(app, context, "unfreeze", "end the freeze, or a mass failure that is none", false);
  add_reasoned(app, context, "trust-clock", "the wall clock is right, although it went back", true);
  add_reload(app, context);
}

}  // namespace demarc::tools
