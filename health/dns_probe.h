// The question of a dns check, and whether an answer to it is as expected: bytes in, a result out.
// ldns reads the message. health/datagram_probes.h sends and receives.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "health/probe.h"

namespace demarc::health {

/// The query for a probe's path, "/NAME/TYPE": RD set, no EDNS; nothing for a path that is none.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> write_dns_question(const Probe& probe,
                                                                          std::uint16_t id);

/// Judges any bytes; nothing: they are no answer to this question, and the right one may follow.
/// It passes with NOERROR, at least one record of the type, and all of `expect.answers` among them.
[[nodiscard]] std::optional<ProbeResult> judge_dns_answer(const Probe& probe, std::uint16_t id,
                                                          std::span<const std::uint8_t> bytes);

}  // namespace demarc::health
