#!/usr/bin/env bash
# Installs what is missing, builds, runs the test suite.
#   --all         also the long tests (label long)
#   --coverage    build with coverage and print the share of lines per folder
#   --werror      a warning fails the build (where LibTorch's headers are not)
#   --no-install  skip system packages; say what is missing
# Everything else goes to ctest, e.g. ./test.sh -R buckets; -L drill runs the drills (docs/reliability.md)
set -euo pipefail
cd "$(dirname "$0")"
NO_INSTALL=0
WARNINGS_ARE_ERRORS=OFF
preset=dev
selection=(-LE "long|drill")
arguments=()
for argument in "$@"; do
  case $argument in
    --all) selection=() ;;
    --coverage) preset=coverage ;;
    --werror) WARNINGS_ARE_ERRORS=ON ;;
    --no-install) NO_INSTALL=1 ;;
    drill)
      selection=()
      arguments+=("$argument")
      ;;
    *) arguments+=("$argument") ;;
  esac
done
# shellcheck source=cmake/bootstrap.sh
. cmake/bootstrap.sh
# shellcheck disable=SC2086
install_packages $BUILD_PACKAGES $TEST_PACKAGES
[ $preset = coverage ] && install_packages gcovr
choose_torch
say "building (preset $preset)"
build $preset
say "testing"
status=0
ctest --test-dir "build/$preset" --output-on-failure -j "$(nproc)" ${selection[@]+"${selection[@]}"} ${arguments[@]+"${arguments[@]}"} || status=$?
if [ $preset = coverage ]; then
  gcovr --root . --object-directory build/coverage --exclude 'tests/.*' --exclude 'build/.*' --print-summary
fi
exit $status
