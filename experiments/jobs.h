#pragma once

#include "experiments/fields.h"
#include "experiments/manifest.h"
#include "experiments/version.h"
#include "harness/core/json.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// What front (`sar-bench`) and worker (`sar-bench-worker serve`) say to each other, one JSON
/// document a line: the front sends jobs, the worker answers with events (worker/README.md). Both
/// sides read and write these structs, by the one list of fields that each has.
namespace sar::jobs {

using Roots = std::map<std::string, std::string>;  ///< folder by data set
using CaseIds = std::vector<std::string>;
using Settings = Json;  ///< every key with its value, as `sar::Settings::resolved` gives them

// --- what commands ask for ----------------------------------------------------------------------

/// The first line that a worker gets; it answers with the event `hello`.
struct Hello {
  static constexpr const char* kind = "hello";
  template <class V>
  void fields(V&) {}
};

/// Lists and hashes the data sets.
struct Manifest {
  static constexpr const char* kind = "manifest";
  Roots roots;
  Settings settings = Json::object();
  std::map<std::string, Settings> methods;  ///< whose settings are checked for contradictions
  std::string work;                         ///< folder that keeps digests of files seen before
  std::optional<std::string> product;       ///< file for a copy that people can read
  bool planned = false;  ///< of a phantom suite that is not written yet: names alone

  template <class V>
  void fields(V& v) {
    v("roots", roots);
    v("settings", settings);
    v("methods", methods);
    v("work", work);
    v("product", product);
    v("planned", planned);
  }
  struct Result {
    sar::Manifest manifest;

    template <class V>
    void fields(V& v) {
      v("manifest", manifest);
    }
  };
};

/// Writes the phantom suite unless it is there.
struct Phantom {
  static constexpr const char* kind = "phantom";
  std::string folder;
  Settings settings = Json::object();

  template <class V>
  void fields(V& v) {
    v("folder", folder);
    v("settings", settings);
  }
  struct Result {
    std::string folder;

    template <class V>
    void fields(V& v) {
      v("folder", folder);
    }
  };
};

/// Lists the cases of data sets without opening a file.
struct List {
  static constexpr const char* kind = "list";
  Roots roots;

  template <class V>
  void fields(V& v) {
    v("roots", roots);
  }
  struct File {
    std::string path;

    template <class V>
    void fields(V& v) {
      v("path", path);
    }
  };
  struct Case {
    std::string id, patient, group;
    std::map<std::string, File> images;  ///< by channel
    std::optional<File> label;

    template <class V>
    void fields(V& v) {
      v("id", id);
      v("patient", patient);
      v("group", group);
      v("images", images);
      v("label", label);
    }
  };
  struct Dataset {
    std::string root, paper_name;
    int paper_cases = 0;
    std::vector<Case> cases;

    template <class V>
    void fields(V& v) {
      v("root", root);
      v("paper_name", paper_name);
      v("paper_cases", paper_cases);
      v("cases", cases);
    }
  };
  struct Result {
    std::string data_kind;  ///< phantom | real
    std::map<std::string, Dataset> datasets;

    template <class V>
    void fields(V& v) {
      v("data_kind", data_kind);
      v("datasets", datasets);
    }
  };
};

/// Reads everything below the roots and reports all findings at once.
struct Verify {
  static constexpr const char* kind = "verify";
  Roots roots;

  template <class V>
  void fields(V& v) {
    v("roots", roots);
  }
  struct Finding {
    std::string severity;  ///< error | note
    std::string check, dataset, case_id, file, message;

    template <class V>
    void fields(V& v) {
      v("severity", severity);
      v("check", check);
      v("dataset", dataset);
      v("case", case_id);
      v("file", file);
      v("message", message);
    }
  };
  struct Result {
    std::string data_kind;
    std::vector<Finding> findings;
    std::map<std::string, std::optional<std::int64_t>> cases;  ///< none: the findings say why

    template <class V>
    void fields(V& v) {
      v("data_kind", data_kind);
      v("findings", findings);
      v("cases", cases);
    }
  };
};

/// Asks LibTorch about this machine.
struct Environment {
  static constexpr const char* kind = "environment";
  std::string device, precision;
  int threads = 1;

  template <class V>
  void fields(V& v) {
    v("device", device);
    v("precision", precision);
    v("threads", threads);
  }
  struct Result {
    std::string torch;
    std::vector<std::string> devices;
    std::string device, precision;
    int threads = 1;
    bool deterministic = false, onednn = false;
    bool bfloat16 = false;          ///< the processor computes in it
    std::string bfloat16_obstacle;  ///< why it does not; empty if it does
    bool fast_bfloat16 = false;     ///< the device has instructions of its own for it
    std::string build;              ///< how LibTorch was built; several lines

