// A control, not a row: Scratch once more with other seeds. Whatever a table shows between the two
// is chance. Judge it over many seeds (docs/controls.md): a sound one differs in one run of twenty.

#include "harness/nn/method.h"

namespace sar::methods::null {

void register_in(MethodRegistry& registry) {
  Method method;
  method.id = "null";
  method.paper_name = "Null control";
  method.summary = "Scratch once more, with other trial seeds: differs by chance alone";
  method.citation = "assay sensitivity as in trials of drugs: ICH E10, section 1.5";
  method.order = 900;
  method.transfer = Transfer::none;
  method.control = true;
  method.trial_seeds = "null";
  registry.add(std::move(method));
}

}  // namespace sar::methods::null
