#include "tests/unit/results/audit/synthetic_paper.h"

#include "results/paper/cells.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <optional>
#include <set>

namespace sar::test {
namespace {

using Split = std::vector<long>;

// --- digits: every number of a paper as a whole number of units of its last digit --------------

PrintedNumber number_of(long units, int decimals) {
  return parse_printed(
      fmt::format("{:.{}f}", static_cast<double>(units) / std::pow(10, decimals), decimals));
}
int decimals_of(const PrintedNumber& number) {
  const auto point = number.text.find('.');
  return point == std::string::npos ? 0 : static_cast<int>(number.text.size() - point - 1);
}
long units_of(const PrintedNumber& number) {
  return std::lround(number.value * std::pow(10, decimals_of(number)));
}
void shift(PrintedNumber& number, long units) {
  number = number_of(units_of(number) + units, decimals_of(number));
}

struct MeanAndSd {
  double mean = 0, sd = 0;
};
MeanAndSd over_trials(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double value : values) {
    squares += (value - mean) * (value - mean);
  }
  return {mean, std::sqrt(squares / (n - 1))};
}
PrintedCell printed(const std::vector<double>& values, int decimals) {
  const MeanAndSd found = over_trials(values);
  const double scale = std::pow(10, decimals);
  return {number_of(std::lround(found.mean * scale), decimals),
          number_of(std::lround(found.sd * scale), decimals),
          {}};
}

// --- a clean paper ------------------------------------------------------------------------------

struct Shape {
  std::size_t parts = 3;
  int decimals = 2;
  int trials = 5;
  bool average = false;
};

/// One method's cells: parts, whole, and where wanted two targets of another task and their
/// average.
std::vector<PrintedCell> draw_row(Rng& rng, const Shape& shape, const Split& split) {
  const double level = rng.uniform(45, 85);
  std::vector<double> means(shape.parts);
  for (double& mean : means) {
    mean = level + rng.uniform(-12, 12);
  }
  const double common = rng.uniform(0.4, 4);  // what a trial does to all parts
  std::vector<std::vector<double>> trials(shape.parts + 1);
  const auto cases = static_cast<double>(std::accumulate(split.begin(), split.end(), 0L));
  for (int trial = 0; trial < shape.trials; ++trial) {
    const double effect = common * rng.normal();
    double whole = 0;
    for (std::size_t part = 0; part < shape.parts; ++part) {
      const double dice =
          std::clamp(means[part] + effect + rng.uniform(0.1, 1.5) * rng.normal(), 0.5, 99.5);
      trials[part].push_back(dice);
      whole += static_cast<double>(split[part]) * dice / cases;
    }
    trials[shape.parts].push_back(whole);
  }
  if (shape.average) {
    const double first = rng.uniform(55, 80);
    const double second = rng.uniform(20, 40);
    trials.resize(shape.parts + 4);
    for (int trial = 0; trial < shape.trials; ++trial) {
      const double a = first + 2 * rng.normal();
      const double b = second + 3 * rng.normal();
      trials[shape.parts + 1].push_back(a);
      trials[shape.parts + 2].push_back(b);
      trials[shape.parts + 3].push_back((a + b) / 2);
    }
  }
  std::vector<PrintedCell> cells;
  for (const auto& values : trials) {
    cells.push_back(printed(values, shape.decimals));
  }
  return cells;
}

bool has_twins(const PrintedTable& table) {
  for (std::size_t column = 0; column < table.spec.columns.size(); ++column) {
    std::set<std::string> means;
    std::set<std::string> sds;
    for (const auto& row : table.cells) {
      if (!means.insert(row[column].mean.text).second || !sds.insert(row[column].sd->text).second) {
        return true;
      }
    }
  }
  return false;
}

void mark_best(PrintedTable& table) {
  for (std::size_t column = 0; column < table.spec.columns.size(); ++column) {
    std::size_t best = 0;
    for (std::size_t row = 0; row < table.cells.size(); ++row) {
      table.cells[row][column].bold = false;
      best = units_of(table.cells[row][column].mean) > units_of(table.cells[best][column].mean)
                 ? row
                 : best;
    }
    table.cells[best][column].bold = true;
  }
}

CellPath path_of(const PrintedTable& table, std::size_t row, std::size_t column) {
  const TableColumn& head = table.spec.columns[column];
  return {table.spec.id,
          table.spec.rows[row].method,
          head.task,
          head.target,
          head.bucket,
          head.fraction};
}

long volumes_of(const PrintedDataset& set) {
  const auto x = set.cases.find('x');
  return std::stol(set.cases) * (x == std::string::npos ? 1 : std::stol(set.cases.substr(x + 1)));
}

void draw_datasets(SyntheticPaper& synthetic, Rng& rng) {
  Paper& paper = synthetic.paper;
  paper.data_table = "data";
  const long per_volume = rng.between(3, 20);
  const int sets = rng.between(3, 5);
  for (int i = 0; i < sets; ++i) {
    PrintedDataset set;
    set.dataset = fmt::format("set{}", i + 1);
    set.label = fmt::format("Set {}", i + 1);
    set.modality = i % 2 == 0 ? "CT" : "MRI";
    set.organ = fmt::format("organ{}", i % 3);
    const int cases = rng.between(20, 300);
    set.cases = rng.chance(0.2) ? fmt::format("{}x4", cases) : std::to_string(cases);
    for (const long share : {2, 1, 1}) {
      set.cubes.push_back(std::to_string(volumes_of(set) * per_volume * share));
    }
    paper.datasets.push_back(std::move(set));
  }
  for (const char* modality : {"CT", "MRI"}) {
    Claim claim;
    claim.id = fmt::format("volumes-{}", modality);
    claim.kind = "count";
    claim.what = "volumes";
    claim.where = {{"modality", modality}};
    long sum = 0;
    for (const PrintedDataset& set : paper.datasets) {
      sum += set.modality == modality ? volumes_of(set) : 0;
    }
    claim.number = number_of(sum, 0);
    synthetic.claims.push_back(claim);
  }
  Claim ratio;
  ratio.id = "cube-ratio";
  ratio.kind = "ratio";
  ratio.ratio = {1, 1, 2};
  synthetic.claims.push_back(ratio);
}

void draw_claims(SyntheticPaper& synthetic, Rng& rng) {
  const PrintedTable& table = synthetic.paper.tables.front();
  const auto rows = static_cast<std::uint32_t>(table.cells.size());
  const auto columns = static_cast<std::uint32_t>(table.spec.columns.size());
  for (int i = 0; i < 3; ++i) {
    const std::size_t row = rng.below(rows);
    const std::size_t column = rng.below(columns);
    Claim equals;
    equals.id = fmt::format("value-{}", i);
    equals.kind = "equals";
    equals.cells = {path_of(table, row, column)};
    equals.number = table.cells[row][column].mean;
    synthetic.claims.push_back(equals);
    const std::size_t other = (row + 1) % rows;
    Claim difference;
    difference.id = fmt::format("gain-{}", i);
    difference.kind = "difference";
    difference.cells = {path_of(table, row, column), path_of(table, other, column)};
    difference.number = number_of(
        units_of(table.cells[row][column].mean) - units_of(table.cells[other][column].mean),
        decimals_of(table.cells[row][column].mean));
    synthetic.claims.push_back(difference);
  }
  Claim best;
  best.id = "bold";
  best.kind = "best";
  best.table = table.spec.id;
  synthetic.claims.push_back(best);
}

/// A column of a task of its own that two methods fail entirely.
void add_saturated_pair(PrintedTable& table, Rng& rng, int decimals) {
  table.spec.columns.push_back({"Spleen", "cyst", "spleen", "cyst", "all", "1"});
  for (std::size_t row = 0; row < table.cells.size(); ++row) {
    const double level = rng.uniform(30, 70);
    table.cells[row].push_back(
        row < 2 ? printed({0, 0, 0}, decimals)
                : printed({level, level + rng.uniform(1, 4), level - rng.uniform(1, 4)}, decimals));
  }
}

SyntheticPaper draw_once(Rng rng, const std::string& design = "") {
  SyntheticPaper synthetic;
  Paper& paper = synthetic.paper;
  paper.id = "synthetic";
  paper.title = "Invented numbers";
  Shape shape;
  shape.parts = rng.chance(0.3) ? 2 : 3;
  shape.decimals = rng.chance(0.2) ? 1 : 2;
  shape.trials = rng.between(3, 10);
  shape.average = rng.chance(0.5);
  const int rows = rng.between(7, 10);
  if (design == "coarse digits") {
    shape.decimals = rng.between(0, 1);
  } else if (design == "target of a second table") {
    shape.average = true;
  }
  const char* names[] = {"small", "medium", "large"};
  BucketGroup group{"liver", "lesion", "1", {}, "all", 0, ""};
  for (std::size_t part = 0; part < shape.parts; ++part) {
    synthetic.split.push_back(rng.between(5, 16));
    group.parts.emplace_back(names[part]);
  }
  // The number of cases is printed or not; with three parts it is, as the audit is quicker then.
  if (shape.parts == 3 || rng.chance(0.5)) {
    group.cases =
        static_cast<int>(std::accumulate(synthetic.split.begin(), synthetic.split.end(), 0L));
  }
  const Split weights = design == "plain average" ? Split(shape.parts, 1) : synthetic.split;
  if (design == "plain average" || design == "stated number of cases off") {
    group.cases = static_cast<int>(std::accumulate(weights.begin(), weights.end(), 0L));
    group.cases += design == "plain average" ? rng.between(20, 60)
                   : rng.chance(0.5)         ? rng.between(1, 2)
                                             : -rng.between(1, 2);
  }
  PrintedTable table;
  table.spec.id = "main";
  table.spec.title = "Comparison";
  // Few say over how many trials: the audit then tests every comparison, which takes most of its
  // time and is not what is checked here.
  table.spec.trials = rng.chance(0.1) ? shape.trials : 0;
  for (const std::string& part : group.parts) {
    table.spec.columns.push_back({"Liver", part, group.task, group.target, part, "1"});
  }
  table.spec.columns.push_back({"Liver", "all", group.task, group.target, "all", "1"});
  if (shape.average) {
    for (const char* target : {"organ", "tumour", "average"}) {
      table.spec.columns.push_back({"Kidney", target, "kidney", target, "all", "1"});
    }
  }
  for (int row = 0; row < rows; ++row) {
    table.spec.rows.push_back({fmt::format("m{}", row + 1), fmt::format("Method {}", row + 1)});
    table.cells.push_back(draw_row(rng, shape, weights));
  }
  if (design == "saturated pair") {
    add_saturated_pair(table, rng, shape.decimals);
  }
  paper.reference = table.spec.rows.back().method;
  table.spec.reference = paper.reference;
  mark_best(table);
  paper.bucket_groups.push_back(std::move(group));
  // A second table repeats the last row beside two new ones; its bold marks are not known.
  PrintedTable second;
  second.spec = table.spec;
  second.spec.id = "ablation";
  second.spec.title = "Ablation";
  second.spec.rows = {{"without-a", "without A"}, {"without-b", "without B"}};
  second.spec.rows.push_back(table.spec.rows.back());
  second.cells = {draw_row(rng, shape, weights), draw_row(rng, shape, weights)};
  if (design == "saturated pair") {
    second.spec.columns.pop_back();  // not printed there
  }
  second.cells.push_back(table.cells.back());
  for (PrintedCell& cell : second.cells.back()) {
    cell.bold.reset();
  }
  second.cells.back().resize(second.spec.columns.size());
  if (design == "target of a second table") {
    second.spec.columns.push_back({"Kidney", "cyst", "kidney", "cyst", "all", "1"});
    for (auto& row : second.cells) {
      row.push_back(draw_row(rng, {2, shape.decimals, shape.trials, false}, {1, 1}).front());
    }
    // The average is printed in the first table alone.
    const auto average = static_cast<std::ptrdiff_t>(shape.parts) + 3;
    second.spec.columns.erase(second.spec.columns.begin() + average);
    for (auto& row : second.cells) {
      row.erase(row.begin() + average);
    }
  }
  paper.tables = {std::move(table), std::move(second)};
  draw_datasets(synthetic, rng);
  draw_claims(synthetic, rng);
  return synthetic;
}

// --- faults -------------------------------------------------------------------------------------

/// The bucket columns of one row, in whole units of the last printed digit; the whole comes last.
struct Row {
  std::vector<long> means, sds;

