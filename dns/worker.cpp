#include "dns/worker.h"

namespace demarc::dns {

CounterValues Counters::values() const noexcept {
  CounterValues sum;
  sum.udp_queries = udp_queries.value();
  sum.tcp_queries = tcp_queries.value();
  for (std::size_t rcode = 0; rcode < rcode_count; ++rcode) {
    sum.by_rcode[rcode] = by_rcode[rcode].value();
  }
  sum.dropped = dropped.value();
  sum.truncated = truncated.value();
  sum.steered = steered.value();
  sum.fenced = fenced.value();
  sum.rate_dropped = rate_dropped.value();
  sum.rate_truncated = rate_truncated.value();
  sum.send_failures = send_failures.value();
  sum.tcp_connections = tcp_connections.value();
  sum.tls_connections = tls_connections.value();
  sum.tcp_refused = tcp_refused.value();
  sum.tcp_evicted = tcp_evicted.value();
  sum.tcp_timeouts = tcp_timeouts.value();
  sum.transfers = transfers.value();
  sum.transfers_finished = transfers_finished.value();
  sum.transfers_refused = transfers_refused.value();
  sum.tsig_errors = tsig_errors.value();
  return sum;
}

CounterValues& CounterValues::operator+=(const CounterValues& other) noexcept {
  udp_queries += other.udp_queries;
  tcp_queries += other.tcp_queries;
  for (std::size_t rcode = 0; rcode < rcode_count; ++rcode) {
    by_rcode[rcode] += other.by_rcode[rcode];
  }
  dropped += other.dropped;
  truncated += other.truncated;
  steered += other.steered;
  fenced += other.fenced;
  rate_dropped += other.rate_dropped;
  rate_truncated += other.rate_truncated;
  send_failures += other.send_failures;
  tcp_connections += other.tcp_connections;
  tls_connections += other.tls_connections;
  tcp_refused += other.tcp_refused;
  tcp_evicted += other.tcp_evicted;
  tcp_timeouts += other.tcp_timeouts;
  transfers += other.transfers;
  transfers_finished += other.transfers_finished;
  transfers_refused += other.transfers_refused;
  tsig_errors += other.tsig_errors;
  return *this;
}

}  // namespace demarc::dns
