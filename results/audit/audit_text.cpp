// Checks of numbers outside the tables of Dice: text-vs-table, counts.

#include "results/audit/audit_checks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

namespace sar::audit_detail {
namespace {

std::string where(const Claim& claim) {
  std::string text = section_of(claim);
  text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
  return text;
}

void check_equals(const Claim& claim, const Place& place, Outcome& outcome) {
  const PrintedNumber& said = *claim.number;
  const PrintedNumber& printed = place.cell().mean;
  const bool same_digits = decimals(said) == decimals(printed);
  const bool meet =
      std::abs(said.value - printed.value) <= said.half_unit + printed.half_unit + kSumRounding;
  if (same_digits ? said.value == printed.value : meet) {
    return;
  }
  Finding finding;
  finding.check = "text-vs-table";
  finding.id = "text-vs-table:" + claim.id;
  finding.severity = Severity::inconsistent;
  finding.cells = {place.path().text(), "text/" + claim.id};
  finding.message = fmt::format("{} says {}, but {} prints {} ({}, {}){}.",
                                where(claim),
                                said.text,
                                place.table->spec.id,
                                printed.text,
                                place.method().label,
                                place.column_name(),
                                meet ? ": the same number of digits, but not the same ones" : "");
  finding.values = {{"text", said.value}, {"table", printed.value}};
  outcome.findings.push_back(std::move(finding));
}

void check_difference(const Claim& claim, const Place& a, const Place& b, Outcome& outcome) {
  const PrintedNumber& said = *claim.number;
  const PrintedNumber& minuend = a.cell().mean;
  const PrintedNumber& subtrahend = b.cell().mean;
  const double difference = minuend.value - subtrahend.value;
  const double slack = said.half_unit + minuend.half_unit + subtrahend.half_unit;
  if (std::abs(said.value - difference) <= slack + kSumRounding) {
    return;
  }
  Finding finding;
  finding.check = "text-vs-table";
  finding.id = "text-vs-table:" + claim.id;
  finding.severity = Severity::inconsistent;
  finding.cells = {a.path().text(), b.path().text(), "text/" + claim.id};
  const int digits = std::max(decimals(minuend), decimals(subtrahend));
  finding.message = fmt::format(
      "{} says {}, but {} of {} less {} of {} ({}) is {:.{}f}: {:.{}f} apart, of which rounding "
      "explains at most {:.{}f}.",
      where(claim),
      said.text,
      minuend.text,
      a.method().label,
      subtrahend.text,
      b.method().label,
      a.column_name(),
      difference,
      digits,
      std::abs(said.value - difference),
      digits + 1,
      slack,
      digits + 1);
  finding.values = {{"text", said.value}, {"difference", difference}, {"rounding", slack}};
  outcome.findings.push_back(std::move(finding));
}

// --- the table of data sets ---------------------------------------------------------------------

std::string field_of(const PrintedDataset& set, const std::string& name) {
  return name == "modality"  ? set.modality
         : name == "organ"   ? set.organ
         : name == "dataset" ? set.dataset
         : name == "label"   ? set.label
                             : "";
}

/// Patients or scans before a factor such as "x4".
long cases_of(const PrintedDataset& set) {
  return std::stol(set.cases);
}

std::string dataset_cell(const Paper& paper, const PrintedDataset& set, const char* column) {
  return paper.data_table + "/" + set.dataset + "/" + column;
}

bool is_among(const PrintedDataset& set, const std::map<std::string, std::string>& where) {
  return std::ranges::all_of(where, [&](const auto& condition) {
    return field_of(set, condition.first) == condition.second;
  });
}

/// What the table says about a claim of the kind count, and how it comes about.
struct Count {
  long number = 0;
  std::string sum;  ///< "623 + 111"
  std::vector<std::string> cells;
  bool differs = false;  ///< the data sets do not have the same number
};

Count count_of(const Paper& paper, const Claim& claim) {
  Count count;
  std::vector<std::string> terms;
  std::set<std::string> different;
  const auto add = [&](long number, const std::string& term) {
    count.number += number;
    terms.push_back(term);
  };
  for (const PrintedDataset& set : paper.datasets) {
    if (!is_among(set, claim.where)) {
      continue;
    }
    const std::vector<long> cubes = set.cube_counts();
    const bool of_cubes = claim.what == "cubes" || claim.what == "scales";
    count.cells.push_back(dataset_cell(paper, set, of_cubes ? "cubes" : "cases"));
    if (claim.what == "cases") {
      add(cases_of(set), std::to_string(cases_of(set)));
    } else if (claim.what == "volumes") {
      add(set.volumes(), set.cases);
    } else if (claim.what == "cubes") {
      const long sum = std::accumulate(cubes.begin(), cubes.end(), 0L);
      add(sum, std::to_string(sum));
    } else if (claim.what == "scales") {
      const auto scales = static_cast<long>(cubes.size());
      count.differs = count.differs || (count.cells.size() > 1 && scales != count.number);
      count.number = scales;
      terms.push_back(fmt::format("{} of {}", scales, set.label));
    } else {
      std::string value = claim.what == "datasets"     ? set.dataset
                          : claim.what == "modalities" ? set.modality
                                                       : set.organ;
      if (const auto other = claim.regard.find(value); other != claim.regard.end()) {
        value = other->second;
      }
      if (different.insert(value).second) {
        add(1, value);
      }
    }
  }
  const bool list = !different.empty() || claim.what == "scales";
  count.sum = fmt::format("{}", fmt::join(terms, list ? ", " : " + "));
  return count;
}

void check_count(const Paper& paper, const Claim& claim, Outcome& outcome) {
  const Count count = count_of(paper, claim);
  if (static_cast<double>(count.number) == claim.number->value && !count.differs) {
    return;
  }
  Finding finding;
  finding.check = "counts";
  finding.id = "counts:" + claim.id;
  finding.severity = Severity::inconsistent;
  finding.cells = count.cells;
  finding.cells.push_back("text/" + claim.id);
  std::vector<std::string> conditions;
  for (const auto& [key, value] : claim.where) {
    conditions.push_back(key + " " + value);
  }
  finding.message =
      fmt::format("{} says {} {}{}, but {} has {}: {}.",
                  where(claim),
                  claim.number->text,
                  claim.what,
                  conditions.empty() ? "" : fmt::format(" ({})", fmt::join(conditions, ", ")),
                  paper.data_table,
                  count.differs ? "different numbers" : std::to_string(count.number),
                  count.sum);
  finding.values = {{"text", claim.number->value}, {"table", count.number}};
  outcome.findings.push_back(std::move(finding));
}

/// So many cases split in a ratio leave the first part to a data set, give or take one.
void check_split(const Paper& paper, const Claim& claim, Outcome& outcome) {
  const double parts =
      static_cast<double>(std::accumulate(claim.ratio.begin(), claim.ratio.end(), 0L));
  const double first = claim.number->value * static_cast<double>(claim.ratio.front()) / parts;
  for (const PrintedDataset& set : paper.datasets) {
    if (!is_among(set, claim.where) || std::abs(first - static_cast<double>(cases_of(set))) < 1) {
      continue;
    }
    Finding finding;
    finding.check = "counts";
    finding.id = "counts:" + claim.id;
    finding.severity = Severity::inconsistent;
    finding.cells = {dataset_cell(paper, set, "cases"), "text/" + claim.id};
    finding.message = fmt::format(
        "{} splits {} cases in the ratio {}, which leaves {:.6g} to the "
        "first part, but {} has {} of {}.",
        where(claim),
        claim.number->text,
        fmt::join(claim.ratio, ":"),
        first,
        paper.data_table,
        cases_of(set),
        set.label);
    finding.values = {{"first_part", first}, {"table", cases_of(set)}};
    outcome.findings.push_back(std::move(finding));
  }
}

/// Sorted and divided by their greatest common divisor.
std::vector<long> proportions(std::vector<long> numbers, bool sorted) {
  if (sorted) {
    std::ranges::sort(numbers);
  }
  long divisor = 0;
  for (const long number : numbers) {
    divisor = std::gcd(divisor, number);
  }
  for (long& number : numbers) {
    number /= std::max(1L, divisor);
  }
  return numbers;
}

void check_ratio(const Paper& paper, const Claim& claim, Outcome& outcome) {
  const std::vector<long> stated = proportions(claim.ratio, true);
  for (const PrintedDataset& set : paper.datasets) {
    const std::vector<long> counts = set.cube_counts();
    if (counts.empty() || proportions(counts, true) == stated) {
      continue;
    }
    Finding finding;
    finding.check = "counts";
    finding.id = "counts:" + claim.id + ":" + set.dataset;
    finding.severity = Severity::inconsistent;
    finding.cells = {dataset_cell(paper, set, "cubes"), "text/" + claim.id};
    finding.message = fmt::format(
        "{} says cubes are in the ratio {}, but those of {} ({}) are in "
        "the ratio {}, in no order the same.",
        where(claim),
        fmt::join(claim.ratio, ":"),
        set.label,
        fmt::join(counts, ", "),
        fmt::join(proportions(counts, false), ":"));
    finding.values = {{"ratio", claim.ratio}, {"cubes", counts}};
    outcome.findings.push_back(std::move(finding));
  }
}

/// The largest group of data sets with an equal key, and its key; the first of equally large ones.
template <class Key>
std::pair<Key, std::size_t> commonest(const std::vector<Key>& keys) {
  std::pair<Key, std::size_t> best;
  for (const Key& key : keys) {
    const auto same = static_cast<std::size_t>(std::ranges::count(keys, key));
    if (same > best.second) {
      best = {key, same};
    }
  }
  return best;
}

/// Cubes are cut alike from every volume, so that each count is a whole multiple of the volumes,
/// the proportions of the scales are those of the other data sets, and mostly the multiple is too.
void check_cubes(const Paper& paper, Outcome& outcome, std::string& summary, Json& values) {
  std::vector<const PrintedDataset*> sets;
  for (const PrintedDataset& set : paper.datasets) {
    if (set.volumes() > 0 && !set.cubes.empty()) {
      sets.push_back(&set);
    }
  }
  std::vector<std::vector<long>> shares;  // proportions of each data set
  std::vector<std::string> per_volume;    // "32 / 16 / 16"; empty if not whole
  std::vector<std::string> shown;
  for (const PrintedDataset* set : sets) {
    std::vector<std::string> quotients;
    bool whole = true;
    for (const long count : set->cube_counts()) {
      whole = whole && count % set->volumes() == 0;
      quotients.push_back(
          fmt::format("{:.6g}", static_cast<double>(count) / static_cast<double>(set->volumes())));
    }
    const std::string text = fmt::format("{}", fmt::join(quotients, " / "));
    per_volume.push_back(whole ? text : "");
    shares.push_back(proportions(set->cube_counts(), false));
    shown.push_back(fmt::format("{} {}", set->label, text));
    values["cubes_per_volume"][set->dataset] = text;
  }
  if (sets.empty()) {
    return;
  }
  summary += fmt::format("Cubes per volume: {}. ", fmt::join(shown, "; "));
  const auto whole = sets.size() - static_cast<std::size_t>(std::ranges::count(per_volume, ""));
  const auto [common_share, with_share] = commonest(shares);
  const auto add = [&](const PrintedDataset& set, const char* what, const std::string& message) {
    Finding finding;
    finding.check = "counts";
    finding.id = fmt::format("counts:{}/{}:{}", paper.data_table, set.dataset, what);
    finding.severity = Severity::inconsistent;
    finding.cells = {dataset_cell(paper, set, "cubes"), dataset_cell(paper, set, "cases")};
    finding.message = message;
    finding.values = {{"cubes", set.cube_counts()}, {"volumes", set.volumes()}};
    outcome.findings.push_back(std::move(finding));
  };
  // Only where most others keep to the rule is a row that does not one that is off.
  for (std::size_t i = 0; i < sets.size(); ++i) {
    const PrintedDataset& set = *sets[i];
    if (per_volume[i].empty() && whole >= 2 && 2 * whole > sets.size()) {
      add(set,
          "not-whole",
          fmt::format("{}: {} cubes of {} volumes are no whole number per volume ({}), as they are "
                      "in {} of {} data sets.",
                      set.label,
                      fmt::join(set.cube_counts(), ", "),
                      set.volumes(),
                      shown[i].substr(set.label.size() + 1),
                      whole,
                      sets.size()));
    }
    if (shares[i] != common_share && with_share >= 2 && 2 * with_share > sets.size()) {
      add(set,
          "proportions",
          fmt::format("{}: {} cubes are in the ratio {}; those of {} of {} data sets in {}.",
                      set.label,
                      fmt::join(set.cube_counts(), ", "),
                      fmt::join(shares[i], ":"),
                      with_share,
                      sets.size(),
                      fmt::join(common_share, ":")));
    }
  }
  // Whole, but not everywhere the same.
  std::map<std::string, std::vector<std::string>> groups;
  std::vector<std::string> order;
  Finding finding;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    if (per_volume[i].empty()) {
      continue;
    }
    if (!groups.contains(per_volume[i])) {
      order.push_back(per_volume[i]);
    }
    groups[per_volume[i]].push_back(sets[i]->label);
    finding.cells.push_back(dataset_cell(paper, *sets[i], "cubes"));
  }
  if (order.size() > 1) {
    std::vector<std::string> parts;
    for (const std::string& quotients : order) {
      parts.push_back(fmt::format("{} in {}", quotients, fmt::join(groups[quotients], " and ")));
    }
    finding.check = "counts";
    finding.id = "counts:" + paper.data_table + ":per-volume";
    finding.severity = Severity::note;
    finding.message = fmt::format(
        "Cubes per volume are whole, but not the same everywhere: {}. The table does not say why.",
        fmt::join(parts, "; "));
    finding.values = {{"cubes_per_volume", groups}};
    outcome.findings.push_back(std::move(finding));
  }
}

}  // namespace

