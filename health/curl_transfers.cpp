// Probes by libcurl. health/curl_transfers.h has the rules; here are the options that make them
// true, and the words for what libcurl reports.
#include "health/curl_transfers.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <string_view>
#include <utility>

#include <curl/curl.h>
#include <fmt/format.h>

#include "health/grpc_health.h"
#include "health/judgement.h"
#include "health/printable.h"
#include "health/tls_sessions.h"

namespace demarc::health {

using zones::ProbeScheme;

namespace {

struct EasyDeleter {
  void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
};
struct MultiDeleter {
  void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
using Easy = std::unique_ptr<CURL, EasyDeleter>;
using List = std::unique_ptr<curl_slist, ListDeleter>;

// Names that a probe resolves itself are asked again by the next one. Above zero: the addresses we
// hand over pass through the same cache and must live until the connection is made.
constexpr long resolved_for_seconds = 2;

// Reading the system's CA bundle takes longer than a handshake; a renewed bundle counts after this.
constexpr long ca_reread_seconds = 600;

constexpr long receive_buffer_bytes = 4'096;
constexpr const char* system_ca_file = "/etc/ssl/certs/ca-certificates.crt";

/// One probe in flight. libcurl keeps pointers into it, so it never moves.
struct Transfer {
  TargetId target{};
  Probe probe;
  List resolve;
  List connect_to;
  List headers;
  std::string body;  // of a request that has one
  char error[CURL_ERROR_SIZE] = {};
  std::size_t header_bytes = 0;
  std::size_t body_bytes = 0;
  HeardAnswer heard;               // as far as something is expected of it
  std::shared_ptr<void> sessions;  // where its TLS session is kept; null: nowhere
  Easy easy;                       // last: cleaned up before what it points to
};

// libcurl hands over one line of the header section a call.
std::size_t take_header(const char* bytes, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  transfer.header_bytes += size * count;
  if (transfer.header_bytes > header_cap_bytes) return 0;
  const std::string_view line(bytes, size * count);
  if (line.starts_with("HTTP/")) transfer.heard.headers.clear();  // an interim answer came before
  if (!transfer.probe.expect.headers.empty() || asks_grpc(transfer.probe.scheme)) {
    if (auto header = read_header_line(line)) transfer.heard.headers.push_back(std::move(*header));
  }
  return size * count;
}

std::size_t take_body(const char* bytes, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const zones::ExpectedAnswer& expect = transfer.probe.expect;
  if (!expect.body.empty() || !expect.values.empty() || !expect.query_value.empty() ||
      asks_grpc(transfer.probe.scheme)) {
    const std::size_t room = body_cap_bytes - transfer.heard.body.size();
    transfer.heard.body.append(bytes, std::min(room, size * count));
  }
  transfer.body_bytes += size * count;
  transfer.heard.is_body_cut = transfer.body_bytes > body_cap_bytes;
  return transfer.body_bytes >= body_cap_bytes ? 0 : size * count;
}

/// A call of the health service (health/grpc_health.h): a POST, by HTTP/2.
void ask_grpc(Transfer& transfer) {
  if (!asks_grpc(transfer.probe.scheme)) return;
  transfer.body = write_grpc_request(transfer.probe.path);
  curl_slist* lines = nullptr;
  for (const char* const line : {"content-type: application/grpc", "te: trailers", "expect:"}) {
    lines = curl_slist_append(lines, line);
  }
  transfer.headers.reset(lines);
}

/// Sets options and remembers the first that failed: a probe without its limits must not start.
class Options {
 public:
  explicit Options(CURL* easy) : easy_(easy) {}

  template <typename Value>
  void set(CURLoption option, Value value) {
    const CURLcode code = curl_easy_setopt(easy_, option, value);
    if (error_ == CURLE_OK) error_ = code;
  }
  [[nodiscard]] CURLcode error() const noexcept { return error_; }

