#pragma once

#include "results/document/document.h"
#include "results/document/sheet.h"
#include "results/tables/table.h"

#include <string>
#include <vector>

namespace sar {

/// The cell at `row` and `column`, both within the table: two decimals, marks as `table_notes`
/// explains them.
CellText cell_text(const Table& table, std::size_t row, std::size_t column);

/// Sentences that belong to a table in every laid-out format: what the numbers are, n, the test and
/// its marks, gaps, columns of the same runs, failed trials, protocol, *phantom data* if it is.
/// `best_mark` says how the reader knows the best value of a column ("*", "bold").
std::vector<std::string> table_notes(const Table& table, const std::string& best_mark);

/// The tests of a table against its reference row, a line each, as they stand below the table; no
/// rows if nothing was compared. Without a JSON document: the table's own has the numbers.
Sheet test_sheet(const Table& table);

/// What the trainings of each row were given, as it stands below a measured table; no rows where
/// that was not asked for.
Sheet budget_sheet(const Table& table);

/// The table as the paper lays it out, then its tests against the reference row, then what each row
/// was given; a caption names n, the test, alpha, correction, controls, protocol, failed trials,
/// and *phantom data* if it is. CSV: one line per cell; JSON: shape of the product contract,
/// section 6; both with unrounded numbers.
Document document_of(const Table& table);

/// Measured and published numbers of one table: in JSON as two objects in each cell, in CSV as
/// lines of either source, otherwise each method in two lines of one table.
Document document_of(const Table& measured, const Table& published);

}  // namespace sar
