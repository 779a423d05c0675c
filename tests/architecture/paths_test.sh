#!/usr/bin/env bash
# The paths that documentation and reference programs name exist: files and folders from the root of the repository, and
# links relative to the file.
set -euo pipefail
cd "$(dirname "$0")/../.."
failed=0
missing() {
  printf '%s names %s, which does not exist\n' "$1" "$2"
  failed=1
}
documents=$(git ls-files '*.md' 2>/dev/null || true)
[ -n "$documents" ] || documents=$(find . -name build -prune -o -name '*.md' -print) # no git here
while IFS=: read -r file path; do
  [ -e "$path" ] || missing "$file" "$path"
done < <({ printf '%s\n' "$documents"; find tests/reference -name '*.py'; } |
  xargs -d '\n' grep -oHP '(?<![\w./<>-])(harness|methods|datasets|results|experiments|tests|cmake|docs)/[\w./-]*\w' --)
while IFS=: read -r file path; do
  [ -e "$(dirname "$file")/$path" ] || missing "$file" "$path"
done < <(xargs -d '\n' grep -oHP '(?<=\]\()(?!https?:|#)[^)#\s]+' -- <<<"$documents")
exit $failed
