// `demarc observe`: signs what a vantage sees, for monitors that are no Demarc; curl pushes it.
#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>

#include <fmt/format.h>

#include "health/observations.h"
#include "tools/cli.h"

namespace demarc::tools {
namespace {

struct Options {
  std::string vantage, key, algorithm = "EdDSA", detail;
  std::vector<std::string> words;
};

void observe(CliContext& context, const Options& options) {
  health::Observations observations{
      options.vantage,
      std::chrono::time_point_cast<Milliseconds>(std::chrono::system_clock::now()),
      {}};
  for (const std::string& word : options.words) {
    const std::size_t equal = word.rfind('=');
    const auto verdict =
        equal == std::string::npos ? std::nullopt : zones::parse_verdict(word.substr(equal + 1));
    if (!verdict) {
      return fail(context, exit_usage,
                  "`" + word +
                      "`: expected CHECK=VERDICT with up, degraded or down, as "
                      "example.com/api/own=down");
    }
    observations.list.push_back({word.substr(0, equal), *verdict, options.detail});
  }
  std::ifstream in(options.key, std::ios::binary);
  const std::string pem{std::istreambuf_iterator<char>(in), {}};
  const auto algorithm =
      options.algorithm == "ES256" ? zones::KeyAlgorithm::ES256 : zones::KeyAlgorithm::EdDSA;
  const auto message = health::sign_observations(observations, algorithm, pem);
  if (!message) return fail(context, exit_usage, options.key + ": " + message.error());
  fmt::print("{}\n", *message);
}

}  // namespace

void add_observe_verbs(CLI::App& app, CliContext& context) {
  auto options = std::make_shared<Options>();
  auto* verb = app.add_subcommand(
      "observe", "sign what a vantage sees, to be posted to a server's /observations");
  verb->add_option("--vantage", options->vantage, "its id in policy.yaml")->required();
  verb->add_option("--key", options->key, "its private key, PEM")->required();
  verb->add_option("--alg", options->algorithm, "EdDSA or ES256")
      ->check(CLI::IsMember({"EdDSA", "ES256"}))
      ->capture_default_str();
  verb->add_option("--detail", options->detail, "why, for people");
  verb->add_option("words", options->words, "CHECK=VERDICT, of checks without the vantage's name")
      ->required();
  verb->callback([options, &context] { observe(context, *options); });
}

}  // namespace demarc::tools
