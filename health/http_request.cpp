// health/http_request.h by libcurl: its options, and the words for what it reports.
#include "health/http_request.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <curl/curl.h>
#include <fmt/format.h>

namespace demarc::health {
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
struct UrlDeleter {
  void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};
using List = std::unique_ptr<curl_slist, ListDeleter>;

constexpr const char* system_ca_file = "/etc/ssl/certs/ca-certificates.crt";
constexpr std::size_t header_max_bytes = 32'768;
constexpr std::size_t error_text_max = 160;
// Between two looks at the clock by libcurl itself; stop() wakes the wait at once.
constexpr int wait_ms = 1'000;

void append(List& list, const std::string& line) {
  if (curl_slist* longer = curl_slist_append(list.get(), line.c_str())) {
    (void)list.release();
    list.reset(longer);
  }
}

/// What libcurl wrote, as one short printable line.
std::string clean(std::string_view text) {
  std::string line;
  for (const char c : text.substr(0, error_text_max)) line += c >= ' ' && c <= '~' ? c : '?';
  return line;
}

}  // namespace

struct HttpClient::Multi {
  std::unique_ptr<CURLM, MultiDeleter> handle{curl_multi_init()};
};

/// One request; libcurl keeps pointers into it, so it never moves.
struct HttpClient::Transfer {
  explicit Transfer(const HttpRequest& asked) : request(asked) {}

  const HttpRequest& request;
  HttpAnswer answer;
  std::size_t header_bytes = 0;
  bool is_too_long = false;
  List headers, connect_to;
  char error[CURL_ERROR_SIZE] = {};
  std::unique_ptr<CURL, EasyDeleter> easy;  // last: cleaned up before what it points to
  bool options_good = true;

  template <typename Value>
  void set(CURLoption option, Value value) {
    options_good &= curl_easy_setopt(easy.get(), option, value) == CURLE_OK;
  }
  void prepare();
  void prepare_tls();
  void prepare_request();
  [[nodiscard]] Result<HttpAnswer, std::string> finish(CURLcode code);

  static std::size_t take_header(const char*, std::size_t size, std::size_t count, void* user) {
    auto& transfer = *static_cast<Transfer*>(user);
    transfer.header_bytes += size * count;
    transfer.is_too_long |= transfer.header_bytes > header_max_bytes;
    return transfer.is_too_long ? 0 : size * count;
  }
  static std::size_t take_body(const char* bytes, std::size_t size, std::size_t count, void* user) {
    auto& transfer = *static_cast<Transfer*>(user);
    transfer.is_too_long |=
        transfer.answer.body.size() + size * count > transfer.request.answer_max;
    if (transfer.is_too_long) return 0;
    transfer.answer.body.append(bytes, size * count);
    return size * count;
  }
};

void HttpClient::Transfer::prepare_request() {
  for (const auto& [name, value] : request.headers) append(headers, name + ": " + value);
  append(headers, "Expect:");  // small bodies go at once, not after a 100 Continue
  set(CURLOPT_URL, request.url.c_str());
  if (request.method == "GET") {
    set(CURLOPT_HTTPGET, 1L);
  } else {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(CURLOPT_POSTFIELDS, request.body.c_str());
  }
  set(CURLOPT_HTTPHEADER, headers.get());
  if (!request.connect_to) return;
  const auto& [address, port] = *request.connect_to;
  const std::string text = geo::to_text(address);
  append(connect_to, address.family == geo::Family::ipv6 ? fmt::format("::[{}]:{}", text, port)
                                                         : fmt::format("::{}:{}", text, port));
  set(CURLOPT_CONNECT_TO, connect_to.get());
}

void HttpClient::Transfer::prepare_tls() {
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  set(CURLOPT_CAINFO, request.ca_file.empty() ? system_ca_file : request.ca_file.c_str());
}

