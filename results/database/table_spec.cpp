#include "results/database/table_spec.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace sar {

bool shows(const TableSpec& spec,
           const std::string& method,
           const std::string& task,
           const std::string& fraction) {
  return std::ranges::find(spec.rows, method, &TableRow::method) != spec.rows.end() &&
         std::ranges::any_of(spec.columns, [&](const TableColumn& column) {
           return column.task == task && column.fraction == fraction;
         });
}

std::optional<std::size_t> find_column(const TableSpec& spec, const TableColumn& column) {
  const auto key = [](const TableColumn& each) {
    return std::tie(each.task, each.target, each.bucket, each.fraction);
  };
  const auto found = std::ranges::find(spec.columns, key(column), key);
  return found == spec.columns.end()
             ? std::nullopt
             : std::optional(static_cast<std::size_t>(found - spec.columns.begin()));
}

Json to_json(const TableSpec& spec) {
  Json rows = Json::array();
  for (const TableRow& row : spec.rows) {
    rows.push_back({{"method", row.method}, {"label", row.label}});
  }
  Json columns = Json::array();
  for (const TableColumn& column : spec.columns) {
    columns.push_back({{"group", column.group},
                       {"label", column.label},
                       {"task", column.task},
                       {"target", column.target},
                       {"bucket", column.bucket},
                       {"fraction", column.fraction}});
  }
  return {{"id", spec.id},
          {"title", spec.title},
          {"reference", spec.reference},
          {"trials", spec.trials},
          {"rows", std::move(rows)},
          {"columns", std::move(columns)}};
}

TableSpec table_spec_from(const Json& json) {
  TableSpec spec{json.at("id"), json.at("title"), json.at("reference"), {}, {}, json.at("trials")};
  for (const Json& row : json.at("rows")) {
    spec.rows.push_back({row.at("method"), row.at("label")});
  }
  for (const Json& column : json.at("columns")) {
    spec.columns.push_back({column.at("group"),
                            column.at("label"),
                            column.at("task"),
                            column.at("target"),
                            column.at("bucket"),
                            column.at("fraction")});
  }
  return spec;
}

}  // namespace sar
