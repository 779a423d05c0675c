// Speed of the report on a large database: 500 trials, 100,000 rows of test cases. Wanted on one
// core: `sar-bench report` within 5 s, and its page loaded in Chromium within 2 s.
//
//   ninja sar_bench_report sar-bench && bin/sar_bench_report

#include "harness/core/files.h"
#include "tests/support/browser.h"
#include "tests/support/process.h"
#include "tests/support/synthetic_database.h"

#include <benchmark/benchmark.h>

#include <stdexcept>
#include <string>

namespace {

namespace fs = std::filesystem;

/// The database, made once, and a report of it.
struct Large {
  sar::TemporaryFolder folder{"sar-report-bench"};
  fs::path page = folder.path() / "report" / "report.html";

  Large() {
    sar::test::SyntheticRuns runs;
    runs.methods = {
        "scratch", "genesis", "rpl", "jig", "rot", "cpc", "mial", "sa", "sar", "scale2"};
    runs.fractions = {"1/2", "1/5", "1/10", "1/20"};
    runs.fraction_methods = runs.methods;  // 10 methods, 2 tasks, 5 fractions, 5 trials
    runs.rows_per_trial = 200;
    runs.epochs = 50;
    runs.steps_per_epoch = 20;
    runs.gaps = false;
    runs.hostile = false;
    sar::test::write_synthetic_database(folder.path() / "runs.sqlite", runs);
  }

  void make() const {
    const auto outcome =
        sar::test::sar_bench(folder.path(), {"report", "-o", "report", "--db", "runs.sqlite"});
    if (outcome.code != 0) {
      throw std::runtime_error(outcome.err);
    }
  }
};

const Large& large() {
  static const Large once;
  return once;
}

void make_report(benchmark::State& state) {
  large();
  for (auto _ : state) {
    large().make();
  }
  state.counters["page_bytes"] = static_cast<double>(fs::file_size(large().page));
}
BENCHMARK(make_report)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(3);

/// By the browser's own clock: from the start of the navigation to the end of the load event.
void load_page(benchmark::State& state) {
  if (!fs::exists(large().page)) {
    large().make();
  }
  sar::test::Browser browser;
  for (auto _ : state) {
    browser.open(large().page);
    state.SetIterationTime(
        browser.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
            .get<double>() /
        1000);
  }
  if (!browser.messages().empty()) {
    state.SkipWithError(browser.messages().front().c_str());
  }
}
BENCHMARK(load_page)->Unit(benchmark::kMillisecond)->UseManualTime()->Iterations(5);

}  // namespace

BENCHMARK_MAIN();
