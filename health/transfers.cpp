#include "health/transfers.h"

#include <algorithm>
#include <iterator>
#include <random>
#include <utility>

#include "health/file_probe.h"

namespace demarc::health {
namespace {

using Clock = std::chrono::steady_clock;
using zones::ProbeScheme;

std::uint64_t random_seed() {
  std::random_device device;
  return std::uint64_t{device()} << 32U | device();
}

WallTime wall_now() {
  return std::chrono::time_point_cast<Milliseconds>(std::chrono::system_clock::now());
}

}  // namespace

Result<std::unique_ptr<Transfers>, SystemError> Transfers::create(const TransferOptions& options) {
  auto curl = CurlTransfers::create(options);
  if (!curl) return std::unexpected(curl.error());
  return std::unique_ptr<Transfers>(new Transfers(options, std::move(*curl)));
}

Transfers::Transfers(const TransferOptions& options, std::unique_ptr<CurlTransfers> curl)
    : options_(options),
      curl_(std::move(curl)),
      datagrams_(random_seed()),  // IDs that nobody guesses
      programs_(options.programs_folder) {}

void Transfers::start(TargetId target, const Probe& probe) {
  switch (probe.scheme) {
    case ProbeScheme::dns:
    case ProbeScheme::icmp:
      datagrams_.start(target, probe, Clock::now());
      return;
    case ProbeScheme::program:
      programs_.start(target, probe, Clock::now());
      return;
    case ProbeScheme::file:
      at_once_.push_back({target, probe_file(probe, options_.evidence_folder, wall_now())});
      return;
    case ProbeScheme::http:
    case ProbeScheme::https:
    case ProbeScheme::tcp:
    case ProbeScheme::tls:
    case ProbeScheme::grpc:
    case ProbeScheme::grpcs:
      curl_->start(target, probe);
      return;
  }
}

void Transfers::cancel(TargetId target) {
  curl_->cancel(target);
  datagrams_.cancel(target);
  programs_.cancel(target);
  std::erase_if(at_once_, [&](const FinishedProbe& probe) { return probe.target == target; });
}

std::vector<FinishedProbe> Transfers::wait(Milliseconds at_most) {
  const Clock::time_point now = Clock::now();
  const auto next = std::min(datagrams_.next_deadline(), programs_.next_deadline());
  if (!at_once_.empty() || next <= now) {
    at_most = Milliseconds{0};
  } else if (next < now + at_most) {
    at_most = std::chrono::ceil<Milliseconds>(next - now);
  }
  descriptors_.clear();
  datagrams_.add_descriptors(descriptors_);
  programs_.add_descriptors(descriptors_);
  auto finished = curl_->wait(at_most, descriptors_);
  std::ranges::move(std::exchange(at_once_, {}), std::back_inserter(finished));
  datagrams_.collect(Clock::now(), finished);
  programs_.collect(Clock::now(), finished);
  return finished;
}

std::size_t Transfers::in_flight() const noexcept {
  return curl_->in_flight() + datagrams_.in_flight() + programs_.in_flight() + at_once_.size();
}

}  // namespace demarc::health
