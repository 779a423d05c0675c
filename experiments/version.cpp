#include "experiments/version.h"

#include "generated_version.h"
#include "harness/core/error.h"

namespace sar {

std::string Version::text() const {
  return program + ", commit " + commit.substr(0, 12) + (dirty ? " (with changes)" : "") +
         ", talk " + std::to_string(talk);
}

Version own_version() {
  return {kTalkVersion, SARBENCH_VERSION, SARBENCH_COMMIT, SARBENCH_DIRTY != 0};
}

void refuse_other_version(const Version& other, const std::filesystem::path& worker) {
  const Version own = own_version();
  if (other.talk != own.talk || other.program != own.program || other.commit != own.commit) {
    throw internal_error("the worker is of another version than this program")
        .with("worker", other.text())
        .with("this program", own.text())
        .with("file", worker.string())
        .hint("install or build both together");
  }
}

}  // namespace sar
