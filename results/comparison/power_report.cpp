#include "results/comparison/power_report.h"

#include "harness/core/error.h"
#include "results/statistics/power.h"
#include "results/statistics/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

namespace sar {
namespace power_report_detail {

constexpr int kMostTrials = 1'000'000;

/// What is known of one comparison; the numbers stand only without a reason.
struct Plan {
  std::string reason;  ///< why there are none
  int n_row = 0, n_reference = 0;
  double difference = 0, sd = 0, detectable = 0, power = 0;
  std::optional<int> needed;  ///< per group; empty: more than kMostTrials
};

Plan plan_of(double difference, double sd, int n_a, int n_b, const PowerOptions& options) {
  const double alpha = options.alpha / std::max(1, options.family);
  Plan plan;
  plan.n_row = n_a;
  plan.n_reference = n_b;
  plan.difference = difference;
  plan.sd = sd;
  plan.detectable = sd * detectable_effect(n_a, n_b, options.power, alpha);
  plan.power = student_power(std::abs(difference) / sd, n_a, n_b, alpha);
  plan.needed = trials_needed(std::abs(difference) / sd, options.power, alpha, kMostTrials);
  return plan;
}

Plan plan_of(const std::optional<CellNumber>& row,
             const std::optional<CellNumber>& reference,
             const PowerOptions& options) {
  Plan plan;
  if (!row || !reference) {
    plan.reason = "no number";
    return plan;
  }
  const Summary& a = row->summary;
  const Summary& b = reference->summary;
  plan.n_row = a.n;
  plan.n_reference = b.n;
  if (a.n == 0 || b.n == 0) {
    plan.reason = "n is not stated";
  } else if (a.n < 2 || b.n < 2) {
    plan.reason = fmt::format("n = {}", std::min(a.n, b.n));
  } else if (!a.sd || !b.sd) {
    plan.reason = "no standard deviation";
  } else {
    const double sd = pooled_sd(a, b);
    if (!(sd > 0)) {
      plan.reason = "standard deviation is zero";
      return plan;
    }
    return plan_of(a.mean - b.mean, sd, a.n, b.n, options);
  }
  return plan;
}

std::string trials_text(const Plan& plan) {
  return plan.needed ? std::to_string(*plan.needed) : fmt::format(">{}", kMostTrials);
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

std::optional<double> seconds_of(const CostSource& costs,
                                 const std::string& method,
                                 const TableColumn& column) {
  for (const TrialCost& cost : costs.trials) {
    if (cost.method == method && cost.task == column.task && cost.fraction == column.fraction) {
      return cost.seconds;
    }
  }
  return {};
}

/// Trials to be added per method, task and fraction so that every comparison has what it needs: one
/// trial fills all columns of its task.
class Additional {
 public:
  void want(const std::string& method,
            const TableColumn& column,
            int trials,
            std::optional<double> seconds) {
    Entry& entry = entries_[{method, column.task, column.fraction}];
    entry.trials = std::max(entry.trials, trials);
    entry.seconds = seconds;
  }
  [[nodiscard]] long trials() const {
    long sum = 0;
    for (const auto& [key, entry] : entries_) {
      sum += entry.trials;
    }
    return sum;
  }
  /// Methods and tasks to be added whose cost is unknown: "genesis brats, sar brats".
  [[nodiscard]] std::string without_cost() const {
    std::string names;
    for (const auto& [key, entry] : entries_) {
      const auto& [method, task, fraction] = key;
      if (entry.trials > 0 && !entry.seconds) {
        names += (names.empty() ? "" : ", ") + method + " " + task +
                 (fraction == "1" ? "" : " " + fraction);
      }
    }
    return names;
  }
  /// Empty if the cost of one of them is unknown.
  [[nodiscard]] std::optional<double> hours() const {
    double sum = 0;
    for (const auto& [key, entry] : entries_) {
      if (entry.trials > 0 && !entry.seconds) {
        return {};
      }
      sum += entry.trials * entry.seconds.value_or(0) / 3600;
    }
    return sum;
  }

 private:
  struct Entry {
    int trials = 0;
    std::optional<double> seconds;
  };
  std::map<std::tuple<std::string, std::string, std::string>, Entry> entries_;
};

std::string level_text(const PowerOptions& options) {
  return options.family > 1 ? fmt::format(
                                  "alpha = {0:g}/{1} = {2:.3g} (the strictest level that a "
                                  "correction over {1} comparisons can ask for)",
                                  options.alpha,
                                  options.family,
                                  options.alpha / options.family)
                            : fmt::format("alpha = {:g}", options.alpha);
}

Json plan_json(const Plan& plan) {
  const bool known = plan.reason.empty();
  const auto number_if = [&](double value) { return known ? Json(value) : Json(); };
  return {{"n", {plan.n_row, plan.n_reference}},
          {"reason", known ? Json() : Json(plan.reason)},
          {"difference", number_if(plan.difference)},
          {"sd", number_if(plan.sd)},
          {"detectable_difference", number_if(plan.detectable)},
          {"power", number_if(plan.power)},
          {"trials_needed", known && plan.needed ? Json(*plan.needed) : Json()}};
}

Json options_json(const PowerOptions& options) {
  return {{"schema_version", 1},
          {"test", "student"},
          {"alpha", options.alpha},
          {"comparisons_sharing_alpha", options.family},
          {"target_power", options.power},
          {"most_trials", kMostTrials}};
}

}  // namespace power_report_detail

Sheet power_sheet(const TableSpec& spec,
                  const CellSource& source,
                  const CostSource& costs,
                  const PowerOptions& options) {
  using namespace power_report_detail;
  const bool printed = source.name == "published";
  const std::string percent = fmt::format("{:g} %", 100 * options.power);
  Sheet sheet;
  sheet.id = spec.id + "-power";
  std::string reference_label = spec.reference;
  for (const TableRow& row : spec.rows) {
    reference_label = row.method == spec.reference ? row.label : reference_label;
  }
  sheet.title = fmt::format("{}: trials needed against {}{}",
                            spec.title,
                            reference_label,
                            source.data_kind == "phantom" ? " [phantom data]" : "");
  sheet.header = {"Row",
                  "Column",
                  "Row - " + reference_label,
                  "SD",
                  "n",
                  "Found at " + percent,
                  "Power",
                  "Trials",
                  "Hours"};
  sheet.text_columns = 2;
  sheet.json = options_json(options);
  Json list = Json::array();
  Additional additional;
  std::map<std::string, int> reasons;
  int hopeless = 0;
  for (const TableRow& row : spec.rows) {
    if (row.method == spec.reference) {
      continue;
    }
    for (const TableColumn& column : spec.columns) {
      const CellPath path{
          spec.id, row.method, column.task, column.target, column.bucket, column.fraction};
      CellPath other = path;
      other.method = spec.reference;
      const Plan plan = plan_of(source.find(path), source.find(other), options);
      Json entry = plan_json(plan);
      entry["cell"] = path.text();
      entry["versus"] = other.text();
      std::optional<double> hours;
      Json more;
      if (!plan.reason.empty()) {
        ++reasons[plan.reason];
      } else if (!plan.needed) {
        ++hopeless;
      } else {
        const int row_trials = std::max(0, *plan.needed - plan.n_row);
        const int reference_trials = std::max(0, *plan.needed - plan.n_reference);
        const auto row_seconds = seconds_of(costs, row.method, column);
        const auto reference_seconds = seconds_of(costs, spec.reference, column);
        additional.want(row.method, column, row_trials, row_seconds);
        additional.want(spec.reference, column, reference_trials, reference_seconds);
        if (row_trials + reference_trials == 0) {
          hours = 0.0;
        } else if (row_seconds && reference_seconds) {
          hours = (row_trials * *row_seconds + reference_trials * *reference_seconds) / 3600;
        }
        more = {row_trials, reference_trials};
      }
      entry["additional_trials"] = more;
      entry["hours"] = hours ? Json(*hours) : Json();
      list.push_back(std::move(entry));
      const bool known = plan.reason.empty();
      const auto text = [&](const std::string& value) { return known ? value : std::string("–"); };
      sheet.rows.push_back({row.label,
                            path.column(),
                            text(fmt::format("{:+.2f}", plan.difference)),
                            text(fmt::format("{:.2f}", plan.sd)),
                            fmt::format("{}, {}", plan.n_row, plan.n_reference),
                            text(fmt::format("{:.2f}", plan.detectable)),
                            text(power_text(plan.power)),
                            text(trials_text(plan)),
                            hours ? hours_text(*hours) : "–"});
    }
  }
  const auto add = [&]<class... Values>(fmt::format_string<Values...> text, Values&&... values) {
    sheet.notes.push_back(fmt::format(text, std::forward<Values>(values)...));
  };
  add("Differences, SDs (pooled over the two rows) and \"found at {}\" are in Dice points.",
      percent);
  add("Found at {}: the smallest true difference that Student's two-sided test of these n shows in "
      "{} of cases at {}, by the non-central t.",
      percent,
      percent,
      level_text(options));
  add("Power and trials (per row) are planning figures: they hold if the {} difference and SD were "
      "the true ones, which so few trials cannot tell.",
      printed ? "printed" : "measured");
  for (const auto& [reason, count] : reasons) {
    add("{} comparison{} cannot be planned: {}.", count, count == 1 ? "" : "s", reason);
  }
  if (hopeless > 0) {
    add("{} comparison{} would need more than {} trials per row.",
        hopeless,
        hopeless == 1 ? "" : "s",
        kMostTrials);
  }
  const std::optional<double> total = additional.hours();
  if (costs.trials.empty()) {
    add("Hours: unknown, as {}.", costs.where);
  } else {
    add("Hours: fine-tuning and evaluation of the trials to be added to both rows, one after the "
        "other, at the mean time of the stored trials ({}); pre-training is there already.",
        costs.where);
    if (const std::string missing = additional.without_cost(); !missing.empty()) {
      add("Hours of {} are unknown: no finished trial is stored.", missing);
    }
  }
  if (additional.trials() > 0) {
    add("All plannable comparisons together need {} more trials{}; one trial fills all columns of "
        "its task, and {}'s serve every row.",
        additional.trials(),
        total ? ", " + hours_text(*total) + " hours" : "",
        reference_label);
  }
  sheet.json["table"] = spec.id;
  sheet.json["source"] = source.name;
  sheet.json["protocol"] = source.protocol;
  sheet.json["data_kind"] = source.data_kind;
  sheet.json["reference"] = spec.reference;
  sheet.json["comparisons"] = std::move(list);
  sheet.json["additional_trials"] = additional.trials();
  sheet.json["hours"] = costs.trials.empty() || !total ? Json() : Json(*total);
  sheet.json["cost"] = {{"where", costs.where}, {"data_kind", costs.data_kind}};
  Json per_trial = Json::array();
  for (const TrialCost& cost : costs.trials) {
    per_trial.push_back({{"method", cost.method},
                         {"task", cost.task},
                         {"fraction", cost.fraction},
                         {"trials", cost.trials},
                         {"seconds_per_trial", cost.seconds}});
  }
  sheet.json["cost"]["trials"] = std::move(per_trial);
  return sheet;
}

Sheet power_sheet(double difference, double sd, int n, const PowerOptions& options) {
  using namespace power_report_detail;
  if (!std::isfinite(difference) || !std::isfinite(sd) || sd <= 0) {
    throw usage_error("the difference must be finite and the SD positive")
        .with("effect", fmt::format("{}", difference))
        .with("sd", fmt::format("{}", sd));
  }
  if (n < 2) {
    throw usage_error("n must be at least 2").with("n", std::to_string(n));
  }
  const Plan plan = plan_of(difference, sd, n, n, options);
  const std::string percent = fmt::format("{:g} %", 100 * options.power);
  Sheet sheet;
  sheet.id = "power";
  sheet.title = "Student's two-sample t-test: power and trials needed";
  sheet.header = {"Difference", "SD", "n", "Found at " + percent, "Power", "Trials"};
  sheet.text_columns = 0;
  sheet.rows = {{fmt::format("{:g}", difference),
                 fmt::format("{:g}", sd),
                 fmt::format("{0}, {0}", n),
                 fmt::format("{:.4g}", plan.detectable),
                 power_text(plan.power),
                 trials_text(plan)}};
  sheet.notes = {fmt::format("Standardised difference {:.4g} = {:g} / {:g}; {}, two-sided, by the "
                             "non-central t.",
                             difference / sd,
                             difference,
                             sd,
                             level_text(options)),
                 fmt::format("Found at {}: the smallest true difference that {} against {} trials "
                             "show in {} of cases. Trials: per group, for that power if the "
                             "difference is {:g}.",
                             percent,
                             n,
                             n,
                             percent,
                             difference)};
  sheet.json = options_json(options);
  sheet.json.update(plan_json(plan));
  return sheet;
}

}  // namespace sar
