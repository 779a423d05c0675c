#include "results/tables/rank_stability.h"

#include "harness/core/error.h"
#include "harness/core/rng.h"
#include "results/statistics/rank_agreement.h"
#include "results/statistics/resampling.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

namespace sar {
namespace {

using Cases = std::map<std::string, double>;  ///< Dice by case
using Trials = std::map<int, Cases>;          ///< by number of the trial

/// What is drawn from. Crossed: all trials have the cases of the one list. Nested: trial i of every
/// method has those of list i.
struct Design {
  bool nested = false;
  std::vector<std::vector<std::string>> cases;
  std::vector<std::vector<std::vector<double>>> values;  ///< [method][trial][case]
  std::string reason;                                    ///< why there is nothing to draw
};

/// Dice of the column by method, for the methods of the table. Of an average only cases that have
/// every target.
std::map<std::string, Trials> trials_of(const std::vector<CaseRow>& rows,
                                        const std::set<std::string>& methods,
                                        const TableColumn& column,
                                        std::size_t& targets) {
  struct Sum {
    std::map<std::string, double> dice;  ///< by target
  };
  std::map<std::string, std::map<int, std::map<std::string, Sum>>> sums;
  std::set<std::string> seen;
  for (const CaseRow& row : rows) {
    if (row.task != column.task || row.fraction != column.fraction ||
        (column.target != "average" && row.target != column.target) ||
        (column.bucket != "all" && row.bucket != column.bucket) || !methods.contains(row.method)) {
      continue;
    }
    const auto fail = [&](Error error) {
      return std::move(error)
          .with("method", row.method)
          .with("trial", fmt::format("{}", row.trial))
          .with("case", row.case_id);
    };
    if (!std::isfinite(row.dice)) {
      throw fail(data_error("a Dice is not finite"));
    }
    if (!sums[row.method][row.trial][row.case_id].dice.emplace(row.target, row.dice).second) {
      throw fail(usage_error("a trial has a case twice").hint("take the rows of one protocol"));
    }
    seen.insert(row.target);
  }
  targets = seen.size();
  std::map<std::string, Trials> result;
  for (const auto& [method, trials] : sums) {
    for (const auto& [trial, cases] : trials) {
      for (const auto& [id, sum] : cases) {
        if (sum.dice.size() == targets) {
          double total = 0;
          for (const auto& [target, dice] : sum.dice) {
            total += dice;
          }
          result[method][trial][id] = total / static_cast<double>(targets);
        }
      }
    }
  }
  return result;
}

bool same_cases(const Cases& a, const Cases& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) { return x.first == y.first; });
}

/// Cases that all of these have, in ascending order.
std::vector<std::string> common_cases(const std::vector<const Cases*>& all) {
  std::vector<std::string> common;
  for (const auto& [id, dice] : *all.front()) {
    if (std::ranges::all_of(all, [&id = id](const Cases* each) { return each->contains(id); })) {
      common.push_back(id);
    }
  }
  return common;
}

std::vector<double> values_of(const Cases& trial, const std::vector<std::string>& cases) {
  std::vector<double> values;
  for (const std::string& id : cases) {
    values.push_back(trial.at(id));
  }
  return values;
}

/// `methods`: at least two, each with a trial.
Design design_of(const std::vector<const Trials*>& methods) {
  Design design;
  design.values.resize(methods.size());
  design.nested = std::ranges::any_of(methods, [](const Trials* trials) {
    return std::ranges::any_of(*trials, [&](const auto& trial) {
      return !same_cases(trial.second, trials->begin()->second);
    });
  });
  if (!design.nested) {
    std::vector<const Cases*> all;
    for (const Trials* trials : methods) {
      all.push_back(&trials->begin()->second);  // as all others of the method
    }
    design.cases.push_back(common_cases(all));
    for (std::size_t method = 0; method < methods.size(); ++method) {
      for (const auto& [number, trial] : *methods[method]) {
        design.values[method].push_back(values_of(trial, design.cases.front()));
      }
    }
    design.reason = design.cases.front().empty() ? "no test case that all methods have" : "";
  } else {
    for (const auto& [number, first] : *methods.front()) {
      std::vector<const Cases*> all;
      for (const Trials* trials : methods) {
        if (const auto found = trials->find(number); found != trials->end()) {
          all.push_back(&found->second);
        }
      }
      std::vector<std::string> common = common_cases(all);
      if (all.size() < methods.size() || common.empty()) {
        continue;
      }
      for (std::size_t method = 0; method < methods.size(); ++method) {
        design.values[method].push_back(values_of(*all[method], common));
      }
      design.cases.push_back(std::move(common));
    }
    design.reason = design.cases.empty() ? "no fold with test cases that all methods have" : "";
  }
  const auto one_trial = [](const auto& trials) { return trials.size() == 1; };
  if (design.reason.empty() && std::ranges::all_of(design.values, one_trial) &&
      design.cases.front().size() == 1) {
    design.reason = "one trial and one test case: nothing to draw";
  }
  return design;
}

