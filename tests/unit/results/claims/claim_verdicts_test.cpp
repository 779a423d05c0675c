#include "results/claims/claim_verdicts.h"

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "results/claims/claim_document.h"
#include "results/statistics/statistics.h"
#include "tests/support/fixtures.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <sstream>

namespace sar::claim_verdicts_test {

namespace fs = std::filesystem;

const Paper& sar_paper() {
  static const Paper paper =
      read_paper(fs::path(SARBENCH_SOURCE_DIR) / "experiments/papers/sar2021");
  return paper;
}

const ClaimVerdict& find(const ClaimReport& report, const std::string& id) {
  const auto found = std::ranges::find_if(
      report.claims, [&](const ClaimVerdict& each) { return each.claim.id == id; });
  REQUIRE(found != report.claims.end());
  return *found;
}

ClaimReport published(const ClaimOptions& options = {}) {
  return judge_claims(sar_paper(), read_claims(sar_paper()), published_cells(sar_paper()), options);
}

TEST_CASE("the SAR paper's sentences against its own numbers") {
  const ClaimReport report = published();
  // Worked by hand from Tables 1 to 4: verdict before and after correction.
  const std::map<std::string, std::pair<Verdict, Verdict>> expected{
      // 78.10 - 65.41 = 12.69 on small tumours, but 87.84 - 74.90 = 12.94 on large ones
      {"small-tumour-gain", {Verdict::supported, Verdict::supported}},
      {"small-tumour-gain-largest", {Verdict::unsupported, Verdict::unsupported}},
      // against Rot 15.04 < 15.19 and CPC 12.38 < 15.19; the other three hold
      {"especially-small-tumours", {Verdict::mixed, Verdict::mixed}},
      // 79.48 >= 74.35, but 47.76 < (73.42 + 25.19) / 2 = 49.305; no SD, so the first is not
      // testable
      {"annotation-saving", {Verdict::mixed, Verdict::mixed}},
      // Table 4 has no SD: the direction holds, significance cannot be told
      {"better-at-all-data-sizes", {Verdict::supported, Verdict::not_testable}},
      {"significant-at-all-data-sizes", {Verdict::not_testable, Verdict::not_testable}},
      // 87.84 < 87.88 on large tumours
      {"multi-scale-best-everywhere", {Verdict::mixed, Verdict::unsupported}},
      {"multi-scale-best-overall", {Verdict::supported, Verdict::unsupported}},
      {"bold-table2", {Verdict::supported, Verdict::supported}},
      {"bold-table3", {Verdict::not_testable, Verdict::not_testable}},
      {"ct-scans", {Verdict::supported, Verdict::supported}},   // 623 + 111
      {"mri-scans", {Verdict::supported, Verdict::supported}},  // 190 x 4 + 30
      {"three-regions", {Verdict::supported, Verdict::supported}},
      {"cube-ratio", {Verdict::supported, Verdict::supported}},
      {"brats-split", {Verdict::supported, Verdict::supported}},  // 285 x 2/3 = 190
      {"brats-cases", {Verdict::not_testable, Verdict::not_testable}},
      {"test-images-unseen", {Verdict::not_testable, Verdict::not_testable}},
      {"converges-faster", {Verdict::not_testable, Verdict::not_testable}},
      {"less-data-brats", {Verdict::supported, Verdict::not_testable}},
      {"all-significant", {Verdict::mixed, Verdict::mixed}},
  };
  for (const auto& [id, verdicts] : expected) {
    INFO(id);
    CHECK(to_string(find(report, id).verdict) == to_string(verdicts.first));
    CHECK(to_string(find(report, id).verdict_adjusted) == to_string(verdicts.second));
  }
  // Every number of the text is that of its cell.
  for (const ClaimVerdict& each : report.claims) {
    if (each.claim.kind == "equals") {
      INFO(each.claim.id);
      CHECK(each.verdict == Verdict::supported);
    }
  }
}

TEST_CASE("p of SAR against every row is SciPy's, over the box of roundings too") {
  const Json reference =
      read_json(fs::path(SARBENCH_REFERENCE_DIR) / "results/claims.json").at("pairs");
  const ClaimReport report = published();
  const ClaimVerdict& claim = find(report, "all-significant");
  REQUIRE(claim.evidence.size() == 48);
  std::map<std::string, const ClaimEvidence*> by_cell;
  for (const ClaimEvidence& each : claim.evidence) {
    by_cell[each.cells.at(1)] = &each;
  }
  std::map<std::string, double> wider;
  for (const auto& [comparison, p] : claim.families.at(1).p_adjusted) {
    wider[comparison] = *p;
  }
  int significant = 0;
  int after = 0;
  for (const Json& pair : reference) {
    const std::string method = pair.at("method");
    const std::string column = pair.at("column");
    INFO(method << " " << column);
    const ClaimEvidence& evidence = *by_cell.at("table2/" + method + "/" + column);
    // Tolerance: double rounding of either side; the box's corners are sums of decimals.
    CHECK(*evidence.p_student == Approx(pair.at("student").get<double>()).epsilon(1e-10));
    CHECK(*evidence.p_welch == Approx(pair.at("welch").get<double>()).epsilon(1e-10));
    CHECK(*evidence.p_low == Approx(pair.at("low").get<double>()).epsilon(1e-9));
    CHECK(*evidence.p_high == Approx(pair.at("high").get<double>()).epsilon(1e-9));
    CHECK(wider.at(method + " on " + column) ==
          Approx(pair.at("holm48").get<double>()).epsilon(1e-10));
    CHECK(evidence.counts == pair.contains("holm36"));
    if (!pair.contains("holm36")) {
      continue;
    }
    CHECK(*evidence.p_adjusted == Approx(pair.at("holm36").get<double>()).epsilon(1e-10));
    if (!evidence.exception) {
      significant += pair.at("high") < 0.05 ? 1 : 0;
      after += pair.at("holm36") < 0.05 ? 1 : 0;
    }
  }
  CHECK(significant == 28);
  CHECK(claim.families.at(0).holds == after);
  CHECK(claim.families.at(0).parts == 35);  // one is the exception
  CHECK_THAT(claim.summary, Catch::Contains("28 of 35 comparisons hold"));
}

// --- a paper of invented numbers
// ------------------------------------------------------------------

/// A paper with one table of two rows and these cells, and these claims.
struct Invented {
  TemporaryFolder folder;
  Paper paper;
  std::vector<Claim> claims;