  Row(const std::vector<PrintedCell>& cells, std::size_t parts) {
    for (std::size_t column = 0; column <= parts; ++column) {
      means.push_back(units_of(cells[column].mean));
      sds.push_back(units_of(*cells[column].sd));
    }
  }
};

/// All splits that a paper's number of test cases allows, and which rows fit them.
class Splits {
 public:
  explicit Splits(const BucketGroup& group) : parts_(group.parts.size()) {
    constexpr long kMostCases = 200;  // where the paper does not say
    const long from = group.cases > 0 ? group.cases : static_cast<long>(parts_);
    Split split(parts_);
    for (long cases = from; cases <= (group.cases > 0 ? group.cases : kMostCases); ++cases) {
      add(split, 0, cases);
    }
  }

  /// |sum of n_i m_i - N m_all| <= N: each of the printed means is off by half a unit at most.
  static bool fits(const Row& row, const Split& split) {
    long cases = 0;
    long sum = 0;
    for (std::size_t part = 0; part < split.size(); ++part) {
      cases += split[part];
      sum += split[part] * (row.means[part] - row.means.back());
    }
    return std::abs(sum) <= cases;
  }

  /// No weights of any kind, whole numbers of cases or not, fit more of the rows than the best
  /// split does: else it is the split that must be doubted and not a row. The rows that weights fit
  /// change at a row's bounds alone, so the most are fitted where two such bounds cross.
  [[nodiscard]] bool best_of_any_weights(const std::vector<Row>& all) const {
    std::ptrdiff_t best = 0;
    for (const Split& split : splits_) {
      best = std::max(
          best, std::ranges::count_if(all, [&](const Row& each) { return fits(each, split); }));
    }
    // a x + b y + c = 0 with the shares x, y of the first two parts; with two parts b is 0 and
    // lines of one x are crossed with y = 0.
    struct Line {
      double a = 0, b = 0, c = 0;
    };
    std::vector<Line> centres;
    std::vector<Line> bounds{{1, 0, 0}, {0, 1, 0}, {1, parts_ == 3 ? 1.0 : 0.0, -1}};
    for (const Row& row : all) {
      const auto off = [&](std::size_t part) {
        return static_cast<double>(row.means[part] - row.means.back());
      };
      const double last = off(parts_ - 1);
      centres.push_back({off(0) - last, parts_ == 3 ? off(1) - last : 0, last});
      for (const double half_units : {-1.0, 1.0}) {
        bounds.push_back({centres.back().a, centres.back().b, last + half_units});
      }
    }
    constexpr double kRounding = 1e-9;  // in favour of other weights
    for (std::size_t i = 0; i < bounds.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        const Line& one = bounds[i];
        const Line& other = bounds[j];
        const double determinant = one.a * other.b - other.a * one.b;
        if (determinant == 0) {
          continue;
        }
        const double x = (one.b * other.c - other.b * one.c) / determinant;
        const double y = (other.a * one.c - one.a * other.c) / determinant;
        if (x < -kRounding || y < -kRounding || x + y > 1 + kRounding) {
          continue;
        }
        const auto fitted = std::ranges::count_if(centres, [&](const Line& row) {
          return std::abs(row.a * x + row.b * y + row.c) <= 1 + 1e3 * kRounding;
        });
        if (fitted > best) {
          return false;
        }
      }
    }
    return true;
  }

