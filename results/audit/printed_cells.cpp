#include "results/audit/printed_cells.h"

#include <algorithm>
#include <cctype>
#include <cmath>

namespace sar::audit_checks {

CellPath Place::path() const {
  return {
      table->spec.id, method().method, head().task, head().target, head().bucket, head().fraction};
}

std::string Place::text() const {
  return cell().mean.text + (cell().sd ? "±" + cell().sd->text : "");
}

std::string Place::column_name() const {
  return sar::column_name(table->spec, column);
}

std::vector<Place> all_places(const Paper& paper) {
  std::vector<Place> places;
  for (const PrintedTable& table : paper.tables) {
    for (std::size_t row = 0; row < table.cells.size(); ++row) {
      for (std::size_t column = 0; column < table.cells[row].size(); ++column) {
        places.push_back({&table, row, column});
      }
    }
  }
  return places;
}

Place find_place(const Paper& paper, const CellPath& path) {
  const PrintedTable* table = paper.find(path.table);
  if (table == nullptr) {
    return {};
  }
  for (std::size_t row = 0; row < table->cells.size(); ++row) {
    for (std::size_t column = 0; column < table->cells[row].size(); ++column) {
      const Place place{table, row, column};
      if (place.path() == path) {
        return place;
      }
    }
  }
  return {};
}

int decimals(const PrintedNumber& number) {
  if (!(number.half_unit > 0)) {
    return 9;  // not rounded
  }
  return static_cast<int>(std::lround(-std::log10(2 * number.half_unit)));
}

std::string section_of(const Claim& claim) {
  const std::string& section = claim.section;
  const bool numbered = !section.empty() && section.front() >= '0' && section.front() <= '9';
  return numbered ? "section " + section : section.empty() ? "text" : section;
}

std::string sentence_start(const Claim& claim) {
  std::string text = section_of(claim);
  text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
  return text;
}

Grid::Grid(const std::vector<const PrintedNumber*>& numbers) {
  int finest = 0;
  for (const PrintedNumber* number : numbers) {
    finest = std::max(finest, decimals(*number));
  }
  scale_ = 2 * std::pow(10.0, finest);
}

long Grid::value(const PrintedNumber& number) const {
  return std::lround(number.value * scale_);
}

long Grid::half(const PrintedNumber& number) const {
  return std::lround(number.half_unit * scale_);
}

std::vector<std::string> paths(const std::vector<Place>& places) {
  std::vector<std::string> list;
  for (const Place& place : places) {
    list.push_back(place.path().text());
  }
  return list;
}

std::string labels(const std::vector<Place>& places) {
  std::string list;
  for (std::size_t i = 0; i < places.size(); ++i) {
    list += (i == 0 ? "" : i + 1 == places.size() ? " and " : ", ") + places[i].method().label;
  }
  return list;
}

std::vector<Place> column_of(const PrintedTable& table, std::size_t column) {
  std::vector<Place> places;
  for (std::size_t row = 0; row < table.cells.size(); ++row) {
    places.push_back({&table, row, column});
  }
  return places;
}

}  // namespace sar::audit_checks
