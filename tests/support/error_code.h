#pragma once

#include "harness/core/error.h"

namespace sar::test {

/// Exit code of the error that a call throws; ok if it throws none.
template <typename Call>
ExitCode code_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return ExitCode::ok;
}

}  // namespace sar::test