 private:
  CURL* easy_;
  CURLcode error_ = CURLE_OK;
};

std::string bracketed(const geo::Address& address) {
  const std::string text = geo::to_text(address);
  return address.family == geo::Family::ipv6 ? fmt::format("[{}]", text) : text;
}

List one_line(const std::string& line) { return List(curl_slist_append(nullptr, line.c_str())); }

/// Sends the connection to the probe's addresses while the URL, and with it Host, SNI and the name
/// in the certificate, stays. Not by a resolve entry for the host itself: a multi handle has one
/// cache of names, and two services may use one host name with different addresses. So each target
/// connects to a name of its own (RFC 6761 §6.4: .invalid is nobody's), resolved by the entry here.
void direct_connection(Transfer& transfer) {
  const Probe& probe = transfer.probe;
  if (probe.addresses.empty()) return;
  const std::string name =
      fmt::format("probe-{}.invalid", static_cast<std::uint64_t>(transfer.target));
  std::string addresses;
  for (const geo::Address& address : probe.addresses) {
    if (!addresses.empty()) addresses += ',';
    addresses += bracketed(address);
  }
  // "+": the entry ends with resolved_for_seconds instead of staying for good.
  transfer.resolve = one_line(fmt::format("+{}:{}:{}", name, probe.connect_port, addresses));
  transfer.connect_to = one_line(fmt::format("::{}:{}", name, probe.connect_port));
}

void set_limits(Options& options, Transfer& transfer) {
  // libcurl takes 0 for "none".
  const auto timeout =
      static_cast<long>(std::max<Milliseconds::rep>(1, transfer.probe.timing.timeout.count()));
  options.set(CURLOPT_TIMEOUT_MS, timeout);
  options.set(CURLOPT_CONNECTTIMEOUT_MS, timeout);
  options.set(CURLOPT_BUFFERSIZE, receive_buffer_bytes);
  options.set(CURLOPT_HEADERFUNCTION, &take_header);
  options.set(CURLOPT_HEADERDATA, static_cast<void*>(&transfer));
  options.set(CURLOPT_WRITEFUNCTION, &take_body);
  options.set(CURLOPT_WRITEDATA, static_cast<void*>(&transfer));
  options.set(CURLOPT_ERRORBUFFER, static_cast<char*>(transfer.error));
  options.set(CURLOPT_NOSIGNAL, 1L);
  // A name server that hangs holds up neither the other probes nor the end of the program.
  options.set(CURLOPT_QUICK_EXIT, 1L);
  options.set(CURLOPT_DNS_CACHE_TIMEOUT, resolved_for_seconds);
}

/// Over TLS the two agree on a version (RFC 7301), and what they agreed on is judged with the
/// answer; without TLS, HTTP/2 has to be known to be there.
long http_version_for_curl(const Probe& probe) {
  if (probe.http_version == zones::HttpVersion::http1_1 && !asks_grpc(probe.scheme)) {
    return CURL_HTTP_VERSION_1_1;
  }
  return has_certificate(probe.scheme) ? CURL_HTTP_VERSION_2TLS
                                       : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
}

void set_protocol(Options& options, Transfer& transfer, const TransferOptions& settings) {
  options.set(CURLOPT_PROTOCOLS_STR, "http,https");
  options.set(CURLOPT_FOLLOWLOCATION, 0L);
  options.set(CURLOPT_PROXY, "");
  options.set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  options.set(CURLOPT_HTTP_VERSION, http_version_for_curl(transfer.probe));
  if (transfer.probe.method == zones::ProbeMethod::head) options.set(CURLOPT_NOBODY, 1L);
  options.set(CURLOPT_HTTP09_ALLOWED, 0L);
  options.set(CURLOPT_PATH_AS_IS, 1L);
  options.set(CURLOPT_FRESH_CONNECT, 1L);
  options.set(CURLOPT_FORBID_REUSE, 1L);
  options.set(CURLOPT_USERAGENT, settings.user_agent.c_str());
  options.set(CURLOPT_PRIVATE, static_cast<void*>(&transfer));
  if (transfer.resolve) options.set(CURLOPT_RESOLVE, transfer.resolve.get());
  if (transfer.connect_to) options.set(CURLOPT_CONNECT_TO, transfer.connect_to.get());
  if (transfer.headers) {
    options.set(CURLOPT_HTTPHEADER, transfer.headers.get());
    options.set(CURLOPT_POSTFIELDSIZE, static_cast<long>(transfer.body.size()));
    options.set(CURLOPT_POSTFIELDS, transfer.body.c_str());
  }
  if (is_bare(transfer.probe.scheme)) options.set(CURLOPT_CONNECT_ONLY, 1L);
  // It may be no HTTP server at all, and refuse a handshake that names HTTP.
  if (transfer.probe.scheme == ProbeScheme::tls) options.set(CURLOPT_SSL_ENABLE_ALPN, 0L);
}

void set_tls(Options& options, const Transfer& transfer, const TransferOptions& settings) {
  options.set(CURLOPT_SSL_VERIFYPEER, 1L);
  options.set(CURLOPT_SSL_VERIFYHOST, 2L);
  // A resumed session skips the certificate, which is part of what is probed: only where asked for.
  options.set(CURLOPT_SSL_SESSIONID_CACHE, transfer.sessions ? 1L : 0L);
  if (transfer.sessions) options.set(CURLOPT_SHARE, transfer.sessions.get());
  // With a folder of CAs libcurl would not keep the read certificates between probes.
  options.set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  options.set(CURLOPT_CAINFO, settings.ca_file.empty() ? system_ca_file : settings.ca_file.c_str());
  options.set(CURLOPT_CA_CACHE_TIMEOUT, ca_reread_seconds);
  options.set(CURLOPT_CERTINFO, 1L);
}

/// libcurl knows HTTP alone; with CONNECT_ONLY nothing of it is sent.
std::string url_for_curl(const Probe& probe) {
  if (facts_of(probe.scheme).asks_http) return probe.url();
  Probe over_http = probe;
  over_http.scheme = has_certificate(probe.scheme) ? ProbeScheme::https : ProbeScheme::http;
  if (asks_grpc(probe.scheme)) over_http.path = grpc_health_path;
  return over_http.url();
}

/// The transfer, ready to be added; its `easy` is null if libcurl refused something.
std::unique_ptr<Transfer> build_transfer(TargetId target, const Probe& probe,
                                         const TransferOptions& settings,
                                         std::shared_ptr<void> sessions = nullptr) {
  auto transfer = std::make_unique<Transfer>();
  transfer->target = target;
  transfer->probe = probe;
  transfer->sessions = std::move(sessions);
  direct_connection(*transfer);
  ask_grpc(*transfer);
  Easy easy(curl_easy_init());
  if (!easy) return transfer;
  Options options(easy.get());
  options.set(CURLOPT_URL, url_for_curl(probe).c_str());
  set_limits(options, *transfer);
  set_protocol(options, *transfer, settings);
  if (has_certificate(probe.scheme)) set_tls(options, *transfer, settings);
  if (options.error() == CURLE_OK) transfer->easy = std::move(easy);
  return transfer;
}

std::string_view without_prefix(std::string_view text) {
  for (const std::string_view prefix : {"SSL certificate problem: ", "SSL: "}) {
    if (text.starts_with(prefix)) return text.substr(prefix.size());
  }
  return text;
}

std::string error_detail(const Transfer& transfer, CURLcode code) {
  const std::string_view text =
      transfer.error[0] != '\0' ? transfer.error : curl_easy_strerror(code);
  long error_number = 0;
  curl_easy_getinfo(transfer.easy.get(), CURLINFO_OS_ERRNO, &error_number);
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return fmt::format("timeout after {} ms", transfer.probe.timing.timeout.count());
    case CURLE_COULDNT_CONNECT:
      if (error_number == ECONNREFUSED) return "connection refused";
      if (error_number == 0) return "cannot connect";
      return fmt::format("cannot connect: {}", std::strerror(static_cast<int>(error_number)));
    case CURLE_COULDNT_RESOLVE_HOST:
      return fmt::format("{} does not resolve", printable(transfer.probe.host));
    case CURLE_PEER_FAILED_VERIFICATION:
      return fmt::format("certificate: {}", printable(without_prefix(text)));
    case CURLE_SSL_CONNECT_ERROR:
      return fmt::format("TLS: {}", printable(text));
    case CURLE_SSL_CACERT_BADFILE:
      return fmt::format("CA file: {}", printable(text));
    case CURLE_GOT_NOTHING:
      return "closed without an answer";
    case CURLE_PARTIAL_FILE:
      return "answer cut short";
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
      return "not an HTTP/1.1 answer";
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return "not an HTTP/2 answer";
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
      return error_number == ECONNRESET ? "connection reset" : printable(text);
    default:  // libcurl's list is open; its own words do for the rest
      return printable(text);
  }
}

/// When the server's own certificate stops being good; libcurl lists it before its issuers.
std::optional<WallTime> certificate_end(const Transfer& transfer) {
  constexpr std::string_view label = "Expire date:";
  curl_certinfo* chain = nullptr;
  curl_easy_getinfo(transfer.easy.get(), CURLINFO_CERTINFO, &chain);
  if (chain == nullptr || chain->num_of_certs < 1) return std::nullopt;
  for (const curl_slist* line = chain->certinfo[0]; line != nullptr; line = line->next) {
    const std::string_view text(line->data);
    if (!text.starts_with(label)) continue;
    const time_t seconds = curl_getdate(line->data + label.size(), nullptr);
    if (seconds == -1) return std::nullopt;
    return WallTime{std::chrono::seconds{seconds}};
  }
  return std::nullopt;
}

ProbeResult judge(Transfer& transfer, CURLcode code) {
  const Probe& probe = transfer.probe;
  if (transfer.header_bytes > header_cap_bytes) {
    return judge_silence(probe, fmt::format("headers above {} bytes", header_cap_bytes));
  }
  const bool is_capped = code == CURLE_WRITE_ERROR && transfer.body_bytes >= body_cap_bytes;
  if (code != CURLE_OK && !is_capped) return judge_silence(probe, error_detail(transfer, code));
  const auto now = std::chrono::time_point_cast<Milliseconds>(std::chrono::system_clock::now());
  if (probe.scheme == ProbeScheme::tls) return judge_handshake(probe, transfer.heard, now);
  if (is_bare(probe.scheme)) return {.outcome = ProbeOutcome::pass, .detail = "connected"};
  long status = 0;
  long version = CURL_HTTP_VERSION_NONE;
  curl_easy_getinfo(transfer.easy.get(), CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(transfer.easy.get(), CURLINFO_HTTP_VERSION, &version);
  transfer.heard.status = static_cast<int>(status);
  transfer.heard.is_http2 = version == CURL_HTTP_VERSION_2_0;
  if (asks_grpc(probe.scheme)) return judge_grpc(probe, transfer.heard, now);
  return judge_http(probe, transfer.heard, now);
}

}  // namespace

struct CurlTransfers::Multi {
  TransferOptions options;
  std::unique_ptr<CURLM, MultiDeleter> handle;
  std::map<TargetId, std::unique_ptr<Transfer>> running;
  TlsSessions sessions;
  std::vector<FinishedProbe> stillborn;  // could not begin; the next wait() reports them

