#pragma once

#include "results/database/store.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sar {

/// Work of one kind under a protocol. A node that several cells share counts once.
struct WorkDone {
  std::string kind;  ///< cubes, survey, prepare, pretrain, finetune, evaluate
  int done = 0;
  int failed = 0;  ///< that stand, also those not run because another one failed
  int open = 0;
  double hours = 0;                         ///< of those done, over all resumes
  double peak_rss_mb = 0, peak_gpu_mb = 0;  ///< largest of those done
};

/// An attempt that failed by its own fault, perhaps mended since. Work that was not run because
/// another one failed does not count.
struct FailedWork {
  std::string node, kind;
  int attempt = 1;     ///< counts the failures of this node
  std::string method;  ///< empty for work on the data: cubes, survey, prepare
  /// Of the trials that need this node, several joined by ", "; empty for pre-training and for work
  /// on the data, but a preparation has a task.
  std::string task, fraction;
  std::vector<int> trials;          ///< that need this node, ascending; empty as `fraction`
  std::string reason, host, ended;  ///< `ended`: UTC, ISO 8601
  bool done_since = false;          ///< a later attempt succeeded
};

/// What was run under a protocol, for a reader who asks where the numbers come from. All from
/// `hosts` to `last` and `commands` are of nodes that are done, failures name their own host.
/// Lists are distinct and ascending, unknown entries left out.
struct RunSummary {
  int cells = 0, done = 0, failed = 0, open = 0;    ///< trials of table cells
  std::map<int, std::vector<std::uint64_t>> seeds;  ///< by trial
  std::vector<std::string> hosts, machines, devices, commits, torch, itk, determinism;
  std::vector<int> threads;
  bool dirty = false;                 ///< some node ran with uncommitted changes
  std::string first, last;            ///< start of the first and end of the last, UTC
  std::vector<WorkDone> work;         ///< kinds that occur, in the order of the work
  std::vector<FailedWork> failures;   ///< newest first: those that stand, then those mended since
  std::vector<std::string> commands;  ///< command lines
};

/// Counts all nodes of `Store::nodes`: also those that another protocol had run and this one
/// shares. Throws as `Store` does.
RunSummary run_summary(const Store& store, const ProtocolRow& protocol);

}  // namespace sar