  /// The row fits no split but those that fit fewer of all rows than are clean.
  [[nodiscard]] bool shows_mean(const Row& row,
                                const std::vector<Row>& all,
                                std::size_t clean) const {
    return std::ranges::all_of(splits_, [&](const Split& split) {
      return !fits(row, split) ||
             static_cast<std::size_t>(std::ranges::count_if(
                 all, [&](const Row& each) { return fits(each, split); })) < clean;
    });
  }

  /// For every split that all clean rows fit, the whole's SD is above the weighted sum of the
  /// parts', all of them half a unit to its favour, and one unit more.
  [[nodiscard]] bool shows_sd(const Row& row, const std::vector<Row>& clean) const {
    return std::ranges::all_of(splits_, [&](const Split& split) {
      if (!std::ranges::all_of(clean, [&](const Row& each) { return fits(each, split); })) {
        return true;
      }
      long cases = 0;
      long most = 0;
      for (std::size_t part = 0; part < split.size(); ++part) {
        cases += split[part];
        most += split[part] * (2 * row.sds[part] + 1);
      }
      return cases * (2 * row.sds.back() - 1) > most + 2 * cases;
    });
  }

 private:
  void add(Split& split, std::size_t part, long rest) {
    if (part + 1 == parts_) {
      split[part] = rest;
      splits_.push_back(split);
      return;
    }
    for (long cases = 1; cases <= rest - static_cast<long>(parts_ - part - 1); ++cases) {
      split[part] = cases;
      add(split, part + 1, rest - cases);
    }
  }

