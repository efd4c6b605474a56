// `demarc plan` on a real Git repository, and `demarc check --policy-tests` on the example.
#include <filesystem>

#include <catch2/catch.hpp>

#include "tests/integration/server.h"

using namespace demarc;
using namespace demarc::testing;

namespace {

/// A copy of the example in a Git repository of its own, in the folder `dns` of it.
class Repository {
 public:
  Repository() {
    std::filesystem::copy(DEMARC_SOURCE_DIR "/zones/example", path(),
                          std::filesystem::copy_options::recursive);
    git({"init", "--quiet", "--initial-branch=main"});
    commit("first");
  }

  [[nodiscard]] std::string path() const { return folder_.path() + "/dns"; }
  [[nodiscard]] std::string zone() const { return path() + "/zones/example.com.yaml"; }
  [[nodiscard]] std::string policy() const { return path() + "/policy.yaml"; }

  void git(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(),
                     {"git", "-C", folder_.path(), "-c", "user.name=test", "-c",
                      "user.email=test@example.net", "-c", "commit.gpgsign=false"});
    const Finished done = run(arguments);
    INFO(done.err);
    REQUIRE(done.exit == 0);
  }
  void commit(const std::string& message) const {
    git({"add", "--all"});
    git({"commit", "--quiet", "--message", message});
  }

  [[nodiscard]] Finished plan(std::vector<std::string> options) const {
    options.insert(options.begin(), {"plan", path()});
    return run_demarc(std::move(options));
  }
  [[nodiscard]] nlohmann::json plan_json(std::vector<std::string> options = {}) const {
    options.emplace_back("--json");
    const Finished done = plan(std::move(options));
    INFO(done.err);
    REQUIRE(done.exit == 0);
    return nlohmann::json::parse(done.out);
  }

 private:
  TempFolder folder_;
};

}  // namespace

TEST_CASE("plan: between two revisions of a Git repository", "[integration][plan]") {
  const Repository repository;
  CHECK(repository.plan_json()["class"] == "none");

  edit(repository.zone(), "residency: hard\n    home: EU", "residency: soft\n    home: EU");
  edit(repository.policy(), "countries: [CH, LI]", "countries: [CH, LI, IS]");
  const auto working = repository.plan_json();
  REQUIRE(working["changes"].size() == 2);
  CHECK(working["counts"]["loosens"] == 2);
  CHECK(working["changes"][0]["kind"] == "service-residency");
  CHECK(working["changes"][0]["place"]["file"] == "zones/example.com.yaml");
  CHECK(working["changes"][0]["review"] == std::vector<std::string>{"legal"});
  REQUIRE(working["traffic"].size() == 1);
  CHECK(working["traffic"][0]["service"] == "accounts.example.com");
  CHECK(working["traffic"][0]["clients"] == std::vector<std::string>{"IS"});
  CHECK(working["traffic"][0]["after"] == "ch");
  CHECK(working["not-walked"] == std::vector<std::string>{"networks of networks.yaml"});
  CHECK(repository.plan({}).out.ends_with(
      "\nanswers not compared here: networks of networks.yaml; what changed of them is listed "
      "above\n"));

  repository.commit("second");
  CHECK(repository.plan_json()["class"] == "none");
  const auto between = repository.plan_json({"--from", "HEAD~1", "--to", "HEAD"});
  CHECK(between["changes"] == working["changes"]);
  CHECK(between["traffic"] == working["traffic"]);
  // The same question has the same answer, byte for byte.
  CHECK(repository.plan({"--from", "HEAD~1", "--to", "HEAD", "--json"}).out ==
        repository.plan({"--from", "HEAD~1", "--to", "HEAD", "--json"}).out);
}

