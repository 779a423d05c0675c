#include "harness/volume/evaluation.h"

#include "harness/core/error.h"

#include <algorithm>
#include <cmath>

namespace sar {

std::vector<int> window_starts(int length, int window, double step) {
  if (length < 1 || window < 1 || !(step > 0 && step <= 1)) {
    throw internal_error("sliding windows need a length, a window and a step in (0, 1]");
  }
  if (length <= window) {
    return {0};
  }
  const double room = length - window;
  const int gaps = static_cast<int>(std::ceil(room / (window * step)));
  std::vector<int> starts;
  for (int i = 0; i <= gaps; ++i) {
    // Halves are rounded to even, as in nnU-Net.
    starts.push_back(static_cast<int>(std::nearbyint(room / gaps * i)));
  }
  return starts;
}

Block window_weights(const Size3& window, bool gaussian) {
  Block weights{window, std::vector<float>(count_voxels(window), 1.0F)};
  if (!gaussian) {
    return weights;
  }
  const auto factor = [&](std::size_t axis, int i) {
    const int centre = window[axis] / 2;
    const double distance = (i - centre) / (window[axis] / 8.0);
    return std::exp(-0.5 * distance * distance);
  };
  float* weight = weights.values.data();
  for (int z = 0; z < window[2]; ++z) {
    for (int y = 0; y < window[1]; ++y) {
      const double row = factor(2, z) * factor(1, y);
      for (int x = 0; x < window[0]; ++x) {
        *weight++ = static_cast<float>(row * factor(0, x));
      }
    }
  }
  return weights;
}

Overlap count_overlap(std::span<const std::uint8_t> prediction,
                      std::span<const std::uint8_t> truth) {
  if (prediction.size() != truth.size()) {
    throw internal_error("prediction and truth differ in size")
        .with("prediction", std::to_string(prediction.size()))
        .with("truth", std::to_string(truth.size()));
  }
  Overlap overlap;
  for (std::size_t i = 0; i < prediction.size(); ++i) {
    const bool p = prediction[i] != 0;
    const bool t = truth[i] != 0;
    overlap.both += p && t ? 1 : 0;
    overlap.prediction += p ? 1 : 0;
    overlap.truth += t ? 1 : 0;
  }
  return overlap;
}

double dice_percent(const Overlap& overlap, double both_empty) {
  const std::int64_t sum = overlap.prediction + overlap.truth;
  return sum == 0 ? both_empty
                  : 100.0 * (2.0 * static_cast<double>(overlap.both)) / static_cast<double>(sum);
}

double dice_percent(std::span<const std::uint8_t> prediction,
                    std::span<const std::uint8_t> truth,
                    double both_empty) {
  return dice_percent(count_overlap(prediction, truth), both_empty);
}

void keep_largest_component(std::span<std::uint8_t> mask, const Size3& size) {
  if (mask.size() != count_voxels(size)) {
    throw internal_error("a mask that does not fill its grid").with("size", to_string(size));
  }
  const auto nx = static_cast<std::size_t>(size[0]);
  const auto ny = static_cast<std::size_t>(size[1]);
  const auto nz = static_cast<std::size_t>(size[2]);
  std::vector<bool> seen(mask.size());
  std::vector<std::size_t> component;  // also the queue of the search
  std::vector<std::size_t> largest;
  for (std::size_t seed = 0; seed < mask.size(); ++seed) {
    if (mask[seed] == 0 || seen[seed]) {
      continue;
    }
    component.assign(1, seed);
    seen[seed] = true;
    for (std::size_t next = 0; next < component.size(); ++next) {
      const std::size_t x = component[next] % nx;
      const std::size_t y = component[next] / nx % ny;
      const std::size_t z = component[next] / (nx * ny);
      for (std::size_t w = z - (z > 0 ? 1 : 0); w <= std::min(z + 1, nz - 1); ++w) {
        for (std::size_t v = y - (y > 0 ? 1 : 0); v <= std::min(y + 1, ny - 1); ++v) {
          for (std::size_t u = x - (x > 0 ? 1 : 0); u <= std::min(x + 1, nx - 1); ++u) {
            const std::size_t neighbour = (w * ny + v) * nx + u;
            if (mask[neighbour] != 0 && !seen[neighbour]) {
              seen[neighbour] = true;
              component.push_back(neighbour);
            }
          }
        }
      }
    }
    if (component.size() > largest.size()) {
      largest.swap(component);
    }
  }
  std::vector<std::uint8_t> kept(mask.size());
  for (const std::size_t voxel : largest) {
    kept[voxel] = mask[voxel];
  }
  std::copy(kept.begin(), kept.end(), mask.begin());
}

ScoreOptions score_options(const Settings& settings) {
  ScoreOptions options;
  options.threshold = settings.number("evaluate.threshold");
  options.keep_largest = settings.flag("evaluate.keep_largest");
  options.empty_dice_percent = settings.number("evaluate.empty_dice_percent");
  return options;
}

std::vector<std::uint8_t> classify(const std::vector<Block>& probabilities, double threshold) {
  std::vector<std::uint8_t> labels(probabilities.front().values.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (probabilities.size() == 1) {
      labels[i] = static_cast<double>(probabilities[0].values[i]) > threshold ? 1 : 0;
      continue;
    }
    std::size_t best = 0;
    for (std::size_t channel = 1; channel < probabilities.size(); ++channel) {
      if (probabilities[channel].values[i] > probabilities[best].values[i]) {
        best = channel;
      }
    }
    labels[i] = static_cast<std::uint8_t>(best);
  }
  return labels;
}

std::vector<std::uint8_t> mask_of(std::span<const std::uint8_t> labels,
                                  const std::set<int>& classes) {
  std::vector<std::uint8_t> mask(labels.size());
  std::transform(labels.begin(), labels.end(), mask.begin(), [&](std::uint8_t label) {
    return static_cast<std::uint8_t>(classes.contains(label) ? 1 : 0);
  });
  return mask;
}

std::vector<std::uint8_t> scored_mask(std::span<const std::uint8_t> prediction,
                                      const Size3& size,
                                      const std::set<int>& classes,
                                      const ScoreOptions& options) {
  std::vector<std::uint8_t> mask = mask_of(prediction, classes);
  if (options.keep_largest && !classes.contains(0)) {  // the background is what is left over
    keep_largest_component(mask, size);
  }
  return mask;
}

Score score(std::span<const std::uint8_t> prediction,
            const LabelMap& truth,
            const std::set<int>& classes,
            const ScoreOptions& options) {
  const Overlap overlap =
      count_overlap(scored_mask(prediction, truth.geometry.size, classes, options),
                    mask_of(truth.voxels, classes));
  return {overlap, dice_percent(overlap, options.empty_dice_percent)};
}

std::map<std::string, std::string> size_buckets(std::vector<SizedCase> cases,
                                                const std::string& rule,
                                                const std::vector<double>& thresholds_mm3,
                                                std::optional<std::vector<double>> reference_mm3) {
  std::map<std::string, std::string> buckets;
  const std::size_t n = cases.size();
  if (rule == "thresholds") {
    if (thresholds_mm3.size() != 2 || !(thresholds_mm3[0] < thresholds_mm3[1])) {
      throw usage_error("tumour-size thresholds must be two increasing volumes in mm^3");
    }
  } else if (rule != "quartile" && rule != "tertile") {
    throw usage_error("unknown rule of tumour-size buckets").with("rule", rule);
  }
  if (n < 3) {
    return buckets;
  }
  if (rule == "thresholds") {
    for (const SizedCase& item : cases) {
      buckets[item.id] = item.volume_mm3 < thresholds_mm3[0]   ? "S"
                         : item.volume_mm3 < thresholds_mm3[1] ? "M"
                                                               : "L";
    }
    return buckets;
  }
  const auto end_of = [&](std::size_t count) {  // cases at either end
    return std::max<std::size_t>(1, count / (rule == "quartile" ? 4 : 3));
  };
  if (reference_mm3) {
    std::vector<double>& reference = *reference_mm3;
    if (reference.size() < 3) {
      return buckets;
    }
    std::sort(reference.begin(), reference.end());
    const std::size_t end = end_of(reference.size());
    const double largest_small = reference[end - 1];
    const double smallest_large = reference[reference.size() - end];
    for (const SizedCase& item : cases) {
      buckets[item.id] = item.volume_mm3 <= largest_small    ? "S"
                         : item.volume_mm3 >= smallest_large ? "L"
                                                             : "M";
    }
    return buckets;
  }
  std::sort(cases.begin(), cases.end(), [](const SizedCase& a, const SizedCase& b) {
    return a.volume_mm3 != b.volume_mm3 ? a.volume_mm3 < b.volume_mm3 : a.id < b.id;
  });
  const std::size_t end = end_of(n);
  for (std::size_t i = 0; i < n; ++i) {
    buckets[cases[i].id] = i < end ? "S" : i >= n - end ? "L" : "M";
  }
  return buckets;
}

}  // namespace sar
