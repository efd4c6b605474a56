// demarcd: the server. Everything is in tools/daemon.h; here are the command line and the exit
// code.
#include <malloc.h>

#include <cstdio>
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "tools/daemon.h"
#include "tools/daemon_config.h"

int main(int argc, char** argv) {
  CLI::App app("demarcd: authoritative GeoDNS that crosses no border without a signature");
  std::string config_path = "demarcd.yaml";
  bool check_only = false;
  app.add_option("--config", config_path, "the configuration file")->capture_default_str();
  app.add_flag("--check", check_only, "read the configuration, say what is wrong, and end");
  app.set_version_flag("--version", "demarcd " DEMARC_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }

  demarc::Diagnostics diagnostics;
  auto config = demarc::tools::read_daemon_config(config_path, diagnostics);
  for (const auto& diagnostic : diagnostics.list()) fmt::print(stderr, "{}\n", diagnostic.line());
  if (!config) return 2;
  if (check_only) return 0;
  // The tables of a million names come and go with every reload: so large an array is the kernel's
  // again as soon as it is freed.
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  // ldns takes and frees three blocks of 64 KiB for each record. Above 128 KiB, which is what is
  // set without this, each time would be a call of the kernel, and a million records take ten
  // seconds.
  mallopt(M_TRIM_THRESHOLD, 1 << 20);
  auto daemon = demarc::tools::Daemon::create(std::move(*config));
  if (!daemon) {
    fmt::print(stderr, "demarcd: {}\n", daemon.error());
    return 1;
  }
  return (*daemon)->run();
}
