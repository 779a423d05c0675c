#pragma once

#include "results/audit/audit.h"

#include <string>
#include <utility>
#include <vector>

namespace sar::audit_test {

/// "85.62±1.27" or "85.62".
PrintedCell printed_cell(const std::string& text);

/// Method and its cells.
using Rows = std::vector<std::pair<std::string, std::vector<std::string>>>;

/// `columns` as "task/target/bucket" or "task/target/bucket/1/2".
PrintedTable printed_table(const std::string& id,
                           const std::vector<std::string>& columns,
                           const Rows& rows,
                           int trials = 5);

/// Its reference is "ours".
Paper paper_of(const std::vector<PrintedTable>& tables);

inline const std::vector<std::string> kBuckets{
    "brain/tumor/S", "brain/tumor/M", "brain/tumor/L", "brain/tumor/all"};

/// One column, "x/y/all", of the rows "a" and "ours".
Paper compared_paper(const std::string& row, const std::string& ours, int trials = 5);

/// Ten cases split 2, 5, 3: each last mean is (2 S + 5 M + 3 L) / 10, worked by hand.
Rows weighted_rows();
Paper bucket_paper(const Rows& rows, int cases = 10);

using Ids = std::vector<std::string>;
/// Of all findings, in their order.
Ids ids(const Audit& audit);
/// Fails the test if there is no such finding, or check.
const Finding& find(const Audit& audit, const std::string& id);
const CheckReport& check(const Audit& audit, const std::string& name);

/// A claim of section 4 without fields.
Claim claim(const std::string& id, const std::string& kind);

}  // namespace sar::audit_test
