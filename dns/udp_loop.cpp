#include "dns/udp_loop.h"

#include <cerrno>
#include <cstring>

#include "dns/coarse_clocks.h"
#include "dns/proxy_header.h"
#include "dns/sockets.h"

namespace demarc::dns {

namespace {

// The kernel gives the address the query came to and where it came in; going out, the interface is
// for the routing table to choose, but for link-local addresses, which mean nothing without it.
void keep_source_address(msghdr& message) noexcept {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
      in_pktinfo info;
      std::memcpy(&info, CMSG_DATA(part), sizeof(info));
      info.ipi_ifindex = 0;
      std::memcpy(CMSG_DATA(part), &info, sizeof(info));
    }
    if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info;
      std::memcpy(&info, CMSG_DATA(part), sizeof(info));
      if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) info.ipi6_ifindex = 0;
      std::memcpy(CMSG_DATA(part), &info, sizeof(info));
    }
  }
}

// A proxy's datagram without its header: then `query` and `client` are those it passes on, and the
// answer goes back to the proxy. False: it has no header.
bool take_proxy_header(std::span<const std::uint8_t>& query, Endpoint& client) noexcept {
  ProxyHeader header;
  if (read_proxy_header(query, ProxyTransport::datagram, header) != ProxyReading::good) {
    return false;
  }
  query = query.subspan(header.size);
  if (header.source) client.address = *header.source;
  return true;
}

// Whose place will probably be looked up.
const geo::Address& client_of(const Received& received) noexcept {
  const Edns& edns = received.query.edns;
  return edns.client_subnet.empty() ? received.client : edns.subnet.address;
}

}  // namespace

UdpLoop::UdpLoop(int socket, NamesSource names_source, const Published& published, Seat& seat,
                 Worker& worker)
    : socket_(socket),
      names_source_(names_source),
      published_(published),
      seat_(seat),
      worker_(worker),
      slots_(udp_batch_max) {
  for (std::size_t index = 0; index < udp_batch_max; ++index) prepare(index);
}

void UdpLoop::prepare(std::size_t index) noexcept {
  Slot& slot = slots_[index];
  slot.query_part = {slot.query.data(), slot.query.size()};
  msghdr& message = received_[index].msg_hdr;
  message.msg_iov = &slot.query_part;
  message.msg_iovlen = 1;
  message.msg_name = &slot.client;
  message.msg_namelen = sizeof(slot.client);
  if (names_source_ == NamesSource::yes) {
    message.msg_control = &slot.control;
    message.msg_controllen = sizeof(slot.control);
  }
}

void UdpLoop::run(const std::atomic<bool>& stopping) noexcept {
  while (!stopping.load(std::memory_order_relaxed)) {
    const std::size_t received = receive();
    if (received == 0) continue;
    worker_.now = read_coarse_clocks();
    const std::size_t count = answer(published_.next_batch(seat_), received);
    published_.park(seat_);  // the next receive may sleep
    send(count);
  }
}

std::size_t UdpLoop::receive() noexcept {
  const int count = recvmmsg(socket_, received_.data(), udp_batch_max, MSG_WAITFORONE, nullptr);
  return count > 0 ? static_cast<std::size_t>(count) : 0;
}

// False: it is dropped. The kernel has written sizes into the header of what it received, so that
// is made ready for the next batch at once.
bool UdpLoop::read(std::size_t index) noexcept {
  Slot& slot = slots_[index];
  msghdr& message = received_[index].msg_hdr;
  Endpoint client = read_socket_address(slot.client);
  slot.client_size = message.msg_namelen;
  slot.control_size = message.msg_controllen;
  message.msg_namelen = sizeof(slot.client);
  if (names_source_ == NamesSource::yes) {
    keep_source_address(message);
    message.msg_controllen = sizeof(slot.control);
  }
  if (client.port == 0) return false;  // forged: nobody can get an answer there
  std::span<const std::uint8_t> query(slot.query.data(), received_[index].msg_len);
  const geo::Address sender = client.address;
  if (is_proxy(worker_.proxy_peers, sender) && !take_proxy_header(query, client)) return false;
  slot.is_spoken_for = client.address != sender;
  slot.received.packet = query;
  slot.received.client = client.address;
  slot.received.reading = read_query(query, slot.received.query);
  return true;
}

// Each step reads what the one before has fetched: the waits of a whole batch for memory overlap.
void UdpLoop::look_ahead(const Snapshot& snapshot) noexcept {
  const ZoneTable& zones = *snapshot.zones;
  const geo::LocationTable& locations = *snapshot.locations;
  const std::span slots(to_answer_.data(), to_answer_count_);
  for (Slot* const slot : slots) slot->hint = zones.fetch_node(slot->received.query.qname);
  for (Slot* const slot : slots) {
    zones.fetch_entries(slot->hint);
    if (zones.may_be_service(slot->hint)) locations.fetch_bucket(client_of(slot->received));
  }
  for (Slot* const slot : slots) {
    zones.fetch_answer(slot->hint);
    if (zones.may_be_service(slot->hint)) locations.fetch_starts(client_of(slot->received));
  }
}

// Returns the number of answers to send.
std::size_t UdpLoop::answer(const Snapshot& snapshot, std::size_t received) noexcept {
  to_answer_count_ = 0;
  for (std::size_t index = 0; index < received; ++index) {
    if (!read(index)) {
      worker_.counters.dropped.add();
      continue;
    }
    Slot& slot = slots_[index];
    to_answer_[to_answer_count_++] = &slot;
    snapshot.zones->fetch_slot(slot.received.query.qname);
  }
  if (to_answer_count_ > 1) look_ahead(snapshot);
  std::size_t count = 0;
  for (std::size_t index = 0; index < to_answer_count_; ++index) {
    Slot& slot = *to_answer_[index];
    worker_.is_spoken_for = slot.is_spoken_for;
    const std::size_t size = respond(snapshot, worker_, slot.received, Transport::udp, slot.answer);
    if (size == 0) continue;
    slot.answer_part = {slot.answer.data(), size};
    msghdr& outgoing = to_send_[count++].msg_hdr;
    outgoing = {};
    outgoing.msg_name = &slot.client;
    outgoing.msg_namelen = slot.client_size;
    outgoing.msg_iov = &slot.answer_part;
    outgoing.msg_iovlen = 1;
    if (names_source_ == NamesSource::yes) {
      outgoing.msg_control = &slot.control;
      outgoing.msg_controllen = slot.control_size;
    }
  }
  return count;
}

// An error is the first message's own (a firewall's EPERM, ENOBUFS, no route): it is skipped, as if
// the network had lost it, and the others go out.
void UdpLoop::send(std::size_t count) noexcept {
  std::size_t sent = 0;
  while (sent < count) {
    const int more =
        sendmmsg(socket_, to_send_.data() + sent, static_cast<unsigned>(count - sent), 0);
    if (more > 0) {
      sent += static_cast<std::size_t>(more);
    } else if (errno != EINTR) {
      worker_.counters.send_failures.add();
      ++sent;
    }
  }
}

}  // namespace demarc::dns