  std::size_t parts_;
  std::vector<Split> splits_;
};

/// Puts faults into rows of the first table; every row at most once.
class Planter {
 public:
  Planter(SyntheticPaper& synthetic, const Splits& splits, const Rng& rng)
      : synthetic_(synthetic), splits_(splits), rng_(rng), table_(synthetic.paper.tables.front()) {
    // The last row stands in the second table too: left alone, but by "misprint in a second table".
    for (std::size_t row = 0; row + 1 < table_.cells.size(); ++row) {
      clean_.push_back(row);
    }
    for (std::size_t i = clean_.size(); i > 1; --i) {
      std::swap(clean_[i - 1], clean_[rng_.below(static_cast<std::uint32_t>(i))]);
    }
  }

  /// False if the paper has no room for it.
  bool plant(const std::string& kind) {
    const auto call = [&](bool (Planter::*function)()) { return (this->*function)(); };
    return kind == "copied pair"                  ? call(&Planter::copied_pair)
           : kind == "shifted mean"               ? call(&Planter::shifted_mean)
           : kind == "broken weight"              ? call(&Planter::broken_weight)
           : kind == "shrunk SD of a part"        ? call(&Planter::shrunk_sd)
           : kind == "enlarged SD of the whole"   ? call(&Planter::enlarged_sd)
           : kind == "flipped bold"               ? call(&Planter::flipped_bold)
           : kind == "falsified count of cubes"   ? call(&Planter::falsified_cubes)
           : kind == "falsified count in text"    ? call(&Planter::falsified_text_count)
           : kind == "falsified value in text"    ? call(&Planter::falsified_text_value)
           : kind == "misprint in a second table" ? call(&Planter::misprint)
                                                  : call(&Planter::shifted_average);
  }

