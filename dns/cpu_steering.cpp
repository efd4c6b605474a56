#include "dns/cpu_steering.h"

#include <linux/filter.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>

namespace demarc::dns {

Result<void, SystemError> steer_by_cpu(int socket, unsigned count) {
  // A program of the kernel's packet filter: the number of this CPU, modulo `count`, is the answer.
  std::array<sock_filter, 3> steps{{
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_CPU)},
      {BPF_ALU | BPF_MOD | BPF_K, 0, 0, count},
      {BPF_RET | BPF_A, 0, 0, 0},
  }};
  const sock_fprog program{static_cast<unsigned short>(steps.size()), steps.data()};
  if (setsockopt(socket, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program)) != 0) {
    return system_error("steer datagrams by CPU");
  }
  return {};
}

void stay_on_cpus(unsigned index, unsigned count) noexcept {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return;
  cpu_set_t own;
  CPU_ZERO(&own);
  for (unsigned cpu = index; cpu < CPU_SETSIZE; cpu += count) {
    if (CPU_ISSET(cpu, &allowed)) CPU_SET(cpu, &own);
  }
  // Where it may not, it answers just as well from elsewhere.
  if (CPU_COUNT(&own) != 0) pthread_setaffinity_np(pthread_self(), sizeof(own), &own);
}

}  // namespace demarc::dns
