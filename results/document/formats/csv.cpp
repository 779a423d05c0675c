#include "results/document/output_format.h"
#include "results/text/escape.h"

namespace sar::formats::csv {
namespace {

std::string line(const std::vector<std::string>& fields) {
  std::string text;
  for (const std::string& field : fields) {
    text += escape_csv(field) + ",";
  }
  text.back() = '\n';
  return text;
}

std::string write(const Document& document, const WriteOptions& /*options*/) {
  std::string text = line(document.values.header);
  for (const auto& row : document.values.rows) {
    text += line(row);
  }
  return text;
}

}  // namespace

void register_in(OutputFormats& registry) {
  registry.add({"csv", 4, true, write});
}

}  // namespace sar::formats::csv
