#pragma once

#include "experiments/cli/options.h"
#include "experiments/configuration.h"
#include "harness/core/json.h"
#include "results/database/rows.h"

#include <optional>
#include <string>

namespace sar::cli {

/// How a command tests: by flags, else as the user's files, environment and --set say, else as the
/// run was configured whose results are shown, else as built in.
class StatisticsOptions {
 public:
  /// Of a command that nothing but flags change. Only `test` and `correction` with an own value and
  /// `alpha` (else 0.05) may be asked for.
  explicit StatisticsOptions(const CommonOptions& common) : common_(common) {}
  /// `protocol`: the run's; null where its configuration does not count. Must outlive this object.
  StatisticsOptions(const Catalog& catalog,
                    const CommonOptions& common,
                    const ProtocolRow* protocol = nullptr);

  /// `own`: what the command takes if the user says nothing, whatever the run or the program has;
  /// empty: none.
  [[nodiscard]] std::string test(const std::string& own = {}) const;
  [[nodiscard]] std::string correction(const std::string& own = {}) const;
  [[nodiscard]] double alpha() const;
  /// "--alpha", or where the configured one is from.
  [[nodiscard]] std::string origin_of_alpha() const;

  /// A key that has no flag of every command, e.g. "statistics.power".
  [[nodiscard]] double number(const std::string& key) const;
  [[nodiscard]] const std::string& origin(const std::string& key) const;

 private:
  [[nodiscard]] Json value(const std::string& key) const;
  [[nodiscard]] std::string text(const std::string& flag,
                                 const std::string& key,
                                 const std::string& own) const;

  const CommonOptions& common_;
  const ProtocolRow* protocol_ = nullptr;
  std::optional<Configuration> user_;  ///< empty: flags alone count
};

}  // namespace sar::cli
