#include "results/database/protocol_choice.h"

#include "harness/core/error.h"
#include "tests/support/fixtures.h"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

namespace sar::protocol_choice_test {

CellState state(const std::string& protocol,
                const std::string& method,
                const std::string& state,
                const std::string& ended,
                std::int64_t protocol_row = 0) {
  CellState cell;
  cell.protocol = protocol;
  cell.protocol_row = protocol_row;
  cell.method = method;
  cell.task = "brats";
  cell.fraction = "1";
  cell.state = state;
  cell.evaluated = state == "done";
  (state == "running" ? cell.started : cell.ended) = ended;
  return cell;
}

const CellGroup kSar{"sar", "brats", "1"};
const CellGroup kScratch{"scratch", "brats", "1"};

TableSpec table(const std::vector<std::string>& methods) {
  TableSpec spec;
  for (const std::string& method : methods) {
    spec.rows.push_back({method, method});
  }
  spec.columns = {{"", "", "brats", "tumor", "all", "1"}};
  return spec;
}

TEST_CASE("the newest complete protocol is chosen, else the newest with any result") {
  const TemporaryFolder folder;
  Store store(folder.path() / "runs.sqlite", Store::Mode::read_write);
  TableSpec spec = test::small_spec(1);
  spec.rows.erase(spec.rows.begin());  // genesis, sar
  spec.columns.resize(4);              // brats
  CHECK_FALSE(newest_protocol(store, spec));
  for (const char* key : {"proto1", "proto2", "proto3"}) {
    store.put_protocol(test::protocol_row(key));
  }
  test::put_done_cell(
      store, test::cell_row("proto3", "scratch", "brats", 0), test::brats_cases(50));
  CHECK_FALSE(newest_protocol(store, spec));  // nothing that the table shows
  test::put_done_cell(
      store, test::cell_row("proto2", "sar", "brats", 0), test::brats_cases(50), "2024-05-03");
  CHECK(newest_protocol(store, spec)->protocol == "proto2");
  test::put_done_cell(
      store, test::cell_row("proto1", "sar", "brats", 0), test::brats_cases(50), "2024-05-01");
  CHECK(newest_protocol(store, spec)->protocol == "proto2");  // ended later
  test::put_done_cell(
      store, test::cell_row("proto1", "genesis", "brats", 0), test::brats_cases(50), "2024-05-01");
  CHECK(newest_protocol(store, spec)->protocol == "proto1");  // complete
  test::put_done_cell(
      store, test::cell_row("proto2", "genesis", "brats", 0), test::brats_cases(50), "2024-05-02");
  CHECK(newest_protocol(store, spec)->protocol == "proto2");  // both complete, newer
}

TEST_CASE("an evaluation that is done is shown though work before it has failed since") {
  CellState cell = state("p", "sar", "failed", "2024-01-01");
  CHECK(protocol_to_show({cell}, table({"sar"})).protocol.empty());
  cell.evaluated = true;
  CHECK(protocol_to_show({cell}, table({"sar"})).protocol == "p");
  CHECK(protocol_to_show({cell}, table({"sar"})).complete);
  CHECK(protocol_to_freeze({cell}, {}).protocol.empty());
  CHECK(protocol_to_show({cell}, TableSpec{}).protocol.empty());
}

TEST_CASE("the newest complete protocol is frozen, whatever was begun after it") {
  const std::vector<CellState> cells{state("old", "sar", "done", "2024-01-01"),
                                     state("old", "scratch", "done", "2024-01-02"),
                                     state("new", "sar", "done", "2024-02-01"),
                                     state("new", "scratch", "done", "2024-02-02"),
                                     state("begun", "sar", "done", "2024-03-01"),
                                     state("begun", "scratch", "pending", ""),
                                     state("failed", "sar", "failed", "2024-04-01")};
  CHECK(protocol_to_freeze(cells, {}).protocol == "new");
  CHECK(protocol_to_freeze(cells, {}).complete);
  CHECK(protocol_to_freeze(cells, {kSar}).protocol == "begun");  // all of SAR is done there
  CHECK(protocol_to_freeze(cells, {kSar, kScratch}).protocol == "new");
  const ProtocolChoice incomplete = protocol_to_freeze(cells, {kSar, {"mial", "brats", "1"}});
  CHECK(incomplete.protocol == "begun");
  CHECK_FALSE(incomplete.complete);
  CHECK(protocol_to_freeze(cells, {{"mial", "brats", "1"}}).protocol.empty());
  CHECK(protocol_to_freeze({}, {}).protocol.empty());
  CHECK(protocol_to_compare(cells).protocol == "new");
  CHECK(protocol_to_compare({}).protocol.empty());
}

TEST_CASE("of protocols that share their last trial the one stored or planned last is newer") {
  // "a" was stored last, "b" was planned last, "c" has the trial that was planned last.
  const std::vector<CellState> cells{state("c", "sar", "done", "t", 1),
                                     state("a", "sar", "done", "t", 3),
                                     state("b", "sar", "done", "t", 2),
                                     state("c", "scratch", "done", "t", 1)};
  CHECK(protocol_to_show(cells, table({"sar"})).protocol == "a");
  CHECK(protocol_to_freeze(cells, {kSar}).protocol == "b");
  CHECK(protocol_to_check(cells, {kSar}).protocol == "b");
  CHECK(protocol_to_compare(cells).protocol == "c");
}

TEST_CASE("a check takes the newest protocol, with gaps too, and not an older complete one") {
  std::vector<CellState> cells{state("old", "sar", "done", "2024-01-01"),
                               state("old", "scratch", "done", "2024-01-02")};
  CHECK(protocol_to_check(cells, {kSar, kScratch}).protocol == "old");
  CHECK(protocol_to_check(cells, {kSar, kScratch}).complete);
  CHECK(protocol_to_check(cells, {kSar, kScratch}).newer.empty());
  for (const std::string how : {"done", "failed", "running"}) {
    std::vector<CellState> later = cells;
    later.push_back(state("new", "sar", how, "2024-02-01"));
    const ProtocolChoice choice = protocol_to_check(later, {kSar, kScratch});
    INFO(how);
    CHECK(choice.protocol == "new");
    CHECK_FALSE(choice.complete);
    CHECK(protocol_to_check(later, {kScratch}).protocol == "old");  // nothing newer of this cell
  }
  cells.push_back(state("planned", "sar", "pending", ""));
  CHECK(protocol_to_check(cells, {kSar}).protocol == "old");
  CHECK(protocol_to_check(cells, {kSar}).newer == "planned");
  CHECK(protocol_to_check({}, {kSar}).protocol.empty());
}

TEST_CASE("the newest protocol of a pre-training and of a count of the data is found") {
  const TemporaryFolder folder;
  Store store(folder.path() / "a.sqlite", Store::Mode::read_write);
  for (const char* protocol : {"old", "new", "unfinished"}) {
    store.put_protocol(test::protocol_row(protocol));
    for (const char* kind : {"pretrain", "survey"}) {
      NodeRow node = test::node_row(
          std::string(kind) + protocol,
          kind,
          protocol == std::string("unfinished") ? NodeState::running : NodeState::done);
      node.ended = protocol == std::string("old") ? "2024-01-01T00:00:00Z" : "2024-02-01T00:00:00Z";
      if (kind == std::string("survey")) {
        node.inputs["protocol"] = protocol;
      }
      store.put_node(node);
    }
    store.put_pretraining(protocol, "sar", std::string("pretrain") + protocol);
  }
  const auto of_methods = [&](const std::vector<std::string>& methods) {
    return protocol_of_pretraining(store.pretrainings(), methods);
  };
  CHECK(of_methods({"sar"}) == "new");
  CHECK(protocol_of_survey(store.surveys()) == "new");
  CHECK(of_methods({"rot"}).empty());
  // One that has all methods goes before a newer one that lacks some.
  store.put_node(test::node_row("rot-old", "pretrain", NodeState::done));
  store.put_pretraining("old", "rot", "rot-old");
  CHECK(of_methods({"sar", "rot"}) == "old");
  CHECK(of_methods({"sar"}) == "new");
  CHECK(store.survey("old")->key == "surveyold");
  CHECK_FALSE(store.survey("unfinished"));
}

TEST_CASE("a protocol is named by its key or the beginning of it") {
  const TemporaryFolder folder;
  Store store(folder.path() / "a.sqlite", Store::Mode::read_write);
  store.put_protocol(test::protocol_row("abc"));
  store.put_protocol(test::protocol_row("abd"));
  CHECK(named_protocol(store, "abc").protocol == "abc");
  CHECK(named_protocol(store, "abd").protocol == "abd");
  const auto error_of = [&](const std::string& key, const std::string& database) {
    try {
      static_cast<void>(named_protocol(store, key, database));
    } catch (const Error& error) {
      return std::pair(error.code(), std::string(error.what()));
    }
    return std::pair(ExitCode::ok, std::string());
  };
  CHECK(error_of("ab", "").first == ExitCode::usage);
  CHECK(error_of("x", "").first == ExitCode::results_missing);
  CHECK_THAT(error_of("x", "").second, Catch::Contains("sar-bench list runs shows"));
  CHECK_THAT(error_of("x", "a.sqlite").second, Catch::Contains("list runs --db a.sqlite shows"));
}

}  // namespace sar::protocol_choice_test
