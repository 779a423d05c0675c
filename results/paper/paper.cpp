#include "results/paper/paper.h"

#include "harness/config/toml.h"
#include "harness/core/error.h"
#include "results/paper/faults.h"
#include "results/statistics/statistics.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <functional>
#include <tuple>

namespace sar {
namespace fs = std::filesystem;
namespace {

std::vector<std::string> texts(const Entry& entry, const std::string& field) {
  return entry.list<std::string>(
      field,
      [](const Json& each) { return each.is_string(); },
      "texts, so that printed digits stay as they are",
      0);
}

std::string trimmed(std::string text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  text.erase(text.begin(), std::find_if_not(text.begin(), text.end(), blank));
  text.erase(std::find_if_not(text.rbegin(), text.rend(), blank).base(), text.end());
  return text;
}

/// "78.10±3.20", "78.10 +- 3.20" or "78.10".
PrintedCell parse_cell(const std::string& text) {
  for (const std::string sign : {"±", "+-", "+/-"}) {
    if (const auto at = text.find(sign); at != std::string::npos) {
      return {parse_printed(trimmed(text.substr(0, at))),
              parse_printed(trimmed(text.substr(at + sign.size()))),
              {}};
    }
  }
  return {parse_printed(trimmed(text)), {}, {}};
}

std::vector<long> whole_numbers(const std::vector<std::string>& texts) {
  std::vector<long> numbers;
  for (const auto& text : texts) {
    numbers.push_back(std::stol(text));
  }
  return numbers;
}

bool is_whole(const std::string& text) {
  return !text.empty() && text.size() < 12 &&
         text.find_first_not_of("0123456789") == std::string::npos;
}

std::vector<std::string> factors(const std::string& cases) {
  std::vector<std::string> parts(1);
  for (const char c : cases) {
    if (c == 'x' || c == '*') {
      parts.emplace_back();
    } else if (c != ' ') {
      parts.back() += c;
    }
  }
  return parts;
}

/// Larger counts are slips, and sums of them could overflow.
constexpr long kMostCases = 1'000'000'000'000;

/// Empty if it is more than kMostCases.
std::optional<long> product_of(const std::vector<long>& numbers) {
  long product = 1;
  for (const long number : numbers) {
    if (number > 0 && product > kMostCases / number) {
      return {};
    }
    product *= number;
  }
  return product;
}

void read_datasets(const Entry& fields, const fs::path& file, Faults& faults, Paper& paper) {
  int number = 0;
  fields.allow_only({"id", "kind", "title", "rows"});
  for (const Json& item : fields.tables("rows")) {
    const Entry row(item, file, "row " + std::to_string(++number), faults);
    row.allow_only({"dataset", "label", "cases", "modality", "organ", "median_shape", "cubes"});
    PrintedDataset set{row.text("dataset"),
                       row.text("label"),
                       row.text("cases"),
                       row.text("modality"),
                       row.text("organ"),
                       row.text("median_shape", ""),
                       texts(row, "cubes")};
    if (!std::ranges::all_of(factors(set.cases), is_whole)) {
      row.fault("'cases' must be a whole number, or a product such as 190x4; got '" + set.cases +
                "'");
      set.cases = "0";
    } else if (!product_of(whole_numbers(factors(set.cases)))) {
      row.fault("'cases' is more than " + std::to_string(kMostCases) + ": " + set.cases);
      set.cases = "0";
    }
    if (!std::ranges::all_of(set.cubes, is_whole)) {
      row.fault("'cubes' must be whole numbers");
      set.cubes.clear();
    }
    paper.datasets.push_back(std::move(set));
  }
}

/// A table prints SDs or it does not; a cell without one among others that have one is a slip
/// unless the file says otherwise.
void check_spreads(const PrintedTable& table,
                   const Entry& fields,
                   const Json& tree,
                   const fs::path& file,
                   Faults& faults) {
  if (tree.contains("incomplete_sd") && !tree.at("incomplete_sd").is_boolean()) {
    fields.fault("'incomplete_sd' is true or false");
  }
  const bool some = std::ranges::any_of(table.cells, [](const auto& row) {
    return std::ranges::any_of(row, [](const PrintedCell& cell) { return cell.sd.has_value(); });
  });
  if (!some || tree.value("incomplete_sd", Json()) == true) {
    return;
  }
  for (std::size_t row = 0; row < table.cells.size(); ++row) {
    for (std::size_t column = 0; column < table.cells[row].size(); ++column) {
      const PrintedCell& cell = table.cells[row][column];
      if (!cell.sd && !cell.mean.text.empty()) {
        faults.add(file,
                   "row " + std::to_string(row + 1),
                   "cell " + std::to_string(column + 1) + ": '" + cell.mean.text +
                       "' has no SD, but other cells of the table have one (incomplete_sd = true "
                       "if that is how it is printed)");
      }
    }
  }
}

/// Cells are named by row and column, so neither may be there twice.
void check_names(const PrintedTable& table, const fs::path& file, Faults& faults) {
  for (std::size_t i = 0; i < table.spec.rows.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (!table.spec.rows[i].method.empty() &&
          table.spec.rows[i].method == table.spec.rows[j].method) {
        faults.add(
            file,
            "row " + std::to_string(i + 1),
            "'" + table.spec.rows[i].method + "' is row " + std::to_string(j + 1) + " already");
      }
    }
  }
  for (std::size_t i = 0; i < table.spec.columns.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const TableColumn& a = table.spec.columns[i];
      const TableColumn& b = table.spec.columns[j];
      if (!a.task.empty() && std::tie(a.task, a.target, a.bucket, a.fraction) ==
                                 std::tie(b.task, b.target, b.bucket, b.fraction)) {
        faults.add(
            file,
            "column " + std::to_string(i + 1),
            "task, target, bucket and fraction are those of column " + std::to_string(j + 1));
      }
    }
  }
}