/// The mean over trials of the mean over cases.
std::vector<double> measured_means(const Design& design) {
  std::vector<double> means;
  for (const auto& trials : design.values) {
    double sum = 0;
    for (const std::vector<double>& values : trials) {
      sum += weighted_mean(values, std::vector<int>(values.size(), 1));
    }
    means.push_back(sum / static_cast<double>(trials.size()));
  }
  return means;
}

/// Draws the means of all methods, one sample after the other.
class Sampler {
 public:
  Sampler(const Design& design, const std::vector<std::string>& methods, std::uint64_t seed)
      : design_(design), shared_(Rng(seed).at("rank stability")) {
    for (const std::string& method : methods) {
      of_method_.push_back(shared_.at("trials").at(method));
    }
  }

  [[nodiscard]] std::vector<double> draw(int sample) const {
    const auto index = static_cast<std::uint64_t>(sample);
    std::vector<double> means(design_.values.size());
    Rng shared = shared_.at("sample", {index});
    if (design_.nested) {
      const std::size_t folds = design_.cases.size();
      for (std::size_t i = 0; i < folds; ++i) {
        const std::size_t fold = shared.below(static_cast<std::uint32_t>(folds));
        const std::vector<int> counts = draw_counts(shared, design_.cases[fold].size());
        for (std::size_t method = 0; method < means.size(); ++method) {
          means[method] += weighted_mean(design_.values[method][fold], counts);
        }
      }
      for (double& mean : means) {
        mean /= static_cast<double>(folds);
      }
      return means;
    }
    const std::vector<int> counts = draw_counts(shared, design_.cases.front().size());
    for (std::size_t method = 0; method < means.size(); ++method) {
      const auto& trials = design_.values[method];
      Rng own = of_method_[method].at("sample", {index});
      const std::vector<int> trial_counts = draw_counts(own, trials.size());
      for (std::size_t trial = 0; trial < trials.size(); ++trial) {
        if (trial_counts[trial] != 0) {
          means[method] += trial_counts[trial] * weighted_mean(trials[trial], counts);
        }
      }
      means[method] /= static_cast<double>(trials.size());
    }
    return means;
  }

 private:
  const Design& design_;
  Rng shared_;
  std::vector<Rng> of_method_;
};

/// Means as they are ranked, to 2^-30 of a Dice point: sums that were rounded in another order must
/// not break a tie.
std::vector<double> to_rank(std::vector<double> means) {
  for (double& mean : means) {
    mean = std::nearbyint(mean * 0x1p30) * 0x1p-30;
  }
  return means;
}

/// Calls tied(first, last, member) for each member of each group of equal means: the group takes
/// the ranks first .. last, counted from 0.
template <typename Tied>
void for_ranks(const std::vector<double>& means, const Tied& tied) {
  std::vector<std::size_t> order(means.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order,
                           [&](std::size_t i, std::size_t j) { return means[i] > means[j]; });
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first;
    while (last + 1 < order.size() && means[order[last + 1]] == means[order[first]]) {
      ++last;
    }
    for (std::size_t place = first; place <= last; ++place) {
      tied(first, last, order[place]);
    }
    first = last + 1;
  }
}

double middle_rank(std::size_t first, std::size_t last) {
  return 1 + static_cast<double>(first + last) / 2;
}

/// Inverse of the empirical distribution function (type 1 of Hyndman and Fan, 1996).
double step_quantile(const std::vector<double>& sorted, double probability) {
  // What rounding adds to a whole number of values must not count as one more.
  const double count = std::ceil(probability * static_cast<double>(sorted.size()) - 1e-9);
  const auto place = static_cast<std::size_t>(std::max(1.0, count));
  return sorted[std::min(place, sorted.size()) - 1];
}

