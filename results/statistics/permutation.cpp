#include "results/statistics/permutation.h"

#include "harness/core/error.h"
#include "harness/core/rng.h"
#include "results/statistics/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <vector>

namespace sar {
namespace {

/// Number of ways to choose k of n, or a number above `most` if there are more.
double combinations(std::size_t n, std::size_t k, double most) {
  double count = 1;
  for (std::size_t i = 1; i <= std::min(k, n - k) && count <= most; ++i) {
    count = count * static_cast<double>(n - i + 1) / static_cast<double>(i);  // whole at every step
  }
  return count;
}

/// Counts the choices of `left` more of the values from `start` on whose sum with `sum` is at least
/// `bar` from zero.
double count_choices(const std::vector<double>& values,
                     std::size_t start,
                     std::size_t left,
                     double sum,
                     double bar) {
  double count = 0;
  for (std::size_t i = start; i + left <= values.size(); ++i) {
    const double next = sum + values[i];
    if (left > 1) {
      count += count_choices(values, i + 1, left - 1, next, bar);
    } else if (std::abs(next) >= bar) {
      ++count;
    }
  }
  return count;
}

/// Counts the signs of the values from `start` on whose sum with `sum` is at least `bar` from zero.
double count_signs(const std::vector<double>& values, std::size_t start, double sum, double bar) {
  if (start == values.size()) {
    return std::abs(sum) >= bar ? 1 : 0;
  }
  return count_signs(values, start + 1, sum + values[start], bar) +
         count_signs(values, start + 1, sum - values[start], bar);
}

/// How many arrangements to draw of so many values each.
int samples_of(std::size_t values, const PermutationOptions& options) {
  constexpr int kFewest = 999;  // p to the third decimal; a choice of ours
  const double affordable = std::floor(options.most_drawn / static_cast<double>(values));
  if (affordable >= options.samples) {
    return options.samples;
  }
  if (affordable < kFewest) {
    throw usage_error("too many values for a permutation test")
        .with("values", fmt::format("{} to draw for each arrangement", values))
        .hint("--test student or welch: of so many values their p is as good");
  }
  return static_cast<int>(affordable);
}

/// Fills p and the floor: `arrangements` in all, `least` of them as extreme as can be, count() of
/// them and draw(rng) of a random one, of `values` values, at least as extreme as the observed one.
template <typename Count, typename Draw>
void settle(PermutationTest& result,
            double arrangements,
            double least,
            std::size_t values,
            const PermutationOptions& options,
            const Count& count,
            const Draw& draw) {
  result.testable = true;
  result.floor = least / arrangements;
  if (arrangements <= options.most_exact) {
    result.exact = true;
    result.arrangements = arrangements;
    result.p = count() / arrangements;
    return;
  }
  const int samples = samples_of(values, options);
  Rng rng = Rng(options.seed).at("permutation");
  int hits = 0;
  for (int i = 0; i < samples; ++i) {
    hits += draw(rng) ? 1 : 0;
  }
  result.arrangements = samples;
  result.floor = std::max(result.floor, 1 / (samples + 1.0));
  result.p = std::max(result.floor, (hits + 1.0) / (samples + 1.0));
}

void test_groups(PermutationTest& result,
                 std::span<const double> a,
                 std::span<const double> b,
                 double rounding,
                 const PermutationOptions& options) {
  // Of values about their common mean, the sum of the smaller group settles the difference of
  // means.
  const std::span<const double> smaller = a.size() < b.size() ? a : b;
  const std::span<const double> larger = a.size() < b.size() ? b : a;
  const std::size_t chosen = smaller.size();
  std::vector<double> values(smaller.begin(), smaller.end());
  values.insert(values.end(), larger.begin(), larger.end());
  const double first = values.front();
  if (std::all_of(values.begin(), values.end(), [&](double v) { return v == first; })) {
    result.reason = "all values are equal";
    return;
  }
  for (int pass = 0; pass < 2; ++pass) {  // the second removes what rounding left
    const double centre = summarise(values).mean;
    for (double& value : values) {
      value -= centre;
    }
  }
  const std::span<const double> observed(values.data(), chosen);
  const double bar = std::abs(std::accumulate(observed.begin(), observed.end(), 0.0)) - rounding;
  const double arrangements =
      combinations(values.size(), chosen, std::max(1e15, options.most_exact));
  // Exchanging the groups mirrors an arrangement, which needs groups of one size.
  const double least = a.size() == b.size() ? 2 : 1;
  settle(
      result,
      arrangements,
      least,
      chosen,
      options,
      [&] { return count_choices(values, 0, chosen, 0, bar); },
      [&](Rng& rng) {
        double sum = 0;
        for (std::size_t i = 0; i < chosen; ++i) {
          std::swap(values[i],
                    values[i + rng.below(static_cast<std::uint32_t>(values.size() - i))]);
          sum += values[i];
        }
        return std::abs(sum) >= bar;
      });
}

void test_pairs(PermutationTest& result,
                std::span<const double> a,
                std::span<const double> b,
                double rounding,
                const PermutationOptions& options) {
  std::vector<double> differences(a.size());
  std::transform(a.begin(), a.end(), b.begin(), differences.begin(), std::minus<>());
  if (std::all_of(differences.begin(), differences.end(), [](double d) { return d == 0; })) {
    result.reason = "all differences are zero";
    return;
  }
  const double bar =
      std::abs(std::accumulate(differences.begin(), differences.end(), 0.0)) - rounding;
  const double arrangements = std::exp2(static_cast<double>(differences.size()));
  settle(
      result,
      arrangements,
      2,
      differences.size(),
      options,
      [&] { return 2 * count_signs(differences, 1, differences.front(), bar); },
      [&](Rng& rng) {
        double sum = 0;
        for (const double difference : differences) {
          sum += (rng.next() >> 31U) == 0 ? difference : -difference;
        }
        return std::abs(sum) >= bar;
      });
}

}  // namespace

PermutationTest permutation_test(std::span<const double> a,
                                 std::span<const double> b,
                                 const PermutationOptions& options) {
  if (options.paired && a.size() != b.size()) {
    throw usage_error("a paired test needs lists of equal length")
        .with("lengths", fmt::format("{} and {}", a.size(), b.size()));
  }
  if (options.samples < 1) {
    throw usage_error("a permutation test needs at least one sample")
        .with("samples", fmt::format("{}", options.samples));
  }
  PermutationTest result;
  const std::size_t fewest = std::min(a.size(), b.size());
  if (fewest < 2) {
    result.reason = fmt::format("n = {}", fewest);
    return result;
  }
  double size = 0;  // sum of all absolute values: what rounding is measured against
  for (const auto& list : {a, b}) {
    for (const double value : list) {
      size += std::abs(value);
    }
  }
  if (!std::isfinite(size)) {
    result.reason = "not finite";
    return result;
  }
  const double rounding = 8 * std::numeric_limits<double>::epsilon() * size;
  result.difference = summarise(a).mean - summarise(b).mean;
  if (options.paired) {
    test_pairs(result, a, b, rounding, options);
  } else {
    test_groups(result, a, b, rounding, options);
  }
  if (!result.testable) {
    result.difference = 0;
  }
  return result;
}

}  // namespace sar
