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
  if (sheet.origin) {
    const auto& [kind, protocol] = *sheet.origin;
    document.json["data_kind"] = kind;
    document.json["protocol"] = protocol;
    auto& [header, rows] = document.values;
    header.insert(header.end(), {"data_kind", "protocol"});
    for (auto& row : rows) {
      const bool measured = !sheet.source_column || row.at(*sheet.source_column) == "measured";
      row.insert(row.end(), {measured ? kind : "", measured ? protocol : ""});
    }
  }
  return document;
}

}  // namespace sar
