#pragma once

#include "results/store.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sar {

/// Work of one kind under a protocol.
struct WorkDone {
  std::string kind;  ///< cubes, survey, prepare, pretrain, finetune, evaluate
  int done = 0, failed = 0, open = 0;
  double hours = 0;                         ///< of those done, over all resumes
  double peak_rss_mb = 0, peak_gpu_mb = 0;  ///< largest
};
/// A failure that was stored, perhaps mended since.
struct FailedWork {
  std::string node, kind;
  std::string method, task, fraction;  ///< task and fraction empty for pre-training
  std::vector<int> trials;             ///< that need this node; empty for pre-training
  std::string reason, host, ended;     ///< `ended`: UTC, ISO 8601
  bool done_since = false;             ///< a later attempt succeeded
};
/// What was run under a protocol, for a reader who asks where the numbers come from.
struct RunSummary {
  int cells = 0, done = 0, failed = 0, open = 0;    ///< trials of table cells
  std::map<int, std::vector<std::uint64_t>> seeds;  ///< by trial
  std::vector<std::string> hosts, machines, devices, commits, torch, itk,
      determinism;  ///< distinct
  std::vector<int> threads;
  bool dirty = false;                 ///< some node ran with uncommitted changes
  std::string first, last;            ///< UTC
  std::vector<WorkDone> work;         ///< kinds in the order of the work
  std::vector<FailedWork> failures;   ///< newest first: those that stand, then those mended since
  std::vector<std::string> commands;  ///< distinct command lines
};
RunSummary run_summary(const Store& store, const ProtocolRow& protocol);

}  // namespace sar
