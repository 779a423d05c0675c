#include "experiments/node_results.h"

#include <algorithm>
#include <type_traits>
#include <variant>

namespace sar {
namespace {

std::vector<StoredCaseDice> apply(const jobs::ProductResult& result, NodeRow& row) {
  row.sha256 = result.sha256;
  return {};
}

std::vector<StoredCaseDice> apply(const jobs::TrainingResult& result, NodeRow& row) {
  row.sha256 = result.sha256;
  row.seconds = result.seconds;
  row.determinism = result.determinism;
  row.peak_rss_mb = result.peak_rss_mb;
  row.peak_gpu_mb = result.peak_gpu_mb;
  row.samples_per_s = result.samples_per_s;
  row.steps = result.steps;
  row.samples = result.samples;
  row.flops = result.flops;
  if (result.cubes > 0) {
    row.cubes = result.cubes;
  }
  return {};
}

std::vector<StoredCaseDice> apply(const jobs::Evaluate::Result& result, NodeRow& row) {
  row.sha256 = result.sha256;
  row.seconds = result.seconds;
  row.determinism = result.determinism;
  row.peak_rss_mb = result.peak_rss_mb;
  row.samples_per_s = result.samples_per_s;
  std::vector<StoredCaseDice> all;
  for (const jobs::CaseDice& each : result.dice) {
    all.push_back({each.case_id,
                   each.target,
                   each.bucket,
                   each.volume_mm3,
                   each.dice,
                   each.voxels_both,
                   each.voxels_predicted,
                   each.voxels_true});
  }
  return all;
}

}  // namespace

std::vector<StoredLoss> stored(const std::vector<events::Loss>& rows) {
  std::vector<StoredLoss> all;
  for (const events::Loss& row : rows) {
    all.push_back({row.step, row.epoch, row.split, row.loss, row.learning_rate, row.seconds});
  }
  return all;
}

std::vector<StoredMetric> stored(const std::vector<events::Metric>& rows) {
  std::vector<StoredMetric> all;
  for (const events::Metric& row : rows) {
    all.push_back({row.epoch, row.split, row.name, row.value, row.chance});
  }
  return all;
}

std::vector<StoredCaseDice> take_result(const jobs::NodeJob& job,
                                        const Json& result,
                                        NodeRow& row) {
  return std::visit(
      [&](const auto& each) {
        return apply(jobs::result_of<std::decay_t<decltype(each)>>(result), row);
      },
      job);
}

}  // namespace sar
