#include "tools/load/stream.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <netinet/in.h>
#include <sys/socket.h>

#include "dns/wire.h"

namespace demarc::tools::load {
namespace {

constexpr std::size_t batch = 32;
constexpr std::size_t batches_a_turn = 4;  // so that no stream makes the others wait
constexpr std::size_t message_max = 512;   // of a question
constexpr int socket_buffer_bytes = 4 << 20;

/// Where one message of a batch goes and comes from.
struct Envelope {
  sockaddr_storage to{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in_pktinfo))> control{};
  std::array<std::uint8_t, message_max> bytes{};
};

/// ip(7), IP_PKTINFO's ipi_spec_dst is the source to send from.
void set_source(msghdr& header, Envelope& envelope, std::uint32_t source) {
  header.msg_control = envelope.control.data();
  header.msg_controllen = envelope.control.size();
  cmsghdr* const control = CMSG_FIRSTHDR(&header);
  control->cmsg_level = IPPROTO_IP;
  control->cmsg_type = IP_PKTINFO;
  control->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
  in_pktinfo info{};
  info.ipi_spec_dst.s_addr = htonl(source);
  std::memcpy(CMSG_DATA(control), &info, sizeof info);
}

}  // namespace

Result<std::unique_ptr<Stream>, SystemError> Stream::open(const StreamSettings& settings,
                                                          const Questions& questions,
                                                          std::uint64_t seed) {
  std::unique_ptr<Stream> stream(new Stream(settings, questions, seed));
  sockaddr_storage storage{};
  const auto size = dns::write_socket_address(settings.server, storage);
  stream->socket_ =
      Descriptor(::socket(storage.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int socket = stream->socket_.number();
  if (socket < 0) return system_error("socket");
  for (const int option : {SO_RCVBUF, SO_SNDBUF}) {
    ::setsockopt(socket, SOL_SOCKET, option, &socket_buffer_bytes, sizeof socket_buffer_bytes);
  }
  // With sources of its own it must hear answers to all of them.
  if (settings.sources.empty() &&
      ::connect(socket, reinterpret_cast<const sockaddr*>(&storage), size) != 0) {
    return system_error("connect to " + dns::to_text(settings.server));
  }
  if (!settings.sources.empty()) {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    if (::bind(socket, reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0) {
      return system_error("bind");
    }
  }
  return stream;
}

bool Stream::turn(Time now) {
  const std::size_t received = receive(now);
  give_up_old(now);
  const std::size_t sent = is_sending_ ? send(due(now), now) : 0;
  return received + sent != 0;
}

std::size_t Stream::receive(Time now) {
  std::array<std::array<std::uint8_t, 4096>, batch> buffers;
  std::array<iovec, batch> vectors{};
  std::array<mmsghdr, batch> headers{};
  for (std::size_t i = 0; i < batch; ++i) {
    vectors[i] = {buffers[i].data(), buffers[i].size()};
    headers[i].msg_hdr.msg_iov = &vectors[i];
    headers[i].msg_hdr.msg_iovlen = 1;
  }
  std::size_t all = 0;
  for (std::size_t round = 0; round < batches_a_turn; ++round) {
    const int got = ::recvmmsg(socket(), headers.data(), batch, MSG_DONTWAIT, nullptr);
    if (got <= 0) break;
    for (std::size_t i = 0; i < static_cast<std::size_t>(got); ++i) {
      take(std::span(buffers[i]).first(std::min<std::size_t>(headers[i].msg_len, 4096)), now);
    }
    all += static_cast<std::size_t>(got);
    if (static_cast<std::size_t>(got) < batch) break;
  }
  return all;
}

void Stream::take(std::span<const std::uint8_t> answer, Time now) {
  if (answer.size() < dns::header_size || (answer[2] & dns::qr_bit) == 0) return;
  Waiting& waiting = waiting_[dns::get16(answer.data())];
  if (!waiting.is_waiting) return;  // too late, or a duplicate
  waiting.is_waiting = false;
  --outstanding_;
  if (waiting.sent < counts_from_) return;
  ++tally_.answered;
  ++tally_.rcodes[answer[3] & dns::rcode_mask];
  if ((answer[2] & dns::tc_bit) != 0) ++tally_.truncated;
  tally_.latencies.add(now - waiting.sent);
}

void Stream::forget(Waiting& waiting) {
  if (!waiting.is_waiting) return;
  waiting.is_waiting = false;
  --outstanding_;
  if (waiting.sent >= counts_from_) ++tally_.lost;
}

void Stream::give_up_old(Time now) {
  for (; oldest_ != next_; ++oldest_) {
    Waiting& waiting = waiting_[oldest_ % ids];
    if (waiting.is_waiting && now - waiting.sent < answer_timeout) return;
    forget(waiting);
  }
}

std::size_t Stream::due(Time now) {
  if (!settings_.per_second) return settings_.window - std::min(settings_.window, outstanding_);
  if (began_ == Time{}) began_ = now;
  const double asked = *settings_.per_second * std::chrono::duration<double>(now - began_).count();
  const double behind = asked - paid_;
  // What this machine cannot send is not sent later in a burst.
  constexpr double most = static_cast<double>(batch * batches_a_turn);
  if (behind > most) paid_ = asked - most;
  return static_cast<std::size_t>(std::clamp(asked - paid_, 0.0, most));
}

std::size_t Stream::send(std::size_t count, Time now) {
  std::array<Envelope, batch> envelopes;
  std::array<iovec, batch> vectors{};
  std::array<mmsghdr, batch> headers{};
  std::size_t all = 0;
  while (all < count) {
    const std::size_t wanted = std::min(batch, count - all);
    for (std::size_t i = 0; i < wanted; ++i) {
      Envelope& envelope = envelopes[i];
      const auto at = dns::scaled(static_cast<std::uint32_t>(random_.next()),
                                  static_cast<std::uint32_t>(questions_.size()));
      const auto question = questions_[at];
      const std::size_t size = std::min(question.size(), message_max);
      std::memcpy(envelope.bytes.data(), question.data(), size);
      const auto id = static_cast<std::uint16_t>((next_ + i) % ids);
      envelope.bytes[0] = static_cast<std::uint8_t>(id >> 8U);
      envelope.bytes[1] = static_cast<std::uint8_t>(id & 0xffU);
      vectors[i] = {envelope.bytes.data(), size};
      msghdr& header = headers[i].msg_hdr;
      header = {};
      header.msg_iov = &vectors[i];
      header.msg_iovlen = 1;
      if (settings_.sources.empty()) continue;
      header.msg_name = &envelope.to;
      header.msg_namelen = dns::write_socket_address(settings_.server, envelope.to);
      const auto source = dns::scaled(static_cast<std::uint32_t>(random_.next()),
                                      static_cast<std::uint32_t>(settings_.sources.size()));
      set_source(header, envelope, settings_.sources[source]);
    }
    const int sent =
        ::sendmmsg(socket(), headers.data(), static_cast<unsigned>(wanted), MSG_DONTWAIT);
    if (sent <= 0) break;
    for (std::size_t i = 0; i < static_cast<std::size_t>(sent); ++i) {
      Waiting& waiting = waiting_[next_ % ids];
      forget(waiting);
      waiting = {now, true};
      ++outstanding_;
      ++next_;
    }
    oldest_ = std::max(oldest_, next_ > ids ? next_ - ids : 0);
    all += static_cast<std::size_t>(sent);
    if (static_cast<std::size_t>(sent) < wanted) break;
  }
  paid_ += static_cast<double>(all);
  tally_.sent += all;
  return all;
}

void Stream::begin_counting(Time now) {
  tally_ = {};
  counts_from_ = now;
}

Tally Stream::end_counting() {
  for (; oldest_ != next_; ++oldest_) forget(waiting_[oldest_ % ids]);
  return tally_;
}

}  // namespace demarc::tools::load
