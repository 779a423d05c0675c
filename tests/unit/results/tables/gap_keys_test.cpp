#include "results/tables/table.h"
#include "results/tables/table_document.h"
#include "tests/support/fixtures.h"

#include <catch2/catch.hpp>

#include <cmath>

namespace sar::gap_keys_test {

TEST_CASE("printed SDs may divide by n while the tests stay as they are",
          "[key:statistics.delta_degrees_of_freedom]") {
  const TemporaryFolder folder;
  Store store(folder.path() / "a.sqlite", Store::Mode::read_write);
  const ProtocolRow protocol = test::protocol_row("p");
  store.put_protocol(protocol);
  int trial = 0;
  for (const double dice : {60.0, 62.0, 67.0}) {
    test::put_done_cell(
        store, test::cell_row("p", "scratch", "brats", trial), test::brats_cases(dice));
    test::put_done_cell(
        store, test::cell_row("p", "sar", "brats", trial), test::brats_cases(dice + 5));
    ++trial;
  }
  TableSpec spec = test::small_spec(3);
  TableOptions options;
  const Table sample = build_table(store, protocol, spec, options);
  options.delta_degrees_of_freedom = 0;
  const Table population = build_table(store, protocol, spec, options);
  const TableCell& before = sample.cells[0][3];
  const TableCell& after = population.cells[0][3];
  // Deviations from 63: -3, -1, 4, so the squares add up to 26. Tolerance: double rounding.
  CHECK(*before.sd == Approx(std::sqrt(26.0 / 2)).epsilon(1e-12));
  CHECK(*after.sd == Approx(std::sqrt(26.0 / 3)).epsilon(1e-12));
  REQUIRE(before.student);
  CHECK(after.student->p == before.student->p);  // exact
  CHECK(after.student->t == before.student->t);
  CHECK_THAT(written(document_of(population), "text"),
             Catch::Contains("divide by n instead of n - 1"));
  CHECK_THAT(written(document_of(sample), "text"), !Catch::Contains("divide by n"));
  // The database keeps n - 1 in any case.
  CHECK(store.query("SELECT sd FROM v_cell WHERE method = 'scratch' AND bucket = 'all'")
            .at("rows")[0][0]
            .get<double>() == Approx(std::sqrt(26.0 / 2)).epsilon(1e-12));
}

}  // namespace sar::gap_keys_test
