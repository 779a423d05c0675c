#include "results/tables/loss_curves.h"

#include "results/statistics/statistics.h"
#include "results/text/words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

namespace sar {
namespace {

/// Means over trials of all rows of one split of a method on a task.
std::vector<CurvePoint> points_of(const std::vector<const StoredCurveRow*>& rows,
                                  const std::string& split) {
  std::map<std::int64_t, CurvePoint> points;
  for (const StoredCurveRow* row : rows) {
    if (row->loss.split != split || !std::isfinite(row->loss.loss)) {
      continue;
    }
    const double loss = row->loss.loss;
    CurvePoint& point = points[row->loss.step];
    point.step = row->loss.step;
    point.epoch = row->loss.epoch;
    point.least = point.n == 0 ? loss : std::min(point.least, loss);
    point.most = point.n == 0 ? loss : std::max(point.most, loss);
    point.mean += (loss - point.mean) / ++point.n;
  }
  std::vector<CurvePoint> list;
  for (const auto& [step, point] : points) {
    list.push_back(point);
  }
  return list;
}

/// One point per epoch: of each trial the mean of its steps, then over trials. Ends at the epoch's
/// last step.
std::vector<CurvePoint> epochs_of(const std::vector<const StoredCurveRow*>& rows) {
  struct Mean {
    double sum = 0;
    int steps = 0;
    std::int64_t last = 0;
  };
  std::map<int, std::map<int, Mean>> epochs;  // epoch, trial
  for (const StoredCurveRow* row : rows) {
    if (row->loss.split == "train" && std::isfinite(row->loss.loss)) {
      Mean& mean = epochs[row->loss.epoch][row->trial];
      mean.sum += row->loss.loss;
      ++mean.steps;
      mean.last = std::max(mean.last, row->loss.step);
    }
  }
  std::vector<CurvePoint> list;
  for (const auto& [epoch, trials] : epochs) {
    CurvePoint& point = list.emplace_back();
    point.epoch = epoch;
    for (const auto& [trial, mean] : trials) {
      const double loss = mean.sum / mean.steps;
      point.step = std::max(point.step, mean.last);
      point.least = point.n == 0 ? loss : std::min(point.least, loss);
      point.most = point.n == 0 ? loss : std::max(point.most, loss);
      point.mean += (loss - point.mean) / ++point.n;
    }
  }
  return list;
}

std::vector<TrialConvergence> converged_trials(const std::vector<const StoredCurveRow*>& rows,
                                               double tolerance) {
  std::map<int, std::pair<std::vector<double>, std::vector<int>>> trials;
  for (const StoredCurveRow* row : rows) {
    if (row->loss.split == "train") {
      trials[row->trial].first.push_back(row->loss.loss);
      trials[row->trial].second.push_back(row->loss.epoch);
    }
  }
  std::vector<TrialConvergence> list;
  for (const auto& [trial, curve] : trials) {
    if (auto each = convergence_of(curve.first, curve.second, tolerance)) {
      each->trial = trial;
      list.push_back(*each);
    }
  }
  return list;
}

/// Fills the tests of every method against the reference on the same task; p corrected over all.
void test_convergence(LossCurves& curves) {
  for (auto [result, test] : {std::pair(&MethodCurve::student, &student_test),
                              std::pair(&MethodCurve::welch, &welch_test)}) {
    std::vector<double> p;
    std::vector<TestResult*> tested;
    for (MethodCurve& curve : curves.curves) {
      const auto reference = std::ranges::find_if(curves.curves, [&](const MethodCurve& other) {
        return other.task == curve.task && other.method == curves.spec.reference;
      });
      if (reference == curves.curves.end() || &*reference == &curve || curve.steps.n == 0 ||
          reference->steps.n == 0) {
        continue;
      }
      const TTest outcome = test(curve.steps, reference->steps, 0.05);
      if (!outcome.testable) {
        curve.not_testable = outcome.reason;
        continue;
      }
      TestResult& stored = (curve.*result)
                               .emplace(TestResult{outcome.test,
                                                   outcome.t,
                                                   outcome.df,
                                                   outcome.p,
                                                   outcome.p,
                                                   outcome.hedges_g,
                                                   outcome.g_low,
                                                   outcome.g_high});
      p.push_back(outcome.p);
      tested.push_back(&stored);
    }
    const std::vector<double> adjusted = adjust(p, curves.tests.correction);
    for (std::size_t i = 0; i < tested.size(); ++i) {
      tested[i]->p_adjusted = adjusted[i];
    }
  }
}

Json points_json(const std::vector<CurvePoint>& points) {
  Json list = Json::array();
  for (const CurvePoint& point : points) {
    list.push_back({{"step", point.step},
                    {"epoch", point.epoch},
                    {"n", point.n},
                    {"mean", point.mean},
                    {"min", point.least},
                    {"max", point.most}});
  }
  return list;
}

Json test_document(const std::optional<TestResult>& test) {
  if (!test) {
    return nullptr;
  }
  return {{"t", test->t}, {"df", test->df}, {"p", test->p}, {"p_adjusted", test->p_adjusted}};
}

Json convergence_document(const LossCurves& curves) {
  Json list = Json::array();
  for (const MethodCurve& curve : curves.curves) {
    Json trials = Json::array();
    for (const TrialConvergence& trial : curve.trials) {
      trials.push_back({{"trial", trial.trial},
                        {"steps", trial.steps},
                        {"of_steps", trial.of_steps},
                        {"epochs", trial.epochs},
                        {"final_loss", trial.final_loss}});
    }
    list.push_back(
        {{"task", curve.task},
         {"method", curve.method},
         {"n", curve.steps.n},
         {"mean_steps", curve.steps.n > 0 ? Json(curve.steps.mean) : Json()},
         {"sd_steps", curve.steps.sd ? Json(*curve.steps.sd) : Json()},
         {"settled_at_end", std::ranges::count_if(curve.trials, &TrialConvergence::at_end)},
         {"trials", std::move(trials)},
         {"student", test_document(curve.student)},
         {"welch", test_document(curve.welch)},
         {"not_testable", curve.not_testable.empty() ? Json() : Json(curve.not_testable)}});
  }
  return list;
}

Json head_document(const LossCurves& curves) {
  return {{"schema_version", 1},
          {"figure", curves.spec.id},
          {"title", curves.spec.title},
          {"protocol", curves.protocol.protocol},
          {"profile", curves.protocol.profile},
          {"data_kind", curves.protocol.data_kind},
          {"reference", curves.spec.reference},
          {"correction", curves.tests.correction},
          {"tolerance", curves.spec.tolerance}};
}

/// A line per point.
Values mean_values(const LossCurves& curves) {
  Values values{{"task",
                 "method",
                 "split",
                 "step",
                 "epoch",
                 "n",
                 "mean",
                 "min",
                 "max",
                 "data_kind",
                 "protocol"},
                {}};
  for (const MethodCurve& curve : curves.curves) {
    for (const auto& [split, points] : {std::pair("train", &curve.training),
                                        std::pair("train_epoch", &curve.epochs),
                                        std::pair("val", &curve.validation)}) {
      for (const CurvePoint& point : *points) {
        values.rows.push_back({curve.task,
                               curve.method,
                               split,
                               std::to_string(point.step),
                               std::to_string(point.epoch),
                               std::to_string(point.n),
                               unrounded(point.mean),
                               unrounded(point.least),
                               unrounded(point.most),
                               curves.protocol.data_kind,
                               curves.protocol.protocol});
      }
    }
  }
  return values;
}

/// The raw rows of every trial.
Values trial_values(const LossCurves& curves) {
  Values values{{"task",
                 "method",
                 "trial",
                 "split",
                 "step",
                 "epoch",
                 "loss",
                 "learning_rate",
                 "seconds",
                 "data_kind",
                 "protocol"},
                {}};
  for (const StoredCurveRow& row : curves.rows) {
    values.rows.push_back({row.task,
                           row.method,
                           std::to_string(row.trial),
                           row.loss.split,
                           std::to_string(row.loss.step),
                           std::to_string(row.loss.epoch),
                           unrounded(row.loss.loss),
                           unrounded(row.loss.learning_rate),
                           unrounded(row.loss.seconds),
                           curves.protocol.data_kind,
                           curves.protocol.protocol});
  }
  return values;
}

}  // namespace

TableSpec cells_of(const CurveSpec& spec) {
  TableSpec cells;
  cells.id = spec.id;
  cells.title = spec.title;
  cells.reference = spec.reference;
  cells.rows = spec.rows;
  cells.trials = spec.trials;
  for (const auto& task : spec.tasks) {
    TableColumn& column = cells.columns.emplace_back();
    column.label = column.task = task;
    column.target = "tumor";
    column.fraction = spec.fraction;
  }
  return cells;
}

std::optional<TrialConvergence> convergence_of(const std::vector<double>& losses,
                                               const std::vector<int>& epochs,
                                               double tolerance) {
  if (losses.empty() || losses.size() != epochs.size() ||
      !std::ranges::all_of(losses, [](double loss) { return std::isfinite(loss); })) {
    return std::nullopt;
  }
  const auto window = static_cast<std::size_t>(std::ranges::count(epochs, epochs.back()));
  const auto mean_until = [&](std::size_t steps) {
    double sum = 0;
    for (std::size_t i = steps - window; i < steps; ++i) {
      sum += losses[i];
    }
    return sum / static_cast<double>(window);
  };
  TrialConvergence result;
  result.of_steps = static_cast<std::int64_t>(losses.size());
  result.final_loss = mean_until(losses.size());
  std::size_t converged = losses.size();
  while (converged > window && std::abs(mean_until(converged - 1) - result.final_loss) <=
                                   tolerance * std::abs(result.final_loss)) {
    --converged;
  }
  result.steps = static_cast<std::int64_t>(converged);
  result.epochs = epochs[converged - 1];
  return result;
}

LossCurves build_curves(std::vector<StoredCurveRow> rows,
                        const ProtocolRow& protocol,
                        const CurveSpec& spec,
                        const CurveTests& tests) {
  LossCurves curves;
  curves.tests = tests;
  curves.spec = spec;
  curves.protocol = protocol;
  for (const auto& task : spec.tasks) {
    for (const TableRow& row : spec.rows) {
      std::vector<const StoredCurveRow*> own;
      for (const StoredCurveRow& each : rows) {
        if (each.task == task && each.method == row.method) {
          own.push_back(&each);
        }
      }
      MethodCurve& curve = curves.curves.emplace_back();
      curve.task = task;
      curve.method = row.method;
      curve.label = row.label;
      curve.training = points_of(own, "train");
      curve.epochs = epochs_of(own);
      curve.validation = points_of(own, "val");
      curve.trials = converged_trials(own, spec.tolerance);
      std::vector<double> steps;
      for (const TrialConvergence& trial : curve.trials) {
        steps.push_back(static_cast<double>(trial.steps));
      }
      curve.steps = summarise(steps);
    }
  }
  test_convergence(curves);
  curves.rows = std::move(rows);
  return curves;
}

LossCurves build_curves(const Store& store,
                        const ProtocolRow& protocol,
                        const CurveSpec& spec,
                        const CurveTests& tests) {
  return build_curves(
      store.finetuning_curves(protocol.protocol, spec.fraction), protocol, spec, tests);
}

Sheet convergence_sheet(const LossCurves& curves) {
  const CurveSpec& spec = curves.spec;
  Sheet sheet;
  sheet.id = spec.id;
  sheet.title = spec.title + phantom_mark(curves.protocol.data_kind);
  const bool welch = curves.tests.test == "welch";
  sheet.header = {"Task",
                  "Method",
                  "n",
                  "Steps",
                  "SD",
                  "of",
                  "At end",
                  "Final loss",
                  "Student p",
                  "Welch p",
                  "Corrected"};
  sheet.text_columns = 2;
  std::string task;
  for (const MethodCurve& curve : curves.curves) {
    std::vector<std::string> row{curve.task == task ? "" : curve.task, curve.label};
    task = curve.task;
    row.push_back(std::to_string(curve.steps.n));
    if (curve.steps.n == 0) {
      row.resize(sheet.header.size(), "–");
      sheet.rows.push_back(std::move(row));
      continue;
    }
    double loss = 0;
    for (const TrialConvergence& trial : curve.trials) {
      loss += trial.final_loss / static_cast<double>(curve.trials.size());
    }
    row.push_back(fmt::format("{:.1f}", curve.steps.mean));
    row.push_back(curve.steps.sd ? fmt::format("{:.1f}", *curve.steps.sd) : "–");
    double planned = 0;
    for (const TrialConvergence& trial : curve.trials) {
      planned += static_cast<double>(trial.of_steps) / static_cast<double>(curve.trials.size());
    }
    row.push_back(fmt::format("{:.1f}", planned));
    row.push_back(std::to_string(std::ranges::count_if(curve.trials, &TrialConvergence::at_end)));
    row.push_back(fmt::format("{:.4f}", loss));
    row.push_back(curve.student ? format_p(curve.student->p) : "–");
    row.push_back(curve.welch ? format_p(curve.welch->p) : "–");
    const auto& corrected = welch ? curve.welch : curve.student;
    row.push_back(corrected ? format_p(corrected->p_adjusted) : "–");
    sheet.rows.push_back(std::move(row));
  }
  sheet.notes.push_back(fmt::format(
      "Steps: optimiser steps until the training loss, averaged over the steps of one epoch, stays "
      "within {:g} % of its own final value; mean over n trials, at least one epoch. Of: steps in "
      "all. At end: trials that settled with their last step only, so perhaps not at all.",
      100 * spec.tolerance));
  sheet.notes.push_back(fmt::format(
      "p: two-sided t-tests of the steps against {}; corrected: {} p over all methods and tasks, "
      "correction: {}.",
      label_of(spec.rows, spec.reference),
      welch ? "Welch's" : "Student's",
      curves.tests.correction));
  std::set<std::string> reasons;
  for (const MethodCurve& curve : curves.curves) {
    if (!curve.not_testable.empty()) {
      reasons.insert(curve.not_testable);
    }
  }
  if (!reasons.empty()) {
    sheet.notes.push_back(fmt::format("–: not testable ({}).", fmt::join(reasons, "; ")));
  }
  sheet.notes.push_back(protocol_note(curves.protocol.protocol, curves.protocol.profile));
  sheet.origin = {curves.protocol.data_kind, curves.protocol.protocol};
  sheet.json = head_document(curves);
  sheet.json["convergence"] = convergence_document(curves);
  return sheet;
}

Document document_of(const LossCurves& curves, bool each_trial) {
  Document document;
  document.name = "loss curves";
  document.formats = {"csv", "json"};
  document.values = each_trial ? trial_values(curves) : mean_values(curves);
  document.json = head_document(curves);
  document.json["curves"] = Json::array();
  for (const MethodCurve& curve : curves.curves) {
    document.json["curves"].push_back({{"task", curve.task},
                                       {"method", curve.method},
                                       {"label", curve.label},
                                       {"train", points_json(curve.training)},
                                       {"train_epoch", points_json(curve.epochs)},
                                       {"val", points_json(curve.validation)}});
  }
  document.json["convergence"] = convergence_document(curves);
  document.json_indent = 1;
  return document;
}

}  // namespace sar
