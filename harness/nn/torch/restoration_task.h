#pragma once

#include "harness/config/key.h"
#include "harness/nn/torch/heads.h"
#include "harness/nn/torch/losses.h"
#include "harness/nn/torch/proxy_task.h"
#include "harness/volume/transforms.h"

#include <memory>
#include <string>
#include <vector>

namespace sar {

/// What the adversary does to the encoder (section 4.4 of the method notes, gap 18).
enum class AdversaryMode {
  reversal,     ///< one joint step through a gradient reversal on every tap
  alternating,  ///< M steps on detached features first, then the encoder against a frozen M
  confusion,    ///< as reversal, but the encoder pulls M towards 0.5, which is bounded
};

struct ScaleTask {
  ScaleAwareOptions module;
  int tap = 3;        ///< reads F_tap
  double weight = 1;  ///< alpha
  double learning_rate = 1e-1;
  std::vector<double> class_weights;  ///< empty: none
};

struct AdversaryTask {
  ModalityOptions module;
  AdversaryMode mode = AdversaryMode::reversal;
  double strength = 1;  ///< lambda
  bool ramp = false;    ///< lambda times 2 / (1 + exp(-10 progress)) - 1
  int discriminator_steps = 1;
  bool per_domain = false;
  double learning_rate = 1e-3;
};

/// Shared part of the restoration methods: equation 4 without the modules.
struct RestorationOptions {
  TransformOptions transforms;
  double weight = 10;  ///< beta
  bool l2norm = false;
  Reduction reduction = Reduction::mean;
  std::string monitor = "restoration_and_scale";
};
RestorationOptions restoration_options(const Settings& settings, const std::string& weight_key);
/// Reads `sa.*` and `pretrain.scale_weight`.
ScaleTask scale_task(const Settings& settings, const Network& network);
/// Reads `mial.*`.
AdversaryTask adversary_task(const Settings& settings, const Network& network);

/// The key `<method>.cube_source`: a method without the scale-aware module may read native cubes.
Key cube_source_key(const std::string& method);

/// A row of Table 3: as +MIAL, on cubes of one scale ("small", "medium", "large"); the scale-aware
/// module has nothing to tell apart there. Reads `ablation.*`.
Method single_scale_method(const std::string& id,
                           const std::string& paper_name,
                           const std::string& scale,
                           int order);

/// Restoration of transformed cubes (equation 1), with the scale-aware module (equation 2) and the
/// modality-invariant adversarial module (equation 3) where asked for: genesis, sa, mial and sar in
/// one.
class RestorationTask : public ProxyTask {
 public:
  RestorationTask(RestorationOptions options,
                  const ScaleTask* scale,
                  const AdversaryTask* adversary);

  [[nodiscard]] std::vector<torch::Tensor> prepare(const ProxyBatch& batch) const override;
  [[nodiscard]] Losses losses(Network& network,
                              const std::vector<torch::Tensor>& tensors,
                              const StepContext& context) override;
  [[nodiscard]] std::vector<ParameterGroup> parameter_groups(double network_rate) const override;
  [[nodiscard]] double chance(std::string_view metric,
                              const CubeStore& cubes,
                              const std::vector<std::size_t>& indices,
                              std::size_t per_epoch) const override;
  [[nodiscard]] std::string warning(const std::map<std::string, double>& metrics) const override;

 private:
  /// Logits of M on this batch and the term that joins the optimised loss.
  struct Adversary {
    torch::Tensor logits;
    torch::Tensor term;
  };
  [[nodiscard]] Adversary play(const Features& features,
                               const torch::Tensor& is_ct,
                               const StepContext& context);
  [[nodiscard]] torch::Tensor cross_entropy(const torch::Tensor& logits,
                                            const torch::Tensor& is_ct) const;
  [[nodiscard]] torch::Tensor discriminate(const Features& features);
  /// The same without gradients for M itself.
  [[nodiscard]] torch::Tensor frozen(const Features& features);

  RestorationOptions options_;
  ScaleTask scale_;
  AdversaryTask adversary_;
  torch::Tensor class_weights_;              ///< buffer, undefined without class weights
  ScaleAwareModule scale_module_{nullptr};   ///< empty without SA
  ModalityModule modality_module_{nullptr};  ///< empty without MIAL
};

}  // namespace sar
