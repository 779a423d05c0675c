#pragma once

#include "harness/config/core_keys.h"
#include "harness/config/settings.h"
#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/nn/torch/runtime.h"
#include "harness/nn/torch/unet.h"
#include "harness/nn/training.h"
#include "harness/volume/cube_store.h"
#include "tests/nn/torch_catch.h"

#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sar::nn_test {

inline const MethodRegistry& registry() {
  static const MethodRegistry methods = [] {
    MethodRegistry made;
    methods::register_all(made);
    return made;
  }();
  return methods;
}

using Changes = std::vector<std::pair<std::string, Json>>;

/// All keys at their defaults, but small and quick: base 4, cubes and patches of 16 voxels a side.
inline Settings small_settings(const Changes& changes = {}) {
  Schema schema = core_schema();
  for (const Method& method : registry().all()) {
    for (const KeySpec& key : method.keys) {
      schema.add(key);
    }
  }
  Settings settings(schema);
  Changes all{{"network.base_channels", 4},
              {"cubes.shape_voxels", {16, 16, 16}},
              {"finetune.patch_voxels", {16, 16, 16}},
              {"pretrain.batch_size", 4},
              {"pretrain.max_epochs", 2},
              {"finetune.batch_size", 2},
              {"finetune.max_epochs", 2},
              {"finetune.patches_per_case", 2},
              {"optimizer.learning_rate", 0.1},
              {"compute.checkpoint_seconds", 0}};
  all.insert(all.end(), changes.begin(), changes.end());
  for (const auto& [name, value] : all) {
    settings.set(schema, name, value, "test");
  }
  return settings;
}

/// A field without symmetry, different for every `kind`; values in [0, 1].
inline float pattern(int x, int y, int z, int kind) {
  const double value = std::sin(0.9 * x + 0.31 * kind) * std::cos(0.7 * y - 0.2 * kind) +
                       std::sin(0.5 * z + 0.13 * x * (kind % 3));
  return static_cast<float>(0.5 + 0.24 * value);
}

inline Block patterned_block(const Size3& size, int kind) {
  Block block{size, {}};
  for (int z = 0; z < size[2]; ++z) {
    for (int y = 0; y < size[1]; ++y) {
      for (int x = 0; x < size[0]; ++x) {
        block.values.push_back(pattern(x, y, z, kind));
      }
    }
  }
  return block;
}

/// A folder with a store of `count` cubes: CT and MRI in turn, the scales in turn.
struct Cubes {
  TemporaryFolder folder{"sar-nn-test"};
  std::unique_ptr<CubeStore> store;

  explicit Cubes(int count = 14, Size3 shape = {16, 16, 16}) {
    const auto path = folder.path() / "cubes.bin";
    CubeStoreWriter writer(path, shape);
    for (int i = 0; i < count; ++i) {
      Cube cube;
      cube.block = patterned_block(shape, i);
      cube.scale = kScales[static_cast<std::size_t>(i % 3)];
      cube.box = {{0, 0, 0}, shape};
      CubeInfo info;
      info.dataset = "luna";
      info.case_id = "case" + std::to_string(i);
      info.patient = info.case_id;
      info.is_ct = i % 2 == 0;
      info.scale = cube.scale;
      info.box = cube.box;
      writer.add(cube, info);
    }
    writer.finish();
    store = std::make_unique<CubeStore>(std::vector{path});
  }

  /// The first ten cubes train (two batches of four and one of two), the other four validate.
  [[nodiscard]] PretrainJob job(const Method& method,
                                const Settings& settings,
                                const std::string& name,
                                std::uint64_t seed = 7) const {
    PretrainJob made;
    made.method = &method;
    made.settings = &settings;
    made.seed = seed;
    made.cubes = store.get();
    made.train = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    made.validation = {10, 11, 12, 13};
    made.checkpoint = folder.path() / (name + ".checkpoint");
    made.weights = folder.path() / (name + ".pt");
    return made;
  }
};

/// Everything a stage tells its caller. Times are left out: they are the only numbers that may
/// differ.
struct Recorder {
  std::vector<std::vector<double>> losses;
  std::vector<Json> metrics;
  std::vector<std::string> warnings;
  int row_calls = 0;
  int steps_until_stop = -1;  ///< stop is asked at every step; the n-th answer is yes

  StageEvents events() {
    StageEvents events;
    events.rows = [this](const std::vector<LossRow>& rows, const std::vector<MetricRow>& more) {
      ++row_calls;
      for (const LossRow& row : rows) {
        losses.push_back({static_cast<double>(row.step),
                          static_cast<double>(row.epoch),
                          row.split == "val" ? 1.0 : 0.0,
                          row.loss,
                          row.learning_rate});
      }
      for (const MetricRow& row : more) {
        metrics.push_back({row.epoch, row.split, row.name, row.value, row.chance});
      }
    };
    events.warn = [this](const std::string& text) { warnings.push_back(text); };
    events.stop = [this] { return steps_until_stop >= 0 && steps_until_stop-- == 0; };
    return events;
  }
};

/// True if both maps hold the same names and the same bits.
inline bool same_tensors(const TensorMap& a, const TensorMap& b) {
  if (a.size() != b.size()) {
    return false;
  }
  for (const auto& [name, tensor] : a) {
    const auto other = b.find(name);
    if (other == b.end() || !tensor.equal(other->second)) {
      return false;
    }
  }
  return true;
}

/// Only the tensors whose name starts with `prefix`.
inline TensorMap part(const TensorMap& tensors, const std::string& prefix) {
  TensorMap some;
  for (const auto& [name, tensor] : tensors) {
    if (name.rfind(prefix, 0) == 0) {
      some.emplace(name, tensor);
    }
  }
  return some;
}

/// Runs `body` and returns the error that it throws.
template <class Body>
Error error_of(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  return {ExitCode::ok, "nothing was thrown"};
}

}  // namespace sar::nn_test
