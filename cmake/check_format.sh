#!/usr/bin/env bash
# Fails if a C++ file is not formatted as .clang-format says. `--fix` formats in place.
set -euo pipefail
cd "$(dirname "$0")/.."
mode=(--dry-run -Werror)
[ "${1:-}" = --fix ] && mode=(-i)
git ls-files '*.cpp' '*.h' | xargs clang-format "${mode[@]}"
echo "formatting: ok"
