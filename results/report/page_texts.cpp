#include "results/report/page_texts.h"

#include "harness/core/hash.h"
#include "results/text/layout.h"
#include "results/text/words.h"

namespace sar {

std::string safe_name(const std::string& text) {
  std::string name;
  bool changed = text.empty();
  for (const char c : text) {
    const bool safe = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '-' || (c == '.' && !name.empty());
    changed = changed || !safe;
    name += safe ? c : '-';
  }
  // Names with unusual signs could collide: they carry a digest.
  return changed ? name.substr(0, 40) + "-" + sha256(text).substr(0, 8) : name;
}

Json texts(const std::vector<std::string>& lines) {
  Json list = Json::array();
  for (const std::string& line : lines) {
    list.push_back({{"text", line}});
  }
  return list;
}

std::string corrected_by(const std::string& correction) {
  return correction == "none" ? "without correction" : "after " + correction_name(correction);
}

CellPath path_of(const Table& table, std::size_t row, const TableCell& cell) {
  return {table.spec.id,
          table.spec.rows[row].method,
          cell.task,
          cell.target,
          cell.bucket,
          cell.fraction};
}

std::string cell_anchor(const std::string& source, const std::string& path) {
  return source + "-" + safe_name(replace_all(path, {{"/", "."}}));
}

}  // namespace sar
