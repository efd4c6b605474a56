// What vantages tell each other: signed, fresh, in order, and from nobody else.
#include "health/observations.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "health/vantage_checks.h"
#include "zones/jws.h"

using namespace demarc;
using namespace demarc::health;
using namespace std::chrono_literals;
using zones::KeyAlgorithm;
using zones::Verdict;

namespace {

const WallTime now{1'795'413'600'000ms};

struct Paris {
  zones::KeyPair keys = *zones::make_key_pair(KeyAlgorithm::EdDSA);
  std::vector<zones::Vantage> known{{"paris", KeyAlgorithm::EdDSA, keys.public_key_pem}};

  [[nodiscard]] std::string sign(const Observations& observations) const {
    return *sign_observations(observations, KeyAlgorithm::EdDSA, keys.private_key_pem);
  }
  [[nodiscard]] std::string sign_raw(const std::string& header, const std::string& payload) const {
    return *zones::sign_jws(header, payload, KeyAlgorithm::EdDSA, keys.private_key_pem);
  }
  [[nodiscard]] std::string why_not(const std::string& message, WallTime at = now) const {
    const auto read = read_observations(message, known, at);
    return read ? "taken" : read.error();
  }
};

const Observations told{"paris", now, {{"z/s/one", Verdict::down, "HTTP 503"}}};

Moment at(Milliseconds time) { return {now + time, MonotonicTime{time}}; }

}  // namespace

TEST_CASE("observations: what was signed is read, in a window of time", "[health][vantage]") {
  const Paris paris;
  const std::string message = paris.sign(told);
  CHECK(read_observations(message, paris.known, now).value() == told);
  CHECK(paris.why_not(message, now + 30s) == "taken");
  CHECK(paris.why_not(message, now + 30s + 1ms) == "it is older than 30 s, or from the future");
  CHECK(paris.why_not(message, now - 5s) == "taken");
  CHECK(paris.why_not(message, now - 5s - 1ms) == "it is older than 30 s, or from the future");
}

TEST_CASE("observations: what nobody of the policy signed is not taken", "[health][vantage]") {
  const Paris paris;
  const Paris stranger;
  CHECK(paris.why_not(stranger.sign(told)) == "the signature is not the vantage's");
  CHECK(paris.why_not(paris.sign({"oslo", now, {}})) == "no vantage has its kid");
  const std::string good = R"({"alg":"EdDSA","typ":"observations+jwt","kid":"paris"})";
  const auto [header, payload, expected] =
      GENERATE_COPY(table<std::string, const char*, const char*>({
          {R"({"alg":"EdDSA","typ":"approval+jwt","kid":"paris"})", "{}",
           "its typ is not observations+jwt"},
          {R"({"alg":"ES256","typ":"observations+jwt","kid":"paris"})", "{}",
           "its alg is not that of the vantage's key"},
          {good, R"({"vantage":"oslo","at-ms":1795413600000,"observations":[]})",
           "it speaks for another vantage"},
          {good, R"({"vantage":"paris","at-ms":1.5,"observations":[]})",
           "it lacks one of vantage, at-ms and observations, at most 5000"},
          {good, R"({"vantage":"paris","at-ms":18446744073709551615,"observations":[]})",
           "it is older than 30 s, or from the future"},
          {good, R"({"vantage":"paris","at-ms":1795413600000,"observations":[{"check":"a"}]})",
           "an observation lacks its check or verdict"},
          {good, R"({"vantage":"paris","at-ms":1795413600000,"observations":[7]})",
           "an observation lacks its check or verdict"},
          {good, R"([])", "the payload: it is JSON, but no object"},
      }));
  CAPTURE(header, payload);
  CHECK(paris.why_not(paris.sign_raw(header, payload)) == expected);
  CHECK(paris.why_not("") != "taken");
  CHECK(paris.why_not(std::string(observations_bytes_max + 1, 'a')).starts_with("it is longer"));
}

TEST_CASE("vantage checks: the word of a vantage is the verdict, until it is silent",
          "[health][vantage]") {
  VantageChecks checks;
  checks.replace(
      {{"z/s/one@paris", "z/s/one", "paris", 34s}, {"z/s/one@oslo", "z/s/one", "oslo", 34s}},
      at(0s));
  const auto tell = [&](const std::string& who, Verdict verdict, Milliseconds time) {
    return checks.note(
        {who, now + time, {{"z/s/one", verdict, "HTTP 503"}, {"other", verdict, ""}}}, at(time));
  };
  auto changes = tell("paris", Verdict::down, 1s).value();
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].key == "z/s/one@paris");
  CHECK(changes[0].to == Verdict::down);
  CHECK(changes[0].detail == "HTTP 503");
  CHECK(tell("paris", Verdict::down, 2s).value().empty());
  CHECK_FALSE(tell("paris", Verdict::up, 2s));  // the same message again, or an older one
  CHECK_FALSE(tell("paris", Verdict::up, 1s));
  CHECK(tell("berlin", Verdict::down, 3s).value().empty());

  CHECK(checks.check_ages(at(33s)).empty());
  const auto never = checks.check_ages(at(34s));  // oslo has not said a word since the start
  REQUIRE(never.size() == 1);
  CHECK(never[0].key == "z/s/one@oslo");
  CHECK(never[0].to == Verdict::stale);
  const auto silent = checks.check_ages(at(36s));
  REQUIRE(silent.size() == 1);
  CHECK(silent[0].from == Verdict::down);
  CHECK(silent[0].detail == "no word of paris for 34000 ms; the last one: HTTP 503");
  CHECK(tell("paris", Verdict::unknown, 40s).value().empty());  // it knows nothing either

  checks.replace({{"z/s/one@paris", "z/s/one", "paris", 34s}}, at(41s));
  CHECK(tell("paris", Verdict::up, 42s).value().size() == 1);
  const auto states = checks.snapshot(at(50s));
  REQUIRE(states.size() == 1);
  CHECK(states[0].url == "seen by paris");
  CHECK(states[0].age == 8s);
  CHECK(states[0].down_time == 35s);
}
