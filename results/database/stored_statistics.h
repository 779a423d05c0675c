#pragma once

// What the database keeps of trials and computes from them; for the sources of this room.

#include "results/database/cell_statistics.h"
#include "results/database/rows.h"
#include "results/database/trial_means.h"

#include <string>
#include <vector>

namespace SQLite {
class Database;
}

namespace sar {

/// As `Store::trial_dice`.
std::vector<TrialDice> read_trial_dice(SQLite::Database& db, const std::string& protocol);
/// Cases of an evaluation, by target and case.
std::vector<StoredCaseDice> read_case_dice(SQLite::Database& db, const std::string& node);
/// The trial means that are kept of an evaluation.
std::vector<TrialMean> read_trial_means(SQLite::Database& db, const std::string& node);
/// The statistics that are kept of a protocol.
ProtocolStatistics read_statistics(SQLite::Database& db, const std::string& protocol);
/// What they should be.
ProtocolStatistics computed_statistics(SQLite::Database& db, const std::string& protocol);

/// Replaces the cases of an evaluation and their means; within a transaction.
void replace_cases(SQLite::Database& db,
                   const std::string& node,
                   const std::vector<StoredCaseDice>& cases);
/// Replaces the kept statistics of a protocol by computed ones; within a transaction. Throws Error
/// 70 if the protocol is not stored.
void renew_statistics(SQLite::Database& db, const std::string& protocol);
/// The same for every protocol with a cell that an evaluation belongs to.
void renew_statistics_of_node(SQLite::Database& db, const std::string& evaluate_node);

}  // namespace sar