  Invented(const std::string& ours, const std::string& theirs, const std::string& claims_text) {
    const auto file = [&](const std::string& name, const std::string& text) {
      write_file_atomically(folder.path() / name, text);
    };
    file("paper.toml",
         "id = \"invented\"\ntitle = \"Invented\"\nreference = \"ours\"\ntables = [\"t\"]\n");
    file("t.toml",
         "id = \"t\"\ntitle = \"T\"\ntrials = 5\n"
         "[[columns]]\nlabel = \"A\"\ntask = \"brats\"\ntarget = \"tumor\"\n"
         "[[columns]]\nlabel = \"B\"\ntask = \"pancreas\"\ntarget = \"tumor\"\n"
         "[[rows]]\nmethod = \"theirs\"\nlabel = \"Theirs\"\ncells = [" +
             theirs + "]\n[[rows]]\nmethod = \"ours\"\nlabel = \"Ours\"\ncells = [" + ours + "]\n");
    file("claims/c.toml", claims_text);
    paper = read_paper(folder.path());
    claims = read_claims(paper);
  }
  [[nodiscard]] ClaimReport report(const ClaimOptions& options = {}) const {
    return judge_claims(paper, claims, published_cells(paper), options);
  }
  [[nodiscard]] ClaimVerdict judge(const ClaimOptions& options = {}) const {
    return report(options).claims.at(0);
  }
  [[nodiscard]] ClaimVerdict judge(const std::vector<TrialDice>& trials,
                                   const std::string& data_kind,
                                   const ClaimOptions& options = {}) const {
    ClaimRuns runs;
    runs.protocol = test::protocol_row("p", data_kind);
    return judge_claims(paper, claims, measured_cells(trials, runs.protocol), options, &runs)
        .claims.at(0);
  }
};

std::string claim(const std::string& kind, const std::string& lines) {
  return "[[claims]]\nid = \"x\"\nsection = \"4\"\nstatement = \"A sentence.\"\nkind = \"" + kind +
         "\"\n" + lines + "\n";
}
const std::string kOurs = "table = \"t\"\nmethod = \"ours\"\nversus = \"others\"\n";

TEST_CASE("a difference within the roundings is neither above nor below") {
  const auto verdict = [](const std::string& ours, const std::string& theirs) {
    return Invented(ours, theirs, claim("greater", kOurs + "columns = [\"brats/tumor/all\"]"))
        .judge()
        .evidence.at(0)
        .outcome;
  };
  CHECK(verdict(R"("80.02±1.00", "50.00±1.00")", R"("80.00±1.00", "50.00±1.00")") ==
        Outcome::holds);  // at least 0.01 apart
  CHECK(verdict(R"("80.01±1.00", "50.00±1.00")", R"("80.00±1.00", "50.00±1.00")") ==
        Outcome::open);  // both may be 80.005
  CHECK(verdict(R"("80.00±1.00", "50.00±1.00")", R"("80.00±1.00", "50.00±1.00")") == Outcome::open);
  CHECK(verdict(R"("80.00±1.00", "50.00±1.00")", R"("80.02±1.00", "50.00±1.00")") ==
        Outcome::fails);
  CHECK(verdict(R"("80.2±1.0", "50.0±1.0")", R"("80.00±1.00", "50.00±1.00")") == Outcome::holds);
  CHECK(verdict(R"("80±1", "50±1")", R"("79.6±1.0", "50.0±1.0")") == Outcome::open);
}

TEST_CASE("a p whose box of roundings holds the level is undecided, never significant") {
  // Student's p at the printed numbers is below .05, over the box it reaches above.
  const Invented paper(R"("61.5±1", "50±1")",
                       R"("60.0±1", "50±1")",
                       claim("significant", kOurs + "columns = [\"brats/tumor/all\"]"));
  const ClaimVerdict verdict = paper.judge();
  const ClaimEvidence& evidence = verdict.evidence.at(0);
  CHECK(*evidence.p < 0.05);
  CHECK(*evidence.p_low < 0.05);
  CHECK(*evidence.p_high > 0.05);
  CHECK(verdict.verdict == Verdict::not_testable);
  CHECK_THAT(evidence.text, Catch::Contains("undecided by rounding"));
}

TEST_CASE("parts that hold, fail or are open make the verdict") {
  const auto verdict = [](const std::string& ours, const std::string& theirs) {
    return to_string(Invented(ours, theirs, claim("greater", kOurs)).judge().verdict);
  };
  CHECK(verdict(R"("80.00", "50.00")", R"("70.00", "40.00")") == "supported");
  CHECK(verdict(R"("80.00", "50.00")", R"("70.00", "60.00")") == "mixed");
  CHECK(verdict(R"("80.00", "50.00")", R"("90.00", "60.00")") == "unsupported");
  CHECK(verdict(R"("80.00", "50.00")", R"("80.00", "40.00")") == "not-testable");
  CHECK(verdict(R"("80.00", "50.00")", R"("80.00", "60.00")") == "unsupported");
}

TEST_CASE("a number of the text repeats the cell, or agrees within both roundings") {
  const auto verdict = [](const std::string& cell, const std::string& number) {
    return to_string(
        Invented(
            "\"" + cell + "\", \"50.00\"",
            R"("60.00", "50.00")",
            claim("equals", "cells = [\"t/ours/brats/tumor/all\"]\nnumber = \"" + number + "\""))
            .judge()
            .verdict);
  };
  CHECK(verdict("84.92", "84.92") == "supported");
  CHECK(verdict("84.92", "84.9") == "supported");  // 84.9 stands for 84.85 to 84.95
  CHECK(verdict("84.96", "84.9") == "unsupported");
  CHECK(verdict("84.9", "84.92") == "supported");
  // With as many decimals it is a quotation: every digit counts.
  CHECK(verdict("84.92", "84.93") == "unsupported");
  CHECK(verdict("84.92", "84.91") == "unsupported");
  CHECK(verdict("85", "84") == "unsupported");
}

TEST_CASE("a difference in the text may be that of the unrounded numbers") {
  const auto verdict = [](const std::string& number) {
    return to_string(Invented(R"("84.92", "50.00")",
                              R"("60.00", "50.00")",
                              claim("difference",
                                    "cells = [\"t/ours/brats/tumor/all\", "
                                    "\"t/theirs/brats/tumor/all\"]\nnumber = \"" +
                                        number + "\""))
                         .judge()
                         .verdict);
  };
  CHECK(verdict("24.92") == "supported");
  CHECK(verdict("24.93") == "supported");  // 84.923 - 59.996 = 24.927
  CHECK(verdict("24.94") == "unsupported");
}

/// Of a claim that the gain on brats is larger than that on pancreas; printed means of both rows.
ClaimEvidence largest_gain(const std::string& ours, const std::string& theirs) {
  return Invented(ours,
                  theirs,
                  claim("largest-gain",
                        kOurs + "columns = [\"brats/tumor/all\", \"pancreas/tumor/all\"]"))
      .judge()
      .evidence.at(0);
}

TEST_CASE("a gain is the largest, or is not, for all values within the roundings") {
  // Each gain of whole numbers is known to ±1, their difference to ±2.
  const auto gain = [](const std::string& ours) { return largest_gain(ours, R"("0", "50")"); };
  CHECK(gain(R"("14", "61")").outcome == Outcome::holds);
  CHECK(gain(R"("13", "61")").outcome == Outcome::open);
  CHECK(gain(R"("11", "61")").outcome == Outcome::open);
  CHECK(gain(R"("10", "61")").outcome == Outcome::open);  // 10.9 and 10.1 are possible
  CHECK(gain(R"("9", "61")").outcome == Outcome::fails);
  CHECK(gain(R"("10", "61")").text ==
        "ours - theirs: brats/tumor/all 10, pancreas/tumor/all 11; undecided by rounding");
}

TEST_CASE("the least loss is not a gain") {
  const auto gain = [](const std::string& ours) { return largest_gain(ours, R"("50", "50")"); };
  CHECK(gain(R"("52", "40")").outcome == Outcome::holds);
  CHECK(gain(R"("51", "40")").outcome == Outcome::open);  // 50.5 and 50.5 are possible
  CHECK(gain(R"("50", "40")").outcome == Outcome::open);
  CHECK(gain(R"("49", "40")").outcome == Outcome::fails);
  CHECK_THAT(gain(R"("45", "40")").text, Catch::Contains("the first is not a gain"));
}

TEST_CASE("a part that cannot be tested does not turn a mixed claim into an unsupported one") {
  const auto judged = [](const std::string& ours, const std::string& theirs) {
    return Invented(ours, theirs, claim("greater", kOurs)).report();
  };
  // No SD: the direction holds on one column and fails on the other.
  const ClaimReport without = judged(R"("80.00", "50.00")", R"("70.00", "60.00")");
  CHECK(without.claims.at(0).verdict == Verdict::mixed);
  CHECK(without.claims.at(0).verdict_adjusted == Verdict::mixed);
  CHECK_THAT(written(document_of(without), "text"),
             Catch::Contains("after correction: no test possible: mixed"));
  CHECK_THAT(written(document_of(without), "text"), !Catch::Contains("hold at p"));
  // What fails in every column is unsupported with or without tests.
  CHECK(judged(R"("80.00", "50.00")", R"("90.00", "60.00")").claims.at(0).verdict_adjusted ==
        Verdict::unsupported);
  // Table 4 has no SD: a count of tests that hold would speak of tests that were not made.
  const std::string text = written(document_of(published()), "text");
  CHECK_THAT(text, Catch::Contains("after correction: no test possible: not testable"));
  CHECK_THAT(text, !Catch::Contains("0 of 10 hold at p"));
}

TEST_CASE("a comparison without a test is left out of its family, and the output says so") {
  // Without any spread there is no test of the first.
  const ClaimReport report =
      Invented(
          R"("80.00±0.00", "50.00±5.00")", R"("70.00±0.00", "49.00±5.00")", claim("greater", kOurs))
          .report();
  const ClaimVerdict& verdict = report.claims.at(0);
  CHECK(verdict.verdict == Verdict::supported);
  CHECK(verdict.verdict_adjusted == Verdict::mixed);  // the other p is far above the level
  CHECK(!verdict.evidence.at(0).p_adjusted);
  CHECK(*verdict.evidence.at(1).p_adjusted == *verdict.evidence.at(1).p);  // alone in the family
  CHECK(verdict.families.at(0).tested == 1);
  CHECK(verdict.families.at(0).left_out() == 1);
  CHECK_THAT(written(document_of(report), "text"),
             Catch::Contains("0 of 2 hold at p < 0.05 (holm; 1 without a test left out): mixed"));
  const Json json = Json::parse(written(document_of(report), "json"));
  CHECK(json.at("claims").at(0).at("families").at(0).at("left_out") == 1);
}

TEST_CASE("an average comes from the targets of one table") {
  const auto judged = [](const std::string& more_columns, const std::string& more_cells) {
    const TemporaryFolder folder;
    const auto file = [&](const std::string& name, const std::string& text) {
      write_file_atomically(folder.path() / name, text);
    };
    const auto table = [&](const std::string& id,
                           const std::string& columns,
                           const std::string& theirs,
                           const std::string& ours) {
      file(id + ".toml",
           "id = \"" + id + "\"\ntitle = \"T\"\ntrials = 5\n" + columns +
               "[[rows]]\nmethod = \"theirs\"\nlabel = \"Theirs\"\ncells = [" + theirs +
               "]\n[[rows]]\nmethod = \"ours\"\nlabel = \"Ours\"\ncells = [" + ours + "]\n");
    };
    const auto column = [](const std::string& target, const std::string& fraction = "1") {
      return "[[columns]]\nlabel = \"" + target + fraction +
             "\"\ntask = \"pancreas\"\ntarget = \"" + target + "\"\nfraction = \"" + fraction +
             "\"\n";
    };
    file("paper.toml",
         "id = \"invented\"\ntitle = \"Invented\"\nreference = \"ours\"\n"
         "tables = [\"first\", \"full\", \"less\"]\n");
    table("first", column("tumor"), R"("90.00")", R"("90.00")");
    table("full", column("organ") + column("tumor"), R"("60.00", "20.00")", R"("60.00", "20.00")");
    table("less",
          column("average", "1/2") + (more_columns.empty() ? "" : column(more_columns)),
          "\"30.00\"" + more_cells,
          "\"50.00\"" + more_cells);
    file("claims/c.toml",
         claim("annotation",
               "table = \"less\"\nmethod = \"ours\"\nversus = [\"theirs\"]\n"
               "columns = [\"pancreas/average/all\"]\nsaving = \"1/2\""));
    const Paper paper = read_paper(folder.path());
    return judge_claims(paper, read_claims(paper), published_cells(paper), {}).claims.at(0);
  };
  // 50 against (60 + 20) / 2, never against (60 + 90) / 2 of two tables.
  const ClaimVerdict full = judged("", "");
  CHECK(full.verdict == Verdict::supported);
  CHECK(*full.evidence.at(0).value == Approx(10).epsilon(1e-12));
  CHECK(full.evidence.at(0).cells == std::vector<std::string>{"less/ours/pancreas/average/all/1/2",
                                                              "full/theirs/pancreas/organ/all",
                                                              "full/theirs/pancreas/tumor/all"});
  // The table itself prints one of the two: its average cannot be told.
  const ClaimVerdict own = judged("tumor", ", \"20.00\"");
  CHECK(own.verdict == Verdict::not_testable);
  CHECK_THAT(own.evidence.at(0).text, Catch::Contains("the paper prints no less/theirs/"));
}

TEST_CASE("a statement is printed as the file has it") {
  std::string text = claim("greater", kOurs);
  const std::string statement = "p is below 0.05 in each";
  text.replace(text.find("A sentence."), std::string("A sentence.").size(), statement);
  CHECK_THAT(
      written(document_of(Invented(R"("80.00", "50.00")", R"("70.00", "40.00")", text).report()),
              "text"),
      Catch::Contains("\n              " + statement + "\n"));
}

TEST_CASE("the gate names claims that fall, and refuses phantom data") {
  const std::vector<std::string> fallen = fallen_claims(published());
  const auto falls = [&](const char* id) { return std::ranges::count(fallen, id) == 1; };
  CHECK(falls("small-tumour-gain-largest"));  // unsupported
  CHECK(falls("annotation-saving"));          // mixed
  CHECK(falls("multi-scale-best-overall"));   // only after correction
  CHECK(!falls("small-tumour-gain"));         // supported
  CHECK(!falls("bold-table3"));               // not testable
  ClaimReport measured = published();
  measured.data_kind = "real";
  CHECK(fallen_claims(measured) == fallen);
  measured.data_kind = "phantom";
  try {
    static_cast<void>(fallen_claims(measured));
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::results_missing);
    CHECK_THAT(error.what(), Catch::Contains("phantom runs cannot support or refute a sentence"));
  }
}

