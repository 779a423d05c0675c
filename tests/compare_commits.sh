#!/usr/bin/env bash
# Shows that a change of the code changes nothing that users see: builds two commits, lets both run the smoke profile,
# and compares database, views, tables, reports, errors and exit codes. Times, hosts, commits and memory may differ.
#   tests/compare_commits.sh BEFORE [AFTER]             commits; AFTER defaults to HEAD
#   tests/compare_commits.sh --programs BEFORE AFTER    two sar-bench programs that are built already
# Exits 0 if nothing differs, 1 with what differs. With both builds it takes about half an hour on two cores.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"; git -C "$here" worktree prune' EXIT
if [ "${1:-}" = --programs ]; then
  before=$(realpath "$2") after=$(realpath "$3")
else
  for side in before after; do
    commit=$([ $side = before ] && echo "$1" || echo "${2:-HEAD}")
    git -C "$here" worktree add -q --detach "$folder/$side" "$commit"
    (cd "$folder/$side" && NO_INSTALL=0 && . cmake/bootstrap.sh && install_packages $BUILD_PACKAGES && choose_torch &&
      build release) >"$folder/$side.log" 2>&1 || { cat "$folder/$side.log"; exit 2; }
  done
  before=$folder/before/build/release/bin/sar-bench after=$folder/after/build/release/bin/sar-bench
fi
export SOURCE_DATE_EPOCH=1700000000 NO_COLOR=1
unset SARBENCH_SHARE
status=0

# Both sides run in folders of one name, one after the other, so that paths in what they print are the same.
in_turn() { # SIDE COMMAND...: runs with $folder/run as the side's folder
  local side=$1; shift
  mkdir -p "$folder/$side.run"
  mv "$folder/$side.run" "$folder/run"
  local code=0
  (cd "$folder/run" && "$@") || code=$?
  mv "$folder/run" "$folder/$side.run"
  return $code
}
completed() { # LOG COMMAND...: ends with what the command printed if it failed, for then nothing is compared
  local log=$1; shift
  "$@" >"$log" 2>&1 || { cat "$log"; echo "failed: $*"; exit 2; }
}
# What may differ, made alike: commits, times, durations, memory.
plain() {
  sed -E -e "s@$before|$after@sar-bench@g" \
    -e 's/\b[0-9a-f]{40}\b/COMMIT/g' -e 's/\bcommit [0-9a-f]{7,12}\b/commit COMMIT/g' \
    -e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z/TIME/g' \
    -e 's/ [0-9]+ s  ETA/ N s  ETA/g' -e 's/last seen TIME, .* ago/last seen TIME/' \
    -e 's/("(seconds|seconds_per_trial|hours|peak_rss_mb|samples_per_s|ended|started|torch_seconds)": )[0-9.e+-]+/\1N/g'
}
check() { # NAME: $folder/NAME.before against $folder/NAME.after
  if ! diff -u "$folder/$1.before" "$folder/$1.after" >"$folder/difference"; then
    printf '== %s differs\n' "$1"
    head -200 "$folder/difference"
    status=1
  fi
}

echo "== running the smoke profile with both programs"
for side in before after; do
  program=${!side}
  completed "$folder/run.$side.log" in_turn $side "$program" run all --profile smoke --db smoke.sqlite --no-progress
  in_turn $side sqlite3 smoke.sqlite "
    select 'case', * from v_case_dice order by 2,3,4,5,6,7,8; select 'trial', * from v_trial_dice order by 2,3,4,5,6,7,8;
    select 'cell', * from v_cell order by 2,3,4,5,6,7; select 'ttest', * from v_ttest order by 2,3,4,5,6,7,8,9,10;
    select 'loss', protocol, method, task, fraction, trial, stage, step, epoch, split, loss, lr from v_loss order by 2,3,4,5,6,7,8,10;
    select 'proxy', * from v_proxy_metric order by 2,3,4,5,6;
    select 'node', key, kind, inputs, state, sha256 from v_node where kind not in ('evaluate', 'prepare', 'survey') order by 2;
    select 'node', key, kind, inputs, state from v_node order by 2;
    select 'run', cell_key, protocol, method, task, fraction, trial, state, reason, device, threads, torch, itk, seed, data_kind from v_run order by 2;
    select 'schema', type, name, sql from sqlite_master order by 2, 3" >"$folder/database.$side"
  (cd "$folder/$side.run/smoke.sqlite.work" && find . -name '*.weights' -exec sha256sum {} + | sort -k2) >"$folder/weights.$side"
done
check database
check weights

