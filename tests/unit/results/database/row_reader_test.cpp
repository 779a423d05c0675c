#include "results/database/row_reader.h"

#include <catch2/catch.hpp>

#include <cmath>

namespace sar::row_reader_test {

struct Sample {
  double value = 0;
  std::optional<double> spread = {};
};
struct Thing {
  std::string name, note;
  int count = 0;
  std::int64_t steps = 0;
  std::uint64_t seed = 0;
  bool chosen = false;
  Json inputs;
  NodeState state = NodeState::pending;
  Sample sample;
};

constexpr auto kSample =
    columns<Sample>(column("value", &Sample::value), column("spread", &Sample::spread));
constexpr auto kThing = columns<Thing>(column("name", &Thing::name),
                                       optional_text("note", &Thing::note),
                                       column("count", &Thing::count),
                                       column("steps", &Thing::steps),
                                       column("seed", &Thing::seed),
                                       column("chosen", &Thing::chosen),
                                       column("inputs", &Thing::inputs),
                                       column("state", &Thing::state),
                                       inner("", &Thing::sample, kSample));

/// A database in memory with a table of things.
struct Things {
  Things() : db(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE) {
    db.exec(
        "CREATE TABLE thing (owner TEXT, name TEXT PRIMARY KEY, note TEXT, count INTEGER, "
        "steps INTEGER, seed INTEGER, chosen INTEGER, inputs TEXT, state TEXT, value REAL, "
        "spread REAL) STRICT");
  }
  SQLite::Database db;
};

Thing thing(const std::string& name) {
  return {name,
          "said",
          3,
          1LL << 40,
          ~std::uint64_t{0},
          true,
          {{"a", 1}},
          NodeState::failed,
          {1.5, 0.25}};
}

TEST_CASE("a row is read back as it was written") {
  Things f;
  Insert(f.db, "INSERT INTO thing", {"owner", "me"}, kThing).put({thing("a"), thing("b")});
  const std::vector<Thing> rows = select_all(f.db, kThing, "FROM thing WHERE owner = ?", "me");
  REQUIRE(rows.size() == 2);
  CHECK(rows[1].name == "b");
  CHECK(rows[1].note == "said");
  CHECK(rows[1].count == 3);
  CHECK(rows[1].steps == 1LL << 40);
  CHECK(rows[1].seed == ~std::uint64_t{0});
  CHECK(rows[1].chosen);
  CHECK(rows[1].inputs == Json{{"a", 1}});
  CHECK(rows[1].state == NodeState::failed);
  CHECK(rows[1].sample.value == 1.5);
  CHECK(rows[1].sample.spread == 0.25);
  CHECK(select_first(f.db, kThing, "FROM thing ORDER BY name DESC")->name == "b");
  CHECK_FALSE(select_first(f.db, kThing, "FROM thing WHERE name = ?", "c"));
}

TEST_CASE("what is not known is NULL in the database") {
  Things f;
  Thing unknown = thing("a");
  unknown.note.clear();
  unknown.sample = {std::nan(""), {}};
  Insert(f.db, "INSERT INTO thing", kThing).put(unknown);
  CHECK(select_texts(f.db,
                     "SELECT name FROM thing WHERE note IS NULL AND value IS NULL AND "
                     "spread IS NULL") == std::vector<std::string>{"a"});
  const Thing row = select_first(f.db, kThing, "FROM thing").value();
  CHECK(row.note.empty());
  CHECK(std::isnan(row.sample.value));
  CHECK_FALSE(row.sample.spread);
}

TEST_CASE("a row of the same key is replaced, and left alone where nothing differs") {
  Things f;
  const auto put = [&](const Thing& row) {
    return Insert(f.db, "INSERT INTO thing", kThing, or_update(kThing)).put(row);
  };
  Thing row = thing("a");
  CHECK(put(row) == 1);
  CHECK(put(row) == 0);
  row.note.clear();
  CHECK(put(row) == 1);
  CHECK(put(row) == 0);  // NULL is NULL
  CHECK(select_first(f.db, kThing, "FROM thing")->note.empty());
}

}  // namespace sar::row_reader_test
