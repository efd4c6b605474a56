// What a health check expects of an answer besides its status, as written.
// zones/yaml/check_file.h reads the check around it.
#pragma once

#include "zones/model.h"
#include "zones/yaml/fields.h"

namespace demarc::zones::yaml {

inline constexpr std::size_t expected_headers_max = 20;
inline constexpr std::size_t expected_values_max = 20;
inline constexpr std::size_t expected_answers_max = 64;
inline constexpr Milliseconds certificate_left_max{std::chrono::hours{365 * 24}};

/// `expect-body`: text that occurs in the body.
void read_expected_body(const Reading& reading, const Node& node, ExpectedAnswer& expect);
/// `expect-header`: a map of header names and their values.
void read_expected_headers(const Reading& reading, const Node& node, ExpectedAnswer& expect);
/// `expect-json`: a map of JSON pointers and the values there, or comparisons with them.
void read_expected_values(const Reading& reading, const Node& node, ExpectedAnswer& expect);
/// `expect-value`: a comparison with the value of a query.
void read_query_value(const Reading& reading, const Node& node, ExpectedAnswer& expect);
/// `expect-answer`: RDATA, one or a list, in presentation format.
void read_expected_answers(const Reading& reading, const Node& node, ExpectedAnswer& expect);
/// `certificate-min`: how long the certificate must still be good.
void read_certificate_left(const Reading& reading, const Node& node, ExpectedAnswer& expect);

}  // namespace demarc::zones::yaml