    template <class V>
    void fields(V& v) {
      v("torch", torch);
      v("devices", devices);
      v("device", device);
      v("precision", precision);
      v("threads", threads);
      v("deterministic", deterministic);
      v("onednn", onednn);
      v("bfloat16", bfloat16);
      v("bfloat16_obstacle", bfloat16_obstacle);
      v("fast_bfloat16", fast_bfloat16);
      v("build", build);
    }
  };
};

// --- nodes of a plan ----------------------------------------------------------------------------

/// What every node tells the worker.
struct NodeFields {
  std::string product;  ///< file that the node leaves
  std::string work;     ///< folder of prepared volumes
  /// Files of the nodes that it needs, by key; filled when the node starts.
  std::map<std::string, std::string> products;
  Settings settings = Json::object();

  template <class V>
  void fields(V& v) {
    v("product", product);
    v("work", work);
    v("products", products);
    v("settings", settings);
  }
};

/// Result of a node whose product is all there is to say.
struct ProductResult {
  std::string sha256;  ///< of the product

  template <class V>
  void fields(V& v) {
    v("sha256", sha256);
  }
};

/// Cuts the cubes of one data set.
struct Cubes : NodeFields {
  static constexpr const char* kind = "cubes";
  std::string dataset, modality;
  std::vector<ManifestCase> cases;
  std::uint64_t seed = 0;
  int multiplier = 1;
  std::optional<int> native_per_case;  ///< native cubes in place of all scales

  template <class V>
  void fields(V& v) {
    NodeFields::fields(v);
    v("dataset", dataset);
    v("modality", modality);
    v("cases", cases);
    v("seed", seed);
    v("multiplier", multiplier);
    v("native_per_case", native_per_case);
  }
  using Result = ProductResult;
};

/// Counts cases and cubes of the pre-training data.
struct Survey : NodeFields {
  static constexpr const char* kind = "survey";
  struct Dataset {
    std::vector<ManifestCase> cases;
    std::string modality;
    std::string cubes;  ///< key of the node

    template <class V>
    void fields(V& v) {
      v("cases", cases);
      v("modality", modality);
      v("cubes", cubes);
    }
  };
  std::map<std::string, Dataset> datasets;

  template <class V>
  void fields(V& v) {
    NodeFields::fields(v);
    v("datasets", datasets);
  }
  using Result = ProductResult;
};

/// Prepares the volumes of a task.
struct Prepare : NodeFields {
  static constexpr const char* kind = "prepare";
  std::string task;
  std::vector<ManifestCase> cases;

  template <class V>
  void fields(V& v) {
    NodeFields::fields(v);
    v("task", task);
    v("cases", cases);
  }
  using Result = ProductResult;
};

/// Result of a training.
struct TrainingResult {
  std::string sha256;      ///< of the weights
  double seconds = 0;      ///< over all resumes
  std::int64_t cubes = 0;  ///< that a pre-training learns from; 0 for a fine-tuning
  std::int64_t steps = 0, samples = 0;
  /// Of the steps' convolutions and matrix products, forward and backward; empty: not counted.
  std::optional<double> flops;
  int epochs = 0, best_epoch = 0;
  double samples_per_s = 0, data_wait_fraction = 0, peak_rss_mb = 0, peak_gpu_mb = 0;
  std::string determinism;  ///< "bit-exact" or why not

  template <class V>
  void fields(V& v) {
    v("sha256", sha256);
    v("seconds", seconds);
    v("cubes", cubes);
    v("steps", steps);
    v("samples", samples);
    v("flops", flops);
    v("epochs", epochs);
    v("best_epoch", best_epoch);
    v("samples_per_s", samples_per_s);
    v("data_wait_fraction", data_wait_fraction);
    v("peak_rss_mb", peak_rss_mb);
    v("peak_gpu_mb", peak_gpu_mb);
    v("determinism", determinism);
  }
};

struct Pretrain : NodeFields {
  static constexpr const char* kind = "pretrain";
  std::string method;
  std::vector<std::string> cubes;             ///< keys of the nodes
  std::map<std::string, CaseIds> validation;  ///< patients held out, by data set
  std::uint64_t seed = 0;

  template <class V>
  void fields(V& v) {
    NodeFields::fields(v);
    v("method", method);
    v("cubes", cubes);
    v("validation", validation);
    v("seed", seed);
  }
  using Result = TrainingResult;
};

struct Finetune : NodeFields {
  static constexpr const char* kind = "finetune";
  std::string method, task;
  std::string initial;  ///< key of the pre-training; empty: from scratch
  CaseIds train, validation;
  std::vector<ManifestCase> cases;
  std::uint64_t seed = 0;
  int steps_per_epoch = 0;

  template <class V>
  void fields(V& v) {
    NodeFields::fields(v);
    v("method", method);
    v("task", task);
    v("initial", initial);
    v("train", train);
    v("validation", validation);
    v("cases", cases);
    v("seed", seed);
    v("steps_per_epoch", steps_per_epoch);
  }
  using Result = TrainingResult;
};

/// Dice of one target in one test case.
struct CaseDice {
  std::string case_id, target;
  std::string bucket;     ///< S, M, L, or all
  double volume_mm3 = 0;  ///< ground-truth volume of the target
  double dice = 0;        ///< percent
  std::int64_t voxels_both = 0, voxels_predicted = 0, voxels_true = 0;