Outcome check_text(const Subject& subject) {
  Outcome outcome;
  std::vector<std::string> compared;
  std::vector<std::string> absent;
  for (const Claim& claim : subject.claims) {
    const bool equals = claim.kind == "equals";
    if ((!equals && claim.kind != "difference") || !claim.number) {
      continue;
    }
    std::vector<Place> places;
    for (const CellPath& path : claim.cells) {
      if (const Place place = find_place(subject.paper, path); place.table != nullptr) {
        places.push_back(place);
      }
    }
    if (places.size() != claim.cells.size() || places.size() < (equals ? 1U : 2U)) {
      absent.push_back(claim.id);
      continue;
    }
    compared.push_back(claim.id);
    if (equals) {
      check_equals(claim, places[0], outcome);
    } else {
      check_difference(claim, places[0], places[1], outcome);
    }
  }
  std::string summary = "No number in the text is known to repeat or derive from a table.";
  if (!compared.empty()) {
    summary = fmt::format(
        "{} in the text against the tables: {}. Values as printed texts, which needs no rounding "
        "intervals, but by these where decimals differ; differences by rounding intervals.",
        counted(compared.size(), "number"),
        outcome.findings.empty() ? std::string("all agree")
                                 : fmt::format("{} disagree", outcome.findings.size()));
  }
  if (!absent.empty()) {
    summary += fmt::format(" Without printed cells: {}.", fmt::join(absent, ", "));
  }
  outcome.report = report("text-vs-table",
                          !compared.empty(),
                          std::move(summary),
                          {{"compared", compared}, {"without_cells", absent}});
  return outcome;
}

