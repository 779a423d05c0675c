#include "results/paper/cells.h"

#include "harness/core/error.h"
#include "tests/support/fixtures.h"

#include <catch2/catch.hpp>

namespace sar::cells_test {

TEST_CASE("a cell's path reads back as it is written") {
  for (const char* text : {"table2/genesis/brats/tumor/L",
                           "table4/sar/pancreas/average/all/1/10",
                           "./mine/table.toml/sar/brats/tumor/all"}) {
    INFO(text);
    CHECK(parse_cell_path(text).text() == text);
  }
  const CellPath path = parse_cell_path("table4/sar/pancreas/average/all/1/10");
  CHECK(path == CellPath{"table4", "sar", "pancreas", "average", "all", "1/10"});
  CHECK(path.column() == "pancreas/average/all/1/10");
  CHECK(parse_cell_path("table2/sar/brats/tumor/S").column() == "brats/tumor/S");
  CHECK(parse_cell_path("/a/t.toml/sar/brats/tumor/S").table == "/a/t.toml");
  CHECK(parse_cell_path("table2/sar/brats/tumor/S/1").text() == "table2/sar/brats/tumor/S");
}

TEST_CASE("a path with too few, too many or empty parts is a usage error") {
  for (const char* text : {"",
                           "table2",
                           "table2/sar/brats/tumor",
                           "table2/sar/brats/tumor/",
                           "table2//brats/tumor/all",
                           "table2/sar/brats/tumor/all/1/10/x"}) {
    INFO(text);
    try {
      static_cast<void>(parse_cell_path(text));
      FAIL("was accepted");
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::usage);
    }
  }
}

TEST_CASE("published cells carry their digits, and what is not printed is not there") {
  const Paper paper =
      read_paper(std::filesystem::path(SARBENCH_SOURCE_DIR) / "experiments/papers/sar2021");
  const CellSource source = published_cells(paper);
  CHECK(source.name == "published");
  const auto genesis = source.find(parse_cell_path("table2/genesis/brats/tumor/L"));
  REQUIRE(genesis);
  CHECK(genesis->summary.mean == 85.62);
  CHECK(genesis->summary.sd == 1.27);
  CHECK(genesis->summary.n == 5);
  CHECK(genesis->mean_half_unit == Approx(0.005).epsilon(1e-12));
  CHECK(genesis->sd_half_unit == Approx(0.005).epsilon(1e-12));
  CHECK(genesis->trials.empty());
  const auto few = source.find(parse_cell_path("table4/scratch/pancreas/average/all/1/50"));
  REQUIRE(few);
  CHECK(few->summary.mean == 8.91);
  CHECK(!few->summary.sd);
  CHECK(few->summary.n == 0);
  CHECK(few->sd_half_unit == 0);
  for (const char* text : {"table9/sar/brats/tumor/all",
                           "table2/nobody/brats/tumor/all",
                           "table2/sar/pancreas/tumor/L",
                           "table2/sar/brats/tumor/all/1/10"}) {
    INFO(text);
    CHECK(!source.find(parse_cell_path(text)));
  }
}

TEST_CASE("measured cells are the trials of one protocol, whatever table asks") {
  const TemporaryFolder folder;
  Store store(folder.path() / "results.sqlite", Store::Mode::read_write);
  const ProtocolRow protocol = test::protocol_row("p", "real");
  store.put_protocol(protocol);
  for (const int trial : {2, 0, 1}) {
    test::put_done_cell(
        store, test::cell_row("p", "sar", "brats", trial), test::brats_cases(70 + 2 * trial));
  }
  test::put_done_cell(
      store, test::cell_row("p", "sar", "pancreas", 0, "1/10"), test::pancreas_cases(60, 20));
  const CellSource source = measured_cells(store.trial_dice("p"), protocol);
  CHECK(source.name == "measured");
  CHECK(source.data_kind == "real");
  CHECK(source.protocol == "p");
  for (const char* table : {"table2", "table3", "any"}) {
    const auto cell = source.find({table, "sar", "brats", "tumor", "S", "1"});
    REQUIRE(cell);
    CHECK(cell->trials == std::vector<double>{65, 67, 69});  // five below `all`
    CHECK(cell->summary.mean == Approx(67).epsilon(1e-12));
    CHECK(*cell->summary.sd == Approx(2).epsilon(1e-12));
    CHECK(cell->summary.n == 3);
    CHECK(cell->mean_half_unit == 0);
  }
  const auto average = source.find({"table4", "sar", "pancreas", "average", "all", "1/10"});
  REQUIRE(average);
  CHECK(average->summary.mean == Approx(40).epsilon(1e-12));
  CHECK(!average->summary.sd);
  CHECK(!source.find({"table2", "sar", "pancreas", "average", "all", "1"}));
  CHECK(!source.find({"table2", "scratch", "brats", "tumor", "S", "1"}));
}

}  // namespace sar::cells_test
