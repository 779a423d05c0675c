#!/usr/bin/env bash
# Fails if clang-tidy finds a fault in a target without LibTorch, whose 1.13 headers clang cannot parse as C++20. Left out
# are experiments/worker/, and two files with ITK's headers: ITK 5.2 refuses a compiler other than the one that built it.
#   check_tidy.sh          the checks below: those that find faults and are quick, a few minutes
#   check_tidy.sh --all    every check of .clang-tidy, style and clang's analyzer too: four times as long
# More arguments: expressions that paths of files must match, e.g. results/audit
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=cmake/bootstrap.sh
. cmake/bootstrap.sh
checks='-*,bugprone-use-after-move,bugprone-dangling-handle,bugprone-string-constructor,bugprone-copy-constructor-init,
  bugprone-suspicious-memset-usage,bugprone-move-forwarding-reference,bugprone-integer-division,bugprone-parent-virtual-call,
  cppcoreguidelines-slicing,cppcoreguidelines-init-variables,cppcoreguidelines-virtual-class-destructor,
  misc-redundant-expression,misc-throw-by-value-catch-by-reference,performance-for-range-copy,performance-move-const-arg,
  readability-duplicate-include'
if [ "${1:-}" = --all ]; then
  shift
  checks=
fi
version=16
# shellcheck disable=SC2086
install_packages $BUILD_PACKAGES clang-tidy-$version clang-$version
choose_torch
clang=/usr/lib/llvm-$version/bin
files=("$@")
batches=OFF
[ $# -gt 0 ] || batches=ON # files that are compiled together are checked together, in half the time
[ $# -gt 0 ] || files=('/harness/(core|config|volume)/' '/harness/io/(?!image_io|itk_version)' '/datasets/' '/results/' '/experiments/(?!worker/)')
mkdir -p build
# clang's own precompiled headers, so that it parses JSON and the like once.
# shellcheck disable=SC2086
cmake -S . -B build/tidy -G Ninja $TORCH_ARGUMENTS -DCMAKE_C_COMPILER=$clang/clang -DCMAKE_CXX_COMPILER=$clang/clang++ \
  -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_FLAGS=-w -DSARBENCH_TESTS=OFF \
  -DSARBENCH_BENCHMARKS=OFF -DSARBENCH_BATCHES=$batches >build/tidy.log 2>&1 || { cat build/tidy.log >&2; die "configuring failed"; }
# shellcheck disable=SC2046
ninja -C build/tidy sar_version $(ninja -C build/tidy -t targets all | grep -o '^[^:]*\.pch') >build/tidy.log || {
  cat build/tidy.log >&2
  die "the precompiled headers could not be made"
}
for expression in "${files[@]}"; do
  grep -qP "\"file\": \"[^\"]*$expression" build/tidy/compile_commands.json || die "no file matches $expression"
done
checks=$(tr -d ' \n' <<<"$checks")
$clang/run-clang-tidy -clang-tidy-binary $clang/clang-tidy -quiet -p build/tidy -j "$(nproc)" ${checks:+-checks="$checks"} \
  "${files[@]}" >build/tidy.log 2>build/tidy.err || {
  grep -E '(error|warning):|^clang-tidy' build/tidy.log | sort -u >&2 || cat build/tidy.err >&2
  exit 1
}
echo "clang-tidy: ok"
