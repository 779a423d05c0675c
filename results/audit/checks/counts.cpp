// counts: numbers of cases, volumes, cubes and scales hold together, in the text and in the table
// of data sets.

#include "results/audit/check.h"
#include "results/audit/printed_cells.h"
#include "results/paper/predicates.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <utility>

namespace sar::audit_checks::counts {
namespace {

std::string dataset_cell(const Paper& paper, const PrintedDataset& set, const char* column) {
  return paper.data_table + "/" + set.dataset + "/" + column;
}

/// How a count comes about: "623 + 111", "CT, MRI", "3 of LUNA, 4 of LiTS".
std::string sum_of(const Paper& paper, const Claim& claim, const DataCount& count) {
  if (!count.values.empty()) {
    return fmt::format("{}", fmt::join(count.values, ", "));
  }
  std::vector<std::string> terms;
  for (std::size_t i = 0; i < count.numbers.size(); ++i) {
    const PrintedDataset& set = paper.datasets[count.sets[i]];
    terms.push_back(claim.what == "volumes"  ? set.cases
                    : claim.what == "scales" ? fmt::format("{} of {}", count.numbers[i], set.label)
                                             : std::to_string(count.numbers[i]));
  }
  return fmt::format("{}", fmt::join(terms, claim.what == "scales" ? ", " : " + "));
}

void check_count(const Paper& paper,
                 const std::vector<DataSetCounts>& sets,
                 const Claim& claim,
                 Outcome& outcome) {
  const DataCount count = count_of(sets, claim);
  if (count.agrees_with(*claim.number)) {
    return;
  }
  Finding finding;
  finding.check = "counts";
  finding.id = "counts:" + claim.id;
  finding.severity = Severity::inconsistent;
  const bool of_cubes = claim.what == "cubes" || claim.what == "scales";
  for (const std::size_t set : count.sets) {
    finding.cells.push_back(dataset_cell(paper, paper.datasets[set], of_cubes ? "cubes" : "cases"));
  }
  finding.cells.push_back("text/" + claim.id);
  std::vector<std::string> conditions;
  for (const auto& [key, value] : claim.where) {
    conditions.push_back(key + " " + value);
  }
  finding.message =
      fmt::format("{} says {} {}{}, but {} has {}: {}.",
                  sentence_start(claim),
                  claim.number->text,
                  claim.what,
                  conditions.empty() ? "" : fmt::format(" ({})", fmt::join(conditions, ", ")),
                  paper.data_table,
                  count.differs ? "different numbers" : std::to_string(count.number),
                  sum_of(paper, claim, count));
  finding.values = {{"text", claim.number->value}, {"table", count.number}};
  outcome.findings.push_back(std::move(finding));
}

/// So many cases split in a ratio leave the first part to a data set, give or take one.
void check_split(const Paper& paper,
                 const std::vector<DataSetCounts>& sets,
                 const Claim& claim,
                 Outcome& outcome) {
  const double first = first_part(claim.number->value, claim.ratio);
  for (const std::size_t i : data_sets_of(sets, claim)) {
    const DataSetCounts& set = sets[i];
    if (is_part(first, static_cast<double>(set.cases))) {
      continue;
    }
    Finding finding;
    finding.check = "counts";
    finding.id = "counts:" + claim.id;
    finding.severity = Severity::inconsistent;
    finding.cells = {dataset_cell(paper, paper.datasets[i], "cases"), "text/" + claim.id};
    finding.message = fmt::format(
        "{} splits {} cases in the ratio {}, which leaves {:.6g} to the "
        "first part, but {} has {} of {}.",
        sentence_start(claim),
        claim.number->text,
        fmt::join(claim.ratio, ":"),
        first,
        paper.data_table,
        set.cases,
        set.label);
    finding.values = {{"first_part", first}, {"table", set.cases}};
    outcome.findings.push_back(std::move(finding));
  }
}

void check_ratio(const Paper& paper, const Claim& claim, Outcome& outcome) {
  for (const PrintedDataset& set : paper.datasets) {
    const std::vector<long> counts = set.cube_counts();
    if (counts.empty() || in_ratio(counts, claim.ratio)) {
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
        sentence_start(claim),
        fmt::join(claim.ratio, ":"),
        set.label,
        fmt::join(counts, ", "),
        fmt::join(proportions(counts), ":"));
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
    shares.push_back(proportions(set->cube_counts()));
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
          fmt::format(
              "{}: {} cubes of {} volumes are not a whole number per volume ({}), as they are "
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

Outcome run(const Subject& subject) {
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
  const std::vector<DataSetCounts> sets = printed_counts(paper);
  std::size_t said = 0;
  for (const Claim& claim : subject.claims) {
    if (claim.kind == "count" && claim.number && claim.tasks.empty()) {
      check_count(paper, sets, claim, outcome);
    } else if (claim.kind == "ratio" && !claim.ratio.empty()) {
      check_ratio(paper, claim, outcome);
    } else if (claim.kind == "split" && claim.number && !claim.ratio.empty()) {
      check_split(paper, sets, claim, outcome);
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

}  // namespace

void register_in(Checks& checks) {
  checks.add({"counts", 100, run});
}

}  // namespace sar::audit_checks::counts
