#!/usr/bin/env bash
# Makes the README's pictures, docs/report.png and docs/example.png, from a database with Table 2 of the profile
# quick (./quickstart.sh makes one). Needs chromium-headless-shell.
#   docs/make_pictures.sh [DATABASE] [PROGRAM]
set -euo pipefail
database=$(realpath "${1:-sar-bench.sqlite}")
program=$(realpath "${2:-build/release/bin/sar-bench}")
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
(cd "$folder" && cp "$database" sar-bench.sqlite && "$program" report table2 --db sar-bench.sqlite -o report >/dev/null)
sandbox=(); [ "$(id -u)" = 0 ] && sandbox=(--no-sandbox)
chromium-headless-shell ${sandbox[@]+"${sandbox[@]}"} --hide-scrollbars --user-data-dir="$folder/profile" \
  --window-size=1280,1000 --screenshot="$folder/report.png" "file://$folder/report/report.html" 2>/dev/null
mv "$folder/report.png" report.png
cp "$(ls "$folder"/report/figures/example-brats-sar-*.png | head -n 1)" example.png
ls -l report.png example.png
