// The ledger of what the paper leaves open: every gap has a key, an entry in the paper's
// assumptions.toml and a row in docs/protocol.md that name the key, the default and its reason, and
// a test case tagged [key:…] that shows what a changed value changes.

#include "experiments/catalog.h"
#include "harness/core/files.h"
#include "results/paper/assumptions.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;
constexpr int kGaps = 57;

/// All keys: the shared ones and those of the methods and data sets, as the worker described them.
const sar::Catalog& catalog() {
  static const sar::Catalog loaded = sar::Catalog::load(SARBENCH_SHARE_DIR);
  return loaded;
}

std::map<int, Names> keys_by_gap() {
  std::map<int, Names> keys;
  for (const auto& key : catalog().schema().keys()) {
    if (key.gap != 0) {
      keys[key.gap].insert(key.name);
    }
  }
  return keys;
}

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(' ');
  return first == std::string::npos ? ""
                                    : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// "12, 13" and "17–19" as numbers.
std::set<int> numbers(const std::string& text) {
  std::set<int> all;
  static const std::regex range("([0-9]+)(?:(?:–|-)([0-9]+))?");
  for (std::sregex_iterator at(text.begin(), text.end(), range), end; at != end; ++at) {
    const int first = std::stoi((*at)[1]);
    const int last = (*at)[2].matched ? std::stoi((*at)[2]) : first;
    for (int n = first; n <= last; ++n) {
      all.insert(n);
    }
  }
  return all;
}

/// Keys that a name of the table stands for: itself, all of a section ("transform.*"), or one for
/// each data set ("<set>.list") or method ("<method>.optimizer") that has it.
Names expanded(const std::string& name) {
  Names candidates;
  const auto put_in_place = [&](const std::string& wildcard, const auto& list) {
    if (name.starts_with(wildcard)) {
      for (const auto& each : list) {
        candidates.insert(each.id + name.substr(wildcard.size()));
      }
    }
  };
  put_in_place("<set>", catalog().datasets());
  put_in_place("<method>", catalog().methods());
  candidates.insert(name);
  const std::string section = name.ends_with(".*") ? name.substr(0, name.size() - 1) : "";
  Names keys;
  for (const auto& key : catalog().schema().keys()) {
    if (candidates.contains(key.name) || (!section.empty() && key.name.starts_with(section))) {
      keys.insert(key.name);
    }
  }
  return keys;
}

struct Row {
  std::set<int> gaps;
  std::string question, fallback, reason;
  Names names;                    ///< as written
  std::vector<std::string> list;  ///< the same in the order written
};

/// The table of docs/protocol.md.
std::vector<Row> rows() {
  std::istringstream document(
      sar::read_file(fs::path(SARBENCH_SOURCE_DIR) / "docs" / "protocol.md"));
  std::vector<Row> all;
  for (std::string line; std::getline(document, line);) {
    std::vector<std::string> columns;
    std::istringstream parts(line);
    for (std::string part; std::getline(parts, part, '|');) {
      columns.push_back(trimmed(part));
    }
    if (columns.size() != 6 || numbers(columns[1]).empty()) {  // the first is before the first bar
      continue;
    }
    Row row{numbers(columns[1]), columns[2], columns[3], columns[4], {}, {}};
    static const std::regex quoted("`([^`]+)`");
    for (std::sregex_iterator at(columns[5].begin(), columns[5].end(), quoted), end; at != end;
         ++at) {
      row.names.insert((*at)[1]);
      row.list.push_back((*at)[1]);
    }
    all.push_back(std::move(row));
  }
  return all;
}

