#pragma once

#include "experiments/fields.h"
#include "experiments/plan.h"
#include "experiments/schedule.h"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace sar {

/// What a run says about itself, for `sar-bench status` in another terminal (experiments/status.h
/// reads it, also as earlier versions wrote it).
struct RunStatus {
  struct Count {
    std::size_t planned = 0, done = 0, failed = 0;

    template <class V>
    void fields(V& v) {
      v("planned", planned);
      v("done", done);
      v("failed", failed);
    }
    void add(WorkState state);
  };
  struct Worker {
    std::string label, kind;  ///< of its node
    double fraction = 0;      ///< of the node that is done
    double seconds = 0;       ///< since the node was started

    template <class V>
    void fields(V& v) {
      v("label", label);
      v("kind", kind);
      v("fraction", fraction);
      v("seconds", seconds);
    }
  };
  struct Failure {
    std::string label, reason;

    template <class V>
    void fields(V& v) {
      v("label", label);
      v("reason", reason);
    }
  };

  std::string state;  ///< running | interrupted | finished
  int pid = 0;
  std::string host, updated;
  std::string protocol, profile, data_kind;
  std::vector<std::string> experiments;
  std::size_t nodes_done = 0, nodes_wanted = 0;
  std::map<std::string, Count> kinds;  ///< nodes of the whole plan, stored work included
  Count cells;
  double fraction = 0, elapsed_s = 0;
  std::vector<Worker> workers;
  std::map<std::string, double> running;  ///< workers, as versions before them read it
  std::vector<Failure> failures;          ///< the first hundred

  template <class V>
  void fields(V& v) {
    v("state", state);
    v("pid", pid);
    v("host", host);
    v("updated", updated);
    v("protocol", protocol);
    v("profile", profile);
    v("data_kind", data_kind);
    v("experiments", experiments);
    v("nodes_done", nodes_done);
    v("nodes_wanted", nodes_wanted);
    v("kinds", kinds);
    v("cells", cells);
    v("fraction", fraction);
    v("elapsed_s", elapsed_s);
    v("workers", workers);
    v("running", running);
    v("failures", failures);
  }
};

/// State and reason of failure of a node, by key.
using StateOf = std::function<WorkState(const std::string& key)>;
using ReasonOf = std::function<std::string(const std::string& key)>;

/// The part that follows from a plan and its states: what runs, nodes by kind, cells, failures.
/// Sets process, host and time.
RunStatus status_of(const Plan& plan, const StateOf& state_of, const ReasonOf& reason_of);

/// Writes it to `status.json` in a run's state folder.
void write_status(const RunStatus& status, const std::filesystem::path& state_folder);

/// Now, UTC, ISO 8601.
std::string utc_now();

/// Name of this machine.
std::string host_name();

}  // namespace sar