PrintedTable read_dice(const Entry& fields,
                       const Json& tree,
                       const fs::path& file,
                       Faults& faults) {
  PrintedTable table;
  fields.allow_only({"id", "kind", "title", "trials", "incomplete_sd", "columns", "rows"});
  table.spec.id = fields.text("id");
  table.spec.title = fields.text("title");
  table.spec.trials = 0;
  constexpr std::int64_t kMostTrials = 1'000'000;
  if (tree.contains("trials") && tree.at("trials").is_number_integer() &&
      tree.at("trials").get<std::int64_t>() >= 1 &&
      tree.at("trials").get<std::int64_t>() <= kMostTrials) {
    table.spec.trials = tree.at("trials");
  } else if (tree.contains("trials")) {
    fields.fault(
        "'trials' must say how many values mean and SD are over, 1 to 1000000; leave it out where "
        "the paper does");
  }
  int number = 0;
  for (const Json& item : fields.tables("columns")) {
    const Entry column(item, file, "column " + std::to_string(++number), faults);
    column.allow_only({"group", "label", "task", "target", "bucket", "fraction"});
    table.spec.columns.push_back({column.text("group", ""),
                                  column.text("label"),
                                  column.text("task"),
                                  column.text("target"),
                                  column.text("bucket", "all"),
                                  column.text("fraction", "1")});
  }
  number = 0;
  for (const Json& item : fields.tables("rows")) {
    const Entry row(item, file, "row " + std::to_string(++number), faults);
    row.allow_only({"method", "label", "cells", "bold"});
    table.spec.rows.push_back({row.text("method"), row.text("label")});
    std::vector<PrintedCell>& cells = table.cells.emplace_back();
    for (const auto& text : texts(row, "cells")) {
      try {
        cells.push_back(parse_cell(text));
      } catch (const Error& error) {
        row.fault("cell " + std::to_string(cells.size() + 1) + ": " + error.what());
        cells.emplace_back();
      }
    }
    if (cells.size() != table.spec.columns.size()) {
      row.fault("has " + std::to_string(cells.size()) + " cells for " +
                std::to_string(table.spec.columns.size()) + " columns");
      cells.resize(table.spec.columns.size());
    }
    if (item.contains("bold")) {
      const Json& bold = item.at("bold");
      const bool fits =
          bold.is_array() && bold.size() == cells.size() &&
          std::ranges::all_of(bold, [](const Json& each) { return each.is_boolean(); });
      if (!fits) {
        row.fault("'bold' must be a list of true or false, one per cell");
        continue;
      }
      for (std::size_t i = 0; i < cells.size(); ++i) {
        cells[i].bold = bold[i].get<bool>();
      }
    }
  }
  check_spreads(table, fields, tree, file, faults);
  check_names(table, file, faults);
  if (table.cells.size() < 2) {
    fields.fault("a table needs at least two rows: there is nothing to compare");
  }
  return table;
}

