// 3D rotation prediction: Taleb et al., "3D self-supervised methods for medical imaging", NeurIPS
// 2020, after Gidaris et al., ICLR 2018. Volumes are resized to a cube first; the anisotropy that
// this leaves in the image is a possible cue.

#include "harness/nn/torch/proxy_parts.h"

namespace sar::methods::rot {
namespace {

/// By which right angle was the cube turned?
class Task : public ProxyTask {
 public:
  Task(Size3 input, int pool_grid, int base_channels)
      : input_(input),
        pool_grid_(pool_grid),
        head_(register_module(
            "head",
            ProxyHead(pool_grid * pool_grid * pool_grid * feature_channels(base_channels, 3),
                      base_channels,
                      kRotations))) {}

  [[nodiscard]] std::vector<torch::Tensor> prepare(const ProxyBatch& batch) const override {
    std::vector<Block> inputs;
    std::vector<std::int64_t> labels;
    for (std::size_t slot = 0; slot < batch.size(); ++slot) {
      Rng rng = batch.stream(purpose::proxy, slot);
      const int rotation = rng.between(0, kRotations - 1);
      inputs.push_back(rotated(resized(batch.cube(slot), input_), rotation));
      labels.push_back(rotation);
    }
    return {tensor_of(inputs), torch::tensor(labels, torch::kInt64)};
  }

  [[nodiscard]] Losses losses(Network& network,
                              const std::vector<torch::Tensor>& tensors,
                              const StepContext& /*context*/) override {
    const torch::Tensor pooled = torch::adaptive_avg_pool3d(network.encoder(tensors[0])[3],
                                                            {pool_grid_, pool_grid_, pool_grid_});
    return classification_losses(head_(pooled.flatten(1)), tensors[1], "rotation_accuracy");
  }

  [[nodiscard]] double chance(std::string_view /*metric*/,
                              const CubeStore& /*cubes*/,
                              const std::vector<std::size_t>& /*indices*/,
                              std::size_t /*per_epoch*/) const override {
    return 1.0 / kRotations;
  }

 private:
  Size3 input_;
  int pool_grid_;
  ProxyHead head_;
};

std::unique_ptr<ProxyTask> make_task(const Settings& settings, const Network& network) {
  const Size3 input = cube_size(settings, "rot.input_voxels");
  const int pool_grid = settings.integer("rot.pool_grid");
  if (input[0] / kSideMultiple < pool_grid) {
    throw usage_error("the pooling grid is finer than the encoder's last feature map")
        .with("rot.input_voxels", std::to_string(input[0]))
        .with("feature map", std::to_string(input[0] / kSideMultiple))
        .with("rot.pool_grid", std::to_string(pool_grid));
  }
  return std::make_unique<Task>(input, pool_grid, network.options.base_channels);
}

std::vector<KeySpec> keys() {
  std::vector<Key> keys = optimizer_keys("rot");
  keys.push_back(
      Key("rot.input_voxels", 48, "side to which cubes are resized").at_least(8).gap(28));
  keys.push_back(Key("rot.pool_grid",
                     2,
                     "side of the feature map that the head reads; 1 averages over all places")
                     .between(1, 8)
                     .gap(28));
  return specs_of(std::move(keys));
}

}  // namespace

void register_in(MethodRegistry& registry) {
  Method method;
  method.id = "rot";
  method.paper_name = "3D-Rot";
  method.summary = "tells by which right angle a cube was turned";
  method.citation = "Taleb et al., NeurIPS 2020";
  method.order = 40;
  method.transfer = Transfer::encoder;
  method.sections = {"rot"};
  method.keys = keys();
  method.optimizer = [](const Settings& settings) { return chosen_optimizer(settings, "rot"); };
  method.make_task = make_task;
  registry.add(std::move(method));
}

}  // namespace sar::methods::rot
