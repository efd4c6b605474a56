// Keeps the names that stand in no zone file (dns/local_names.h) true: what operators are told of
// services, and the values of certificate authorities' challenges.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "dns/published.h"
#include "tools/acme_values.h"
#include "tools/controller.h"

namespace demarc::tools {

/// What operators may ask of a loaded repository, as steering sees it now. Null: nobody may ask
/// anything. `configuration` is the one that steering has.
[[nodiscard]] std::shared_ptr<const dns::OperatorView> build_operator_view(
    const zones::Steering& steering, std::shared_ptr<const zones::Configuration> configuration,
    std::shared_ptr<const geo::Databases> databases);

/// Control thread.
class LocalNames {
 public:
  LocalNames(Controller& controller, std::function<Moment()> clock)
      : controller_(controller), clock_(std::move(clock)) {}

  /// Puts what is known of a new configuration into the snapshot that is about to be built of it.
  void take(std::shared_ptr<const zones::Configuration> configuration,
            std::shared_ptr<const geo::Databases> databases, dns::SnapshotParts& parts);

  /// Verdicts have changed that the trail need not tell of.
  void note_verdicts() noexcept { is_stale_ = true; }

  /// After everything that may have changed something: publishes what differs, and nothing else.
  void refresh(dns::Published& published);

  /// The challenge's verbs: one sentence, and the trail is told.
  [[nodiscard]] Result<std::string, std::string> set_acme(const dns::Snapshot& snapshot,
                                                          const std::string& name,
                                                          const std::string& value,
                                                          Milliseconds lasts,
                                                          const std::string& who);
  [[nodiscard]] Result<std::string, std::string> remove_acme(const std::string& name,
                                                             const std::string& value,
                                                             const std::string& who);
  [[nodiscard]] const std::vector<AcmeValue>& acme() const noexcept { return acme_.list(); }

 private:
  void tell(const char* kind, const AcmeValue& value, const std::string& how);

  Controller& controller_;
  std::function<Moment()> clock_;
  std::shared_ptr<const zones::Configuration> configuration_;
  std::shared_ptr<const geo::Databases> databases_;
  std::shared_ptr<const dns::OperatorView> operators_;
  AcmeValues acme_;
  std::uint64_t entries_seen_ = 0;  // of the trail
  bool is_stale_ = true;
  bool challenges_changed_ = false;
};

}  // namespace demarc::tools
