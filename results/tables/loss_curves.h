#pragma once

#include "results/database/store.h"
#include "results/document/document.h"
#include "results/document/sheet.h"
#include "results/tables/table.h"

#include <cstdint>
#include <optional>
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

/// The cells whose fine-tunings the figure shows, for finding their protocol.
TableSpec cells_of(const CurveSpec& spec);

/// The loss at one step (training) or at the end of one epoch (validation), over trials.
struct CurvePoint {
  std::int64_t step = 0;
  int epoch = 0;
  int n = 0;  ///< trials that got so far; trials that stopped early have fewer points
  double mean = 0, least = 0, most = 0;
};

/// How soon one trial settled.
struct TrialConvergence {
  int trial = 0;
  std::int64_t steps = 0, of_steps = 0;
  int epochs = 0;         ///< epochs begun until then
  double final_loss = 0;  ///< mean training loss of the last epoch
  /// Settled with its very last step only, so perhaps not at all.
  [[nodiscard]] bool at_end() const { return steps == of_steps; }
};

struct MethodCurve {
  std::string task, method, label;
  std::vector<CurvePoint> training;    ///< one per step
  std::vector<CurvePoint> epochs;      ///< training, one per epoch: the mean of its steps
  std::vector<CurvePoint> validation;  ///< one per epoch; empty without validation cases
  std::vector<TrialConvergence> trials;
  Summary steps;                             ///< of the trials' steps to convergence
  std::optional<TestResult> student, welch;  ///< of the steps against the reference; p by Holm too
  std::string not_testable;
};

/// How steps to convergence are compared.
struct CurveTests {
  std::string test = "student";     ///< whose p are corrected; the other is shown beside it
  std::string correction = "holm";  ///< none | holm | bh, over all methods and tasks
};

struct LossCurves {
  CurveSpec spec;
  CurveTests tests;
  ProtocolRow protocol;
  std::vector<MethodCurve> curves;   ///< task by task, methods in the order of the spec
  std::vector<StoredCurveRow> rows;  ///< of which all is made
};

/// When did a trial converge? Let m(s) be the mean training loss of the last w steps at step s >=
/// w, w being the steps of one epoch, and L = m(last step) the final loss. Converged: the first
/// step from which on m stays within `tolerance` times |L| of L. (The paper gives no definition;
/// this is a choice, robust against the noise of single steps.) `losses`: one per step, `epochs`:
/// the epoch of each. Empty if a loss is not finite or there is none.
std::optional<TrialConvergence> convergence_of(const std::vector<double>& losses,
                                               const std::vector<int>& epochs,
                                               double tolerance);

/// Curves, convergence and its tests (Student and Welch) from the stored fine-tunings of a
/// protocol.
LossCurves build_curves(const Store& store,
                        const ProtocolRow& protocol,
                        const CurveSpec& spec,
                        const CurveTests& tests = {});
LossCurves build_curves(std::vector<StoredCurveRow> rows,
                        const ProtocolRow& protocol,
                        const CurveSpec& spec,
                        const CurveTests& tests = {});

/// Steps to convergence per task and method, with tests.
Sheet convergence_sheet(const LossCurves& curves);
/// The curves, in "csv" and "json". CSV: a line per point with mean, least, most and n over trials,
/// or with `each_trial` the raw rows of every trial. JSON: curves and convergence.
Document document_of(const LossCurves& curves, bool each_trial = false);

}  // namespace sar
