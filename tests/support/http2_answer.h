// As much HTTP/2 (RFC 9113) as answers one request of a probe.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/stream.h"

namespace demarc::testing {

/// Whether what Stream::read_head() gave is how an HTTP/2 client begins (RFC 9113 §3.4).
[[nodiscard]] bool is_http2_preface(std::string_view head);

/// Goes on after the preface's head: answers the first request with `status` and `body`, then ends
/// when the client does. A body is at most 16,384 bytes, the frame size that every client takes.
void answer_http2(Stream& stream, int status, std::string_view body,
                  const std::vector<std::pair<std::string, std::string>>& trailers = {});

}  // namespace demarc::testing
