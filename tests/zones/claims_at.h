// What somebody signs in most tests: api may go from eu to us for an hour.
#pragma once

#include <chrono>
#include <string>

#include "zones/claims.h"

namespace demarc::zones::testing {

inline Claims claims_at(WallTime start, const std::string& id,
                        TokenType type = TokenType::approval) {
  using namespace std::chrono_literals;
  start = std::chrono::floor<Seconds>(start);
  Claims claims{.type = type,
                .issuer = "compliance",
                .audience = "prod-dns",
                .id = id,
                .issued_at = start,
                .not_before = start,
                .expires = start + 1h,
                .reason = "eu is down",
                .case_id = "CASE-1"};
  if (type == TokenType::approval || type == TokenType::break_glass) {
    claims.zone = "example.com";
    claims.service = "api";
    claims.from = {"eu"};
    claims.to = {"us"};
    claims.mode = Mode::full_write;
  }
  return claims;
}

}  // namespace demarc::zones::testing