  /// All faults that are about means and SDs still show, now that all are there, and at least four
  /// rows are left alone.
  [[nodiscard]] bool all_show() const {
    if (table_.cells.size() < touched_.size() + 4) {
      return false;
    }
    if (!(mean_rows_.empty() && sd_rows_.empty()) && !splits_.best_of_any_weights(rows(false))) {
      return false;
    }
    return std::ranges::all_of(mean_rows_, [&](std::size_t row) { return shows_mean(row); }) &&
           std::ranges::all_of(sd_rows_, [&](std::size_t row) { return shows_sd(row); });
  }

  std::vector<PlantedFault> planted;

 private:
  std::string cell(std::size_t row, std::size_t column) const {
    return path_of(table_, row, column).text();
  }
  std::size_t parts() const { return synthetic_.split.size(); }
  long unit() const {  // of one Dice point
    return std::lround(std::pow(10, decimals_of(table_.cells[0][0].mean)));
  }
  std::optional<std::size_t> take_row() {
    if (clean_.empty()) {
      return {};
    }
    const std::size_t row = clean_.back();
    clean_.pop_back();
    touched_.insert(row);
    return row;
  }

  [[nodiscard]] Row row(std::size_t index) const { return {table_.cells[index], parts()}; }
  /// Rows of both tables whose means are as drawn, or all of them; a repeated row once.
  [[nodiscard]] std::vector<Row> rows(bool only_clean) const {
    std::vector<Row> list;
    for (std::size_t index = 0; index < table_.cells.size(); ++index) {
      if (!only_clean || !changed_means_.contains(index)) {
        list.push_back(row(index));
      }
    }
    const auto& second = synthetic_.paper.tables.back().cells;
    for (std::size_t index = 0; index + 1 < second.size(); ++index) {
      list.emplace_back(second[index], parts());
    }
    if (!only_clean && misprinted_) {
      list.emplace_back(second.back(), parts());
    }
    return list;
  }
  [[nodiscard]] bool shows_mean(std::size_t index) const {
    return splits_.shows_mean(row(index), rows(false), rows(true).size());
  }
  [[nodiscard]] bool shows_sd(std::size_t index) const {
    return splits_.shows_sd(row(index), rows(true));
  }

