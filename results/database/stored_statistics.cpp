#include "results/database/stored_statistics.h"

#include "harness/core/error.h"
#include "results/database/row_reader.h"

namespace sar {
namespace {

constexpr auto kTrialDice = columns<TrialDice>(column("t.method", &TrialDice::method),
                                               column("t.task", &TrialDice::task),
                                               column("t.fraction", &TrialDice::fraction),
                                               column("t.target", &TrialDice::target),
                                               column("t.bucket", &TrialDice::bucket),
                                               column("t.trial", &TrialDice::trial),
                                               column("t.n_cases", &TrialDice::cases),
                                               column("t.dice", &TrialDice::dice),
                                               column("c.evaluate_node", &TrialDice::evaluation));

constexpr auto kCaseDice =
    columns<StoredCaseDice>(column("case_id", &StoredCaseDice::case_id),
                            column("target", &StoredCaseDice::target),
                            column("bucket", &StoredCaseDice::bucket),
                            column("volume_mm3", &StoredCaseDice::volume_mm3),
                            column("dice", &StoredCaseDice::dice),
                            column("voxels_both", &StoredCaseDice::voxels_both),
                            column("voxels_predicted", &StoredCaseDice::voxels_predicted),
                            column("voxels_true", &StoredCaseDice::voxels_true));

constexpr auto kTrialMean = columns<TrialMean>(column("target", &TrialMean::target),
                                               column("bucket", &TrialMean::bucket),
                                               column("n_cases", &TrialMean::cases),
                                               column("dice", &TrialMean::dice),
                                               column("pooled_dice", &TrialMean::pooled));

constexpr auto kSummary = columns<Summary>(
    column("n_trials", &Summary::n), column("mean", &Summary::mean), column("sd", &Summary::sd));

constexpr auto kCellStatistic =
    columns<CellStatistic>(column("method", &CellStatistic::method),
                           column("task", &CellStatistic::task),
                           column("fraction", &CellStatistic::fraction),
                           column("target", &CellStatistic::target),
                           column("bucket", &CellStatistic::bucket),
                           inner("", &CellStatistic::summary, kSummary));

constexpr auto kTest = columns<StoredTest>(column("family", &StoredTest::family),
                                           column("task", &StoredTest::task),
                                           column("target", &StoredTest::target),
                                           column("bucket", &StoredTest::bucket),
                                           column("fraction", &StoredTest::fraction),
                                           column("method", &StoredTest::method),
                                           column("versus", &StoredTest::versus),
                                           column("test", &StoredTest::test),
                                           column("t", &StoredTest::t),
                                           column("df", &StoredTest::df),
                                           column("p", &StoredTest::p),
                                           column("p_adjusted", &StoredTest::p_adjusted),
                                           column("hedges_g", &StoredTest::hedges_g),
                                           column("ci_low", &StoredTest::g_low),
                                           column("ci_high", &StoredTest::g_high));

}  // namespace

std::vector<TrialDice> read_trial_dice(SQLite::Database& db, const std::string& protocol) {
  return select_all(
      db,
      kTrialDice,
      "FROM v_trial_dice t "
      "JOIN cell c USING (protocol, method, task, fraction, trial) WHERE protocol = ? "
      "ORDER BY t.method, t.task, t.fraction, t.target, t.bucket, t.trial",
      protocol);
}

std::vector<StoredCaseDice> read_case_dice(SQLite::Database& db, const std::string& node) {
  return select_all(db, kCaseDice, "FROM case_dice WHERE node = ? ORDER BY target, case_id", node);
}

std::vector<TrialMean> read_trial_means(SQLite::Database& db, const std::string& node) {
  return select_all(db, kTrialMean, "FROM trial_dice WHERE node = ?", node);
}

ProtocolStatistics read_statistics(SQLite::Database& db, const std::string& protocol) {
  return {select_all(db, kCellStatistic, "FROM cell_statistic WHERE protocol = ?", protocol),
          select_all(db, kTest, "FROM ttest WHERE protocol = ?", protocol)};
}

ProtocolStatistics computed_statistics(SQLite::Database& db, const std::string& protocol) {
  std::vector<TableSpec> families;
  for (const std::string& spec :
       select_texts(db, "SELECT spec FROM family WHERE protocol = ? ORDER BY family", protocol)) {
    families.push_back(table_spec_from(Json::parse(spec)));
  }
  return protocol_statistics(read_trial_dice(db, protocol), families);
}

void replace_cases(SQLite::Database& db,
                   const std::string& node,
                   const std::vector<StoredCaseDice>& cases) {
  statement(db, "DELETE FROM case_dice WHERE node = ?", node).exec();
  statement(db, "DELETE FROM trial_dice WHERE node = ?", node).exec();
  Insert(db, "INSERT INTO case_dice", {"node", node}, kCaseDice).put(cases);
  Insert(db, "INSERT INTO trial_dice", {"node", node}, kTrialMean).put(trial_means(cases));
}

void renew_statistics(SQLite::Database& db, const std::string& protocol) {
  if (!statement(db, "SELECT 1 FROM protocol WHERE protocol = ?", protocol).executeStep()) {
    throw internal_error("statistics of an unknown protocol").with("protocol", protocol);
  }
  const ProtocolStatistics now = computed_statistics(db, protocol);
  statement(db, "DELETE FROM cell_statistic WHERE protocol = ?", protocol).exec();
  statement(db, "DELETE FROM ttest WHERE protocol = ?", protocol).exec();
  Insert(db, "INSERT INTO cell_statistic", {"protocol", protocol}, kCellStatistic).put(now.cells);
  // A table may show one cell in two columns; its test is stored once.
  Insert(db, "INSERT OR REPLACE INTO ttest", {"protocol", protocol}, kTest).put(now.tests);
}

void renew_statistics_of_node(SQLite::Database& db, const std::string& evaluate_node) {
  for (const std::string& protocol : select_texts(
           db, "SELECT DISTINCT protocol FROM cell WHERE evaluate_node = ?", evaluate_node)) {
    renew_statistics(db, protocol);
  }
}

}  // namespace sar
