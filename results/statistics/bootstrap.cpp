#include "results/statistics/bootstrap.h"

#include "harness/core/error.h"
#include "harness/core/rng.h"
#include "results/statistics/resampling.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <numeric>

namespace sar {
namespace {

/// Values of one trial in ascending order of their cases.
struct OrderedTrial {
  std::vector<int> cases;
  std::vector<double> values;
};

std::vector<OrderedTrial> ordered_trials(std::span<const TrialCases> trials,
                                         const BootstrapOptions& options) {
  if (trials.empty()) {
    throw usage_error("a bootstrap needs at least one trial");
  }
  std::vector<OrderedTrial> ordered;
  for (std::size_t trial = 0; trial < trials.size(); ++trial) {
    const auto& [cases, values] = trials[trial];
    const auto fail = [&](const char* what) {
      return usage_error(what).with("trial", fmt::format("{}", trial));
    };
    if (cases.empty()) {
      throw fail("a trial has no cases");
    }
    if (cases.size() != values.size()) {
      throw fail("a trial does not have as many values as cases");
    }
    std::vector<std::size_t> order(cases.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&cases = cases](std::size_t i, std::size_t j) {
      return cases[i] < cases[j];
    });
    OrderedTrial next;
    for (const std::size_t i : order) {
      if (!std::isfinite(values[i])) {
        throw data_error("a value is not finite")
            .with("trial", fmt::format("{}", trial))
            .with("case", fmt::format("{}", cases[i]));
      }
      if (!next.cases.empty() && next.cases.back() == cases[i]) {
        throw fail("a trial has a case twice");
      }
      next.cases.push_back(cases[i]);
      next.values.push_back(values[i]);
    }
    if (!options.nested && !ordered.empty() && ordered.front().cases != next.cases) {
      throw fail("crossed trials must have the same cases");
    }
    ordered.push_back(std::move(next));
  }
  return ordered;
}

/// Mean over trials of the mean over cases, both drawn with the given counts.
double crossed_mean(const std::vector<OrderedTrial>& trials,
                    const std::vector<int>& trial_counts,
                    const std::vector<int>& case_counts) {
  double sum = 0;
  for (std::size_t trial = 0; trial < trials.size(); ++trial) {
    if (trial_counts[trial] != 0) {
      sum += trial_counts[trial] * weighted_mean(trials[trial].values, case_counts);
    }
  }
  return sum / static_cast<double>(trials.size());
}

/// The same of trials drawn with replacement, and cases within each trial that was drawn.
double nested_mean(Rng& rng, const std::vector<OrderedTrial>& trials) {
  double sum = 0;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const OrderedTrial& trial = trials[rng.below(static_cast<std::uint32_t>(trials.size()))];
    sum += weighted_mean(trial.values, draw_counts(rng, trial.values.size()));
  }
  return sum / static_cast<double>(trials.size());
}

double observed_mean(const std::vector<OrderedTrial>& trials) {
  double sum = 0;
  for (const OrderedTrial& trial : trials) {
    sum += weighted_mean(trial.values, std::vector<int>(trial.values.size(), 1));
  }
  return sum / static_cast<double>(trials.size());
}

/// Quantile of sorted values, linear between them (type 7 of Hyndman and Fan, 1996).
double quantile_of(const std::vector<double>& sorted, double probability) {
  const double place = probability * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
}

void require_options(const BootstrapOptions& options) {
  if (options.samples < 1) {
    throw usage_error("a bootstrap needs at least one sample")
        .with("samples", fmt::format("{}", options.samples));
  }
  if (!(options.level > 0 && options.level < 1)) {
    throw usage_error("the level of an interval must lie between 0 and 1")
        .with("level", fmt::format("{}", options.level));
  }
}

/// Interval of statistic(rng) over as many samples as the options say.
template <typename Statistic>
BootstrapInterval percentile_interval(double estimate,
                                      const BootstrapOptions& options,
                                      const Statistic& statistic) {
  const Rng stream = Rng(options.seed).at("bootstrap");
  std::vector<double> drawn;
  drawn.reserve(static_cast<std::size_t>(options.samples));
  for (int sample = 0; sample < options.samples; ++sample) {
    Rng rng = stream.at("sample", {static_cast<std::uint64_t>(sample)});
    drawn.push_back(statistic(rng));
  }
  std::sort(drawn.begin(), drawn.end());
  const double tail = (1 - options.level) / 2;
  return {estimate, quantile_of(drawn, tail), quantile_of(drawn, 1 - tail), options.samples};
}

