#pragma once

// Which protocol's results a command is about.

#include "results/database/rows.h"
#include "results/database/store.h"
#include "results/database/table_spec.h"

#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace sar {

using CellGroup = std::tuple<std::string, std::string, std::string>;  ///< method, task, fraction

struct ProtocolChoice {
  std::string protocol;   ///< empty: no result at all
  bool complete = false;  ///< every trial that is planned for what was asked about is done
  std::string newer;      ///< planned later, and no trial of it has begun; empty if there is none
};

// `cells` in the order of `Store::cell_states`. Trials that protocols share end at the same time in
// all of them: the last words below are about that.

/// To show a table: the newest protocol under which every (method, task, fraction) of it was
/// planned and all trials planned for it are evaluated; else the newest with any result for it.
/// Newest: with the evaluation that ended last, then the one stored last.
ProtocolChoice protocol_to_show(const std::vector<CellState>& cells, const TableSpec& table);
/// To freeze `groups` (if none are given: all) as a baseline: the newest protocol under which all
/// of them were planned and every planned trial of them is done; else the newest with any result of
/// them. Newest: with the run that ended last, then the one whose first trial was planned last.
ProtocolChoice protocol_to_freeze(const std::vector<CellState>& cells,
                                  const std::set<CellGroup>& groups);
/// To compare with another database: the newest protocol under which every planned trial is done;
/// else the newest with any result. Newest: with the run that ended last, then the one whose last
/// trial was planned last.
ProtocolChoice protocol_to_compare(const std::vector<CellState>& cells);
/// To check against a baseline of `groups`: the one with the newest trial of them, complete or not;
/// a gate that took an older one because the newest has a gap would compare old results with
/// themselves. Newest: with the trial that began, ended or failed last, then the one whose first
/// trial was planned last.
ProtocolChoice protocol_to_check(const std::vector<CellState>& cells,
                                 const std::set<CellGroup>& groups);

/// Newest protocol under which all these methods are pre-trained; else the newest with any of them;
/// empty if there is none.
std::string protocol_of_pretraining(const std::vector<PretrainingState>& pretrainings,
                                    const std::vector<std::string>& methods);
/// Protocol of the count of the data that ended last; empty if there is none.
std::string protocol_of_survey(const std::vector<SurveyState>& surveys);

/// The protocol that a user names by its key or a unique prefix of it. Throws Error 4 if there is
/// none, Error 2 if several keys begin so. `database`: which one, where a command reads several.
ProtocolRow named_protocol(const Store& store,
                           const std::string& key,
                           const std::string& database = {});
/// As `protocol_to_show`, from the database.
std::optional<ProtocolRow> newest_protocol(const Store& store, const TableSpec& table);
/// The same of the first of several tables that has any result.
std::optional<ProtocolRow> newest_protocol(const Store& store,
                                           const std::vector<TableSpec>& tables);
/// The one that was stored last, with results or not.
std::optional<ProtocolRow> newest_stored_protocol(const Store& store);

}  // namespace sar
