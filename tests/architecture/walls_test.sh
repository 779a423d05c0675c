#!/usr/bin/env bash
# A wall that lets a wrong include through is no wall: plants one for each wall in a tree without any, which passes, and
# expects cmake/check_walls.sh to name it.
set -euo pipefail
script=$(cd "$(dirname "$0")/../.." && pwd)/cmake/check_walls.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir "$tree/cmake"
cp "$script" "$tree/cmake/"
git -C "$tree" init -q
failed=0
# planted FILE TEXT: the walls must fail, and name the file
planted() {
  local file=$1 text=$2 said
  mkdir -p "$tree/$(dirname "$file")"
  printf '%s\n' "$text" >"$tree/$file"
  git -C "$tree" add -A
  if said=$("$tree/cmake/check_walls.sh") || ! grep -qF "$file" <<<"$said"; then
    printf 'not caught: %s with %s\n%s\n' "$file" "$text" "$said"
    failed=1
  fi
  rm "$tree/$file"
  git -C "$tree" add -A
}
mkdir -p "$tree/results/audit" "$tree/experiments/cli" "$tree/experiments/worker"
printf '#include "results/paper/paper.h"\n#include "results/statistics/statistics.h"\n' >"$tree/results/audit/right.cpp"
printf '#include "experiments/runner.h"\n#include "results/report/report.h"\n' >"$tree/experiments/cli/right.cpp"
printf '#include "experiments/jobs.h"\n#include "harness/nn/training.h"\n' >"$tree/experiments/worker/right.cpp"
printf '#include "generated_version.h"\n' >"$tree/experiments/version.cpp"
git -C "$tree" add -A
"$tree/cmake/check_walls.sh" || { echo "a tree without a wrong include does not pass"; failed=1; }
# the rooms of results/
planted results/audit/checks/wrong.cpp '#include "results/claims/judge.h"'
planted results/claims/kinds/wrong.cpp '#include "results/audit/audit.h"'
planted results/comparison/wrong.cpp '#include "results/audit/audit.h"'
planted results/database/wrong.h '#include "results/tables/table.h"'
planted results/document/wrong.cpp '#include "results/tables/table.h"'
planted results/figures/wrong.cpp '#include "results/paper/paper.h"'
planted results/paper/wrong.cpp '#include "results/figures/figure.h"'
planted results/text/wrong.h '#include "results/document/document.h"'
planted results/statistics/wrong.cpp '#include "results/database/store.h"'
planted results/tables/wrong.cpp '#include "results/paper/paper.h"'
planted results/report/wrong.cpp '#include "experiments/catalog.h"'
# heavy headers
planted results/tables/wrong.cpp '#include <SQLiteCpp/Database.h>'
planted results/claims/wrong.cpp '#include <boost/math/distributions/students_t.hpp>'
planted results/report/wrong.cpp '#include <pugixml.hpp>'
planted results/document/wrong.cpp '#include <kainjow/mustache.hpp>'
planted results/figures/wrong.cpp '#include <utf8cpp/utf8.h>'
planted results/paper/wrong.cpp '#include <toml++/toml.h>'
planted harness/volume/wrong.cpp '#include <torch/torch.h>'
planted harness/nn/wrong.cpp '#include <itkImage.h>'
planted experiments/wrong.cpp '#include <CLI/CLI.hpp>'
# layers
planted harness/core/wrong.cpp '#include "harness/volume/volume.h"'
planted methods/wrong.cpp '#include "datasets/dataset.h"'
planted datasets/wrong.cpp '#include "results/database/store.h"'
planted experiments/jobs.cpp '#include "results/database/store.h"'
planted experiments/fields.h '#include "experiments/plan.h"'
planted experiments/plan.cpp '#include "results/report/report.h"'
planted experiments/runner.cpp '#include "experiments/cli/session.h"'
planted experiments/plan/wrong.cpp '#include "experiments/worker/channel.h"'
planted experiments/cli/wrong.cpp '#include "harness/nn/training.h"'
planted experiments/cli/wrong.cpp '#include "experiments/worker/channel.h"'
planted experiments/worker/wrong.cpp '#include "results/database/store.h"'
planted experiments/worker/wrong.cpp '#include "experiments/plan.h"'
# paths that do not say which layer they are of
planted results/audit/wrong.cpp '#include "../claims/judge.h"'
planted results/audit/wrong.cpp '#include "results/paper/../claims/judge.h"'
planted results/audit/wrong.cpp '#include "judge.h"'
planted results/audit/wrong.cpp '#include <results/paper/paper.h>'
planted results/audit/wrong.cpp '#  include "results/claims/judge.h"'
# sources where no wall stands
planted results/wrong.h 'int wrong();'
planted results/new_room/wrong.h 'int wrong();'
planted harness/wrong.cpp 'int wrong();'
planted experiments/new_part/wrong.cpp 'int wrong();'
planted new_folder/wrong.cpp 'int wrong();'
# chance
planted methods/wrong.cpp 'int draw() { return std::mt19937(1)(); }'
exit $failed
