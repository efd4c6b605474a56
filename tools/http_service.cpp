#include "tools/http_service.h"

#include <future>
#include <thread>

#include <httplib.h>

#include "health/observations.h"

namespace demarc::tools {
namespace {

constexpr std::size_t http_body_bytes_max = health::observations_bytes_max;
constexpr std::size_t http_threads = 2;
constexpr std::chrono::seconds loop_answers_within{2};

using Made = std::optional<std::string>;

/// Runs `make` on the loop's thread; nothing if the loop does not come to it in time.
std::optional<Made> ask_loop(EventLoop& loop, const std::function<Made()>& make) {
  auto promise = std::make_shared<std::promise<Made>>();
  auto future = promise->get_future();
  loop.post([promise, make] { promise->set_value(make()); });
  if (future.wait_for(loop_answers_within) != std::future_status::ready) return std::nullopt;
  return future.get();
}

void respond(httplib::Response& response, const std::optional<Made>& made, const char* type) {
  if (!made) {
    response.status = 503;
    response.set_content("the control thread does not answer\n", "text/plain");
  } else if (!*made) {
    response.status = 404;
    response.set_content("no such name\n", "text/plain");
  } else {
    response.set_content(**made, type);
  }
}

}  // namespace

struct HttpService::Server {
  httplib::Server http;
  std::thread thread;
};

HttpService::HttpService() : server_(std::make_unique<Server>()) {}

HttpService::~HttpService() {
  server_->http.stop();
  if (server_->thread.joinable()) server_->thread.join();
}

Result<std::unique_ptr<HttpService>, SystemError> HttpService::start(EventLoop& loop,
                                                                     const dns::Endpoint& endpoint,
                                                                     HttpTexts texts) {
  std::unique_ptr<HttpService> service(new HttpService());
  httplib::Server& http = service->server_->http;
  // Not the library's default, which lets a second server share the port.
  http.set_socket_options([](socket_t socket) {
    const int yes = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
  http.new_task_queue = [] { return new httplib::ThreadPool(http_threads); };
  http.set_payload_max_length(http_body_bytes_max);
  http.set_read_timeout(std::chrono::seconds(2));
  http.set_write_timeout(std::chrono::seconds(2));
  http.set_keep_alive_max_count(100);
  const auto serve = [&](const char* path, const char* type, std::function<std::string()> make) {
    http.Get(path, [&loop, type, make = std::move(make)](const httplib::Request&,
                                                         httplib::Response& response) {
      respond(response, ask_loop(loop, make), type);
    });
  };
  serve("/metrics", "text/plain; version=0.0.4", std::move(texts.metrics));
  serve("/status", "application/json", std::move(texts.status));
  serve("/healthz", "text/plain", [] { return std::string("ok\n"); });
  http.Get("/mode/([^/]+)", [&loop, make = std::move(texts.mode)](const httplib::Request& request,
                                                                  httplib::Response& response) {
    const std::string name = request.matches[1];
    respond(response, ask_loop(loop, [make, name] { return make(name); }), "application/json");
  });
  http.Post("/observations", [observe = std::move(texts.observe)](const httplib::Request& request,
                                                                  httplib::Response& response) {
    const auto taken = observe(request.body);
    response.status = taken ? 204 : 403;
    if (!taken) response.set_content(taken.error() + "\n", "text/plain");
  });
  if (!http.bind_to_port(geo::to_text(endpoint.address), endpoint.port)) {
    return system_error("bind http " + dns::to_text(endpoint));
  }
  service->server_->thread =
      std::thread([server = service->server_.get()] { server->http.listen_after_bind(); });
  return service;
}

}  // namespace demarc::tools
