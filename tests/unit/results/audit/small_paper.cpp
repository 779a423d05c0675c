#include "tests/unit/results/audit/small_paper.h"

#include <catch2/catch.hpp>

#include <algorithm>

namespace sar::audit_test {

PrintedCell printed_cell(const std::string& text) {
  const auto sign = text.find("±");
  PrintedCell cell{parse_printed(text.substr(0, sign)), {}, {}};
  if (sign != std::string::npos) {
    cell.sd = parse_printed(text.substr(sign + std::string("±").size()));
  }
  return cell;
}

PrintedTable printed_table(const std::string& id,
                           const std::vector<std::string>& columns,
                           const Rows& rows,
                           int trials) {
  PrintedTable table;
  table.spec.id = id;
  table.spec.title = id;
  table.spec.reference = "ours";
  table.spec.trials = trials;
  for (const std::string& column : columns) {
    const CellPath path = parse_cell_path("t/m/" + column);
    table.spec.columns.push_back({"", column, path.task, path.target, path.bucket, path.fraction});
  }
  for (const auto& [method, cells] : rows) {
    table.spec.rows.push_back({method, method});
    table.cells.emplace_back();
    for (const std::string& cell : cells) {
      table.cells.back().push_back(printed_cell(cell));
    }
  }
  return table;
}

Paper paper_of(const std::vector<PrintedTable>& tables) {
  Paper paper;
  paper.id = "small";
  paper.title = "A small paper";
  paper.reference = "ours";
  paper.tables = tables;
  return paper;
}

Paper compared_paper(const std::string& row, const std::string& ours, int trials) {
  return paper_of({printed_table("t", {"x/y/all"}, {{"a", {row}}, {"ours", {ours}}}, trials)});
}

Rows weighted_rows() {
  return {{"a", {"60.00", "70.00", "80.00", "71.00"}},      // 120 + 350 + 240 = 710
          {"b", {"61.35", "72.11", "75.02", "70.83"}},      // 122.70 + 360.55 + 225.06 = 708.31
          {"c", {"55.55", "81.20", "79.99", "75.71"}},      // 111.10 + 406.00 + 239.97 = 757.07
          {"d", {"64.20", "69.90", "88.80", "74.43"}},      // 128.40 + 349.50 + 266.40 = 744.30
          {"ours", {"70.10", "83.30", "85.60", "81.35"}}};  // 140.20 + 416.50 + 256.80 = 813.50
}

Paper bucket_paper(const Rows& rows, int cases) {
  Paper paper = paper_of({printed_table("t", kBuckets, rows)});
  paper.bucket_groups = {{"brain", "tumor", "1", {"S", "M", "L"}, "all", cases, ""}};
  return paper;
}

std::vector<std::string> ids(const Audit& audit) {
  std::vector<std::string> list;
  for (const Finding& finding : audit.findings) {
    list.push_back(finding.id);
  }
  return list;
}

const Finding& find(const Audit& audit, const std::string& id) {
  const auto found = std::ranges::find(audit.findings, id, &Finding::id);
  if (found == audit.findings.end()) {
    FAIL("no finding " << id);
  }
  return *found;
}

const CheckReport& check(const Audit& audit, const std::string& name) {
  const auto found = std::ranges::find(audit.checks, name, &CheckReport::check);
  REQUIRE(found != audit.checks.end());
  return *found;
}

Claim claim(const std::string& id, const std::string& kind) {
  Claim claim;
  claim.id = id;
  claim.section = "4";
  claim.kind = kind;
  return claim;
}

}  // namespace sar::audit_test
