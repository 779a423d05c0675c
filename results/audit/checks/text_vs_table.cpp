// text-vs-table: a number in the text is that of its cell, or the difference of two.

#include "results/audit/check.h"
#include "results/audit/printed_cells.h"
#include "results/paper/predicates.h"
#include "results/text/layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace sar::audit_checks::text_vs_table {
namespace {

void check_equals(const Claim& claim, const Place& place, Outcome& outcome) {
  const PrintedNumber& said = *claim.number;
  const PrintedNumber& printed = place.cell().mean;
  if (repeats(said, printed)) {
    return;
  }
  const bool meet = within_rounding(said.value, printed.value, said.half_unit + printed.half_unit);
  Finding finding;
  finding.check = "text-vs-table";
  finding.id = "text-vs-table:" + claim.id;
  finding.severity = Severity::inconsistent;
  finding.cells = {place.path().text(), "text/" + claim.id};
  finding.message = fmt::format("{} says {}, but {} prints {} ({}, {}){}.",
                                sentence_start(claim),
                                said.text,
                                place.table->spec.id,
                                printed.text,
                                place.method().label,
                                place.column_name(),
                                meet ? ": the same number of digits, but not the same ones" : "");
  finding.values = {{"text", said.value}, {"table", printed.value}};
  outcome.findings.push_back(std::move(finding));
}

void check_difference(const Claim& claim, const Place& a, const Place& b, Outcome& outcome) {
  const PrintedNumber& said = *claim.number;
  const PrintedNumber& minuend = a.cell().mean;
  const PrintedNumber& subtrahend = b.cell().mean;
  const double difference = minuend.value - subtrahend.value;
  const double slack = said.half_unit + minuend.half_unit + subtrahend.half_unit;
  if (within_rounding(said.value, difference, slack)) {
    return;
  }
  Finding finding;
  finding.check = "text-vs-table";
  finding.id = "text-vs-table:" + claim.id;
  finding.severity = Severity::inconsistent;
  finding.cells = {a.path().text(), b.path().text(), "text/" + claim.id};
  const int digits = std::max(decimals(minuend), decimals(subtrahend));
  finding.message = fmt::format(
      "{} says {}, but {} of {} less {} of {} ({}) is {:.{}f}: {:.{}f} apart, of which rounding "
      "explains at most {:.{}f}.",
      sentence_start(claim),
      said.text,
      minuend.text,
      a.method().label,
      subtrahend.text,
      b.method().label,
      a.column_name(),
      difference,
      digits,
      std::abs(said.value - difference),
      digits + 1,
      slack,
      digits + 1);
  finding.values = {{"text", said.value}, {"difference", difference}, {"rounding", slack}};
  outcome.findings.push_back(std::move(finding));
}

Outcome run(const Subject& subject) {
  Outcome outcome;
  std::vector<std::string> compared;
  std::vector<std::string> absent;
  for (const Claim& claim : subject.claims) {
    const bool equals = claim.kind == "equals";
    if ((!equals && claim.kind != "difference") || !claim.number) {
      continue;
    }
    std::vector<Place> places;
    for (const CellPath& path : claim.cells) {
      if (const Place place = find_place(subject.paper, path); place.table != nullptr) {
        places.push_back(place);
      }
    }
    if (places.size() != claim.cells.size() || places.size() < (equals ? 1U : 2U)) {
      absent.push_back(claim.id);
      continue;
    }
    compared.push_back(claim.id);
    if (equals) {
      check_equals(claim, places[0], outcome);
    } else {
      check_difference(claim, places[0], places[1], outcome);
    }
  }
  std::string summary = "No number in the text is known to repeat or derive from a table.";
  if (!compared.empty()) {
    summary = fmt::format(
        "{} in the text against the tables: {}. Values as printed texts, which needs no rounding "
        "intervals, but by these where decimals differ; differences by rounding intervals.",
        counted(compared.size(), "number"),
        outcome.findings.empty() ? std::string("all agree")
                                 : fmt::format("{} disagree", outcome.findings.size()));
  }
  if (!absent.empty()) {
    summary += fmt::format(" Without printed cells: {}.", fmt::join(absent, ", "));
  }
  outcome.report = report("text-vs-table",
                          !compared.empty(),
                          std::move(summary),
                          {{"compared", compared}, {"without_cells", absent}});
  return outcome;
}

}  // namespace

void register_in(Checks& checks) {
  checks.add({"text-vs-table", 90, run});
}

}  // namespace sar::audit_checks::text_vs_table
