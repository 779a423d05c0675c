#include "results/database/protocol_choice.h"

#include "harness/core/error.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>

namespace sar {
namespace {

/// A protocol with a planned trial of what is asked about.
struct Candidate {
  std::string protocol;
  std::set<CellGroup> planned;
  int done = 0, open = 0;
  std::string ended;        ///< the last trial that is done
  std::string active;       ///< when a trial last began, ended or failed; empty: none has begun
  std::int64_t stored = 0;  ///< higher: the protocol was stored later
  std::int64_t first_planned = 0, last_planned = 0;  ///< places of its trials among all

  [[nodiscard]] bool complete(const std::set<CellGroup>& groups) const {
    return open == 0 && (groups.empty() || planned.size() == groups.size());
  }
};

bool is_done(const CellState& cell) {
  return cell.state == "done";
}

/// In the order in which their first trials were planned. `groups`: none given means all.
std::vector<Candidate> candidates_of(const std::vector<CellState>& cells,
                                     const std::set<CellGroup>& groups,
                                     bool (*counts)(const CellState&)) {
  std::vector<Candidate> candidates;
  std::int64_t place = 0;
  for (const CellState& cell : cells) {
    ++place;
    const CellGroup group{cell.method, cell.task, cell.fraction};
    if (!groups.empty() && !groups.contains(group)) {
      continue;
    }
    auto found = std::ranges::find(candidates, cell.protocol, &Candidate::protocol);
    if (found == candidates.end()) {
      Candidate candidate;
      candidate.protocol = cell.protocol;
      candidate.stored = cell.protocol_row;
      candidate.first_planned = place;
      candidates.push_back(std::move(candidate));
      found = candidates.end() - 1;
    }
    found->planned.insert(group);
    found->last_planned = place;
    if (counts(cell)) {
      ++found->done;
      found->ended = std::max(found->ended, cell.ended);
    } else {
      ++found->open;
    }
    if (cell.state != "pending") {
      found->active = std::max({found->active, cell.started, cell.ended});
    }
  }
  return candidates;
}

/// The newest complete one, else the newest with a result; `later` decides between equal ends.
ProtocolChoice newest_of(std::vector<Candidate> candidates,
                         const std::set<CellGroup>& groups,
                         std::int64_t Candidate::*later) {
  std::erase_if(candidates, [](const Candidate& each) { return each.done == 0; });
  const auto newest = std::ranges::max_element(candidates, {}, [&](const Candidate& each) {
    return std::tuple(each.complete(groups), each.ended, each.*later);
  });
  return newest == candidates.end()
             ? ProtocolChoice{}
             : ProtocolChoice{newest->protocol, newest->complete(groups), {}};
}

}  // namespace

ProtocolChoice protocol_to_show(const std::vector<CellState>& cells, const TableSpec& table) {
  std::set<CellGroup> groups;
  for (const TableRow& row : table.rows) {
    for (const TableColumn& column : table.columns) {
      groups.emplace(row.method, column.task, column.fraction);
    }
  }
  if (groups.empty()) {
    return {};
  }
  const auto is_evaluated = [](const CellState& cell) { return cell.evaluated; };
  return newest_of(candidates_of(cells, groups, is_evaluated), groups, &Candidate::stored);
}

ProtocolChoice protocol_to_freeze(const std::vector<CellState>& cells,
                                  const std::set<CellGroup>& groups) {
  return newest_of(candidates_of(cells, groups, is_done), groups, &Candidate::first_planned);
}

ProtocolChoice protocol_to_compare(const std::vector<CellState>& cells) {
  return newest_of(candidates_of(cells, {}, is_done), {}, &Candidate::last_planned);
}

ProtocolChoice protocol_to_check(const std::vector<CellState>& cells,
                                 const std::set<CellGroup>& groups) {
  ProtocolChoice choice;
  std::string active;
  for (const Candidate& each : candidates_of(cells, groups, is_done)) {
    if (each.active.empty()) {
      choice.newer = each.protocol;
    } else if (each.active >= active) {
      choice = {each.protocol, each.complete(groups), {}};
      active = each.active;
    }
  }
  return choice;
}

std::string protocol_of_pretraining(const std::vector<PretrainingState>& pretrainings,
                                    const std::vector<std::string>& methods) {
  std::map<std::string, std::pair<std::set<std::string>, std::string>> found;  // methods, last end
  for (const PretrainingState& each : pretrainings) {
    if (std::ranges::find(methods, each.method) != methods.end()) {
      auto& [trained, ended] = found[each.protocol];
      trained.insert(each.method);
      ended = std::max(ended, each.ended);
    }
  }
  const auto newest = std::ranges::max_element(found, {}, [](const auto& entry) {
    return std::pair(entry.second.first.size(), entry.second.second);
  });
  return newest == found.end() ? std::string() : newest->first;
}

std::string protocol_of_survey(const std::vector<SurveyState>& surveys) {
  const SurveyState* newest = nullptr;
  for (const SurveyState& each : surveys) {
    if (newest == nullptr || each.ended >= newest->ended) {
      newest = &each;
    }
  }
  return newest == nullptr ? std::string() : newest->protocol;
}

ProtocolRow named_protocol(const Store& store,
                           const std::string& key,
                           const std::string& database) {
  if (auto row = store.protocol(key)) {
    return *std::move(row);
  }
  Error error(ExitCode::results_missing, "no such protocol in the database");
  error.with("protocol", key);
  if (!database.empty()) {
    error.with("database", database);
  }
  throw std::move(error).hint("sar-bench list runs" +
                              (database.empty() ? "" : " --db " + database) +
                              " shows the protocols");
}

std::optional<ProtocolRow> newest_protocol(const Store& store, const TableSpec& table) {
  return newest_protocol(store, std::vector<TableSpec>{table});
}

std::optional<ProtocolRow> newest_protocol(const Store& store,
                                           const std::vector<TableSpec>& tables) {
  const std::vector<CellState> cells = store.cell_states();
  for (const TableSpec& table : tables) {
    if (const ProtocolChoice choice = protocol_to_show(cells, table); !choice.protocol.empty()) {
      return store.protocol(choice.protocol);
    }
  }
  return std::nullopt;
}

std::optional<ProtocolRow> newest_stored_protocol(const Store& store) {
  const std::vector<std::string> keys = store.protocols();
  return keys.empty() ? std::nullopt : store.protocol(keys.back());
}

}  // namespace sar