TEST_CASE("an exception that is significant spoils the claim, one that is not cannot carry it") {
  const std::string both = kOurs + "except = [\"t/theirs/pancreas/tumor/all\"]";
  const auto verdict = [&](const std::string& ours, const std::string& theirs) {
    return to_string(Invented(ours, theirs, claim("significant", both)).judge().verdict);
  };
  CHECK(verdict(R"("80.00±1.00", "50.00±1.00")", R"("70.00±1.00", "49.90±1.00")") == "supported");
  CHECK(verdict(R"("80.00±1.00", "50.00±1.00")", R"("70.00±1.00", "40.00±1.00")") == "mixed");
  CHECK(verdict(R"("80.00±1.00", "50.00±1.00")", R"("79.90±1.00", "49.90±1.00")") == "unsupported");
}

TEST_CASE("significance in the wrong direction does not support a claim") {
  const ClaimVerdict verdict = Invented(R"("70.00±1.00", "50.00±1.00")",
                                        R"("80.00±1.00", "60.00±1.00")",
                                        claim("significant", kOurs))
                                   .judge();
  CHECK(*verdict.evidence.at(0).p < 1e-6);
  CHECK(verdict.verdict == Verdict::unsupported);
  CHECK(verdict.verdict_adjusted == Verdict::unsupported);
}

