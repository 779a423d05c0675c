#pragma once

#include "harness/core/files.h"
#include "tests/support/process.h"

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <vector>

namespace sar::test {

/// The installed front beside a worker with a fault.
class FaultyProgram {
 public:
  FaultyProgram(const std::filesystem::path& folder, const std::string& fault)
      : folder_(folder / fault) {
    const std::filesystem::path real = SARBENCH_PROGRAM;
    std::filesystem::create_directories(folder_ / "bin");
    std::filesystem::copy_file(real, folder_ / "bin" / "sar-bench");
    std::filesystem::create_directory_symlink(real.parent_path().parent_path() / "share",
                                              folder_ / "share");
    const std::filesystem::path worker = folder_ / "bin" / "sar-bench-worker";
    write_file_atomically(worker,
                          fmt::format("#!/bin/sh\nexec '{}' '{}' {} \"$@\"\n",
                                      SARBENCH_FAULTY_WORKER,
                                      (real.parent_path() / "sar-bench-worker").string(),
                                      fault));
    std::filesystem::permissions(worker, std::filesystem::perms::owner_all);
  }

  /// Runs in a folder of its own, so that nothing is shared with other programs' results.
  [[nodiscard]] Outcome run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), (folder_ / "bin" / "sar-bench").string());
    return Program(arguments, folder_).finish();
  }

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
};

}  // namespace sar::test
