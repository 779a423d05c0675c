#include "results/document/sheet.h"

namespace sar {

TitledTable titled_table(const Sheet& sheet) {
  TitledTable table{sheet.id, sheet.title, {}, {}};
  table.grid.header = sheet.header;
  table.grid.rows = plain_cells(sheet.rows);
  table.grid.text_columns = sheet.text_columns;
  for (const std::string& sentence : sheet.notes) {
    table.notes.push_back({{sentence}});
  }
  return table;
}

Document document_of(const Sheet& sheet) {
  Document document;
  document.parts.push_back({{titled_table(sheet)}});
  document.json = sheet.json;
  document.values = {sheet.header, sheet.rows};
  const auto said = [&](const char* name) {
    return sheet.json.is_object() && sheet.json.contains(name) && sheet.json.at(name).is_string();
  };
  if (said("data_kind") && said("protocol")) {
    auto& [header, rows] = document.values;
    header.insert(header.end(), {"data_kind", "protocol"});
    const std::string kind = sheet.json.at("data_kind");
    const std::string protocol = sheet.json.at("protocol");
    for (auto& row : rows) {
      const bool measured = !sheet.source_column || row.at(*sheet.source_column) == "measured";
      row.insert(row.end(), {measured ? kind : "", measured ? protocol : ""});
    }
  }
  return document;
}

}  // namespace sar