  template <class V>
  void fields(V& v) {
    v("case_id", case_id);
    v("target", target);
    v("bucket", bucket);
    v("volume_mm3", volume_mm3);
    v("dice", dice);
    v("voxels_both", voxels_both);
    v("voxels_predicted", voxels_predicted);
    v("voxels_true", voxels_true);
  }
};

struct Evaluate : NodeFields {
  static constexpr const char* kind = "evaluate";
  std::string task;
  std::string prepared, weights;  ///< keys of the nodes
  CaseIds test;
  std::optional<CaseIds> bucket_cases;  ///< whose tumours give the edges of the size buckets
  std::vector<ManifestCase> cases;

  template <class V>
  void fields(V& v) {
    NodeFields::fields(v);
    v("task", task);
    v("prepared", prepared);
    v("weights", weights);
    v("test", test);
    v("bucket_cases", bucket_cases);
    v("cases", cases);
  }
  struct Result {
    std::vector<CaseDice> dice;
    std::string sha256;  ///< of the product
    double seconds = 0, samples_per_s = 0, peak_rss_mb = 0;
    std::string determinism;

    template <class V>
    void fields(V& v) {
      v("dice", dice);
      v("sha256", sha256);
      v("seconds", seconds);
      v("samples_per_s", samples_per_s);
      v("peak_rss_mb", peak_rss_mb);
      v("determinism", determinism);
    }
  };
};

/// A node of a plan.
using NodeJob = std::variant<Cubes, Survey, Prepare, Pretrain, Finetune, Evaluate>;
NodeFields& fields_of(NodeJob& job);
/// "cubes", "survey", ...
std::string kind_of(const NodeJob& job);

using Job = std::variant<Hello,
                         Manifest,
                         Phantom,
                         List,
                         Verify,
                         Environment,
                         Cubes,
                         Survey,
                         Prepare,
                         Pretrain,
                         Finetune,
                         Evaluate>;

/// "job 'cubes' (product: DB.work/cubes/KEY.cubes)"; without a product if it leaves none.
std::string name_of(const Job& job);

/// A line of the worker's standard input, without its end. Reading throws Error 70 naming the job
/// and the field that is unknown, missing or of the wrong type.
std::string to_line(const Job& job);
Job job_from(const std::string& line);

/// What a job returned. Throws Error 70 naming the job and the field at fault.
template <class Kind>
typename Kind::Result result_of(const Json& result) {
  return read<typename Kind::Result>(result, std::string("result of job '") + Kind::kind + "'");
}

}  // namespace sar::jobs

namespace sar::events {

/// The answer to the job `hello`, before any other event.
struct Hello {
  static constexpr const char* kind = "hello";
  Version version;

  template <class V>
  void fields(V& v) {
    v("version", version);
  }
};

struct Progress {
  static constexpr const char* kind = "progress";
  std::int64_t done = 0, total = 0;

  template <class V>
  void fields(V& v) {
    v("done", done);
    v("total", total);
  }
  [[nodiscard]] double fraction() const {
    return total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 0;
  }
};

struct Loss {
  std::int64_t step = 0;
  int epoch = 0;
  std::string split;
  double loss = 0, learning_rate = 0, seconds = 0;

  template <class V>
  void fields(V& v) {
    v("step", step);
    v("epoch", epoch);
    v("split", split);
    v("loss", loss);
    v("learning_rate", learning_rate);
    v("seconds", seconds);
  }
};

struct Metric {
  int epoch = 0;
  std::string split, name;
  double value = 0;
  std::optional<double> chance;  ///< what guessing would give

  template <class V>
  void fields(V& v) {
    v("epoch", epoch);
    v("split", split);
    v("name", name);
    v("value", value);
    v("chance", chance);
  }
};

/// Rows of a training, as they are made.
struct Rows {
  static constexpr const char* kind = "rows";
  std::vector<Loss> losses;
  std::vector<Metric> metrics;

  template <class V>
  void fields(V& v) {
    v("losses", losses);
    v("metrics", metrics);
  }
};

struct Warning {
  static constexpr const char* kind = "warning";
  std::string text;

  template <class V>
  void fields(V& v) {
    v("text", text);
  }
};

/// The job is done. `jobs::result_of` reads the result.
struct Done {
  static constexpr const char* kind = "done";
  Json result = Json::object();

  template <class V>
  void fields(V& v) {
    v("result", result);
  }
};

struct Failed {
  static constexpr const char* kind = "failed";
  int code = 0;  ///< the program's exit code for it
  std::string reason;

  template <class V>
  void fields(V& v) {
    v("code", code);
    v("reason", reason);
  }
};

/// The job was asked to stop and has written its checkpoint.
struct Interrupted {
  static constexpr const char* kind = "interrupted";
  template <class V>
  void fields(V&) {}
};

using Event = std::variant<Hello, Progress, Rows, Warning, Done, Failed, Interrupted>;

/// A line of the worker's standard output, without its end. Reading throws Error 70 naming the
/// event and the field that is unknown, missing or of the wrong type.
std::string to_line(const Event& event);
Event event_from(const std::string& line);

}  // namespace sar::events
