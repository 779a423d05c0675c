#pragma once

#include "experiments/fields.h"
#include "experiments/version.h"

#include <map>
#include <string>
#include <vector>

namespace sar {

/// A method as the front knows it.
struct MethodInfo {
  std::string id, paper_name, summary, citation, transfer;
  int order = 0;      ///< place in lists
  std::string cubes;  ///< which cubes its pre-training reads, or the key that says so
  bool pretrains = false;
  bool control = false;     ///< never a row of a table
  bool supervised = false;  ///< starts from a network trained on the task itself
  std::string trial_seeds;  ///< purpose by which the seeds of its trials are drawn
  std::vector<std::string>
      sections;               ///< configuration that its pre-training reads besides the shared one
  std::vector<KeySpec> keys;  ///< configuration of its own
  Json defaults = Json::object();  ///< its values for shared keys

  template <class V>
  void fields(V& v) {
    v("id", id);
    v("paper_name", paper_name);
    v("summary", summary);
    v("citation", citation);
    v("transfer", transfer);
    v("order", order);
    v("cubes", cubes);
    v("pretrains", pretrains);
    v("control", control);
    v("supervised", supervised);
    v("trial_seeds", trial_seeds);
    v("sections", sections);
    v("keys", keys);
    v("defaults", defaults);
  }
};

/// A data set as the front knows it.
struct DatasetInfo {
  std::string id, paper_name, modality, organ, layout;
  int paper_cases = 0;
  std::vector<KeySpec> keys;  ///< configuration of its own

  template <class V>
  void fields(V& v) {
    v("id", id);
    v("paper_name", paper_name);
    v("modality", modality);
    v("organ", organ);
    v("layout", layout);
    v("paper_cases", paper_cases);
    v("keys", keys);
  }
};

/// What the worker says about itself (`sar-bench-worker describe`): the front links no LibTorch, so
/// it reads this, written at build time, as share/sar-bench/catalog.json.
struct Description {
  Version version;
  std::vector<MethodInfo> methods;
  std::vector<DatasetInfo> datasets;
  int numerics_version = 0;
  std::map<std::string, std::string> versions;  ///< of LibTorch ("torch") and ITK ("itk")

  template <class V>
  void fields(V& v) {
    v("version", version);
    v("methods", methods);
    v("datasets", datasets);
    v("numerics_version", numerics_version);
    v("versions", versions);
  }
};

}  // namespace sar
