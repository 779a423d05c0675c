# Writes generated_version.h; touches it only when something changed.
execute_process(COMMAND git -C ${SOURCE} rev-parse HEAD OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  set(commit "unknown")
endif()
execute_process(COMMAND git -C ${SOURCE} status --porcelain OUTPUT_VARIABLE changes ERROR_QUIET)
if("${changes}" STREQUAL "")
  set(dirty 0)
else()
  set(dirty 1)
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT
"#pragma once
#define SARBENCH_VERSION \"${VERSION}\"
#define SARBENCH_COMMIT \"${commit}\"
#define SARBENCH_DIRTY ${dirty}
" @ONLY)