// --- measured numbers
// -----------------------------------------------------------------------------

std::vector<TrialDice> trials(const std::map<std::string, std::vector<double>>& cells) {
  std::vector<TrialDice> list;
  for (const auto& [cell, values] : cells) {
    const std::string method = cell.substr(0, cell.find('/'));
    const std::string task = cell.substr(cell.find('/') + 1);
    for (std::size_t i = 0; i < values.size(); ++i) {
      list.push_back({method, task, "1", "tumor", "all", static_cast<int>(i), 4, values[i], "e"});
    }
  }
  return list;
}

const std::string kPlain = R"("80.00±1.00", "50.00±1.00")";

TEST_CASE("measured means are compared as they are, and the correction asks for more") {
  const Invented paper(kPlain, kPlain, claim("greater", kOurs));
  const ClaimVerdict verdict = paper.judge(trials({{"ours/brats", {80, 81, 82, 83, 84}},
                                                   {"theirs/brats", {60, 61, 62, 63, 64}},
                                                   {"ours/pancreas", {50, 52, 54, 56, 58}},
                                                   {"theirs/pancreas", {49, 52, 54, 56, 58}}}),
                                           "real");
  CHECK(verdict.verdict == Verdict::supported);
  CHECK(verdict.verdict_adjusted == Verdict::mixed);
  CHECK(verdict.evidence.at(0).outcome_adjusted == Outcome::holds);
  CHECK(verdict.evidence.at(1).outcome_adjusted == Outcome::fails);
  // Holm over two: the smaller p doubles.
  CHECK(*verdict.evidence.at(0).p_adjusted == Approx(2 * *verdict.evidence.at(0).p).epsilon(1e-12));
}

