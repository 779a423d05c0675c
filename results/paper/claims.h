#pragma once

#include "harness/core/json.h"
#include "results/paper/cells.h"

#include <functional>
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
  /// What it asks of the numbers: "equals", "greater", ... Each is a file in results/claims/kinds/.
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
  Json own;            ///< fields that its kind alone knows, as in the file
  std::string file;    ///< where it was read
};

/// What the entry of a claim of one kind must and may say, beside id, section, statement, kind and
/// reason. Fields of `Claim` are read and checked for every kind alike; others end up in `own`.
struct ClaimForm {
  std::string kind;
  std::vector<std::string> needed = {}, optional = {};
  /// `columns` may be those of other tables than `table`: label fractions of a task are printed
  /// apart from all of its labels.
  bool columns_of_any_table = false;
  /// What else is wrong with an entry and the claim that was read from it, each fault as a
  /// sentence; may be empty. The entry may lack what it needs, and its fields may be of any type.
  std::function<std::vector<std::string>(const Claim& claim, const Json& entry)> faults = {};
};

/// All claims of a paper's folder, in the order of file names and places; none if the folder has no
/// claims/. Throws Error 65 listing every fault with file and place: kinds without a form and
/// unknown fields (with the nearest), missing ones, cells and columns that no table has, ids given
/// twice. Without any form, every kind may have every field. `read_claims` in
/// results/claims/claim_verdicts.h knows the forms.
std::vector<Claim> read_claim_files(const Paper& paper, const std::vector<ClaimForm>& forms);

}  // namespace sar
