#pragma once

#include "harness/core/json.h"
#include "results/document/document.h"

#include <optional>
#include <string>
#include <vector>

namespace sar {

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
  Json json;  ///< the document for format "json"
};

/// As it stands in a document.
TitledTable titled_table(const Sheet& sheet);

/// The sheet alone. Where its JSON says of which data kind and protocol the numbers are, each line
/// of the CSV does as well.
Document document_of(const Sheet& sheet);

}  // namespace sar
