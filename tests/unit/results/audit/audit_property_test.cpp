#include "results/audit/audit.h"
#include "tests/unit/results/audit/synthetic_paper.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <set>

namespace sar::audit_property_test {

constexpr int kPapers = 1000;

/// How often a kind of fault was planted and found.
struct Rate {
  int planted = 0, found = 0;
};

std::string described(const Finding& finding) {
  return fmt::format("{} [{}]: {}", finding.id, to_string(finding.severity), finding.message);
}

bool is_about_all(const Finding& finding) {
  return finding.check == "bucket-weights" &&
         (finding.id.ends_with("no-shared-split") || finding.id.ends_with("other-weights"));
}

TEST_CASE("an audit accuses no cell of a clean paper that is easily taken for wrong") {
  constexpr int kEach = 200;
  for (const std::string& design : test::clean_designs()) {
    int pairs = 0;  // papers
    int noted = 0;
    for (std::uint64_t seed = 0; seed < kEach; ++seed) {
      INFO(design << ", seed " << seed);
      const test::SyntheticPaper synthetic = test::draw_clean(Rng(seed), design);
      const Audit clean = audit(synthetic.paper, synthetic.claims);
      int alike = 0;
      noted += clean.findings.empty() ? 0 : 1;
      for (const Finding& finding : clean.findings) {
        INFO(described(finding));
        const bool accuses = finding.severity != Severity::note;
        const bool pair = finding.check == "duplicate-cell";
        alike += accuses && pair ? 1 : 0;
        CHECK((!accuses || pair));
      }
      pairs += alike > 0 ? 1 : 0;
      CHECK((alike > 0 || clean.doubted.empty()));
    }
    std::cout << fmt::format(
        "audit self-check: {:<28} {} clean papers, pairs alike by chance {:>2}, noted {:>3}\n",
        design,
        kEach,
        pairs,
        noted);
    // Chance prints a pair alike now and then: in at most 0.05 papers of one, as the check says.
    CHECK(20 * pairs <= kEach);
  }
}

TEST_CASE("an audit finds every planted fault, nothing else, and nothing in clean papers") {
  std::map<std::string, Rate> rates;
  int findings = 0;
  int traceable = 0;
  int clean_with_findings = 0;
  int faulty_papers = 0;
  const std::vector<std::string> kinds = test::fault_kinds();
  for (std::uint64_t seed = 0; seed < kPapers; ++seed) {
    INFO("seed " << seed);
    const Rng rng(seed);
    test::SyntheticPaper synthetic = test::draw_paper(rng);
    const Audit clean = audit(synthetic.paper, synthetic.claims);
    clean_with_findings += clean.findings.empty() ? 0 : 1;
    for (const Finding& finding : clean.findings) {
      INFO(described(finding));
      CHECK(false);
    }
    const std::vector<test::PlantedFault> planted =
        test::plant(synthetic, rng, kinds[seed % kinds.size()]);
    if (planted.empty()) {  // no room for it in this paper
      continue;
    }
    ++faulty_papers;
    const Audit faulty = audit(synthetic.paper, synthetic.claims);
    std::set<std::string> cells;
    for (const test::PlantedFault& fault : planted) {
      cells.insert(fault.cells.begin(), fault.cells.end());
      ++rates[fault.kind].planted;
      const bool found = std::ranges::any_of(faulty.findings, [&](const Finding& finding) {
        return finding.check == fault.check && finding.severity != Severity::note &&
               !is_about_all(finding) &&
               std::ranges::any_of(fault.cells, [&](const std::string& cell) {
                 return std::ranges::find(finding.cells, cell) != finding.cells.end();
               });
      });
      rates[fault.kind].found += found ? 1 : 0;
      INFO(fault.kind << " at " << fault.cells.front());
      CHECK(found);
    }
    for (const Finding& finding : faulty.findings) {
      ++findings;
      // A finding about all rows would be traceable to anything.
      const bool means_off = std::ranges::any_of(planted, [](const test::PlantedFault& fault) {
        return fault.check == "bucket-weights" || fault.kind == "copied pair" ||
               fault.kind == "misprint in a second table";
      });
      const bool traced = is_about_all(finding)
                              ? means_off && finding.severity == Severity::note
                              : std::ranges::any_of(finding.cells, [&](const std::string& cell) {
                                  return cells.contains(cell);
                                });
      traceable += traced ? 1 : 0;
      INFO(described(finding));
      CHECK(traced);
    }
  }
  std::cout << fmt::format("audit self-check: {} synthetic papers, findings in {} clean ones\n",
                           kPapers,
                           clean_with_findings);
  for (const std::string& kind : kinds) {
    std::cout << fmt::format(
        "  {:<28} planted {:>4}  found {:>4}\n", kind, rates[kind].planted, rates[kind].found);
    CHECK(rates[kind].planted >= 50);  // the rates mean something
  }
  std::cout << fmt::format(
      "  {} findings in {} papers with faults, {} traceable to a planted cell\n",
      findings,
      faulty_papers,
      traceable);
  CHECK(faulty_papers >= kPapers * 9 / 10);
}

}  // namespace sar::audit_property_test