TEST_CASE("what is missing is named with the command that makes it") {
  const Invented paper(kPlain, kPlain, claim("greater", kOurs));
  const ClaimVerdict verdict =
      paper.judge(trials({{"ours/brats", {80, 81}}, {"theirs/brats", {60, 61}}}), "real");
  CHECK(verdict.verdict == Verdict::not_testable);
  CHECK_THAT(verdict.summary, Catch::Contains("1 of 2 comparisons hold, 1 open"));
  CHECK_THAT(verdict.evidence.at(1).text,
             Catch::Contains("no finished trial of t/ours/pancreas/tumor/all is stored: "
                             "sar-bench run t -m ours -t pancreas makes it"));
  // The missing comparison has no p: the other is alone in the family.
  CHECK(!verdict.evidence.at(1).p_adjusted);
  CHECK(*verdict.evidence.at(0).p_adjusted == *verdict.evidence.at(0).p);
}

TEST_CASE("a test whose least p lies above the level answers not testable, never unsupported") {
  ClaimOptions options;
  options.test = "permutation";
  const Invented paper(kPlain, kPlain, claim("significant", kOurs));
  // Three against three values give p >= 0.1.
  const ClaimVerdict few = paper.judge(trials({{"ours/brats", {80, 81, 82}},
                                               {"theirs/brats", {60, 61, 62}},
                                               {"ours/pancreas", {50, 51, 52}},
                                               {"theirs/pancreas", {60, 61, 62}}}),
                                       "real",
                                       options);
  CHECK(few.verdict == Verdict::not_testable);
  CHECK(few.verdict_adjusted == Verdict::not_testable);
  CHECK_THAT(few.evidence.at(0).text, Catch::Contains("least p that it could give is 0.100"));
  // Four against four give p >= 2/70 = 0.029, below .05 alone but not doubled by Holm.
  const ClaimVerdict four = paper.judge(trials({{"ours/brats", {80, 81, 82, 83}},
                                                {"theirs/brats", {60, 61, 62, 63}},
                                                {"ours/pancreas", {50, 51, 52, 53}},
                                                {"theirs/pancreas", {40, 41, 42, 43}}}),
                                        "real",
                                        options);
  CHECK(four.verdict == Verdict::supported);
  CHECK(four.verdict_adjusted == Verdict::not_testable);
  CHECK_THAT(four.evidence.at(0).text, Catch::Contains("least adjusted p"));
  // Printed numbers have no single values.
  const ClaimVerdict printed = Invented(R"("80.00±1.00", "50.00±1.00")",
                                        R"("70.00±1.00", "40.00±1.00")",
                                        claim("significant", kOurs))
                                   .judge(options);
  CHECK(printed.verdict == Verdict::not_testable);
  CHECK_THAT(printed.evidence.at(0).text, Catch::Contains("needs the single values"));
}