bool has_column(const Paper& paper, const TableColumn& wanted) {
  return std::ranges::any_of(paper.tables, [&](const PrintedTable& table) {
    return find_column(table.spec, wanted).has_value();
  });
}

/// A reference that no table has would leave every test out without a word.
void check_reference(const Paper& paper, const Entry& head) {
  std::vector<std::string> methods;
  for (const PrintedTable& table : paper.tables) {
    for (const TableRow& row : table.spec.rows) {
      methods.push_back(row.method);
    }
  }
  if (paper.reference.empty() || methods.empty() ||
      std::ranges::find(methods, paper.reference) != methods.end()) {
    return;
  }
  head.fault("'reference': no table has a row of method '" + paper.reference + "'" +
             suggestion(paper.reference, methods));
}

void read_bucket_groups(const TomlFile& main, Faults& faults, Paper& paper, bool complete) {
  if (!main.tree.contains("buckets")) {
    return;
  }
  int number = 0;
  const Entry head(main.tree, main.path, "", faults);
  for (const Json& item : head.tables("buckets")) {
    const Entry fields(item, main.path, "buckets " + std::to_string(++number), faults);
    BucketGroup group{fields.text("task"),
                      fields.text("target"),
                      fields.text("fraction", "1"),
                      texts(fields, "parts"),
                      fields.text("whole", "all"),
                      0,
                      fields.text("cases_source", "")};
    fields.allow_only({"task", "target", "fraction", "parts", "whole", "cases", "cases_source"});
    if (group.parts.size() < 2) {
      fields.fault("'parts' must name at least two buckets");
    }
    std::vector<std::string> buckets = group.parts;
    buckets.push_back(group.whole);
    for (const std::string& bucket : buckets) {
      if (complete &&
          !has_column(paper, {"", "", group.task, group.target, bucket, group.fraction})) {
        fields.fault("no table has a column of task '" + group.task + "', target '" + group.target +
                     "', bucket '" + bucket + "', fraction '" + group.fraction + "'");
      }
    }
    if (item.contains("cases") && item.at("cases").is_number_integer() &&
        item.at("cases").get<long>() >= static_cast<long>(group.parts.size()) &&
        item.at("cases").get<long>() <= 100'000) {
      group.cases = item.at("cases");
    } else if (item.contains("cases")) {
      fields.fault("'cases' must be the number of test cases; leave it out if it is not known");
    }
    paper.bucket_groups.push_back(std::move(group));
  }
}

}  // namespace

PrintedNumber parse_printed(const std::string& text) {
  const bool plain = !text.empty() && text.find_first_not_of("0123456789.-") == std::string::npos &&
                     std::ranges::count(text, '.') <= 1;
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (!plain || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() ||
      text.back() == '.') {
    throw data_error("'" + text + "' is not a plain number");
  }
  const auto point = text.find('.');
  const auto decimals = point == std::string::npos ? std::size_t{0} : text.size() - point - 1;
  return {text, value, 0.5 * std::pow(10.0, -static_cast<double>(decimals))};
}

long PrintedDataset::patients() const {
  return std::stol(factors(cases).front());
}