Outcome check_counts(const Subject& subject) {
  Outcome outcome;
  const Paper& paper = subject.paper;
  if (paper.datasets.empty()) {
    outcome.report =
        report("counts", false, "The paper has no table of data sets.", Json::object());
    return outcome;
  }
  Json values = Json::object();
  std::string summary;
  std::map<std::string, std::pair<long, std::string>> volumes;  // by modality
  for (const PrintedDataset& set : paper.datasets) {
    auto& [sum, text] = volumes[set.modality];
    sum += set.volumes();
    text += (text.empty() ? "" : " + ") + set.cases;
  }
  for (const auto& [modality, sum] : volumes) {
    summary += fmt::format("{} {} = {}. ",
                           modality.empty() ? "Volumes" : "Volumes of " + modality + ":",
                           sum.second,
                           sum.first);
    values["volumes"][modality] = sum.first;
  }
  check_cubes(paper, outcome, summary, values);
  std::size_t said = 0;
  for (const Claim& claim : subject.claims) {
    if (claim.kind == "count" && claim.number && claim.tasks.empty()) {
      check_count(paper, claim, outcome);
    } else if (claim.kind == "ratio" && !claim.ratio.empty()) {
      check_ratio(paper, claim, outcome);
    } else if (claim.kind == "split" && claim.number && !claim.ratio.empty()) {
      check_split(paper, claim, outcome);
    } else {
      continue;
    }
    ++said;
  }
  summary += said > 0 ? fmt::format("{} in the text against {}.",
                                    said == 1 ? std::string("1 count or ratio")
                                              : fmt::format("{} counts and ratios", said),
                                    paper.data_table)
                      : "No count in the text is known.";
  values["in_text"] = said;
  outcome.report = report("counts", true, std::move(summary), std::move(values));
  return outcome;
}

}  // namespace sar::audit_detail
