#include "results/document/output_format.h"

namespace sar::formats::json {

void register_in(OutputFormats& registry) {
  registry.push_back({"json", 5, true, [](const Document& document, const WriteOptions&) {
                        return to_text(document.json);
                      }});
}

}  // namespace sar::formats::json