  void add(std::unique_ptr<Transfer> transfer);
  void collect(std::vector<FinishedProbe>& finished);
  void forget(TargetId target);
};

void CurlTransfers::Multi::add(std::unique_ptr<Transfer> transfer) {
  CURL* const easy = transfer->easy.get();
  if (easy == nullptr || curl_multi_add_handle(handle.get(), easy) != CURLM_OK) {
    stillborn.push_back({transfer->target, {.detail = "libcurl cannot start the probe"}, false});
    return;
  }
  running.insert_or_assign(transfer->target, std::move(transfer));
}

void CurlTransfers::Multi::collect(std::vector<FinishedProbe>& finished) {
  int left = 0;
  while (const CURLMsg* const message = curl_multi_info_read(handle.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    Transfer* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    curl_off_t took = 0;
    curl_easy_getinfo(message->easy_handle, CURLINFO_TOTAL_TIME_T, &took);
    if (has_certificate(transfer->probe.scheme)) {
      transfer->heard.certificate_end = certificate_end(*transfer);
    }
    ProbeResult result = judge(*transfer, code);
    result.certificate_end = transfer->heard.certificate_end;
    result.latency = std::chrono::microseconds(took);
    const TargetId target = transfer->target;
    const bool is_pass = result.outcome == ProbeOutcome::pass;
    finished.push_back({target, std::move(result), code == CURLE_OPERATION_TIMEDOUT});
    forget(target);  // frees the message too
    if (!is_pass) sessions.end(target);
  }
}

void CurlTransfers::Multi::forget(TargetId target) {
  const auto found = running.find(target);
  if (found == running.end()) return;
  curl_multi_remove_handle(handle.get(), found->second->easy.get());
  running.erase(found);
}

Result<std::unique_ptr<CurlTransfers>, SystemError> CurlTransfers::create(
    const TransferOptions& options) {
  // libcurl's initialisation; this static is its one place. Debian's build is thread safe here.
  static const CURLcode global = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (global != CURLE_OK) {
    return failure(fmt::format("cannot initialise libcurl: {}", curl_easy_strerror(global)));
  }
  auto multi = std::make_unique<Multi>();
  multi->options = options;
  multi->handle.reset(curl_multi_init());
  if (!multi->handle) return failure("libcurl gives no multi handle");

  // The options are tried here once, so that a libcurl too old for one is an error at the start.
  const auto trial = build_transfer(
      TargetId{0}, {.scheme = ProbeScheme::https, .host = "trial.invalid"}, multi->options);
  if (!trial->easy) return failure("this libcurl lacks an option that probes need (7.88 has all)");
  return std::unique_ptr<CurlTransfers>(new CurlTransfers(std::move(multi)));
}

CurlTransfers::CurlTransfers(std::unique_ptr<Multi> multi) : multi_(std::move(multi)) {}

CurlTransfers::~CurlTransfers() {
  while (!multi_->running.empty()) multi_->forget(multi_->running.begin()->first);
}

void CurlTransfers::start(TargetId target, const Probe& probe) {
  const auto now = std::chrono::time_point_cast<Milliseconds>(std::chrono::steady_clock::now());
  multi_->add(build_transfer(target, probe, multi_->options,
                             multi_->sessions.find_or_make(target, probe, now)));
}

void CurlTransfers::cancel(TargetId target) { multi_->forget(target); }

void CurlTransfers::retain(const std::function<bool(TargetId)>& is_kept) {
  multi_->sessions.retain(is_kept);
}

std::vector<FinishedProbe> CurlTransfers::wait(Milliseconds at_most, std::span<const int> also) {
  std::vector<FinishedProbe> finished = std::exchange(multi_->stillborn, {});
  CURLM* const handle = multi_->handle.get();
  int running = 0;
  curl_multi_perform(handle, &running);  // new transfers get their sockets before the wait
  multi_->collect(finished);
  if (!finished.empty()) return finished;

  std::vector<curl_waitfd> others;
  others.reserve(also.size());
  for (const int descriptor : also) others.push_back({descriptor, CURL_WAIT_POLLIN, 0});
  curl_multi_poll(handle, others.data(), static_cast<unsigned>(others.size()),
                  static_cast<int>(at_most.count()), nullptr);
  curl_multi_perform(handle, &running);
  multi_->collect(finished);
  return finished;
}

void CurlTransfers::wake() noexcept { curl_multi_wakeup(multi_->handle.get()); }

std::size_t CurlTransfers::in_flight() const noexcept { return multi_->running.size(); }

}  // namespace demarc::health
