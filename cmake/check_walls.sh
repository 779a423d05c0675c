#!/usr/bin/env bash
# Fails if a header of a heavy library is included outside its room, or a lower layer includes a higher one.
set -uo pipefail
cd "$(dirname "$0")/.."
status=0
# room NAME PATTERN ALLOWED-PATHS: PATTERN may be included below ALLOWED-PATHS only
room() {
  local hits
  hits=$(git grep -nE "#include *[<\"]($2)" -- '*.h' '*.cpp' | grep -vE "^($3)" || true)
  if [ -n "$hits" ]; then
    printf '%s may only be included in %s:\n%s\n' "$1" "$3" "$hits"
    status=1
  fi
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
# layers, bottom to top; a folder may include itself and what is named
layer() {
  local folder=$1 allowed=$2 hits
  hits=$(git grep -nE '#include "(harness|methods|datasets|results|experiments)/' -- "$folder/*.h" "$folder/*.cpp" |
    grep -vE "#include \"($allowed)/" || true)
  if [ -n "$hits" ]; then
    printf '%s may only include %s:\n%s\n' "$folder" "$allowed" "$hits"
    status=1
  fi
}
layer harness/core 'harness/core'
layer harness/config 'harness/(core|config)'
layer harness/volume 'harness/(core|config|volume)'
layer harness/io 'harness/(core|config|volume|io)'
layer harness/nn 'harness/(core|config|volume|nn)'
layer datasets '(harness/(core|config|volume|io)|datasets)'
layer methods '(harness/(core|config|volume|nn)|methods)'
# The rooms of results/; room NAME USES: what a room names it may use with all that this one uses.
results_room() {
  layer "results/$1" "(harness/(core|config)|results/($1${2:+|$2}))"
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
# chance comes from sar::Rng alone
hits=$(git grep -nE 'std::(mt19937|random_device|shuffle|uniform_[a-z_]*distribution|normal_distribution)|torch::manual_seed|[^_a-z]s?rand\(' -- 'harness/*.cpp' 'harness/*.h' methods datasets results experiments || true)
if [ -n "$hits" ]; then
  printf 'randomness comes from harness/core/rng.h only:\n%s\n' "$hits"
  status=1
fi
[ $status = 0 ] && echo "include walls: ok"
exit $status