std::string joined(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

RankStability rank_stability(const std::vector<CaseRow>& cases,
                             const std::vector<TableRow>& rows,
                             const TableColumn& column,
                             const RankStabilityOptions& options) {
  if (options.samples < 1) {
    throw usage_error("rank stability needs at least one sample")
        .with("samples", fmt::format("{}", options.samples));
  }
  if (!(options.level > 0 && options.level < 1)) {
    throw usage_error("the level of an interval must lie between 0 and 1")
        .with("level", fmt::format("{}", options.level));
  }
  RankStability result;
  result.column = column;
  result.samples = options.samples;
  result.level = options.level;
  result.seed = options.seed;

  std::set<std::string> names;
  for (const TableRow& row : rows) {
    names.insert(row.method);
  }
  std::size_t targets = 0;
  const std::map<std::string, Trials> found = trials_of(cases, names, column, targets);
  std::vector<TableRow> ranked;
  std::vector<std::string> methods;
  std::vector<const Trials*> trials;
  for (const TableRow& row : rows) {
    if (const auto of_method = found.find(row.method); of_method != found.end()) {
      ranked.push_back(row);
      methods.push_back(row.method);
      trials.push_back(&of_method->second);
    }
  }
  if (ranked.size() < 2) {
    result.reason = ranked.empty() ? "no method has a trial" : "only one method has trials";
    return result;
  }
  if (column.target == "average" && targets < 2) {
    result.reason = "the task has one target only, which has no average";
    return result;
  }
  const Design design = design_of(trials);
  result.nested = design.nested;
  result.reason = design.reason;
  if (!result.reason.empty()) {
    return result;
  }

  std::set<std::string> distinct;
  for (const auto& list : design.cases) {
    distinct.insert(list.begin(), list.end());
  }
  result.cases = static_cast<int>(distinct.size());
  result.trials = static_cast<int>(std::ranges::min_element(design.values, {}, [](const auto& of) {
                                     return of.size();
                                   })->size());
  const std::vector<double> means = measured_means(design);
  const std::vector<double> measured = to_rank(means);
  for (std::size_t i = 0; i < ranked.size(); ++i) {
    RankedMethod& method = result.methods.emplace_back();
    method.method = ranked[i].method;
    method.label = ranked[i].label;
    method.mean = means[i];
    method.share.resize(ranked.size());
  }
  std::vector<std::size_t> best;
  for_ranks(measured, [&](std::size_t first, std::size_t last, std::size_t member) {
    result.methods[member].rank = middle_rank(first, last);
    if (first == 0) {
      best.push_back(member);
    }
  });

  const Sampler sampler(design, methods, options.seed);
  std::vector<std::vector<double>> ranks(ranked.size());  // [method][sample]
  for (int sample = 0; sample < options.samples; ++sample) {
    const std::vector<double> drawn = to_rank(sampler.draw(sample));
    result.agreement += kendall_tau_b(drawn, measured).value_or(0);
    for_ranks(drawn, [&](std::size_t first, std::size_t last, std::size_t member) {
      ranks[member].push_back(middle_rank(first, last));
      for (std::size_t rank = first; rank <= last; ++rank) {
        result.methods[member].share[rank] += 1 / static_cast<double>(last - first + 1);
      }
    });
  }
  result.agreement /= options.samples;
  const double tail = (1 - options.level) / 2;
  for (std::size_t i = 0; i < ranked.size(); ++i) {
    RankedMethod& method = result.methods[i];
    for (double& share : method.share) {
      share /= options.samples;
    }
    std::ranges::sort(ranks[i]);
    method.rank_low = step_quantile(ranks[i], tail);
    method.rank_high = step_quantile(ranks[i], 1 - tail);
  }
  for (const std::size_t member : best) {
    result.same_first += result.methods[member].share.front();
  }
  return result;
}

Sheet rank_sheet(const std::string& id,
                 const std::string& title,
                 const std::vector<RankStability>& columns) {
  Sheet sheet;
  sheet.id = id;
  sheet.title = title;
  sheet.text_columns = 2;
  sheet.header = {"Column", "Method", "Mean", "Rank", "Low", "High"};
  std::size_t most = 0;
  TableSpec spec;  // for the names of the columns
  for (const RankStability& each : columns) {
    most = std::max(most, each.methods.size());
    spec.columns.push_back(each.column);
  }
  for (std::size_t rank = 1; rank <= most; ++rank) {
    sheet.header.push_back(fmt::format("{}", rank));
  }
  Json documents = Json::array();
  std::vector<std::string> crossed;
  std::vector<std::string> nested;
  std::vector<std::string> details;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const RankStability& each = columns[i];
    const std::string name = column_name(spec, i);
    Json methods = Json::array();
    for (const RankedMethod& method : each.methods) {
      std::vector<std::string>& line = sheet.rows.emplace_back();
      line = {name,
              method.label,
              fmt::format("{:.2f}", method.mean),
              fmt::format("{:g}", method.rank),
              fmt::format("{:g}", method.rank_low),
              fmt::format("{:g}", method.rank_high)};
      for (const double share : method.share) {
        line.push_back(fmt::format("{:.1f}", 100 * share));
      }
      line.resize(sheet.header.size(), "–");
      methods.push_back({{"method", method.method},
                         {"label", method.label},
                         {"mean", method.mean},
                         {"rank", method.rank},
                         {"rank_low", method.rank_low},
                         {"rank_high", method.rank_high},
                         {"share", method.share}});
    }
    const bool drawn = each.reason.empty();
    documents.push_back({{"name", name},
                         {"task", each.column.task},
                         {"target", each.column.target},
                         {"bucket", each.column.bucket},
                         {"fraction", each.column.fraction},
                         {"drawn", !drawn ? Json() : Json(each.nested ? "nested" : "crossed")},
                         {"trials", each.trials},
                         {"cases", each.cases},
                         {"samples", each.samples},
                         {"level", each.level},
                         {"seed", each.seed},
                         {"agreement", drawn ? Json(each.agreement) : Json()},
                         {"same_first", drawn ? Json(each.same_first) : Json()},
                         {"not_ranked", drawn ? Json() : Json(each.reason)},
                         {"methods", std::move(methods)}});
    if (!drawn) {
      details.push_back(fmt::format("{}: not ranked ({}).", name, each.reason));
      continue;
    }
    (each.nested ? nested : crossed).push_back(name);
    details.push_back(
        fmt::format("{}: n = {} {}, {} test cases; the measured best method is best in {:.1f} % of "
                    "the samples, mean Kendall's tau-b with the measured order {:.2f}.{}{}",
                    name,
                    each.trials,
                    each.nested ? "folds" : "trials",
                    each.cases,
                    100 * each.same_first,
                    each.agreement,
                    each.trials == 1 ? " With one trial only cases are drawn." : "",
                    each.cases == 1 ? " With one case only trials are drawn." : ""));
  }
  if (!crossed.empty() || !nested.empty()) {
    const RankStability& any = columns.front();
    sheet.notes.emplace_back(
        "Mean: Dice in percent, over trials of the mean over test cases. Rank: 1 has the largest "
        "mean; equal means share the mean of their ranks.");
    sheet.notes.push_back(
        fmt::format("Columns 1, 2, ...: share of {} samples (seed {}), in percent, in which the "
                    "method takes this rank; methods that tie share their ranks. Low, High: {:g} % "
                    "percentile interval of the rank, not interpolated.",
                    any.samples,
                    any.seed,
                    100 * any.level));
  }
  if (!crossed.empty()) {
    sheet.notes.push_back(
        joined(crossed) +
        ": in each sample, trials are drawn with replacement for each method, and test cases once "
        "for all methods.");
  }
  if (!nested.empty()) {
    sheet.notes.push_back(joined(nested) +
                          ": in each sample, folds are drawn with replacement, and test cases "
                          "within each drawn fold, "
                          "once for all methods.");
  }
  if (!crossed.empty() || !nested.empty()) {
    sheet.notes.emplace_back(
        "A share is not the probability that a method is the best one: few trials and cases vary "
        "less "
        "than new ones would.");
  }
  sheet.notes.insert(sheet.notes.end(), details.begin(), details.end());
  sheet.json = {
      {"schema_version", 1}, {"id", id}, {"title", title}, {"columns", std::move(documents)}};
  return sheet;
}

}  // namespace sar
