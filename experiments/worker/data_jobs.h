#pragma once

#include "datasets/dataset.h"
#include "experiments/worker/channel.h"

#include <string>

namespace sar::worker {

// Jobs that read or write images (ITK, no LibTorch).
jobs::Manifest::Result make_manifest(const jobs::Manifest& job, const Channel& channel);
jobs::Phantom::Result write_phantoms(const jobs::Phantom& job, const Channel& channel);
jobs::List::Result list_cases(const jobs::List& job);
jobs::Verify::Result verify(const jobs::Verify& job, const Channel& channel);
jobs::ProductResult cut_cubes(const jobs::Cubes& job, const Channel& channel);
jobs::ProductResult survey(const jobs::Survey& job, const Channel& channel);
jobs::ProductResult prepare(const jobs::Prepare& job, const Channel& channel);

/// A case of the manifest as the adapters know it.
CaseRecord record_of(const ManifestCase& each);
/// SHA-256 of the label. Throws Error 65 if the case has none.
std::string label_digest(const ManifestCase& each);

}  // namespace sar::worker
