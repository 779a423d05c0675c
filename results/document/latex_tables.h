#pragma once

#include "results/document/grid.h"

#include <string>
#include <vector>

namespace sar {

/// The grid as one or more LaTeX tables, for a document that uses booktabs and nothing else, with
/// the text width of article. What is too wide gets smaller type and narrower gaps, then broken
/// lines in its text columns, then further tables for some of its groups or columns; what is too
/// long for a page goes on in further tables. `caption` is
/// plain text of several sentences, of which a further table repeats the first alone; `note` is
/// LaTeX that follows that first one. `label`: of the first table, after "tab:".
std::string latex_tables(const std::vector<std::string>& caption,
                         const std::string& note,
                         const std::string& label,
                         const Grid& grid);

/// The line that says what a document needs for these tables.
std::string latex_needs();

}  // namespace sar
