#pragma once

#include "harness/core/json.h"
#include "results/paper/cells.h"
#include "results/tables/table.h"

#include <string>
#include <vector>

// Names and texts that several parts of the page use.

namespace sar {

/// A name that is safe as file name and as HTML id: letters, digits, '-', '_' and '.', the last not
/// in front; equal names stay equal, different ones stay different.
std::string safe_name(const std::string& text);

/// Lines as a list of the template: [{"text": line}, ...].
Json texts(const std::vector<std::string>& lines);

/// "after Holm", "without correction".
std::string corrected_by(const std::string& correction);

CellPath path_of(const Table& table, std::size_t row, const TableCell& cell);
/// Id of a cell's place in the page; `source`: measured | published.
std::string cell_anchor(const std::string& source, const std::string& path);

}  // namespace sar