/// Keys that test cases are tagged with, in any source below tests/.
Names tagged_keys() {
  Names keys;
  static const std::regex tag(R"(\[key:([a-z0-9_]+(?:\.[a-z0-9_]+)*)\])");
  for (const auto& entry :
       fs::recursive_directory_iterator(fs::path(SARBENCH_SOURCE_DIR) / "tests")) {
    if (entry.path().extension() != ".cpp") {
      continue;
    }
    const std::string text = sar::read_file(entry.path());
    for (std::sregex_iterator at(text.begin(), text.end(), tag), end; at != end; ++at) {
      keys.insert((*at)[1]);
    }
  }
  return keys;
}

Names without(const Names& all, const Names& some) {
  Names rest;
  std::ranges::set_difference(all, some, std::inserter(rest, rest.begin()));
  return rest;
}

TEST_CASE("every gap of the ledger has a key, and no key names another gap") {
  const auto keys = keys_by_gap();
  for (int gap = 1; gap <= kGaps; ++gap) {
    INFO("gap " << gap << " has no key");
    CHECK(keys.contains(gap));
  }
  CHECK(keys.begin()->first >= 1);
  CHECK(keys.rbegin()->first <= kGaps);
}

TEST_CASE("docs/protocol.md gives each gap's question, default, reason and every one of its keys") {
  std::map<int, Names> named;
  for (const Row& row : rows()) {
    INFO("row: " << row.question);
    CHECK_FALSE(row.question.empty());
    CHECK_FALSE(row.fallback.empty());
    CHECK_FALSE(row.reason.empty());
    for (const auto& name : row.names) {
      INFO("no key is called " << name);
      const Names keys = expanded(name);
      CHECK_FALSE(keys.empty());
      for (const int gap : row.gaps) {
        named[gap].insert(keys.begin(), keys.end());
      }
    }
  }
  const auto keys = keys_by_gap();
  for (int gap = 1; gap <= kGaps; ++gap) {
    INFO("gap " << gap);
    CHECK(named.contains(gap));
    if (keys.contains(gap)) {
      CHECK(without(keys.at(gap), named[gap]) == Names{});  // missing from the gap's row
    }
  }
}

std::vector<sar::Assumption> assumptions() {
  return sar::read_assumptions(catalog().paper_folder("sar2021"), catalog().key_words());
}

TEST_CASE(
    "the paper's assumptions settle each gap once, by keys that exist and all that have its "
    "number") {
  std::map<int, Names> named;
  for (const sar::Assumption& assumption : assumptions()) {
    INFO(assumption.question);
    for (const auto& name : assumption.keys) {
      INFO("no key is called " << name);
      CHECK_FALSE(expanded(name).empty());
    }
    const auto keys = sar::keys_of(assumption, catalog().defaults());
    for (const int gap : assumption.numbers) {
      CHECK(gap <= kGaps);
      CHECK_FALSE(named.contains(gap));
      named[gap].insert(keys.begin(), keys.end());
    }
  }
  const auto keys = keys_by_gap();
  for (int gap = 1; gap <= kGaps; ++gap) {
    INFO("gap " << gap);
    REQUIRE(named.contains(gap));
    CHECK(without(keys.at(gap), named[gap]) == Names{});
  }
}

TEST_CASE("the table of docs/protocol.md says what the paper's assumptions say") {
  const auto all = assumptions();
  const auto table = rows();
  REQUIRE(table.size() == all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    INFO("row " << i + 1);
    CHECK(table[i].gaps == std::set<int>(all[i].numbers.begin(), all[i].numbers.end()));
    CHECK(table[i].question == all[i].question);
    CHECK(table[i].fallback == all[i].choice);
    CHECK(table[i].reason == all[i].because);
    CHECK(table[i].list == all[i].keys);
  }
}

TEST_CASE("every key of a gap has a test that is tagged with it") {
  const Names tagged = tagged_keys();
  Names all;
  for (const auto& [gap, keys] : keys_by_gap()) {
    all.insert(keys.begin(), keys.end());
  }
  CHECK(without(all, tagged) == Names{});  // untested
  CHECK(without(tagged, all) == Names{});  // no such key, or none of a gap
}

}  // namespace
