#include "experiments/plan/protocol.h"

#include "harness/core/error.h"
#include "harness/core/hash.h"

namespace sar {
namespace {

Json without_what_moves_no_number(Json values) {
  values.erase("compute.device");  // its class is hashed instead
  values.erase("compute.checkpoint_seconds");
  values.erase("output.loss_curve_smoothing_steps");
  values.erase("output.example_slices");  // pictures beside the numbers
  values.erase("control.with_tables");    // what is run beside, not what it gives
  values.erase("fractions.trials");       // which trials are asked for, not what they give
  return values;
}

}  // namespace

void check_values(const Settings& shared) {
  const auto refuse = [&](const std::string& key, const std::string& why) {
    const auto& value = shared.values().at(key);
    throw usage_error(key + " " + why)
        .with("value", value.value.dump())
        .with("set by", value.origin);
  };
  for (const char* key : {"cubes.shape_voxels", "finetune.patch_voxels"}) {
    for (const int side : shared.integers(key)) {
      if (side % 8 != 0) {
        refuse(key, "must be multiples of 8: the network halves each side three times");
      }
    }
  }
  for (const char* key : {"preprocess.clip_ct_hu", "preprocess.clip_mri", "pancreas.clip_hu"}) {
    const auto range = shared.numbers(key);
    if (!(range[0] < range[1])) {
      refuse(key, "must be ascending");
    }
  }
  const auto thresholds = shared.numbers("buckets.thresholds_mm3");
  if (thresholds.size() != 2 || !(thresholds[0] < thresholds[1])) {
    refuse("buckets.thresholds_mm3", "must be two ascending volumes");
  }
  if (shared.integer("cubes.small_per_case") + shared.integer("cubes.medium_per_case") +
          shared.integer("cubes.large_per_case") ==
      0) {
    refuse("cubes.small_per_case",
           "and the other two scales are 0: there is nothing to pre-train on");
  }
  const std::string device = shared.text("compute.device");
  const bool numbered = device.starts_with("cuda:") && device.size() > 5 &&
                        device.find_first_not_of("0123456789", 5) == std::string::npos;
  if (device != "cpu" && device != "cuda" && !numbered) {
    refuse("compute.device", "must be cpu, cuda, or cuda:N");
  }
}

Json numerics(const Catalog& catalog, const Settings& shared, const Settings& settings) {
  const bool cuda = shared.text("compute.device").starts_with("cuda");
  return {{"numerics_version", catalog.numerics_version()},
          {"precision", settings.text("compute.precision")},
          {"device", cuda ? "cuda" : "cpu"},
          {"threads", settings.integer("compute.threads")}};
}

ProtocolRow make_protocol(const Catalog& catalog,
                          const Configuration& configuration,
                          const Manifest& manifest,
                          const Splits& splits,
                          const std::string& profile) {
  const Settings& shared = configuration.shared();
  Json hashed = numerics(catalog, shared, shared);
  hashed["data"] = manifest.identity();
  hashed["shared"] = without_what_moves_no_number(shared.hashed());
  for (const auto& dataset : catalog.datasets()) {
    hashed["shared"].erase(dataset.id +
                           ".list");  // what it leaves out is part of the data's identity
  }
  if (const std::string file = shared.text("brats.split_file"); !file.empty()) {
    hashed["shared"].erase("brats.split_file");  // its lists count, not where it lies
    const TrialSplit parts = splits.trial("brats", 0);
    hashed["split"] = {{"train", parts.train}, {"test", parts.test}};
  }
  Json stored{{"shared", shared.resolved()}, {"methods", Json::object()}};
  for (const auto& [id, settings] : configuration.methods()) {
    Json own = Json::object();
    const Json resolved = settings.resolved();
    for (const auto& [key, value] : resolved.items()) {
      if (value != stored["shared"].at(key)) {
        own[key] = value;
      }
    }
    if (!own.empty() || !catalog.method(id).control) {
      hashed["methods"][id] = own;
    }
    stored["methods"][id] = own;
  }
  stored["numerics"] = numerics(catalog, shared, shared);
  return {content_key(hashed),
          manifest.data_kind,
          profile,
          stored,
          manifest.identity(),
          shared.flag("evaluate.pool")};
}

}  // namespace sar
