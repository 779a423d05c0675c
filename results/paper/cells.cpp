#include "results/paper/cells.h"

#include "harness/core/error.h"

#include <algorithm>
#include <map>
#include <memory>
#include <tuple>

namespace sar {

std::string CellPath::column() const {
  return task + "/" + target + "/" + bucket + (fraction == "1" ? "" : "/" + fraction);
}

TableColumn CellPath::table_column() const {
  return {"", "", task, target, bucket, fraction};
}

std::string CellPath::text() const {
  return table + "/" + method + "/" + column();
}

CellPath parse_cell_path(const std::string& text) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  if (const auto file = text.find(".toml/"); file != std::string::npos) {  // a file of the user's
    parts.push_back(text.substr(0, file + 5));
    begin = file + 6;
  }
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find('/', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  if (parts.size() < 5 || parts.size() > 7 || std::ranges::any_of(parts, &std::string::empty)) {
    throw usage_error("a cell is TABLE/METHOD/TASK/TARGET/BUCKET[/FRACTION]")
        .with("got", text)
        .hint("e.g. table2/sar/brats/tumor/all, table4/sar/pancreas/average/all/1/10");
  }
  CellPath path{parts[0], parts[1], parts[2], parts[3], parts[4]};
  if (parts.size() > 5) {
    path.fraction = parts[5] + (parts.size() > 6 ? "/" + parts[6] : "");
  }
  return path;
}

CellSource published_cells(const Paper& paper) {
  CellSource source;
  source.name = "published";
  source.find = [&paper](const CellPath& path) -> std::optional<CellNumber> {
    const PrintedTable* table = paper.find(path.table);
    const PrintedCell* printed =
        table == nullptr ? nullptr : table->find(path.method, path.table_column());
    if (printed == nullptr) {
      return {};
    }
    const PrintedCell& cell = *printed;
    CellNumber number;
    number.summary = {cell.mean.value, {}, table->spec.trials};
    number.mean_half_unit = cell.mean.half_unit;
    if (cell.sd) {
      number.summary.sd = cell.sd->value;
      number.sd_half_unit = cell.sd->half_unit;
    }
    return number;
  };
  return source;
}

CellSource measured_cells(std::vector<TrialDice> trials, const ProtocolRow& protocol) {
  using Key = std::tuple<std::string, std::string, std::string, std::string, std::string>;
  auto cells = std::make_shared<std::map<Key, CellNumber>>();
  std::ranges::stable_sort(trials, {}, &TrialDice::trial);
  for (const TrialDice& each : trials) {
    CellNumber& cell = (*cells)[{each.method, each.task, each.target, each.bucket, each.fraction}];
    cell.trials.push_back(each.dice);
  }
  for (auto& [key, cell] : *cells) {
    cell.summary = summarise(cell.trials);
  }
  CellSource source{"measured", protocol.data_kind, protocol.protocol, {}};
  source.find = [cells](const CellPath& path) -> std::optional<CellNumber> {
    const auto found =
        cells->find({path.method, path.task, path.target, path.bucket, path.fraction});
    return found == cells->end() ? std::nullopt : std::optional(found->second);
  };
  return source;
}

}  // namespace sar