long PrintedDataset::volumes() const {
  const auto product = product_of(whole_numbers(factors(cases)));
  if (!product) {
    throw data_error("too many cases: " + cases);
  }
  return *product;
}

std::vector<long> PrintedDataset::cube_counts() const {
  return whole_numbers(cubes);
}

const PrintedCell* PrintedTable::find(const std::string& method, const TableColumn& column) const {
  const auto row = std::ranges::find(spec.rows, method, &TableRow::method);
  const std::optional<std::size_t> place = find_column(spec, column);
  return row == spec.rows.end() || !place
             ? nullptr
             : &cells[static_cast<std::size_t>(row - spec.rows.begin())][*place];
}

const PrintedTable* Paper::find(const std::string& table) const {
  const auto found =
      std::ranges::find_if(tables, [&](const PrintedTable& each) { return each.spec.id == table; });
  return found == tables.end() ? nullptr : &*found;
}

Paper read_paper(const fs::path& folder) {
  Faults faults;
  const auto read = [&](const std::string& name) {
    const fs::path file = folder / name;
    if (!fs::exists(file)) {
      throw not_found_error("the paper's file is not there").with("file", file.string());
    }
    return read_toml(file, faults);
  };
  const auto first = read("paper.toml");
  faults.report("the paper's files", folder);
  const TomlFile& main = *first;
  Paper paper;
  paper.folder = folder;
  const Entry head(main.tree, main.path, "", faults);
  paper.id = head.text("id");
  paper.title = head.text("title");
  paper.citation = head.text("citation", "");
  paper.reference = head.text("reference");
  head.allow_only({"id", "title", "citation", "reference", "tables", "buckets"});
  bool complete = true;  // every table could be read
  std::vector<std::string> listed;
  for (const auto& name : texts(head, "tables")) {
    if (std::ranges::count(listed, name) > 0) {
      head.fault("'tables' lists '" + name + "' twice");
      continue;
    }
    listed.push_back(name);
    const auto toml = read(name + ".toml");
    if (!toml) {
      complete = false;
      continue;
    }
    const TomlFile& file = *toml;
    const Entry fields(file.tree, file.path, "", faults);
    if (const std::string id = fields.text("id"); id != name) {
      fields.fault("'id' is '" + id + "' but the file is named " + name);
    }
    const std::string kind = fields.text("kind", "dice");
    if (kind == "data" && !paper.data_table.empty()) {
      fields.fault("a second table of data sets beside " + paper.data_table +
                   ": put all data sets into one");
    } else if (kind == "data") {
      paper.data_table = name;
      read_datasets(fields, file.path, faults, paper);
    } else if (kind == "dice") {
      paper.tables.push_back(read_dice(fields, file.tree, file.path, faults));
      paper.tables.back().spec.reference = paper.reference;
    } else {
      fields.fault("'kind' is dice or data; got '" + kind + "'");
    }
  }
  if (complete) {
    check_reference(paper, head);
  }
  read_bucket_groups(main, faults, paper, complete);
  faults.report("the paper's files", folder);
  return paper;
}

Table published_table(const PrintedTable& printed,
                      const TableSpec& spec,
                      const TableOptions& options) {
  const auto line_of = [&](const std::string& method) {
    std::vector<Summary> line;
    for (const TableColumn& column : spec.columns) {
      Summary& summary = line.emplace_back();
      if (const PrintedCell* cell = printed.find(method, column)) {
        summary.mean = cell->mean.value;
        summary.n = std::max(1, printed.spec.trials);
        if (cell->sd) {
          summary.sd = cell->sd->value;
        }
      }
    }
    return line;
  };
  SummaryTable summaries;
  for (const TableRow& row : spec.rows) {
    summaries.rows.push_back(line_of(row.method));
  }
  summaries.reference = line_of(spec.reference);
  summaries.unknown_n = printed.spec.trials == 0;
  TableSpec shown = spec;
  shown.trials = printed.spec.trials;
  Table table = build_table(summaries, shown, options);
  table.source = "published";
  return table;
}

}  // namespace sar
