#include "health/observations.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "health/printable.h"
#include "zones/jws.h"
#include "zones/strict_json.h"

namespace demarc::health {
namespace {

using nlohmann::json;

constexpr const char* message_type = "observations+jwt";

const std::string* find_text(const json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : found->get_ptr<const std::string*>();
}

std::string_view algorithm_name(zones::KeyAlgorithm algorithm) {
  return algorithm == zones::KeyAlgorithm::EdDSA ? "EdDSA" : "ES256";
}

/// One of the list; nothing: it is none.
std::optional<Observation> read_observation(const json& item) {
  if (!item.is_object()) return std::nullopt;
  const std::string* const check = find_text(item, "check");
  const std::string* const verdict_text = find_text(item, "verdict");
  const std::string* const detail = find_text(item, "detail");
  const auto verdict = verdict_text ? zones::parse_verdict(*verdict_text) : std::nullopt;
  if (check == nullptr || !verdict) return std::nullopt;
  return Observation{*check, *verdict,
                     detail ? printable(*detail, observation_detail_max) : std::string{}};
}

Result<Observations, std::string> read_payload(const std::string& payload) {
  const auto body = zones::parse_json_object(payload);
  if (!body) return std::unexpected("the payload: " + body.error());
  const std::string* const vantage = find_text(*body, "vantage");
  const auto at = body->find("at-ms");
  const auto list = body->find("observations");
  const bool is_whole = vantage != nullptr && at != body->end() && at->is_number_integer() &&
                        list != body->end() && list->is_array();
  if (!is_whole || list->size() > observations_max) {
    return std::unexpected(fmt::format(
        "it lacks one of vantage, at-ms and observations, at most {}", observations_max));
  }
  Observations read{*vantage, WallTime{Milliseconds{at->get<std::int64_t>()}}, {}};
  for (const json& item : *list) {
    auto one = read_observation(item);
    if (!one) return std::unexpected(std::string("an observation lacks its check or verdict"));
    read.list.push_back(std::move(*one));
  }
  return read;
}

}  // namespace

Result<std::string, std::string> sign_observations(const Observations& observations,
                                                   zones::KeyAlgorithm algorithm,
                                                   const std::string& private_key_pem) {
  const json header = {
      {"alg", algorithm_name(algorithm)}, {"typ", message_type}, {"kid", observations.vantage}};
  json list = json::array();
  for (const Observation& one : observations.list) {
    list.push_back({{"check", one.check},
                    {"verdict", zones::to_text(one.verdict)},
                    {"detail", printable(one.detail, observation_detail_max)}});
  }
  const json payload = {{"vantage", observations.vantage},
                        {"at-ms", observations.at.time_since_epoch().count()},
                        {"observations", std::move(list)}};
  return zones::sign_jws(header.dump(), payload.dump(), algorithm, private_key_pem);
}

Result<Observations, std::string> read_observations(std::string_view text,
                                                    const std::vector<zones::Vantage>& vantages,
                                                    WallTime now) {
  const auto jws = zones::parse_jws(text, observations_bytes_max);
  if (!jws) return std::unexpected(jws.error());
  const auto header = zones::parse_json_object(jws->header);
  if (!header) return std::unexpected("the header: " + header.error());
  const std::string* const type = find_text(*header, "typ");
  const std::string* const key = find_text(*header, "kid");
  const std::string* const algorithm = find_text(*header, "alg");
  if (type == nullptr || *type != message_type) {
    return std::unexpected(fmt::format("its typ is not {}", message_type));
  }
  const auto vantage =
      key == nullptr ? vantages.end() : std::ranges::find(vantages, *key, &zones::Vantage::id);
  if (vantage == vantages.end()) return std::unexpected(std::string("no vantage has its kid"));
  if (algorithm == nullptr || *algorithm != algorithm_name(vantage->algorithm)) {
    return std::unexpected(std::string("its alg is not that of the vantage's key"));
  }
  if (!zones::is_signed_by(*jws, vantage->algorithm, vantage->public_key_pem)) {
    return std::unexpected(std::string("the signature is not the vantage's"));
  }
  auto read = read_payload(jws->payload);
  if (!read) return read;
  if (read->vantage != vantage->id) {
    return std::unexpected(std::string("it speaks for another vantage"));
  }
  // A time of any size: compared before it is taken from another one.
  if (read->at < now - observations_age_max || read->at > now + observations_ahead_max) {
    return std::unexpected(fmt::format("it is older than {} s, or from the future",
                                       observations_age_max.count() / 1000));
  }
  return read;
}

}  // namespace demarc::health
