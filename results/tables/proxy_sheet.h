#pragma once

#include "results/database/store.h"
#include "results/document/sheet.h"
#include "results/tables/table.h"

#include <optional>
#include <string>
#include <vector>

namespace sar {

/// One metric of a method's pre-trainings, at the epochs whose weights are kept: means where there
/// are several.
struct ProxyMetric {
  struct Value {
    std::optional<double> value, chance;  ///< in the metric's own unit; chance: of guessing
  };
  std::string name;         ///< "rotation_accuracy"
  std::vector<int> epochs;  ///< one per pre-training
  Value training;           ///< mean over the epoch, while the weights change
  Value held_out;           ///< empty without held-out patients
};

/// How well a method solves its proxy task.
struct ProxyResult {
  std::string method, label;
  std::vector<ProxyMetric> metrics;   ///< by name
  std::vector<std::string> failures;  ///< reasons of failed pre-trainings

  [[nodiscard]] bool empty() const { return metrics.empty() && failures.empty(); }
};

/// What is stored of these methods under a protocol, one entry each.
std::vector<ProxyResult> proxy_results(const std::vector<TableRow>& methods,
                                       const Store& store,
                                       const ProtocolRow& protocol);

/// Proxy metrics of each method against guessing. Failed pre-trainings are rows with their reason.
Sheet proxy_sheet(const std::string& id,
                  const std::string& title,
                  const std::vector<ProxyResult>& results,
                  const ProtocolRow& protocol);

}  // namespace sar
