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
[ -n "$(git ls-files '*.md')" ] || { echo "no document is known to git here: nothing could be checked"; exit 1; }
while IFS=: read -r file path; do
  [ -e "$path" ] || missing "$file" "$path"
done < <(git ls-files -z '*.md' 'tests/reference/*.py' |
  xargs -0 grep -oHP '(?<![\w./<>-])(harness|methods|datasets|results|experiments|tests|cmake|docs)/[\w./-]*\w' --)
while IFS=: read -r file path; do
  [ -e "$(dirname "$file")/$path" ] || missing "$file" "$path"
done < <(git ls-files -z '*.md' | xargs -0 grep -oHP '(?<=\]\()(?!https?:|#)[^)#\s]+' --)
exit $failed
