// Datagrams stay on the CPU that received them: the kernel picks a thread's socket by it, and the
// thread stays there. dns/server.cpp uses both halves.
#pragma once

#include "geo/base/result.h"

namespace demarc::dns {

/// Has the kernel give each datagram that came in on CPU c to the socket c modulo `count` of those
/// that share `socket`'s address (SO_ATTACH_REUSEPORT_CBPF, socket(7)), counted in the order in
/// which they were bound. Call it once `count` of them are.
[[nodiscard]] Result<void, SystemError> steer_by_cpu(int socket, unsigned count);

/// Keeps the calling thread on those of its CPUs whose number modulo `count` is `index`; on all of
/// them where there is none. Precondition: `index` < `count`.
void stay_on_cpus(unsigned index, unsigned count) noexcept;

}  // namespace demarc::dns
