// demo_backend: a stand-in for a region's API, for tools/run: answers /health until it is told not
// to.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <fmt/format.h>
#include <httplib.h>

// usage: demo_backend NAME PORT      GET /health -> 200; POST /break and /mend change it to 503 and
// back
int main(int argc, char** argv) {
  char* end = nullptr;
  const long wanted_long = argc == 3 ? std::strtol(argv[2], &end, 10) : -1;
  const int wanted = static_cast<int>(wanted_long);
  if (argc != 3 || end == argv[2] || *end != '\0' || wanted_long < 0 || wanted_long > 65535) {
    fmt::print(stderr, "usage: demo_backend NAME PORT (0: any free one)\n");
    return 2;
  }
  const std::string name = argv[1];
  std::atomic<bool> broken{false};
  httplib::Server server;
  // Not the library's default, which lets a second backend share the port.
  server.set_socket_options([](socket_t socket) {
    const int yes = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
  server.Get("/health", [&](const httplib::Request&, httplib::Response& response) {
    response.status = broken ? 503 : 200;
    response.set_content(name + (broken ? " is broken\n" : " is well\n"), "text/plain");
  });
  const auto say_when = [&](bool is_broken) {
    return [&, is_broken](const httplib::Request&, httplib::Response& response) {
      broken = is_broken;
      response.set_content("ok\n", "text/plain");
    };
  };
  server.Post("/break", say_when(true));
  server.Post("/mend", say_when(false));
  int port = wanted;
  if (wanted == 0) port = server.bind_to_any_port("127.0.0.1");
  if (port <= 0 || (wanted != 0 && !server.bind_to_port("127.0.0.1", wanted))) {
    fmt::print(stderr, "demo_backend: port {} on 127.0.0.1 cannot be had\n", wanted);
    return 1;
  }
  fmt::print("{} at 127.0.0.1:{}\n", name, port);
  std::fflush(stdout);
  return server.listen_after_bind() ? 0 : 1;
}
