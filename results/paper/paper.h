#pragma once

#include "results/tables/table.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace sar {

/// A number as printed. Its digits count: the true value lies within half a unit of the last one.
struct PrintedNumber {
  std::string text;      ///< "78.30"
  double value = 0;      ///< 78.3
  double half_unit = 0;  ///< 0.005
};
/// Throws Error 65 if the text is not a plain decimal number.
PrintedNumber parse_printed(const std::string& text);

struct PrintedCell {
  PrintedNumber mean;
  std::optional<PrintedNumber> sd;  ///< empty if the table prints none
  std::optional<bool> bold;         ///< empty if unknown
};

/// A table of Dice as a paper prints it.
struct PrintedTable {
  TableSpec spec;  ///< `trials`: what mean and SD are over; 0 if not stated
  std::vector<std::vector<PrintedCell>> cells;  ///< [row][column]

  /// The cell of a method in the column with the same task, target, bucket and fraction; null if
  /// the table has none.
  [[nodiscard]] const PrintedCell* find(const std::string& method, const TableColumn& column) const;
};

/// One row of a table of data sets.
struct PrintedDataset {
  std::string dataset, label;
  std::string cases;  ///< "623", "190x4"
  std::string modality, organ, median_shape;
  std::vector<std::string> cubes;       ///< per scale, in the order printed
  [[nodiscard]] long patients() const;  ///< first factor of `cases`: patients or scans
  [[nodiscard]] long volumes() const;   ///< product of `cases`; Error 65 above 10^12
  [[nodiscard]] std::vector<long> cube_counts() const;
};

/// Columns that show one test set by tumour size: the whole is the mean of the parts, weighted by
/// their cases.
struct BucketGroup {
  std::string task, target, fraction = "1";
  std::vector<std::string> parts;  ///< {"S", "M", "L"}
  std::string whole;               ///< "all"
  int cases = 0;                   ///< test cases that the paper states or implies; 0: unknown
  std::string cases_source;        ///< where it says so
};

/// A paper's printed tables: a folder with paper.toml and one TOML file per table.
struct Paper {
  std::filesystem::path folder;
  std::string id, title, citation, reference;
  std::vector<PrintedTable> tables;
  std::string data_table;  ///< id of the table of data sets; empty if there is none
  std::vector<PrintedDataset> datasets;
  std::vector<BucketGroup> bucket_groups;

  [[nodiscard]] const PrintedTable* find(const std::string& table) const;
};

/// Throws Error 66 if the folder or a table is not there, Error 65 listing every fault of all files
/// with file and place: missing fields, rows and columns that do not fit, cells that are not
/// numbers.
Paper read_paper(const std::filesystem::path& folder);

/// The printed numbers as a table with tests from mean, SD and n. Rows and columns are those of
/// `spec` where it names them, so that printed and measured numbers lie side by side; what the
/// paper does not print stays empty.
Table published_table(const PrintedTable& printed,
                      const TableSpec& spec,
                      const TableOptions& options);

}  // namespace sar
