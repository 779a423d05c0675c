#!/usr/bin/env bash
# A wall that lets a wrong include through is no wall: plants one for each kind of wall in an empty tree, and expects
# cmake/check_walls.sh to name it; a tree without any passes.
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
mkdir -p "$tree/results/audit"
printf '#include "results/paper/paper.h"\n#include "results/statistics/statistics.h"\n' >"$tree/results/audit/right.cpp"
git -C "$tree" add -A
"$tree/cmake/check_walls.sh" || { echo "a tree without a wrong include does not pass"; failed=1; }
planted results/audit/checks/wrong.cpp '#include "results/claims/judge.h"'
planted results/claims/kinds/wrong.cpp '#include "results/audit/audit.h"'
planted results/comparison/wrong.cpp '#include "results/audit/audit.h"'
planted results/database/wrong.h '#include "results/tables/table.h"'
planted results/text/wrong.h '#include "results/document/document.h"'
planted results/statistics/wrong.cpp '#include "results/database/store.h"'
planted results/tables/wrong.cpp '#include "results/paper/paper.h"'
planted results/report/wrong.cpp '#include "experiments/catalog.h"'
planted results/tables/wrong.cpp '#include <SQLiteCpp/Database.h>'
planted results/claims/wrong.cpp '#include <boost/math/distributions/students_t.hpp>'
planted harness/volume/wrong.cpp '#include <torch/torch.h>'
planted harness/nn/wrong.cpp '#include <itkImage.h>'
planted harness/core/wrong.cpp '#include "harness/volume/volume.h"'
planted methods/wrong.cpp '#include "datasets/dataset.h"'
planted datasets/wrong.cpp '#include "results/database/store.h"'
planted experiments/wrong.cpp '#include <CLI/CLI.hpp>'
planted methods/wrong.cpp 'int draw() { return std::mt19937(1)(); }'
exit $failed