/// Draws of the cases of two crossed lists: those that both have share their draw.
class SharedCases {
 public:
  SharedCases(const std::vector<int>& a, const std::vector<int>& b) {
    std::vector<int> shared;
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(shared));
    const auto split = [&](const std::vector<int>& cases, Places& places) {
      for (std::size_t i = 0; i < cases.size(); ++i) {
        const bool both = std::binary_search(shared.begin(), shared.end(), cases[i]);
        (both ? places.shared : places.own).push_back(i);
      }
    };
    split(a, of_a_);
    split(b, of_b_);
  }
  struct Counts {
    std::vector<int> a, b;
  };
  [[nodiscard]] Counts draw(Rng& rng) const {
    const std::vector<int> shared = draw_counts(rng, of_a_.shared.size());
    return {of_a_.spread(shared, rng), of_b_.spread(shared, rng)};
  }

 private:
  struct Places {
    std::vector<std::size_t> shared, own;

    [[nodiscard]] std::vector<int> spread(const std::vector<int>& of_shared, Rng& rng) const {
      std::vector<int> counts(shared.size() + own.size());
      for (std::size_t i = 0; i < shared.size(); ++i) {
        counts[shared[i]] = of_shared[i];
      }
      const std::vector<int> of_own = draw_counts(rng, own.size());
      for (std::size_t i = 0; i < own.size(); ++i) {
        counts[own[i]] = of_own[i];
      }
      return counts;
    }
  };
  Places of_a_, of_b_;
};

/// Are the trials of both the same folds in the same order?
bool same_folds(const std::vector<OrderedTrial>& a, const std::vector<OrderedTrial>& b) {
  return std::equal(
      a.begin(), a.end(), b.begin(), b.end(), [](const OrderedTrial& x, const OrderedTrial& y) {
        return x.cases == y.cases;
      });
}

}  // namespace

BootstrapInterval bootstrap_mean(std::span<const TrialCases> trials,
                                 const BootstrapOptions& options) {
  require_options(options);
  const std::vector<OrderedTrial> ordered = ordered_trials(trials, options);
  return percentile_interval(observed_mean(ordered), options, [&](Rng& rng) {
    if (options.nested) {
      return nested_mean(rng, ordered);
    }
    const std::vector<int> trial_counts = draw_counts(rng, ordered.size());
    return crossed_mean(ordered, trial_counts, draw_counts(rng, ordered.front().cases.size()));
  });
}

BootstrapInterval bootstrap_difference(std::span<const TrialCases> a,
                                       std::span<const TrialCases> b,
                                       const BootstrapOptions& options) {
  require_options(options);
  std::vector<OrderedTrial> of_a = ordered_trials(a, options);
  const std::vector<OrderedTrial> of_b = ordered_trials(b, options);
  const double estimate = observed_mean(of_a) - observed_mean(of_b);
  if (options.nested && same_folds(of_a, of_b)) {
    // A fold and its cases are drawn for both: that is the mean of the differences.
    for (std::size_t trial = 0; trial < of_a.size(); ++trial) {
      std::vector<double>& values = of_a[trial].values;
      std::transform(
          values.begin(), values.end(), of_b[trial].values.begin(), values.begin(), std::minus<>());
    }
    return percentile_interval(estimate, options, [&](Rng& rng) { return nested_mean(rng, of_a); });
  }
  if (options.nested) {
    return percentile_interval(estimate, options, [&](Rng& rng) {
      const double mean_of_a = nested_mean(rng, of_a);
      return mean_of_a - nested_mean(rng, of_b);
    });
  }
  const SharedCases cases(of_a.front().cases, of_b.front().cases);
  return percentile_interval(estimate, options, [&](Rng& rng) {
    const std::vector<int> trials_a = draw_counts(rng, of_a.size());
    const std::vector<int> trials_b = draw_counts(rng, of_b.size());
    const auto [cases_a, cases_b] = cases.draw(rng);
    return crossed_mean(of_a, trials_a, cases_a) - crossed_mean(of_b, trials_b, cases_b);
  });
}

}  // namespace sar