TEST_CASE("a measured mean is a number if it is shown to lie within the margin of it") {
  const Invented paper(
      kPlain, kPlain, claim("equals", "cells = [\"t/ours/brats/tumor/all\"]\nnumber = \"80.00\""));
  const auto verdict = [&](const std::vector<double>& values) {
    return paper.judge(trials({{"ours/brats", values}}), "real");
  };
  const ClaimVerdict near = verdict({79, 80, 81, 80, 80.5});
  CHECK(near.verdict == Verdict::supported);
  // scipy.stats.ttest_1samp([79, 80, 81, 80, 80.5], 82, alternative="less").pvalue, SciPy 1.17.1:
  // the test of "2 points or more above 80", the larger of the two.
  CHECK(*near.evidence.at(0).p == Approx(0.002298504761157897).epsilon(1e-9));
  CHECK(verdict({70, 71, 72, 71, 70.5}).verdict == Verdict::unsupported);
  CHECK(verdict({70, 90, 75, 85, 80}).verdict == Verdict::not_testable);
  CHECK(verdict({80}).verdict == Verdict::not_testable);
  CHECK_THAT(verdict({80}).evidence.at(0).text, Catch::Contains("n = 1"));
}

TEST_CASE("equal trials at two fractions are the same runs, not a drop") {
  const std::string text = claim("decreasing",
                                 "table = \"table4\"\nmethod = \"sar\"\n"
                                 "columns = [\"brats/tumor/all/1/20\", \"brats/tumor/all/1/50\"]");
  TemporaryFolder folder;
  fs::copy(fs::path(SARBENCH_SOURCE_DIR) / "experiments/papers/sar2021",
           folder.path(),
           fs::copy_options::recursive);
  fs::remove_all(folder.path() / "claims");
  write_file_atomically(folder.path() / "claims/c.toml", text);
  const Paper paper = read_paper(folder.path());
  std::vector<TrialDice> list;
  for (const char* fraction : {"1/20", "1/50"}) {
    for (int trial = 0; trial < 3; ++trial) {
      list.push_back({"sar", "brats", fraction, "tumor", "all", trial, 4, 40.0 + trial, "e"});
    }
  }
  const ClaimReport report = judge_claims(
      paper, read_claims(paper), measured_cells(list, test::protocol_row("p", "real")), {});
  CHECK(report.claims.at(0).verdict == Verdict::not_testable);
  CHECK_THAT(report.claims.at(0).evidence.at(0).text, Catch::Contains("same runs"));
}

// --- runs
// -----------------------------------------------------------------------------------------

