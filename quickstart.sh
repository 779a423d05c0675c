#!/usr/bin/env bash
# Installs what is missing, builds, runs Table 2 on the phantom suite, prints it and the path of an HTML report.
# Run again to resume.
# Arguments go to `sar-bench run`, e.g. ./quickstart.sh --profile smoke. --no-install skips system packages.
set -euo pipefail
cd "$(dirname "$0")"
NO_INSTALL=0
arguments=()
profile=(--profile quick)
database=sar-bench.sqlite
before=
for argument in "$@"; do
  case $argument in
    --no-install) NO_INSTALL=1; continue ;;
    --profile|--profile=*) profile=() ;;
    --db=*) database=${argument#--db=} ;;
  esac
  [ "$before" = --db ] && database=$argument
  before=$argument
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
status=0
build/release/bin/sar-bench run "$experiment" ${profile[@]+"${profile[@]}"} ${arguments[@]+"${arguments[@]}"} || status=$?
case $status in
  0|3) if [ -e "$database" ]; then
         printf '\nReport: '
         build/release/bin/sar-bench report "$experiment" --db "$database" || true
       fi ;;
esac
exit $status
