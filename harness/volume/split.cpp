#include "harness/volume/split.h"

#include "harness/core/error.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>

namespace sar {
namespace {

/// Ids in an order that depends on nothing but the set of ids and the stream.
CaseIds permuted(CaseIds ids, Rng stream) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  CaseIds result;
  result.reserve(ids.size());
  for (const std::uint32_t i : stream.permutation(static_cast<std::uint32_t>(ids.size()))) {
    result.push_back(std::move(ids[i]));
  }
  return result;
}

/// n * fraction, halves rounded up. The small term makes up for fractions like 1/3 or 1/20 that
/// binary numbers do not hold exactly.
std::size_t share(std::size_t n, double fraction) {
  return static_cast<std::size_t>(std::floor(static_cast<double>(n) * fraction + 0.5 + 1e-9));
}

/// The first `count` ids and the rest, each sorted.
std::pair<CaseIds, CaseIds> cut(CaseIds ids, std::size_t count) {
  const auto middle = ids.begin() + static_cast<std::ptrdiff_t>(count);
  std::pair<CaseIds, CaseIds> parts{CaseIds(ids.begin(), middle), CaseIds(middle, ids.end())};
  std::sort(parts.first.begin(), parts.first.end());
  std::sort(parts.second.begin(), parts.second.end());
  return parts;
}

void check_fraction(double fraction, const char* what) {
  if (!(fraction > 0 && fraction <= 1)) {
    throw usage_error(std::string(what) + " must lie above 0 and not above 1")
        .with("value", std::to_string(fraction));
  }
}

}  // namespace

TrainTest split_train_test(CaseIds ids, double test_ratio, const Rng& rng) {
  check_fraction(test_ratio, "the share of the test set");
  CaseIds order = permuted(std::move(ids), rng.at(purpose::split));
  const std::size_t n = order.size();
  if (n < 2) {
    throw data_error("a train/test split needs at least two patients")
        .with("patients", std::to_string(n));
  }
  const std::size_t tests = std::clamp<std::size_t>(share(n, test_ratio), 1, n - 1);
  auto [test, train] = cut(std::move(order), tests);
  return {std::move(train), std::move(test)};
}

std::vector<CaseIds> split_folds(CaseIds ids, int folds, const Rng& rng) {
  CaseIds order = permuted(std::move(ids), rng.at(purpose::split));
  if (folds < 2 || order.size() < static_cast<std::size_t>(folds)) {
    throw data_error("cross-validation needs at least two folds and a patient in each")
        .with("folds", std::to_string(folds))
        .with("patients", std::to_string(order.size()));
  }
  std::vector<CaseIds> result(static_cast<std::size_t>(folds));
  for (std::size_t i = 0; i < order.size(); ++i) {
    result[i % result.size()].push_back(std::move(order[i]));
  }
  for (CaseIds& fold : result) {
    std::sort(fold.begin(), fold.end());
  }
  return result;
}

CaseIds take_fraction(CaseIds ids, double fraction, const Rng& rng) {
  check_fraction(fraction, "a label fraction");
  CaseIds order = permuted(std::move(ids), rng.at(purpose::fraction));
  if (order.empty()) {
    throw data_error("no cases to take a fraction of");
  }
  const std::size_t count = std::max<std::size_t>(1, share(order.size(), fraction));
  return cut(std::move(order), count).first;
}

double parse_fraction(const std::string& text) {
  const auto number = [](std::string_view part) {
    double value = 0;
    const auto [end, code] = std::from_chars(part.data(), part.data() + part.size(), value);
    return code == std::errc() && end == part.data() + part.size() ? value : -1.0;
  };
  const std::size_t slash = text.find('/');
  const std::string_view view = text;
  const double fraction = slash == std::string::npos
                              ? number(view)
                              : number(view.substr(0, slash)) / number(view.substr(slash + 1));
  const bool halves_valid = slash == std::string::npos || (number(view.substr(0, slash)) > 0 &&
                                                           number(view.substr(slash + 1)) > 0);
  if (!halves_valid || !(fraction > 0 && fraction <= 1)) {
    throw usage_error("not a label fraction")
        .with("value", text)
        .hint("write 1, 1/2, 1/50 or a number above 0 and not above 1");
  }
  return fraction;
}

TrainValidation carve_validation(CaseIds ids, double fraction, const Rng& rng) {
  CaseIds order = permuted(std::move(ids), rng.at(purpose::validation));
  const std::size_t n = order.size();
  const std::size_t count =
      n < 2 || !(fraction > 0) ? 0 : std::clamp<std::size_t>(share(n, fraction), 1, n - 1);
  auto [validation, train] = cut(std::move(order), count);
  return {std::move(train), std::move(validation)};
}

void refuse_leak(const CaseIds& pretraining, const CaseIds& test) {
  CaseIds seen = pretraining;
  CaseIds held_out = test;
  std::sort(seen.begin(), seen.end());
  std::sort(held_out.begin(), held_out.end());
  CaseIds leaked;
  std::set_intersection(
      seen.begin(), seen.end(), held_out.begin(), held_out.end(), std::back_inserter(leaked));
  if (leaked.empty()) {
    return;
  }
  std::string list;
  for (const std::string& id : leaked) {
    list += list.empty() ? "" : ", ";
    list += id;
  }
  throw data_error("test cases were seen in pre-training")
      .with("count", std::to_string(leaked.size()))
      .with("cases", list)
      .hint("pre-train on the training part of the split only");
}

}  // namespace sar
