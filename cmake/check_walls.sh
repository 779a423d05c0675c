#!/usr/bin/env bash
# Fails if a header of a heavy library is included outside its room, if a lower layer includes a higher one, or if a
# source lies where no wall stands.
set -uo pipefail
cd "$(dirname "$0")/.."
status=0
fault() {
  printf '%s\n' "$@"
  status=1
}
sources=$(git ls-files -- '*.h' '*.cpp' 2>/dev/null)
[ -n "$sources" ] || sources=$(find harness methods datasets results experiments tests -name '*.h' -o -name '*.cpp') # no git here
includes=$(xargs grep -nE '^[[:space:]]*#[[:space:]]*include' /dev/null <<<"$sources")
# room NAME HEADERS PLACES: HEADERS may be included below PLACES only
room() {
  local hits
  hits=$(grep -E "include *[<\"]($2)" <<<"$includes" | grep -vE "^($3)")
  [ -z "$hits" ] || fault "$1 may only be included in $3:" "$hits"
}
room ITK 'itk' 'harness/io/|datasets/|tests/unit/io/'
room LibTorch '(torch|ATen|c10)/' 'harness/nn/|methods/|tests/nn/|tests/bench/nn_'
room SQLite '(sqlite3|SQLiteCpp)' 'results/database/|tests/unit/results/database/|tests/support/'
room Boost.Math 'boost/math' 'results/statistics/|tests/unit/results/statistics/'
room pugixml 'pugixml' 'results/(document|figures)/'
room mustache 'kainjow/' 'results/report/'
room utfcpp 'utf8' 'results/text/'
room CLI11 'CLI/' 'experiments/cli/'
room toml++ 'toml\+\+' 'harness/config/'

# A header of the project is named by its path from the root, in quotes: only such a path says which layer it is of.
folders='harness|methods|datasets|results|experiments'
own=$(grep -vE '^tests/' <<<"$includes")
hits=$(grep -E "include *(\"(.*/)?\.\.?/|<($folders|\.\.?)/|<.*/\.\.?/)" <<<"$own")
[ -z "$hits" ] || fault "headers of the project are included by their path from the root, in quotes:" "$hits"

# layer FILES ALLOWED: of what may be included in quotes, sources whose path begins with FILES include ALLOWED only
layers='none'
layer() {
  local hits
  layers+="|$1"
  hits=$(grep -E "^($1)" <<<"$own" | grep -E 'include *"' | grep -vE "include *\"($2)")
  [ -z "$hits" ] || fault "$1 may only include $2:" "$hits"
}
layer harness/core/ 'harness/core/'
layer harness/config/ 'harness/(core|config)/'
layer harness/volume/ 'harness/(core|config|volume)/'
layer harness/io/ 'harness/(core|config|volume|io)/'
layer harness/nn/ 'harness/(core|config|volume|nn)/'
layer datasets/ 'harness/(core|config|volume|io)/|datasets/|generated_preparing_code\.h'
layer methods/ 'harness/(core|config|volume|nn)/|methods/'
# The rooms of results/: results_room NAME USES; what a room names it may use with all that this one uses.
results_room() {
  layer "results/$1/" "harness/(core|config)/|results/($1${2:+|$2})/"
}
results_room text
results_room statistics
results_room database 'text|statistics'
results_room document 'text'
tables='text|statistics|database|document|tables'
results_room tables "$tables"
results_room figures "$tables"
results_room paper "$tables"
results_room claims "$tables|paper"
results_room audit "$tables|paper"
results_room comparison "$tables|paper"
results_room report "$tables|figures|paper|claims|audit|comparison"
# What front and worker say to each other; what plans and runs; the front, without LibTorch and ITK; the worker, without
# the database.
talk='experiments/(description|fields|jobs|manifest|version)\.'
layer "$talk" "harness/(core|config)/|$talk|generated_version\.h"
layer 'experiments/([^/:]+\.(h|cpp)|plan/)' \
  "harness/(core|config|volume)/|results/($tables)/|experiments/([^/]+\.h|plan/)|generated_version\.h"
layer experiments/cli/ 'harness/(core|config)/|results/|experiments/([^/]+\.h|cli/)'
layer experiments/worker/ "harness/|methods/|datasets/|$talk|experiments/worker/"
hits=$(grep -vE "^(tests/|$layers)" <<<"$sources")
[ -z "$hits" ] || fault "no wall stands around these: cmake/check_walls.sh says which layer a folder is" "$hits"

# chance comes from sar::Rng alone
hits=$(grep -v '^tests/' <<<"$sources" | xargs grep -nE 'std::(mt19937|random_device|shuffle|uniform_[a-z_]*distribution|normal_distribution)|torch::manual_seed|[^_a-z]s?rand\(' /dev/null)
[ -z "$hits" ] || fault 'randomness comes from harness/core/rng.h only:' "$hits"
[ $status = 0 ] && echo "include walls: ok"
exit $status
