#include "results/database/integrity.h"

#include "results/database/row_reader.h"
#include "results/database/stored_statistics.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>

namespace sar {
namespace {

/// Numbers by the texts that name their row; for comparing what is stored with what it should be.
using NamedNumbers = std::map<std::vector<std::string>, std::vector<std::optional<double>>>;

bool same_number(const std::optional<double>& a, const std::optional<double>& b) {
  constexpr double kTolerance = 1e-9;  // another machine's mathematical library may differ a little
  return a.has_value() == b.has_value() &&
         (!a || std::abs(*a - *b) <= kTolerance * std::max(1.0, std::abs(*a)));
}

void add(NamedNumbers& numbers, const std::string& node, const std::vector<TrialMean>& means) {
  for (const TrialMean& mean : means) {
    numbers[{node, mean.target, mean.bucket}] = {mean.cases, mean.dice, mean.pooled};
  }
}

void add(NamedNumbers& numbers,
         const std::string& protocol,
         const std::vector<CellStatistic>& cells) {
  for (const CellStatistic& c : cells) {
    numbers[{protocol, c.method, c.task, c.fraction, c.target, c.bucket}] = {
        c.summary.n, c.summary.mean, c.summary.sd};
  }
}

void add(NamedNumbers& numbers, const std::string& protocol, const std::vector<StoredTest>& tests) {
  for (const StoredTest& t : tests) {
    numbers[{
        protocol, t.family, t.task, t.target, t.bucket, t.fraction, t.method, t.versus, t.test}] = {
        t.t, t.df, t.p, t.p_adjusted, t.hedges_g, t.g_low, t.g_high};
  }
}

void compare(const NamedNumbers& stored,
             const NamedNumbers& now,
             const std::string& what,
             std::vector<std::string>& faults) {
  std::set<std::vector<std::string>> names;
  for (const auto* side : {&stored, &now}) {
    for (const auto& [name, numbers] : *side) {
      names.insert(name);
    }
  }
  for (const std::vector<std::string>& name : names) {
    const auto left = stored.find(name);
    const auto right = now.find(name);
    if (left == stored.end() || right == now.end() ||
        !std::ranges::equal(left->second, right->second, same_number)) {
      faults.push_back(fmt::format(
          "stored {} are not those of the stored cases: {}", what, fmt::join(name, " ")));
    }
  }
}

struct Orphan {
  std::string table, parent;
};
constexpr auto kOrphan =
    columns<Orphan>(column("\"table\"", &Orphan::table), column("parent", &Orphan::parent));

/// What SQLite itself sees, and rows that need others which are not there.
void find_broken_rows(SQLite::Database& db, std::vector<std::string>& faults) {
  const auto add_all = [&](const char* fault, const char* sql) {
    for (const std::string& each : select_texts(db, sql)) {
      faults.push_back(fmt::format(fmt::runtime(fault), each));
    }
  };
  for (const std::string& line : select_texts(db, "PRAGMA integrity_check")) {
    if (line != "ok") {
      faults.push_back("integrity: " + line);
    }
  }
  for (const Orphan& orphan : select_all(db, kOrphan, "FROM pragma_foreign_key_check")) {
    faults.push_back(
        fmt::format("a row of {} refers to a missing row of {}", orphan.table, orphan.parent));
  }
  add_all("evaluation {} is done but has no case",
          "SELECT key FROM node WHERE kind = 'evaluate' AND state = 'done' AND key NOT IN "
          "(SELECT node FROM case_dice)");
  add_all("cell {} is evaluated but its fine-tuning is missing",
          "SELECT c.cell_key FROM cell c JOIN node e ON e.key = c.evaluate_node "
          "AND e.state = 'done' WHERE c.finetune_node NOT IN (SELECT key FROM node)");
  add_all("node {} has failed but its failure is not kept",
          "SELECT key FROM node WHERE state = 'failed' AND started IS NOT NULL AND key NOT IN "
          "(SELECT node FROM failure) ORDER BY key");
}

void find_missing_products(SQLite::Database& db, std::vector<std::string>& faults) {
  for (const std::string& path : select_texts(
           db, "SELECT path FROM node WHERE state = 'done' AND path IS NOT NULL ORDER BY path")) {
    std::error_code unreadable;
    if (!std::filesystem::exists(path, unreadable)) {
      faults.push_back("a product is missing: " + path);
    }
  }
}

/// Kept means and statistics that are not those of the stored cases.
void find_stale_statistics(SQLite::Database& db, std::vector<std::string>& faults) {
  NamedNumbers kept_means;
  NamedNumbers means;
  for (const std::string& node :
       select_texts(db, "SELECT node FROM case_dice UNION SELECT node FROM trial_dice")) {
    add(kept_means, node, read_trial_means(db, node));
    add(means, node, trial_means(read_case_dice(db, node)));
  }
  compare(kept_means, means, "trial means", faults);
  NamedNumbers kept_cells;
  NamedNumbers cells;
  NamedNumbers kept_tests;
  NamedNumbers tests;
  for (const std::string& protocol :
       select_texts(db,
                    "SELECT protocol FROM protocol UNION SELECT protocol FROM cell_statistic "
                    "UNION SELECT protocol FROM ttest")) {
    const ProtocolStatistics kept = read_statistics(db, protocol);
    const ProtocolStatistics now = computed_statistics(db, protocol);
    add(kept_cells, protocol, kept.cells);
    add(kept_tests, protocol, kept.tests);
    add(cells, protocol, now.cells);
    add(tests, protocol, now.tests);
  }
  compare(kept_cells, cells, "cell statistics", faults);
  compare(kept_tests, tests, "t-tests", faults);
}

}  // namespace

std::vector<std::string> find_faults(SQLite::Database& db) {
  std::vector<std::string> faults;
  find_broken_rows(db, faults);
  find_missing_products(db, faults);
  find_stale_statistics(db, faults);
  return faults;
}

}  // namespace sar
