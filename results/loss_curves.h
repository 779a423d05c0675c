#pragma once

#include "results/table.h"

#include <string>
#include <vector>

namespace sar {

/// Loss curves of the fine-tuning of several methods, read from experiments/*.toml (Figure 3).
struct CurveSpec {
  std::string id;  ///< "fig3"; also the name of its family of tests
  std::string title;
  std::string reference = "sar";  ///< method whose convergence every other one is tested against
  std::vector<TableRow> rows;
  std::vector<std::string> tasks;  ///< one panel each: "brats", "pancreas"
  std::string fraction = "1";
  int trials = 5;
  double tolerance = 0.05;  ///< converged: within this share of the final loss (a choice)
};

}  // namespace sar
