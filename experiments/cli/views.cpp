#include "experiments/cli/views.h"

#include "experiments/cli/statistics_options.h"
#include "harness/core/error.h"
#include "results/database/protocol_choice.h"
#include "results/database/stored_file.h"
#include "results/paper/data_sheet.h"
#include "results/tables/controls.h"
#include "results/tables/proxy_sheet.h"
#include "results/tables/table_document.h"

#include <algorithm>
#include <filesystem>

namespace sar::cli {

Store open_results(const CommonOptions& common) {
  if (!std::filesystem::exists(common.database)) {
    throw Error(ExitCode::results_missing, "no results yet: the database is not there")
        .with("file", common.database)
        .hint("sar-bench run table2 makes it; --db names another");
  }
  return {common.database, Store::Mode::read};
}

std::optional<ProtocolRow> protocol_of_paper(const Store& store,
                                             const Paper& paper,
                                             const std::string& named) {
  if (!named.empty()) {
    return named_protocol(store, named);
  }
  std::vector<TableSpec> tables;
  for (const PrintedTable& table : paper.tables) {
    tables.push_back(table.spec);
  }
  return newest_protocol(store, tables);
}

TableSpec controls_of(const Catalog& catalog) {
  return read_experiment(catalog.experiment_file("controls"), catalog).table;
}

void check_format(const Experiment& experiment, const CommonOptions& common) {
  if (experiment.kind == ExperimentKind::collection && common.chosen_format() == "csv") {
    throw usage_error("the parts of a collection have different columns: no single CSV holds them")
        .with("experiment", experiment.id)
        .hint("show its parts one by one, e.g. sar-bench show " + experiment.parts.front().id +
              " --format csv");
  }
}

Viewer::Viewer(const Catalog& catalog,
               const CommonOptions& common,
               const ViewOptions& options,
               const Store* store)
    : catalog_(catalog), common_(common), options_(options), store_(store) {}

View Viewer::view(const Experiment& experiment) const {
  switch (experiment.kind) {
    case ExperimentKind::dice:
      return dice(experiment);
    case ExperimentKind::data:
      return data(experiment);
    case ExperimentKind::curves:
      return curves(experiment);
    case ExperimentKind::pretraining:
      return pretraining(experiment);
    case ExperimentKind::collection:
      return collection(experiment);
  }
  throw internal_error("an experiment without a kind");
}

std::optional<ProtocolRow> Viewer::protocol(const Experiment& experiment) const {
  if (store_ == nullptr || options_.source == "published") {
    return std::nullopt;
  }
  if (!options_.protocol.empty()) {
    return named_protocol(*store_, options_.protocol);
  }
  switch (experiment.kind) {
    case ExperimentKind::dice:
      return newest_protocol(*store_, experiment.table);
    case ExperimentKind::curves:
      return newest_protocol(*store_, cells_of(experiment.curves));
    case ExperimentKind::data:
      return store_->protocol(protocol_of_survey(store_->surveys()));
    case ExperimentKind::pretraining: {
      std::vector<std::string> methods;
      for (const TableRow& row : experiment.rows) {
        methods.push_back(row.method);
      }
      return store_->protocol(protocol_of_pretraining(store_->pretrainings(), methods));
    }
    case ExperimentKind::collection:
      for (const bool dice : {true, false}) {  // tables of Dice are what a collection is about
        for (const Experiment& part : experiment.parts) {
          if (dice == (part.kind == ExperimentKind::dice)) {
            if (auto row = protocol(part)) {
              return row;
            }
          }
        }
      }
      return std::nullopt;
  }
  return std::nullopt;
}

TableOptions Viewer::table_options(const ProtocolRow* protocol) const {
  const StatisticsOptions said(catalog_, common_, protocol);
  TableOptions options;
  options.test = said.test();
  options.correction = said.correction();
  options.delta_degrees_of_freedom =
      static_cast<int>(said.number("statistics.delta_degrees_of_freedom"));
  options.alpha = said.alpha();
  return options;
}

const Paper* Viewer::paper() const {
  if (!paper_) {
    paper_ = read_paper(catalog_.paper_folder(options_.paper));
  }
  return &*paper_;
}

ClaimOptions claim_options(const Catalog& catalog, const CommonOptions& common) {
  const StatisticsOptions said(catalog, common);
  ClaimOptions options;
  options.test = said.test(options.test);
  options.correction = said.correction(options.correction);
  options.alpha = said.alpha();
  options.alpha_for_all = common.alpha_given;
  options.margin = said.number("statistics.margin_dice_points");
  return options;
}

CurveTests curve_tests(const CommonOptions& common) {
  const StatisticsOptions said(common);
  CurveTests tests;
  tests.test = said.test(tests.test);
  tests.correction = said.correction(tests.correction);
  return tests;
}

View Viewer::shown(const Document& document, bool filled) const {
  return {written(document, common_.chosen_format(), {common_.color_on(1)}), document.json, filled};
}

View Viewer::nothing(const Experiment& experiment, const std::string& why) const {
  Json json{{"schema_version", 1}, {"experiment", experiment.id}, {"empty", why}};
  return {common_.chosen_format() == "json" ? to_text(json) : experiment.title + ": " + why + "\n",
          std::move(json),
          false};
}

View Viewer::dice(const Experiment& experiment) const {
  const auto row = protocol(experiment);
  std::optional<Table> measured;
  if (row) {
    TableSpec spec = experiment.table;
    if (const int planned = store_->planned_trials(row->protocol, spec); planned > 0) {
      spec.trials = planned;
    }
    const TableOptions options = table_options(&*row);
    const std::vector<TrialDice> trials = store_->trial_dice(row->protocol);
    measured = build_table(trials, store_->runs(row->protocol), *row, spec, options);
    add_budgets(*measured, store_->budgets(row->protocol));
    measured->proxies = proxy_results(spec.rows, *store_, *row);
    add_controls(*measured, trials, controls_of(catalog_));
  }
  if (options_.source == "measured") {
    return measured ? shown(document_of(*measured), filled_cells(*measured) > 0)
                    : nothing(experiment, "no run of it is stored yet");
  }
  const PrintedTable* printed = paper()->find(experiment.id);
  if (printed == nullptr) {
    throw usage_error("the paper has no table of this name")
        .with("table", experiment.id)
        .with("paper", paper()->id);
  }
  const Table published =
      published_table(*printed, experiment.table, table_options(row ? &*row : nullptr));
  if (options_.source == "published") {
    return shown(document_of(published), true);
  }
  if (!measured) {  // gaps, in the same shape
    measured = build_table(
        std::vector<TrialDice>{}, {}, ProtocolRow{}, experiment.table, table_options(nullptr));
  }
  return shown(document_of(*measured, published), true);
}

View Viewer::data(const Experiment& experiment) const {
  const auto row = protocol(experiment);
  const auto node = row ? store_->survey(row->protocol) : std::nullopt;
  const Json survey = node ? read_survey(*node, node->path) : Json();
  if (survey.is_null() && options_.source == "measured") {
    return nothing(experiment, "the data have not been counted yet");
  }
  Sheet sheet = data_sheet(
      experiment.id, experiment.title, experiment.datasets, survey, row ? &*row : nullptr, paper());
  sheet.json["source"] = options_.source;
  return shown(document_of(sheet), true);
}

View Viewer::curves(const Experiment& experiment) const {
  if (options_.source == "published") {
    return nothing(experiment, "the paper prints no numbers for it");
  }
  const auto row = protocol(experiment);
  if (!row) {
    return nothing(experiment, "no run of it is stored yet");
  }
  const LossCurves curves = build_curves(*store_, *row, experiment.curves, curve_tests(common_));
  return shown(document_of(convergence_sheet(curves)), !curves.rows.empty());
}

View Viewer::pretraining(const Experiment& experiment) const {
  if (options_.source == "published") {
    return nothing(experiment, "the paper prints no numbers for it");
  }
  const auto row = protocol(experiment);
  if (!row) {
    return nothing(experiment, "no pre-training is stored yet");
  }
  const std::vector<ProxyResult> results = proxy_results(experiment.rows, *store_, *row);
  const Sheet sheet = proxy_sheet(experiment.id, experiment.title, results, *row);
  return shown(document_of(sheet), !std::ranges::all_of(results, &ProxyResult::empty));
}

View Viewer::collection(const Experiment& experiment) const {
  ViewOptions options = options_;
  if (const auto row = protocol(experiment)) {  // all parts under one protocol
    options.protocol = row->protocol;
  }
  const Viewer viewer(catalog_, common_, options, store_);
  View all{"", {{"schema_version", 1}, {"experiment", experiment.id}}, false};
  for (const Experiment& part : experiment.parts) {
    const View view = viewer.view(part);
    all.filled = all.filled || view.filled;
    all.text += (all.text.empty() ? "" : "\n") + view.text;
    all.json["parts"].push_back(view.json);
  }
  if (common_.chosen_format() == "json") {
    all.text = to_text(all.json);
  }
  return all;
}

}  // namespace sar::cli