  bool copied_pair() {
    const auto to = take_row();
    const auto from = to ? take_row() : std::nullopt;
    if (!from) {
      return false;
    }
    const std::size_t column = rng_.below(static_cast<std::uint32_t>(table_.spec.columns.size()));
    table_.cells[*to][column].mean = table_.cells[*from][column].mean;
    table_.cells[*to][column].sd = table_.cells[*from][column].sd;
    changed_means_.insert(*to);
    planted.push_back({"copied pair", "duplicate-cell", {cell(*to, column), cell(*from, column)}});
    return true;
  }

  bool shifted_mean() {
    const auto row = take_row();
    if (!row) {
      return false;
    }
    changed_means_.insert(*row);
    const std::size_t column = rng_.below(static_cast<std::uint32_t>(parts() + 1));
    PrintedNumber& mean = table_.cells[*row][column].mean;
    const long sign = units_of(mean) > 50 * unit() ? -1 : 1;  // towards the middle: stays a Dice
    for (long step = std::max(1L, unit() / 10); step <= 40 * unit(); step += step / 3 + 1) {
      const PrintedNumber before = mean;
      shift(mean, sign * step);
      if (shows_mean(*row)) {
        mean_rows_.push_back(*row);
        planted.push_back({"shifted mean", "bucket-weights", {cell(*row, column)}});
        return true;
      }
      mean = before;
    }
    return false;
  }

