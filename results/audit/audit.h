#pragma once

#include "harness/core/json.h"
#include "results/document/sheet.h"
#include "results/paper/claims.h"
#include "results/paper/paper.h"

#include <set>
#include <string>
#include <vector>

namespace sar {

/// note: worth a look, may well be chance. inconsistent: printed numbers that cannot hold together
/// under what the message names. error: a number that cannot be, whatever else holds.
enum class Severity { note, inconsistent, error };
std::string to_string(Severity severity);

/// One thing that an audit found. Arithmetic findings hold in the whole closed box of rounding
/// intervals: no numbers that round to the printed ones are consistent. Findings by comparing texts
/// (duplicate-cell, cross-table, bold-best, and text-vs-table at equal decimals) do not need that.
struct Finding {
  /// "duplicate-cell:brats/tumor/L:genesis+rpl"; unique within an audit, the same in every run.
  std::string id;
  std::string check;  ///< "duplicate-cell": a file in results/audit/checks/
  Severity severity = Severity::note;
  /// What it is about. A cell of the table of data sets is TABLE/DATASET/COLUMN
  /// ("table1/luna/cubes", columns cases and cubes), a number in the text is "text/CLAIM".
  std::vector<std::string> cells;
  std::string message;  ///< with the arithmetic, in plain text
  Json values;
  /// Ids of findings of earlier checks that doubt one of its cells, which the message repeats.
  std::vector<std::string> rests_on;
  /// Those of `cells` that this finding gives a reason to doubt.
  std::vector<std::string> doubts;
};

/// What a check did, with its arithmetic, also where it found nothing.
struct CheckReport {
  std::string check;
  std::string status;  ///< "checked" | "not applicable" | "not checked" (too much to try)
  std::string summary;
  Json values;
  std::vector<Sheet> sheets;  ///< arithmetic that is best read as a table
};

struct Audit {
  std::string paper, title;
  std::vector<CheckReport> checks;  ///< all of them, always in the same order
  std::vector<Finding> findings;    ///< by severity, then in the order of the checks
  std::set<std::string> doubted;    ///< cells that some finding doubts

  [[nodiscard]] int count(Severity severity) const;
};

struct AuditOptions {
  double alpha = 0.05;       ///< level of the t-tests, in (0, 1)
  bool alpha_given = false;  ///< use `alpha` also where the paper names a level of its own
};

/// Checks the printed numbers of a paper against each other and against its `claims` (of the kinds
/// equals, difference, significant, count, ratio and split; others are ignored). Needs no data and
/// no runs. Throws Error 2 for an alpha out of range.
Audit audit(const Paper& paper, const std::vector<Claim>& claims, const AuditOptions& options = {});

}  // namespace sar
