#include "harness/config/key.h"
#include "harness/nn/torch/restoration_task.h"

namespace sar::methods::genesis {
namespace {

constexpr const char* kWeightKey = "genesis.restoration_weight";

std::unique_ptr<ProxyTask> make_task(const Settings& settings, const Network& /*network*/) {
  return std::make_unique<RestorationTask>(
      restoration_options(settings, kWeightKey), nullptr, nullptr);
}

}  // namespace

void register_in(MethodRegistry& registry) {
  Method method;
  method.id = "genesis";
  method.paper_name = "Genesis";
  method.summary = "restores transformed cubes";
  method.citation = "Zhou et al., Models Genesis, MICCAI 2019";
  method.order = 10;
  method.transfer = Transfer::encoder_and_decoder;
  method.sections = {"genesis"};
  method.cubes = "genesis.cube_source";
  method.keys = specs_of({cube_source_key("genesis"),
                          Key(kWeightKey,
                              10.0,
                              "beta of the restoration loss; 10 as in the other rows, 1 as in the "
                              "official code")
                              .at_least(0)
                              .gap(26)});
  method.make_task = make_task;
  registry.add(std::move(method));
}

}  // namespace sar::methods::genesis
