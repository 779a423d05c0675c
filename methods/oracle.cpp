// A control, not a row: encoder and decoder of a network that has learnt the task itself, from all
// labels of the training cases. A start that is known to be better, so that it is seen whether a
// table could show a difference; it is no upper bound.

#include "harness/config/key.h"
#include "harness/nn/method.h"

namespace sar::methods::oracle {

void register_in(MethodRegistry& registry) {
  Method method;
  method.id = "oracle";
  method.paper_name = "Oracle control";
  method.summary = "starts from a network trained on the task itself, with all labels";
  method.citation = "assay sensitivity as in trials of drugs: ICH E10, section 1.5";
  method.order = 910;
  method.transfer = Transfer::encoder_and_decoder;
  method.control = true;
  method.supervised = true;
  method.keys =
      specs_of({Key("control.oracle_budget",
                    2,
                    "epochs of the training that the oracle starts from, as a multiple of "
                    "those of fine-tuning")
                    .at_least(1)
                    .added_later()});
  registry.add(std::move(method));
}

}  // namespace sar::methods::oracle