void HttpClient::Transfer::prepare() {
  easy.reset(curl_easy_init());
  if (!easy) {
    options_good = false;
    return;
  }
  prepare_request();
  prepare_tls();
  // libcurl takes 0 for "none".
  const auto timeout = static_cast<long>(std::max<Milliseconds::rep>(1, request.timeout.count()));
  set(CURLOPT_TIMEOUT_MS, timeout);
  set(CURLOPT_CONNECTTIMEOUT_MS, timeout);
  set(CURLOPT_HEADERFUNCTION, &take_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(CURLOPT_WRITEFUNCTION, &take_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  set(CURLOPT_ERRORBUFFER, static_cast<char*>(error));
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);  // a name server that hangs does not hold up the end
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_HTTP09_ALLOWED, 0L);
  set(CURLOPT_FRESH_CONNECT, 1L);
  set(CURLOPT_FORBID_REUSE, 1L);
  set(CURLOPT_USERAGENT, "Demarc");
}

Result<HttpAnswer, std::string> HttpClient::Transfer::finish(CURLcode code) {
  if (is_too_long) {
    return std::unexpected(fmt::format("the answer is above {} bytes", request.answer_max));
  }
  if (code == CURLE_OK) {
    long status = 0;
    curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
    answer.status = static_cast<int>(status);
    return std::move(answer);
  }
  long error_number = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_OS_ERRNO, &error_number);
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return std::unexpected(fmt::format("no answer within {} ms", request.timeout.count()));
    case CURLE_COULDNT_CONNECT:
      if (error_number == ECONNREFUSED) return std::unexpected("connection refused");
      return std::unexpected(
          error_number == 0
              ? std::string("cannot connect")
              : fmt::format("cannot connect: {}", std::strerror(static_cast<int>(error_number))));
    case CURLE_GOT_NOTHING:
      return std::unexpected("closed without an answer");
    case CURLE_PARTIAL_FILE:
      return std::unexpected("the answer is cut short");
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
      return std::unexpected("not an HTTP/1.1 answer");
    default:  // libcurl's list is open; its own words do for the rest
      return std::unexpected(clean(error[0] != '\0' ? error : curl_easy_strerror(code)));
  }
}

HttpClient::HttpClient() {
  // Debian's libcurl may be initialised by several threads, as often as one likes.
  static const CURLcode global = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (global == CURLE_OK) multi_ = std::make_unique<Multi>();
}

HttpClient::~HttpClient() = default;

Result<HttpAnswer, std::string> HttpClient::send(const HttpRequest& request) {
  if (is_stopped_) return std::unexpected("stopped");
  if (!multi_ || !multi_->handle) return std::unexpected("libcurl cannot be initialised");
  Transfer transfer(request);
  transfer.prepare();
  if (!transfer.options_good) return std::unexpected("libcurl refuses the request");
  CURLM* const multi = multi_->handle.get();
  if (curl_multi_add_handle(multi, transfer.easy.get()) != CURLM_OK) {
    return std::unexpected("libcurl cannot begin the request");
  }
  Result<HttpAnswer, std::string> result = std::unexpected("stopped");
  int running = 1;
  while (running != 0 && !is_stopped_) {
    if (curl_multi_perform(multi, &running) != CURLM_OK) break;
    if (running != 0) curl_multi_poll(multi, nullptr, 0, wait_ms, nullptr);
  }
  int left = 0;
  while (const CURLMsg* const message = curl_multi_info_read(multi, &left)) {
    if (message->msg == CURLMSG_DONE) result = transfer.finish(message->data.result);
  }
  curl_multi_remove_handle(multi, transfer.easy.get());
  return result;
}

void HttpClient::stop() noexcept {
  is_stopped_ = true;
  if (multi_ && multi_->handle) curl_multi_wakeup(multi_->handle.get());
}

std::optional<std::string> find_url_error(std::string_view url) {
  const std::unique_ptr<CURLU, UrlDeleter> parsed(curl_url());
  const std::string text(url);
  if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) {
    return "it is no URL";
  }
  const auto part = [&](CURLUPart which) -> std::optional<std::string> {
    char* value = nullptr;
    if (curl_url_get(parsed.get(), which, &value, 0) != CURLUE_OK) return std::nullopt;
    std::string copy = value;
    curl_free(value);
    return copy;
  };
  const auto scheme = part(CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return "its scheme is neither http nor https";
  if (part(CURLUPART_USER) || part(CURLUPART_PASSWORD)) {
    return "it carries a user name or password";
  }
  if (part(CURLUPART_FRAGMENT)) return "it has a fragment";
  return std::nullopt;
}

}  // namespace demarc::health