  /// The whole as the mean of the parts with other weights.
  bool broken_weight() {
    const auto row = take_row();
    if (!row) {
      return false;
    }
    changed_means_.insert(*row);
    PrintedCell& whole = table_.cells[*row][parts()];
    for (int attempt = 0; attempt < 20; ++attempt) {
      double sum = 0;
      double cases = 0;
      for (std::size_t part = 0; part < parts(); ++part) {
        const double weight = rng_.between(1, 60);
        sum += weight * static_cast<double>(units_of(table_.cells[*row][part].mean));
        cases += weight;
      }
      whole.mean = number_of(std::lround(sum / cases), decimals_of(whole.mean));
      if (shows_mean(*row)) {
        mean_rows_.push_back(*row);
        planted.push_back({"broken weight", "bucket-weights", {cell(*row, parts())}});
        return true;
      }
    }
    return false;
  }

  /// A part's SD so small that the rest cannot make up the whole's; where the parts go together.
  bool shrunk_sd() {
    for (int attempt = 0; attempt < 3; ++attempt) {
      const auto row = take_row();
      if (!row) {
        return false;
      }
      for (std::size_t part = 0; part < parts(); ++part) {
        PrintedNumber& sd = *table_.cells[*row][part].sd;
        const PrintedNumber before = sd;
        sd = number_of(units_of(sd) / 10, decimals_of(sd));
        if (shows_sd(*row)) {
          sd_rows_.push_back(*row);
          planted.push_back({"shrunk SD of a part", "sd-bound", {cell(*row, part)}});
          return true;
        }
        sd = before;
      }
    }
    return false;
  }

  bool enlarged_sd() {
    const auto row = take_row();
    if (!row) {
      return false;
    }
    PrintedNumber& sd = *table_.cells[*row][parts()].sd;
    while (units_of(sd) < 15 * unit()) {
      shift(sd, std::max(1L, units_of(sd) / 10));
      if (shows_sd(*row)) {
        sd_rows_.push_back(*row);
        planted.push_back({"enlarged SD of the whole", "sd-bound", {cell(*row, parts())}});
        return true;
      }
    }
    return false;
  }

  /// The mark of a column goes to its second best row.
  bool flipped_bold() {
    const std::size_t column = rng_.below(static_cast<std::uint32_t>(table_.spec.columns.size()));
    std::vector<std::size_t> order(table_.cells.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, std::greater(), [&](std::size_t row) {
      return units_of(table_.cells[row][column].mean);
    });
    // Other faults must not meet it: they could make the mark right again.
    if (touched_.contains(order[0]) || touched_.contains(order[1]) ||
        table_.cells[order[0]][column].mean.text == table_.cells[order[1]][column].mean.text) {
      return false;
    }
    for (const std::size_t row : {order[0], order[1]}) {
      std::erase(clean_, row);
      touched_.insert(row);
    }
    table_.cells[order[0]][column].bold = false;
    table_.cells[order[1]][column].bold = true;
    planted.push_back(
        {"flipped bold", "bold-best", {cell(order[0], column), cell(order[1], column)}});
    return true;
  }

  /// A count of cubes that is not a whole number per volume any more.
  bool falsified_cubes() {
    auto& sets = synthetic_.paper.datasets;
    PrintedDataset& set = sets[rng_.below(static_cast<std::uint32_t>(sets.size()))];
    std::string& cubes = set.cubes[rng_.below(3)];
    cubes =
        std::to_string(std::stol(cubes) + rng_.between(1, static_cast<int>(volumes_of(set)) - 1));
    planted.push_back({"falsified count of cubes", "counts", {"data/" + set.dataset + "/cubes"}});
    return true;
  }

  bool falsified_text_count() {
    for (Claim& claim : synthetic_.claims) {
      if (claim.kind == "count" && rng_.chance(0.5)) {
        shift(*claim.number, rng_.between(1, 9));
        planted.push_back({"falsified count in text", "counts", {"text/" + claim.id}});
        return true;
      }
    }
    return false;
  }

