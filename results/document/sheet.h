#pragma once

#include "harness/core/json.h"
#include "results/document/document.h"

#include <optional>
#include <string>
#include <vector>

namespace sar {

/// Under which protocol numbers were made; both are empty for printed ones.
struct Origin {
  std::string data_kind;  ///< phantom | real
  std::string protocol;   ///< its key
};

/// A plain table of texts, for what is not a table of Dice.
struct Sheet {
  std::string id, title;
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> notes;  ///< sentences below the table
  std::size_t text_columns = 1;    ///< left-aligned ones, at the beginning
  /// The column that says "measured" or what else a row is. What is not measured was made under no
  /// protocol of ours, and CSV says none beside it.
  std::optional<std::size_t> source_column;
  std::optional<Origin> origin;  ///< said in each line of the CSV and in the JSON
  Json json;                     ///< the document for format "json"
};

/// As it stands in a document.
TitledTable titled_table(const Sheet& sheet);

/// The sheet alone, with its origin: columns `data_kind` and `protocol` of the CSV, members of
/// those names in the JSON.
Document document_of(const Sheet& sheet);

}  // namespace sar