echo "== the database of before, resumed by the program of after"
cp -a "$folder/before.run" "$folder/resumed.run"
completed "$folder/resume.log" in_turn resumed "$after" run all --profile smoke --db smoke.sqlite --no-progress
nodes() { sqlite3 "$folder/$1.run/smoke.sqlite" "select key, started, ended, sha256 from node order by key"; }
nodes before >"$folder/resumed.before"
nodes resumed >"$folder/resumed.after"
check resumed

echo "== what is printed"
list=$folder/commands
{
  for experiment in table1 table2 table3 table4 fig3 proxy all; do
    for format in text md latex csv json html; do
      for source in measured published both; do
        echo "show $experiment --format $format --source $source"
      done
      echo "show $experiment --format $format --correction holm --test welch"
    done
    echo "plan $experiment --profile smoke"
  done
  echo "show table2 --color always"
  for format in text md latex csv json html; do
    echo "audit --format $format"
    echo "audit invented2024 --format $format"
    for source in published measured; do echo "claims --source $source --format $format"; done
    echo "claims --source published --test welch --correction bh --format $format"
    echo "verify --format $format"
    echo "ttest 84.92,1.62,5 83.03,3.14,5 --format $format"
    echo "ttest 1,2,3.5,4 2,3,4,6 --test paired --format $format"
    echo "ttest 1,2,3.5,4 2,3,4,6 --test permutation --format $format"
    echo "power --format $format"
    echo "power --source measured --format $format"
    echo "compare smoke.sqlite other.sqlite --format $format"
    echo "list runs --format $format"
  done
  echo "claims -v --color always"
  echo "audit --strict"
  echo "claims --strict"
  echo "baseline save -o baseline.json"
  for format in text md json junit; do echo "baseline check baseline.json --format $format"; done
  echo "explain table2/sar/brats/tumor/all"
  echo "explain table4/scratch/brats/tumor/all/1/10 --json"
  for what in methods datasets tasks experiments profiles claims assumptions; do
    echo "list $what"
    echo "list $what --json"
  done
  echo "config show --profile quick"
  echo "db check"
  echo "status --once"
  echo "curves fig3 -o curves"
  for command in run plan status show curves report audit verify compare claims explain data ttest power list config db \
    doctor baseline worker completion; do echo "$command --help"; done
  echo "show tabel2"
  echo "run table2 --profile smoke --set finetune.learning_rat=1"
  echo "show table2 --protocol nowhere"
  echo "show table2 --format pdf"
  echo "audit nowhere"
  echo "ttest 1 2"
  echo "compare smoke.sqlite missing.sqlite"
} >"$list"
cp "$folder/after.run/smoke.sqlite" "$folder/other.sqlite"
for side in before after; do
  program=${!side}
  rm -rf "$folder/shown.run"
  cp -a "$folder/before.run" "$folder/shown.run" # one database for both
  cp "$folder/other.sqlite" "$folder/shown.run/"
  : >"$folder/printed.$side.raw"
  mv "$folder/shown.run" "$folder/run"
  while read -r line; do
    database=(--db smoke.sqlite)
    [[ $line =~ --help|^ttest|^compare|^audit|^list\ [a-q] ]] && database=()
    [[ $line =~ ^config ]] && database=()
    {
      printf '$ %s\n' "$line"
      # shellcheck disable=SC2086
      (cd "$folder/run" && "$program" $line "${database[@]}") 2>&1 </dev/null && echo "exit 0" || echo "exit $?"
    } >>"$folder/printed.$side.raw"
  done <"$list"
  plain <"$folder/printed.$side.raw" >"$folder/printed.$side"
  completed "$folder/report.log" env -C "$folder/run" "$program" report all --db smoke.sqlite -o report
  mv "$folder/run/report" "$folder/report.$side"
  [ -f "$folder/run/baseline.json" ] && [ -d "$folder/run/curves" ] || {
    echo "failed: $program left no baseline or no curves"
    exit 2
  }
  plain <"$folder/run/baseline.json" >"$folder/baseline.$side"
  (cd "$folder/run" && find curves -type f -exec sha256sum {} + | sort -k2) >"$folder/curves.$side"
  mv "$folder/run" "$folder/shown.run"
done
check printed
check baseline
check curves
for file in $(cd "$folder/report.before" && find . -type f | sort); do
  plain <"$folder/report.before/$file" >"$folder/one.before"
  plain <"$folder/report.after/$file" >"$folder/one.after"
  cmp -s "$folder/one.before" "$folder/one.after" || { echo "== report: $file differs"; status=1; diff <(fold -w 200 "$folder/one.before") <(fold -w 200 "$folder/one.after") | head -10; }
done
diff <(cd "$folder/report.before" && find . | sort) <(cd "$folder/report.after" && find . | sort) || status=1
[ $status = 0 ] && echo "nothing differs"
exit $status