ClaimRuns real_runs() {
  ClaimRuns runs;
  runs.protocol = test::protocol_row("p", "real");
  const auto set =
      [](const char* id, const char* modality, const char* organ, int patients, int volumes) {
        return Json{{"dataset", id},
                    {"modality", modality},
                    {"organ", organ},
                    {"patients", patients},
                    {"volumes", volumes},
                    {"cubes", {{"small", 32}, {"medium", 16}, {"large", 16}}}};
      };
  runs.survey = {{"datasets",
                  {set("luna", "CT", "Lung", 623, 623),
                   set("lits", "CT", "Liver", 110, 110),
                   set("brats", "MRI", "Brain", 190, 760),
                   set("heart", "MRI", "Heart", 30, 30)}}};
  runs.tasks["brats"] = {285, 95, 800, 250'000, 95, {}};
  runs.tasks["pancreas"] = {281, 57, 500, 90'000, 281, {"pancreas_001"}};
  return runs;
}

ClaimReport measured(const ClaimRuns& runs) {
  return judge_claims(sar_paper(),
                      read_claims(sar_paper()),
                      measured_cells({}, runs.protocol),
                      ClaimOptions{},
                      &runs);
}

TEST_CASE("claims about data are judged by counts of real data, never by phantoms") {
  ClaimRuns runs = real_runs();
  const ClaimReport report = measured(runs);
  CHECK(find(report, "ct-scans").verdict == Verdict::unsupported);  // 623 + 110 = 733
  CHECK_THAT(find(report, "ct-scans").summary, Catch::Contains("luna 623 + lits 110 = 733"));
  CHECK(find(report, "mri-scans").verdict == Verdict::supported);
  CHECK(find(report, "four-organs").verdict == Verdict::supported);
  CHECK(find(report, "cube-ratio").verdict == Verdict::supported);
  CHECK(find(report, "brats-cases").verdict == Verdict::supported);
  CHECK(find(report, "brats-split").verdict == Verdict::supported);
  CHECK(find(report, "pancreas-cases").verdict == Verdict::unsupported);  // 281, not 282
  CHECK(find(report, "tumour-sizes-in-voxels").verdict == Verdict::supported);
  CHECK(find(report, "test-images-unseen").verdict == Verdict::mixed);
  CHECK_THAT(find(report, "test-images-unseen").evidence.at(1).text,
             Catch::Contains("pancreas_001"));
  runs.protocol.data_kind = "phantom";
  const ClaimReport phantom = measured(runs);
  for (const char* id :
       {"ct-scans", "cube-ratio", "brats-cases", "brats-split", "tumour-sizes-in-voxels"}) {
    INFO(id);
    CHECK(find(phantom, id).verdict == Verdict::not_testable);
    CHECK_THAT(find(phantom, id).summary, Catch::Contains("phantom data"));
  }
}

TEST_CASE("convergence is told by steps and by the final loss, for measured runs alone") {
  ClaimRuns runs = real_runs();
  // Each epoch is one step, so the running mean is the loss itself: SAR settles at step 3 (its loss
  // does not change after it), Scratch at step 5; the final losses are 0.20 and 0.30.
  for (int trial = 0; trial < 3; ++trial) {
    const double shift = 0.001 * trial;
    const std::map<std::string, std::vector<double>> curves{
        {"sar", {0.9, 0.5, 0.2, 0.2, 0.2, 0.2}}, {"scratch", {0.9, 0.8, 0.6, 0.5, 0.3, 0.3}}};
    for (const char* task : {"brats", "pancreas"}) {
      for (const auto& [method, losses] : curves) {
        for (std::size_t i = 0; i < losses.size(); ++i) {
          runs.curves.push_back({method,
                                 task,
                                 trial,
                                 {static_cast<std::int64_t>(i + 1),
                                  static_cast<int>(i + 1),
                                  "train",
                                  losses[i] + shift,
                                  1e-3,
                                  1}});
        }
      }
    }
  }
  const ClaimReport report = measured(runs);
  const ClaimVerdict& faster = find(report, "speeds-up-convergence");
  CHECK(faster.verdict == Verdict::supported);
  CHECK(*faster.evidence.at(0).value == 2);                 // steps
  CHECK(faster.verdict_adjusted == Verdict::not_testable);  // every trial took as long: no spread
  const ClaimVerdict& all = find(report, "lower-dice-loss");
  CHECK(all.verdict == Verdict::not_testable);  // only Scratch is there
  CHECK(all.evidence.at(0).outcome == Outcome::holds);
  CHECK(all.evidence.at(0).outcome_adjusted == Outcome::holds);
  CHECK(*all.evidence.at(0).value == Approx(0.1).epsilon(1e-9));
  CHECK_THAT(all.evidence.at(1).text, Catch::Contains("sar-bench run fig3 -m genesis -t brats"));
}

TEST_CASE("which test images were pre-trained on is read from the nodes of the stored runs") {
  const TemporaryFolder folder;
  Store store(folder.path() / "r.sqlite", Store::Mode::read_write);
  const ProtocolRow protocol = test::protocol_row("p", "real");
  store.put_protocol(protocol);
  const auto cases = [](const std::vector<std::pair<std::string, std::string>>& list) {
    Json all = Json::array();
    for (const auto& [id, digest] : list) {
      all.push_back({{"id", id}, {"images", {{"flair", digest}}}});
    }
    return all;
  };
  const auto put = [&](const std::string& key, const std::string& kind, const Json& inputs) {
    NodeRow node = test::node_row(key, kind, NodeState::done);
    node.inputs = inputs;
    store.put_node(node);
  };
  put("cubes", "cubes", {{"cases", cases({{"a", "1"}, {"b", "2"}, {"copy", "5"}})}});
  put("prepared",
      "prepare",
      {{"cases", cases({{"c1", "1"}, {"c2", "2"}, {"c4", "4"}, {"c5", "5"}, {"c6", "6"}})}});
  const CellRow cell = test::cell_row("p", "sar", "brats", 0);
  put(cell.pretrain_node, "pretrain", {{"cubes", {"cubes"}}});
  put(cell.finetune_node, "finetune", Json::object());
  store.put_cell(cell);
  NodeRow evaluate = test::node_row(cell.evaluate_node, "evaluate", NodeState::done);
  evaluate.inputs = {{"test", {"c4", "c5", "c6"}}, {"prepared", "prepared"}};
  store.finish_node(evaluate, test::brats_cases(70));
  const ClaimRuns runs = read_claim_runs(store, protocol);
  const TaskRuns& brats = runs.tasks.at("brats");
  CHECK(brats.cases == 5);
  CHECK(brats.test_cases == 3);
  CHECK(brats.compared == 3);
  CHECK(brats.seen == std::vector<std::string>{"c5"});  // the same image under another name
  CHECK(brats.least_voxels == 100);
  CHECK(brats.most_voxels == 1000);
}

// --- output
// ---------------------------------------------------------------------------------------

TEST_CASE("claims as text fit in 100 columns, and phantom data are named with every claim") {
  ClaimRuns runs = real_runs();
  runs.protocol.data_kind = "phantom";
  for (const ClaimReport& report : {published(), measured(runs)}) {
    const bool phantom = report.data_kind == "phantom";
    std::istringstream lines(written(document_of(report, true), "text"));
    int named = 0;
    for (std::string line; std::getline(lines, line);) {
      const auto width = std::ranges::count_if(
          line, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; });
      INFO(line);
      CHECK(width <= 100);
      CHECK(!line.ends_with(' '));
      named += line.find("[phantom data]") != std::string::npos ? 1 : 0;
    }
    CHECK(named == (phantom ? static_cast<int>(report.claims.size()) + 1 : 0));
    for (const char* format : {"md", "latex", "html", "csv", "json"}) {
      INFO(format);
      CHECK((written(document_of(report), format).find("phantom") != std::string::npos) == phantom);
    }
  }
}

TEST_CASE("claims as JSON have the contract's shape") {
  const ClaimReport report = published();
  const Json json = Json::parse(written(document_of(report), "json"));
  CHECK(json.at("schema_version") == 1);
  CHECK(json.at("paper") == "sar2021");
  CHECK(json.at("source") == "published");
  CHECK(json.at("data_kind").is_null());
  CHECK(json.at("protocol").is_null());
  const Json& claims = json.at("claims");
  REQUIRE(claims.size() == report.claims.size());
  int sum = 0;
  for (const auto& [verdict, count] : json.at("counts").items()) {
    const auto same = std::ranges::count_if(
        claims, [&, name = verdict](const Json& each) { return each.at("verdict") == name; });
    CHECK(count == same);
    sum += count.get<int>();
  }
  CHECK(sum == static_cast<int>(claims.size()));
  for (const Json& each : claims) {
    for (const char* field :
         {"id", "section", "statement", "source", "verdict", "verdict_adjusted", "evidence"}) {
      CHECK(each.contains(field));
    }
    for (const Json& part : each.at("evidence")) {
      for (const char* field : {"cells", "value", "threshold", "p", "p_adjusted"}) {
        CHECK(part.contains(field));
      }
    }
  }
  CHECK_THROWS_AS(written(document_of(report), "xml"), Error);
}

TEST_CASE("unknown tests and corrections of claims are refused") {
  ClaimOptions options;
  options.test = "median";
  CHECK_THROWS_AS(published(options), Error);
  options.test = "student";
  options.correction = "bonferroni";
  CHECK_THROWS_AS(published(options), Error);
}

TEST_CASE("a level given for all replaces the one that a claim names") {
  ClaimOptions options;
  options.alpha = 1e-5;
  CHECK_THAT(find(published(options), "all-significant").summary, Catch::Contains("28 of 35"));
  options.alpha_for_all = true;
  CHECK_THAT(find(published(options), "all-significant").summary, !Catch::Contains("28 of 35"));
}

}  // namespace sar::claim_verdicts_test