TEST_CASE("plan: exit codes are what a pipeline asks for", "[integration][plan]") {
  const Repository repository;
  CHECK(repository.plan({"--exit-code"}).exit == 0);
  edit(repository.zone(), "mail: { A: 192.0.2.25 }", "mail: { A: 192.0.2.26 }");
  CHECK(repository.plan({}).exit == 0);
  CHECK(repository.plan({"--exit-code"}).exit == 1);
  CHECK(repository.plan({"--fail-on", "legal"}).exit == 0);
  CHECK(repository.plan({"--fail-on", "traffic"}).exit == 1);
  edit(repository.policy(), "max-duration: 24h", "max-duration: 12h");
  CHECK(repository.plan({"--fail-on", "legal"}).exit == 1);
  CHECK(repository.plan({"--fail-on", "loosens"}).exit == 0);
  CHECK(repository.plan({"--fail-on", "colour"}).exit == 2);
  CHECK(repository.plan({"--from", "no-such-branch"}).exit == 2);
  CHECK(repository.plan({"--from", "--help"}).exit == 2);
}

TEST_CASE("plan: a side that does not load is told with its places", "[integration][plan]") {
  const Repository repository;
  edit(repository.zone(), "residency: hard\n    home: EU", "residency: hrad\n    home: EU");
  const Finished done = repository.plan({});
  CHECK(done.exit == 1);
  CHECK(done.out.empty());
  CHECK(done.err.find("the working tree: zones/example.com.yaml:") != std::string::npos);
  CHECK(done.err.find("[bad-choice]") != std::string::npos);
}

TEST_CASE("plan: two folders, and Markdown for a merge request", "[integration][plan]") {
  const Repository repository;
  edit(repository.zone(), "- { region: eu,      weight: 30,", "- { region: eu,      weight: 0, ");
  const Finished done = run_demarc({"plan", "--from-dir", DEMARC_SOURCE_DIR "/zones/example",
                                    "--to-dir", repository.path(), "--markdown"});
  CHECK(done.exit == 0);
  CHECK(done.out.find("| traffic | record-weight: www.example.com record www1.eu.example.net |") !=
        std::string::npos);
  CHECK(done.out.find("| www.example.com | AD, AL and ") != std::string::npos);
  const std::string last =
      "\nClients: answers not compared here: networks of networks.yaml; what "
      "changed of them is listed above.\n";
  CHECK(done.out.ends_with(last));
}

TEST_CASE("plan: from what a running server loaded last", "[integration][plan]") {
  Server server;
  const Finished none = server.ask({"plan", server.path("repository"), "--from", "running",
                                    "--config", server.path("demarcd.yaml")});
  CHECK(none.exit == 2);
  CHECK(none.err.find("last-good is not there") != std::string::npos);
  server.start();
  const auto plan = [&] {
    const Finished done = server.ask({"--json", "plan", server.path("repository"), "--from",
                                      "running", "--config", server.path("demarcd.yaml")});
    INFO(done.err);
    REQUIRE(done.exit == 0);
    return nlohmann::json::parse(done.out);
  };
  CHECK(plan()["class"] == "none");
}

TEST_CASE("policy tests: of the example, by the verb", "[integration][plan]") {
  const Repository repository;
  const Finished fine = run_demarc({"check", repository.path(), "--policy-tests"});
  INFO(fine.out);
  CHECK(fine.exit == 0);
  CHECK(fine.out.find("policy tests, 0 failed") != std::string::npos);

  // A policy that is loosened breaks a promise, and says which.
  edit(repository.zone(), "residency: hard\n    home: EU", "residency: soft\n    home: EU");
  const std::string junit = repository.path() + "/junit.xml";
  const Finished broken =
      run_demarc({"check", repository.path(), "--policy-tests", "--junit", junit});
  CHECK(broken.exit == 1);
  CHECK(broken.out.find("FAIL  Europe fails, a hard service stays and the crossing is held") !=
        std::string::npos);
  CHECK(broken.out.find("[policy-test] api.example.com for DE: answers: observed global-failover; "
                        "expected eu") != std::string::npos);
  CHECK(read_file(junit).find("<failure message=") != std::string::npos);

  // A typing error is found without running them.
  edit(repository.path() + "/policy-tests/border.yaml", "down: shop.eu.example.net",
       "down: shop.eu.example.nte");
  const Finished wrong = run_demarc({"check", repository.path()});
  CHECK(wrong.exit == 1);
  CHECK(wrong.out.find("[unknown-target]") != std::string::npos);
}
