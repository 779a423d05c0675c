#include "results/document/output_format.h"

namespace sar::formats::json {

void register_in(OutputFormats& registry) {
  registry.add({"json", 5, true, [](const Document& document, const WriteOptions&) {
                  return to_text(document.json, document.json_indent);
                }});
}

}  // namespace sar::formats::json
