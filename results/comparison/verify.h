#pragma once

#include "results/paper/cells.h"
#include "results/statistics/rank_agreement.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sar {

/// What stored runs say of one published cell; decided in the order of `verify`.
enum class Reproduction {
  reproduced,    ///< the two means are shown to lie within the margin of each other
  compatible,    ///< no difference is shown, and one as large as the margin would have been
  different,     ///< the two means are shown to differ
  underpowered,  ///< no difference is shown, nor would one as large as the margin have been
  missing,       ///< no finished trial
  not_testable,  ///< see `reasons`
};
/// "reproduced", ..., "not-testable"
std::string to_string(Reproduction verdict);

struct VerifyOptions {
  double alpha = 0.05;              ///< level of every test, in (0, 1)
  double margin = 2;                ///< Dice points within which two means count as equal, > 0
  double power = 0.8;               ///< power below which a cell is underpowered, in (0, 1)
  std::string test = "welch";       ///< welch | student; also of the equivalence test
  std::string correction = "holm";  ///< holm | bh | none, over the tested cells of one table
};

struct VerifiedCell {
  CellPath path;
  Summary published;                ///< n = 0: not printed
  std::optional<Summary> measured;  ///< empty: no finished trial
  Reproduction verdict = Reproduction::missing;
  std::vector<std::string> reasons;  ///< why it is not testable
  std::optional<double> difference;  ///< measured - published, Dice points
  // Of tested cells only:
  std::optional<TTest> test;               ///< of measured - published
  std::optional<double> p_adjusted;        ///< of `test`, over the tested cells of the table
  std::optional<Equivalence> equivalence;  ///< within ±margin
  std::optional<double>
      power;  ///< of Student's test at alpha, if the true difference is the margin
  /// same | opposite: sign of row - reference, measured against published; tied: one of the two is
  /// exactly 0. Empty for the reference row and where a mean is missing.
  std::string direction;
};

/// How the rows of one column compare; no verdict rests on it.
struct VerifiedColumn {
  std::string table, column;  ///< "table2", "brats/tumor/L"
  int methods = 0;            ///< rows with a published and a measured mean
  int compared = 0;           ///< of these, those beside the reference with a direction
  int same_direction = 0;     ///< of `compared`
  RankAgreement ranks;        ///< of the published with the measured means of `methods`
};

struct Verification {
  std::string paper, title;
  std::string protocol, profile, data_kind;  ///< of the stored runs
  VerifyOptions options;
  std::vector<VerifiedCell> cells;      ///< by table, column, row, as printed
  std::vector<VerifiedColumn> columns;  ///< by table
  std::vector<std::string> tables;

  /// How many cells of a table (empty: of all) have this verdict.
  [[nodiscard]] int count(Reproduction verdict, const std::string& table = {}) const;
};

/// One verdict for each cell of every table of Dice of a paper, the first of these that applies:
///   not-testable  the runs are of phantom data, the paper prints no SD or no n of at least 2, the
///                 cell is one of `doubted` (paths as `CellPath::text` writes them)
///   missing       no finished trial
///   not-testable  fewer than two trials, or no spread in either
///   reproduced    two one-sided tests at alpha show a difference within ±margin
///   different     corrected p of the two-sided test is below alpha
///   underpowered  power of Student's test, at alpha before correction, is below `power` at a true
///                 difference of the margin and the pooled SD of both (a choice of ours)
///   compatible    otherwise
/// The margin is a choice of the reader's, and trials count as independent, folds included.
/// Throws Error 2 for options out of range.
Verification verify(const Paper& paper,
                    const CellSource& measured,
                    const std::set<std::string>& doubted,
                    const VerifyOptions& options = {});

}  // namespace sar
