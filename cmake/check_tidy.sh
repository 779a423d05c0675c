#!/usr/bin/env bash
# Fails if clang-tidy finds a fault in a target without LibTorch (clang 14 cannot parse ATen 1.13 as C++20).
#   check_tidy.sh          the checks below: those that find faults and are quick, a few minutes
#   check_tidy.sh --all    every check of .clang-tidy, style and clang's analyzer too: three times as long
# More arguments: expressions that paths of files must match, e.g. results/audit
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=cmake/bootstrap.sh
. cmake/bootstrap.sh
checks='-*,bugprone-use-after-move,bugprone-dangling-handle,bugprone-unused-raii,bugprone-infinite-loop,
  bugprone-sizeof-expression,bugprone-string-constructor,bugprone-suspicious-memset-usage,bugprone-undelegated-constructor,
  bugprone-move-forwarding-reference,bugprone-integer-division,bugprone-copy-constructor-init,bugprone-parent-virtual-call,
  cppcoreguidelines-slicing,cppcoreguidelines-init-variables,cppcoreguidelines-virtual-class-destructor,
  misc-redundant-expression,misc-throw-by-value-catch-by-reference,misc-unused-using-decls,misc-definitions-in-headers,
  performance-for-range-copy,performance-move-const-arg,google-build-using-namespace,readability-duplicate-include'
if [ "${1:-}" = --all ]; then
  shift
  checks=
fi
install_packages clang-tidy
files=("$@")
[ $# -gt 0 ] || files=('/harness/(core|config|volume|io)/' '/datasets/' '/results/' '/experiments/')
choose_torch
mkdir -p build
# No precompiled headers and no batches: clang reads each file as it stands.
# shellcheck disable=SC2086
cmake -S . -B build/tidy -G Ninja $TORCH_ARGUMENTS -DCMAKE_BUILD_TYPE=RelWithDebInfo -DSARBENCH_TESTS=OFF -DSARBENCH_BENCHMARKS=OFF \
  -DSARBENCH_BATCHES=OFF -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON >build/configure-tidy.log
cmake --build build/tidy --target sar_version >/dev/null
checks=$(tr -d ' \n' <<<"$checks")
run-clang-tidy -quiet -p build/tidy -j "$(nproc)" ${checks:+-checks="$checks"} "${files[@]}" >build/tidy.log 2>build/tidy.err || {
  grep -E '(error|warning):|^clang-tidy' build/tidy.log | sort -u >&2 || cat build/tidy.err >&2
  exit 1
}
echo "clang-tidy: ok"