  bool falsified_text_value() {
    for (Claim& claim : synthetic_.claims) {
      if ((claim.kind == "equals" || claim.kind == "difference") && rng_.chance(0.5)) {
        // Two printed means and the number itself are each off by half a unit at most: 1.5 units.
        shift(*claim.number, rng_.between(2, 900));
        planted.push_back({"falsified value in text", "text-vs-table", {"text/" + claim.id}});
        return true;
      }
    }
    return false;
  }

  bool misprint() {
    PrintedTable& second = synthetic_.paper.tables.back();
    const std::size_t row = second.cells.size() - 1;
    const std::size_t column = rng_.below(static_cast<std::uint32_t>(second.spec.columns.size()));
    shift(second.cells[row][column].mean, rng_.chance(0.5) ? 1 : -1);
    misprinted_ = true;
    planted.push_back(
        {"misprint in a second table", "cross-table", {path_of(second, row, column).text()}});
    return true;
  }

  /// An average that its two targets cannot give: those are off by half a unit at most, so is it.
  bool shifted_average() {
    const auto row = table_.spec.columns.back().target == "average" ? take_row() : std::nullopt;
    if (!row) {
      return false;
    }
    const std::size_t column = table_.spec.columns.size() - 1;
    shift(table_.cells[*row][column].mean, rng_.chance(0.5) ? 3 : -3);
    planted.push_back({"shifted average", "derived-average", {cell(*row, column)}});
    return true;
  }

  SyntheticPaper& synthetic_;
  const Splits& splits_;
  Rng rng_;
  PrintedTable& table_;
  std::vector<std::size_t> clean_;       ///< rows that no fault is in, shuffled
  std::set<std::size_t> touched_;        ///< rows that one is in
  std::set<std::size_t> changed_means_;  ///< whose means may not fit the true split
  std::vector<std::size_t> mean_rows_, sd_rows_;
  bool misprinted_ = false;
};

}  // namespace

SyntheticPaper draw_paper(const Rng& rng) {
  for (std::uint64_t attempt = 0;; ++attempt) {
    SyntheticPaper synthetic = draw_once(rng.at("synthetic paper", {attempt}));
    if (std::ranges::none_of(synthetic.paper.tables, has_twins)) {
      return synthetic;
    }
  }
}

std::vector<std::string> clean_designs() {
  return {"stated number of cases off",
          "plain average",
          "target of a second table",
          "coarse digits",
          "saturated pair"};
}

SyntheticPaper draw_clean(const Rng& rng, const std::string& design) {
  return draw_once(rng.at("clean paper", {0}), design);
}

std::vector<std::string> fault_kinds() {
  return {"copied pair",
          "shifted mean",
          "broken weight",
          "shrunk SD of a part",
          "enlarged SD of the whole",
          "flipped bold",
          "falsified count of cubes",
          "falsified count in text",
          "falsified value in text",
          "misprint in a second table",
          "shifted average"};
}

std::vector<PlantedFault> plant(SyntheticPaper& synthetic,
                                const Rng& rng,
                                const std::string& first) {
  const SyntheticPaper clean = synthetic;
  const std::vector<std::string> kinds = fault_kinds();
  const Splits splits(synthetic.paper.bucket_groups.front());
  for (std::uint64_t attempt = 0; attempt < 20; ++attempt) {
    synthetic = clean;
    Rng draw = rng.at("planted faults", {attempt});
    Planter planter(synthetic, splits, draw.at("rows"));
    std::vector<std::string> chosen{first};
    for (int more = draw.between(0, 2); more > 0; --more) {
      const std::string& kind = kinds[draw.below(static_cast<std::uint32_t>(kinds.size()))];
      if (std::ranges::find(chosen, kind) == chosen.end()) {
        chosen.push_back(kind);
      }
    }
    if (std::ranges::all_of(chosen, [&](const auto& kind) { return planter.plant(kind); }) &&
        planter.all_show()) {
      return planter.planted;
    }
  }
  synthetic = clean;
  return {};
}

}  // namespace sar::test
