#pragma once

#include "results/tables/loss_curves.h"

#include <string>
#include <vector>

namespace sar::test {

/// Loss curves of methods on brats.
inline CurveSpec curve_spec(std::vector<std::string> methods = {"scratch", "sar"}) {
  CurveSpec curves;
  curves.id = "fig3";
  curves.title = "Loss curves";
  for (const auto& method : methods) {
    curves.rows.push_back({method, method == "sar" ? "SAR" : method});
  }
  curves.tasks = {"brats"};
  return curves;
}

/// Training losses of one trial, `width` steps an epoch, and a validation loss after each epoch.
inline void add_trial(std::vector<StoredCurveRow>& rows,
                      const std::string& method,
                      int trial,
                      const std::vector<double>& losses,
                      int width,
                      const std::string& task = "brats") {
  for (std::size_t i = 0; i < losses.size(); ++i) {
    const auto step = static_cast<std::int64_t>(i) + 1;
    const int epoch = static_cast<int>(i) / width + 1;
    rows.push_back({method, task, trial, {step, epoch, "train", losses[i], 1e-3, 0.5}});
    if (step % width == 0) {
      rows.push_back({method, task, trial, {step, epoch, "val", losses[i] + 0.1, 1e-3, 0.7}});
    }
  }
}

}  // namespace sar::test
