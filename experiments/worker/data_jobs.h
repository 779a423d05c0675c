#pragma once

#include "datasets/dataset.h"
#include "experiments/worker/jobs.h"
#include "harness/core/json.h"

namespace sar::worker {

// Jobs that read or write images (ITK, no LibTorch).
Json make_manifest(const Json& job, const Channel& channel);
Json write_phantoms(const Json& job, const Channel& channel);
Json list_cases(const Json& job, const Channel& channel);
Json verify(const Json& job, const Channel& channel);
Json cut_cubes(const Json& job, const Channel& channel);
Json survey(const Json& job, const Channel& channel);
Json prepare(const Json& job, const Channel& channel);

/// A case record as the manifest stores it, and back.
Json to_json(const CaseRecord& record);
CaseRecord record_from(const Json& json);
/// SHA-256 of one channel's image, or of the label if `channel` is empty.
std::string digest_of(const Json& record, const std::string& channel);

}  // namespace sar::worker
