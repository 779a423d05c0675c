#pragma once

#include <filesystem>
#include <string>

namespace sar {

/// How front and worker talk (experiments/jobs.h). Raised whenever a field of a job, an event or
/// the worker's description is added, removed, renamed or changes its meaning.
constexpr int kTalkVersion = 1;

/// What a program was built from.
struct Version {
  int talk = 0;
  std::string program;  ///< "0.1.0"
  std::string commit;   ///< of the source tree; "unknown" outside a repository
  bool dirty = false;   ///< the tree had changes

  template <class V>
  void fields(V& v) {
    v("talk", talk);
    v("program", program);
    v("commit", commit);
    v("dirty", dirty);
  }
  /// "0.1.0, commit 48f16e7f73a2 (with changes), talk 1"
  [[nodiscard]] std::string text() const;
};

/// Version of the running program.
Version own_version();

/// Throws Error 70 naming both versions if `worker`, which says that it is of version `other`, is
/// not of the same talk, program and commit as this program: what is stored names one commit only.
void refuse_other_version(const Version& other, const std::filesystem::path& worker);

}  // namespace sar
