#!/usr/bin/env bash
# Installs what is missing, builds, runs Table 2 on the phantom suite, and prints it. Run again to resume.
# Arguments go to `sar-bench run`, e.g. ./quickstart.sh --profile smoke. --no-install skips system packages.
set -euo pipefail
cd "$(dirname "$0")"
NO_INSTALL=0
arguments=()
profile=(--profile quick)
for argument in "$@"; do
  case $argument in
    --no-install) NO_INSTALL=1; continue ;;
    --profile|--profile=*) profile=() ;;
  esac
  arguments+=("$argument")
done
experiment=table2
if [ ${#arguments[@]} -gt 0 ] && [[ ${arguments[0]} != -* ]]; then
  experiment=${arguments[0]}
  arguments=("${arguments[@]:1}")
fi
# shellcheck source=cmake/bootstrap.sh
. cmake/bootstrap.sh
# shellcheck disable=SC2086
install_packages $BUILD_PACKAGES
choose_torch
say "building (preset release)"
build release
exec build/release/bin/sar-bench run "$experiment" ${profile[@]+"${profile[@]}"} ${arguments[@]+"${arguments[@]}"}
