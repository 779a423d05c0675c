#include "results/statistics/rank_agreement.h"

#include "harness/core/error.h"
#include "harness/core/rng.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace sar {
namespace {

constexpr std::size_t kMostExact = 10;
constexpr int kDraws = 100'000;

/// Ranks from 0, equal values sharing one.
std::vector<int> dense_ranks(std::span<const double> values) {
  std::vector<double> distinct(values.begin(), values.end());
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  std::vector<int> ranks;
  for (const double value : values) {
    const auto place = std::lower_bound(distinct.begin(), distinct.end(), value);
    ranks.push_back(static_cast<int>(place - distinct.begin()));
  }
  return ranks;
}

/// Number of equal values per rank.
std::vector<int> sizes_of(const std::vector<int>& ranks) {
  std::vector<int> sizes(1 +
                         static_cast<std::size_t>(*std::max_element(ranks.begin(), ranks.end())));
  for (const int rank : ranks) {
    ++sizes[static_cast<std::size_t>(rank)];
  }
  return sizes;
}

double untied_pairs(const std::vector<int>& sizes, double n) {
  double pairs = n * (n - 1) / 2;
  for (const double size : sizes) {
    pairs -= size * (size - 1) / 2;
  }
  return pairs;
}

/// Concordant less discordant pairs of the list whose groups of equal values have these sizes, in
/// ascending order, with `ranks` of the other list in the same order. `seen` is scratch space: a
/// binary indexed tree over the ranks.
std::int64_t score(const std::vector<int>& sizes,
                   const std::vector<int>& ranks,
                   std::vector<int>& seen) {
  std::fill(seen.begin(), seen.end(), 0);
  const auto count_below = [&](std::size_t rank) {
    std::int64_t count = 0;
    for (; rank > 0; rank &= rank - 1) {
      count += seen[rank];
    }
    return count;
  };
  std::int64_t total = 0;
  std::size_t start = 0;
  for (const int size : sizes) {
    const std::size_t end = start + static_cast<std::size_t>(size);
    for (std::size_t i = start; i < end; ++i) {
      const auto rank = static_cast<std::size_t>(ranks[i]);
      const std::int64_t not_above = count_below(rank + 1);
      total += count_below(rank) - (static_cast<std::int64_t>(start) - not_above);
    }
    for (std::size_t i = start; i < end; ++i) {
      for (auto rank = static_cast<std::size_t>(ranks[i]) + 1; rank < seen.size();
           rank += rank & (~rank + 1)) {
        ++seen[rank];
      }
    }
    start = end;
  }
  return total;
}

struct PairedRanks {
  std::vector<int> sizes_a;    ///< number of equal values of a, in ascending order
  std::vector<int> ordered_b;  ///< ranks of b in the order of a
  std::int64_t score = 0;      ///< concordant less discordant pairs
  double tau_b = 0;
};

/// Of finite lists of equal length; empty if one of them has equal values only.
std::optional<PairedRanks> paired_ranks(std::span<const double> a, std::span<const double> b) {
  const std::vector<int> ranks_a = dense_ranks(a);
  const std::vector<int> ranks_b = dense_ranks(b);
  PairedRanks result;
  result.sizes_a = sizes_of(ranks_a);
  const std::vector<int> sizes_b = sizes_of(ranks_b);
  if (result.sizes_a.size() == 1 || sizes_b.size() == 1) {
    return std::nullopt;
  }
  std::vector<std::size_t> order(a.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) {
    return ranks_a[i] < ranks_a[j];
  });
  for (const std::size_t i : order) {
    result.ordered_b.push_back(ranks_b[i]);
  }
  std::vector<int> seen(sizes_b.size() + 1);
  result.score = score(result.sizes_a, result.ordered_b, seen);
  const auto size = static_cast<double>(a.size());
  result.tau_b = static_cast<double>(result.score) /
                 std::sqrt(untied_pairs(result.sizes_a, size) * untied_pairs(sizes_b, size));
  return result;
}

void require_equal_lengths(std::span<const double> a, std::span<const double> b) {
  if (a.size() != b.size()) {
    throw usage_error("rank agreement needs lists of equal length")
        .with("lengths", fmt::format("{} and {}", a.size(), b.size()));
  }
}

bool all_finite(std::span<const double> values) {
  return std::all_of(
      values.begin(), values.end(), [](double value) { return std::isfinite(value); });
}

/// Shares of permutations whose score is at least as far from zero.
struct RankShares {
  double at_least_observed = 0;
  double furthest = 0;
};

