#pragma once

#include "experiments/catalog.h"
#include "experiments/configuration.h"
#include "experiments/manifest.h"
#include "experiments/plan.h"
#include "harness/core/files.h"

#include <filesystem>
#include <string>

namespace sar::test {

/// A catalog with a few methods and the five data sets, as the worker would describe them, and the
/// repository's own experiment files.
inline Catalog make_catalog(const std::filesystem::path& share) {
  const auto method = [](const std::string& id,
                         const std::string& transfer,
                         bool pretrains,
                         const std::vector<std::string>& sections,
                         const std::string& cubes = "multiscale") {
    std::vector<KeySpec> keys;
    if (cubes.find('.') != std::string::npos) {
      KeySpec source{cubes, "multiscale", "cubes of its pre-training", {}, {}, {}, 11};
      source.choices = {"multiscale", "native"};
      keys.push_back(source);
    }
    if (id == "sa" || id == "mial") {
      keys.push_back(
          KeySpec{id + ".learning_rate", 0.1, "learning rate of the module", {}, {}, {}, 0});
    }
    MethodInfo info;
    info.id = info.paper_name = id;
    info.transfer = transfer;
    info.cubes = cubes;
    info.pretrains = pretrains;
    info.trial_seeds = "trial";
    info.sections = sections;
    info.keys = keys;
    return info;
  };
  MethodInfo null = method("null", "none", false, {});
  null.control = true;
  null.trial_seeds = "null";
  MethodInfo oracle = method("oracle", "encoder_and_decoder", false, {});
  oracle.control = oracle.supervised = true;
  oracle.keys = {KeySpec{"control.oracle_budget", 2, "times the epochs", {}, {}, {}, 0, true}};
  Description description;
  description.version = own_version();
  for (const std::string id : {"luna", "lits", "brats", "heart", "pancreas"}) {
    const bool mri = id == "brats" || id == "heart";
    description.datasets.push_back({id, id, mri ? "MRI" : "CT", "", "", 0, {}});
  }
  description.methods = {method("scratch", "none", false, {}),
                         method("genesis", "encoder_and_decoder", true, {}, "genesis.cube_source"),
                         method("mial", "encoder_and_decoder", true, {"mial"}, "mial.cube_source"),
                         method("sa", "encoder_and_decoder", true, {"sa"}),
                         method("sar", "encoder_and_decoder", true, {"sa", "mial"}),
                         method("scale2", "encoder_and_decoder", true, {"mial"}, "large"),
                         method("scale8", "encoder_and_decoder", true, {"mial"}, "small"),
                         null,
                         oracle};
  description.numerics_version = 1;
  description.versions = {{"torch", "test"}, {"itk", "test"}};
  write_file_atomically(share / "catalog.json", write(description).dump());
  std::filesystem::create_directory_symlink(
      std::filesystem::path(SARBENCH_SOURCE_DIR) / "experiments", share / "experiments");
  return Catalog::load(share);
}

/// A manifest with the given number of cases per data set; digests are made up but distinct.
inline Manifest make_manifest(int brats = 30, int pancreas = 15) {
  Manifest manifest;
  manifest.data_kind = "phantom";
  const std::map<std::string, int> counts{
      {"luna", 4}, {"lits", 2}, {"brats", brats}, {"heart", 2}, {"pancreas", pancreas}};
  for (const auto& [id, count] : counts) {
    ManifestDataset dataset;
    dataset.modality = id == "brats" || id == "heart" ? "MRI" : "CT";
    dataset.digest = "digest of " + id;
    dataset.channels = id == "brats"
                           ? std::vector<std::string>{"flair", "t1", "t1ce", "t2"}
                           : std::vector<std::string>{dataset.modality == "CT" ? "ct" : "mri"};
    for (int i = 0; i < count; ++i) {
      const std::string name = id + "_" + std::to_string(100 + i);
      ManifestCase each{name, name, "", {}, {}, true};
      for (const auto& channel : dataset.channels) {
        each.images[channel] = {name + channel, "sha of " + name + channel, {}};
      }
      if (id == "brats" || id == "pancreas") {
        each.label = {name + "label", "sha of label " + name, {}};
      }
      dataset.cases.push_back(std::move(each));
    }
    manifest.datasets.emplace(id, std::move(dataset));
  }
  return manifest;
}

}  // namespace sar::test
