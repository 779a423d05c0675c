#pragma once

#include "results/paper/cells.h"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sar {

/// A set of comparisons whose p values are corrected together.
struct ClaimFamily {
  std::string name;                 ///< "prior methods"
  std::vector<std::string> versus;  ///< methods
};

/// One sentence of a paper that claims something, as a predicate over numbers. Read from
/// claims/*.toml of the paper's folder; docs/claims.md says what each kind means.
struct Claim {
  std::string id;         ///< "dice-brats"
  std::string section;    ///< "abstract", "1", "3.2.1", "4.0.2", "table2"
  std::string statement;  ///< a paraphrase
  /// equals        a number in the text is the value of a cell
  /// difference    a number in the text is the difference of two cells
  /// greater       a method's mean is above those of `versus` in each column
  /// significant   the same comparisons are significant at `alpha`, but for `except`
  /// largest-gain  the gain of `method` over `versus` is largest in `columns.front()` of `columns`
  /// decreasing    the mean falls from column to column of each task, for `method` and `versus`
  /// annotation    with a share `1 - saving` of the labels, `method` is at least as good as
  ///               `versus` with all of them, in each of `columns` (at fraction 1)
  /// count         a number in the text follows from the table of data sets; of `tasks`: is the
  ///               number of their cases
  /// ratio         the cube counts of each data set are in this ratio, in some order
  /// split         `number` cases in this ratio leave the first part to the data set of `where`
  /// best          bold marks are where the largest mean of each column of a table is
  /// converges     `method` reaches its final loss in fewer steps than each of `versus`
  /// lower-loss    the final loss of `method` is below those of `versus`
  /// volumes       the test tumours reach from below `number` to above `other_number` voxels
  /// unseen        no test case of `tasks` is among the pre-training cases
  /// not-testable  no number at hand can show it; `reason` says why
  std::string kind;
  std::string table;                  ///< table that the comparisons are in
  std::string method;                 ///< method that the sentence is about
  std::vector<std::string> versus;    ///< methods; "others" in the file is every other row
  std::vector<std::string> columns;   ///< "brats/tumor/all"; default: every column of the table
  std::vector<std::string> tasks;     ///< "brats"
  std::vector<CellPath> cells;        ///< equals: one; difference: minuend and subtrahend
  std::vector<CellPath> except;       ///< significant: comparisons that are said not to be
  std::vector<ClaimFamily> families;  ///< significant: corrected over each; default: `versus` alone
  std::optional<PrintedNumber> number, other_number;
  std::optional<double> alpha;  ///< level that the paper names
  std::string what;  ///< count: cases | volumes | datasets | modalities | organs | scales | cubes
  std::map<std::string, std::string> where;   ///< count, split: only rows with these values
  std::map<std::string, std::string> regard;  ///< count: values that are counted as another
  std::vector<long> ratio;
  std::string saving;  ///< "1/2"
  std::string reason;  ///< why it is not testable; else how the sentence is read
  std::string file;    ///< where it was read
};

/// All claims of a paper's folder, in the order of file names and places; none if the folder has no
/// claims/. Throws Error 65 listing every fault with file and place: unknown kinds and fields (with
/// the nearest), missing ones, cells and columns that no table has, ids given twice.
std::vector<Claim> read_claims(const Paper& paper);

}  // namespace sar
