#include "results/paper/predicates.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sar {
namespace {

/// A field that `where` may name.
const std::string& field_of(const DataSetCounts& set, const std::string& name) {
  return name == "modality" ? set.modality : name == "organ" ? set.organ : set.dataset;
}

}  // namespace

bool within_rounding(double a, double b, double slack) {
  return std::abs(a - b) <= slack + kSumSlack;
}

bool is_quotation(const PrintedNumber& said, double half_unit) {
  // Half units are powers of ten, or a mean of equal ones.
  return std::abs(said.half_unit - half_unit) <= 1e-6 * half_unit;
}

bool repeats(const PrintedNumber& said, double value, double half_unit) {
  return is_quotation(said, half_unit)
             ? std::abs(said.value - value) <= std::min(kSumSlack, half_unit)
             : within_rounding(said.value, value, said.half_unit + half_unit);
}

bool repeats(const PrintedNumber& said, const PrintedNumber& printed) {
  return repeats(said, printed.value, printed.half_unit);
}

std::vector<DataSetCounts> printed_counts(const Paper& paper) {
  std::vector<DataSetCounts> sets;
  for (const PrintedDataset& set : paper.datasets) {
    sets.push_back({set.dataset,
                    set.label,
                    set.modality,
                    set.organ,
                    set.patients(),
                    set.volumes(),
                    set.cube_counts()});
  }
  return sets;
}

std::vector<std::size_t> data_sets_of(const std::vector<DataSetCounts>& sets, const Claim& claim) {
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    if (std::ranges::all_of(claim.where, [&](const auto& condition) {
          return field_of(sets[i], condition.first) == condition.second;
        })) {
      kept.push_back(i);
    }
  }
  return kept;
}

bool DataCount::agrees_with(const PrintedNumber& said) const {
  return !differs && static_cast<double>(number) == said.value;
}

DataCount count_of(const std::vector<DataSetCounts>& sets, const Claim& claim) {
  DataCount count;
  count.sets = data_sets_of(sets, claim);
  const std::string& what = claim.what;
  for (const std::size_t i : count.sets) {
    const DataSetCounts& set = sets[i];
    if (what == "cases") {
      count.numbers.push_back(set.cases);
    } else if (what == "volumes") {
      count.numbers.push_back(set.volumes);
    } else if (what == "cubes") {
      count.numbers.push_back(std::accumulate(set.cubes.begin(), set.cubes.end(), 0L));
    } else if (what == "scales") {
      count.numbers.push_back(std::ssize(set.cubes));
    } else {
      std::string value = what == "datasets"     ? set.dataset
                          : what == "modalities" ? set.modality
                                                 : set.organ;
      if (const auto other = claim.regard.find(value); other != claim.regard.end()) {
        value = other->second;
      }
      if (std::ranges::find(count.values, value) == count.values.end()) {
        count.values.push_back(value);
      }
    }
  }
  if (what == "scales") {
    count.number = count.numbers.empty() ? 0 : count.numbers.back();
    count.differs =
        std::ranges::any_of(count.numbers, [&](long each) { return each != count.number; });
  } else {
    count.number =
        std::accumulate(count.numbers.begin(), count.numbers.end(), 0L) + std::ssize(count.values);
  }
  return count;
}

std::vector<long> proportions(std::vector<long> numbers) {
  long divisor = 0;
  for (const long number : numbers) {
    divisor = std::gcd(divisor, number);
  }
  for (long& number : numbers) {
    number /= std::max(1L, divisor);
  }
  return numbers;
}

bool in_ratio(std::vector<long> numbers, std::vector<long> ratio) {
  std::ranges::sort(numbers);
  std::ranges::sort(ratio);
  return !numbers.empty() && proportions(std::move(numbers)) == proportions(std::move(ratio));
}

double first_part(double cases, const std::vector<long>& ratio) {
  const long parts = std::accumulate(ratio.begin(), ratio.end(), 0L);
  return cases * static_cast<double>(ratio.front()) / static_cast<double>(parts);
}

bool is_part(double part, double cases) {
  return std::abs(part - cases) < 1;
}

}  // namespace sar