/// All permutations of at most ten values, counted together: what a group of equal values in the
/// one list adds to the score depends on which of the other list's values fell into the groups
/// below it and which into it, never on their order.
RankShares enumerate_permutations(const std::vector<int>& sizes,
                                  const std::vector<int>& ranks,
                                  std::int64_t observed) {
  const std::size_t n = ranks.size();
  const std::size_t pairs = n * (n - 1) / 2;
  const std::uint32_t everything = (1U << n) - 1;
  // ways[set][score + pairs]: how often the values of a set fill the groups so far with that score
  std::vector<std::vector<std::uint64_t>> ways(everything + 1);
  ways[0].assign(2 * pairs + 1, 0);
  ways[0][pairs] = 1;
  std::vector<std::uint32_t> reached = {0};
  for (const int size : sizes) {
    std::uint64_t orders = 1;
    for (int i = 2; i <= size; ++i) {
      orders *= static_cast<std::uint64_t>(i);
    }
    std::vector<std::uint32_t> next;
    for (const std::uint32_t below : reached) {
      const std::uint32_t free = everything & ~below;
      for (std::uint32_t group = free; group != 0; group = (group - 1) & free) {
        if (std::popcount(group) != size) {
          continue;
        }
        int gain = 0;
        for (std::size_t i = 0; i < n; ++i) {
          for (std::size_t j = 0; j < n; ++j) {
            if ((group >> i & 1U) != 0 && (below >> j & 1U) != 0) {
              gain += (ranks[i] > ranks[j]) - (ranks[i] < ranks[j]);
            }
          }
        }
        std::vector<std::uint64_t>& target = ways[below | group];
        if (target.empty()) {
          target.assign(2 * pairs + 1, 0);
          next.push_back(below | group);
        }
        for (std::size_t at = 0; at < 2 * pairs + 1; ++at) {
          if (ways[below][at] != 0) {
            target[static_cast<std::size_t>(static_cast<std::int64_t>(at) + gain)] +=
                ways[below][at] * orders;
          }
        }
      }
    }
    reached = std::move(next);
  }
  const std::vector<std::uint64_t>& counts = ways[everything];
  std::int64_t furthest = 0;
  const auto centre = static_cast<std::int64_t>(pairs);
  for (std::int64_t at = -centre; at <= centre; ++at) {
    if (counts[static_cast<std::size_t>(centre + at)] != 0) {
      furthest = std::max(furthest, std::abs(at));
    }
  }
  std::uint64_t all = 0, hits = 0, extremes = 0;
  for (std::int64_t at = -centre; at <= centre; ++at) {
    const std::uint64_t count = counts[static_cast<std::size_t>(centre + at)];
    all += count;
    hits += std::abs(at) >= std::abs(observed) ? count : 0;
    extremes += std::abs(at) == furthest ? count : 0;
  }
  const auto total = static_cast<double>(all);
  return {static_cast<double>(hits) / total, static_cast<double>(extremes) / total};
}

RankShares draw_permutations(const std::vector<int>& sizes,
                             std::vector<int> ranks,
                             std::int64_t observed,
                             std::uint64_t seed) {
  std::vector<int> seen(sizes_of(ranks).size() + 1);
  std::sort(ranks.begin(), ranks.end());
  std::int64_t furthest = score(sizes, ranks, seen);
  std::reverse(ranks.begin(), ranks.end());
  furthest = std::max(furthest, -score(sizes, ranks, seen));
  Rng rng = Rng(seed).at("rank agreement");
  int hits = 0, extremes = 0;
  for (int i = 0; i < kDraws; ++i) {
    for (std::size_t left = ranks.size(); left > 1; --left) {
      std::swap(ranks[left - 1], ranks[rng.below(static_cast<std::uint32_t>(left))]);
    }
    const std::int64_t drawn = std::abs(score(sizes, ranks, seen));
    hits += drawn >= std::abs(observed) ? 1 : 0;
    extremes += drawn >= furthest ? 1 : 0;
  }
  return {(hits + 1.0) / (kDraws + 1), (extremes + 1.0) / (kDraws + 1)};
}

}  // namespace

std::optional<double> kendall_tau_b(std::span<const double> a, std::span<const double> b) {
  require_equal_lengths(a, b);
  if (!all_finite(a) || !all_finite(b)) {
    throw data_error("rank agreement needs finite values");
  }
  if (a.size() < 2) {
    return std::nullopt;
  }
  const std::optional<PairedRanks> ranks = paired_ranks(a, b);
  return ranks ? std::optional(ranks->tau_b) : std::nullopt;
}

RankAgreement rank_agreement(std::span<const double> a,
                             std::span<const double> b,
                             unsigned long long seed) {
  require_equal_lengths(a, b);
  RankAgreement result;
  const std::size_t n = a.size();
  if (n < 3) {
    result.reason = fmt::format("n = {}", n);
    return result;
  }
  if (!all_finite(a) || !all_finite(b)) {
    result.reason = "not finite";
    return result;
  }
  const std::optional<PairedRanks> ranks = paired_ranks(a, b);
  if (!ranks) {
    result.reason = "a list of equal values";
    return result;
  }
  result.testable = true;
  result.tau_b = ranks->tau_b;
  result.exact = n <= kMostExact;
  const RankShares distribution =
      result.exact ? enumerate_permutations(ranks->sizes_a, ranks->ordered_b, ranks->score)
                   : draw_permutations(ranks->sizes_a, ranks->ordered_b, ranks->score, seed);
  result.p = distribution.at_least_observed;
  result.floor = distribution.furthest;
  return result;
}

}  // namespace sar
