#include "results/comparison/power_document.h"

#include "results/document/sheet.h"
#include "results/text/layout.h"
#include "results/text/words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

namespace sar {
namespace {

std::string trials_text(const PowerPlan& plan) {
  return plan.needed ? std::to_string(*plan.needed) : fmt::format(">{}", kMostPlannedTrials);
}

std::string hours_text(double hours) {
  return hours == 0      ? "0"
         : hours < 0.01  ? "<0.01"
         : hours < 9.995 ? fmt::format("{:.2f}", hours)
         : hours < 99.95 ? fmt::format("{:.1f}", hours)
                         : fmt::format("{:.0f}", hours);
}

std::string power_text(double power) {
  return power > 0.9995 ? ">0.999" : fmt::format("{:.3f}", power);
}

/// The power asked for: "80 %".
std::string percent_text(const PowerOptions& options) {
  return fmt::format("{:g} %", 100 * options.power);
}

std::string level_text(const PowerOptions& options) {
  return options.family > 1 ? fmt::format(
                                  "alpha = {0:g}/{1} = {2:.3g} (the strictest level that a "
                                  "correction over {1} comparisons can ask for)",
                                  options.alpha,
                                  options.family,
                                  options.alpha / options.family)
                            : fmt::format("alpha = {:g}", options.alpha);
}

std::vector<std::string> notes_of(const PowerReport& report) {
  const std::string percent = percent_text(report.options);
  std::vector<std::string> notes{
      fmt::format(
          "Differences, SDs (pooled over the two rows) and \"found at {}\" are in Dice points.",
          percent),
      fmt::format("Found at {}: the smallest true difference that Student's two-sided test of "
                  "these n shows "
                  "in {} of cases at {}, by the non-central t.",
                  percent,
                  percent,
                  level_text(report.options)),
      fmt::format(
          "Power and trials (per row) are planning figures: they hold if the {} difference and SD "
          "were the true ones, which so few trials cannot tell.",
          report.source == "published" ? "printed" : "measured")};
  std::map<std::string, std::size_t> reasons;
  std::size_t hopeless = 0;
  for (const PowerComparison& each : report.comparisons) {
    if (!each.plan.reason.empty()) {
      ++reasons[each.plan.reason];
    } else if (!each.plan.needed) {
      ++hopeless;
    }
  }
  for (const auto& [reason, count] : reasons) {
    notes.push_back(counted(count, "comparison") + " cannot be planned: " + reason + ".");
  }
  if (hopeless > 0) {
    notes.push_back(fmt::format("{} would need more than {} trials per row.",
                                counted(hopeless, "comparison"),
                                kMostPlannedTrials));
  }
  const CostSource& costs = report.costs;
  if (costs.trials.empty()) {
    notes.push_back(fmt::format("Hours: unknown, as {}.", costs.where));
  } else {
    notes.push_back(
        fmt::format("Hours: fine-tuning and evaluation of the trials to be added to both rows, one "
                    "after the other, at the mean time of the stored trials ({}); pre-training is "
                    "there already.",
                    costs.where));
    if (!report.without_hours.empty()) {
      notes.push_back(fmt::format("Hours of {} are unknown: no finished trial is stored.",
                                  fmt::join(report.without_hours, ", ")));
    }
  }
  if (report.additional_trials > 0) {
    notes.push_back(
        fmt::format("All plannable comparisons together need {} more trials{}; one trial fills all "
                    "columns of its task, and {}'s serve every row.",
                    report.additional_trials,
                    report.hours ? ", " + hours_text(*report.hours) + " hours" : "",
                    report.reference_label));
  }
  return notes;
}

Json json_of(const PowerOptions& options) {
  return {{"schema_version", 1},
          {"test", "student"},
          {"alpha", options.alpha},
          {"comparisons_sharing_alpha", options.family},
          {"target_power", options.power},
          {"most_trials", kMostPlannedTrials}};
}

Json json_of(const PowerPlan& plan) {
  const bool known = plan.reason.empty();
  const auto number_if = [&](double value) { return known ? Json(value) : Json(); };
  return {{"n", {plan.n_row, plan.n_reference}},
          {"reason", json_or_null(plan.reason)},
          {"difference", number_if(plan.difference)},
          {"sd", number_if(plan.sd)},
          {"detectable_difference", number_if(plan.detectable)},
          {"power", number_if(plan.power)},
          {"trials_needed", json_or_null(plan.needed)}};
}

Json json_of(const CostSource& costs) {
  Json trials = Json::array();
  for (const TrialCost& cost : costs.trials) {
    trials.push_back({{"method", cost.method},
                      {"task", cost.task},
                      {"fraction", cost.fraction},
                      {"trials", cost.trials},
                      {"seconds_per_trial", cost.seconds}});
  }
  return {{"where", costs.where}, {"data_kind", costs.data_kind}, {"trials", std::move(trials)}};
}

Json json_of(const PowerReport& report) {
  Json comparisons = Json::array();
  for (const PowerComparison& each : report.comparisons) {
    Json& entry = comparisons.emplace_back(json_of(each.plan));
    entry["cell"] = each.row.text();
    entry["versus"] = each.reference.text();
    entry["additional_trials"] = json_or_null(each.additional);
    entry["hours"] = json_or_null(each.hours);
  }
  Json json = json_of(report.options);
  json["table"] = report.table;
  json["source"] = report.source;
  json["reference"] = report.reference;
  json["comparisons"] = std::move(comparisons);
  json["additional_trials"] = report.additional_trials;
  json["hours"] = json_or_null(report.hours);
  json["cost"] = json_of(report.costs);
  return json;
}

}  // namespace

Document document_of(const PowerReport& report) {
  Sheet sheet;
  sheet.id = report.table + "-power";
  sheet.title = fmt::format("{}: trials needed against {}{}",
                            report.title,
                            report.reference_label,
                            phantom_mark(report.origin.data_kind));
  sheet.header = {"Row",
                  "Column",
                  "Row - " + report.reference_label,
                  "SD",
                  "n",
                  "Found at " + percent_text(report.options),
                  "Power",
                  "Trials",
                  "Hours"};
  sheet.text_columns = 2;
  for (const PowerComparison& each : report.comparisons) {
    const PowerPlan& plan = each.plan;
    const auto text = [&](const std::string& value) { return plan.reason.empty() ? value : "–"; };
    sheet.rows.push_back({each.label,
                          each.row.column(),
                          text(fmt::format("{:+.2f}", plan.difference)),
                          text(fmt::format("{:.2f}", plan.sd)),
                          fmt::format("{}, {}", plan.n_row, plan.n_reference),
                          text(fmt::format("{:.2f}", plan.detectable)),
                          text(power_text(plan.power)),
                          text(trials_text(plan)),
                          each.hours ? hours_text(*each.hours) : "–"});
  }
  sheet.notes = notes_of(report);
  sheet.origin = report.origin;
  sheet.json = json_of(report);
  return document_of(sheet);
}

Document document_of(const PowerPlan& plan, const PowerOptions& options) {
  const std::string percent = percent_text(options);
  Sheet sheet;
  sheet.id = "power";
  sheet.title = "Student's two-sample t-test: power and trials needed";
  sheet.header = {"Difference", "SD", "n", "Found at " + percent, "Power", "Trials"};
  sheet.text_columns = 0;
  sheet.rows = {{fmt::format("{:g}", plan.difference),
                 fmt::format("{:g}", plan.sd),
                 fmt::format("{}, {}", plan.n_row, plan.n_reference),
                 fmt::format("{:.4g}", plan.detectable),
                 power_text(plan.power),
                 trials_text(plan)}};
  sheet.notes = {fmt::format("Standardised difference {:.4g} = {:g} / {:g}; {}, two-sided, by the "
                             "non-central t.",
                             plan.difference / plan.sd,
                             plan.difference,
                             plan.sd,
                             level_text(options)),
                 fmt::format("Found at {}: the smallest true difference that {} against {} trials "
                             "show in {} of cases. Trials: per group, for that power if the "
                             "difference is {:g}.",
                             percent,
                             plan.n_row,
                             plan.n_reference,
                             percent,
                             plan.difference)};
  sheet.json = json_of(options);
  sheet.json.update(json_of(plan));
  return document_of(sheet);
}

}  // namespace sar
