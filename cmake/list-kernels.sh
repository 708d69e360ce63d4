#!/bin/sh
# Writes one table of what all kernels need, from the files that check-kernels.sh left beside the objects.
# Usage: list-kernels.sh TABLE OBJECT...
set -eu
table=$1
shift
lines=$table.lines
: >"$lines"
for object in "$@"; do
  if [ -f "$object.kernels" ]; then
    cat "$object.kernels" >>"$lines"
  fi
done
if command -v c++filt >/dev/null 2>&1; then
  c++filt <"$lines" >"$table.names"
else
  cp "$lines" "$table.names"
fi
{
  printf '%-8s %9s %9s %7s %7s  %s\n' code registers 'shared B' 'stack B' 'spill B' kernel
  sort -k7 -k1,1V "$table.names" | awk '{
    name = $0
    for (i = 1; i <= 6; ++i) sub(/^[^ ]+ /, "", name)
    sub(/^void /, "", name)
    printf "%-8s %9s %9s %7s %7s  %s\n", $1, $2, $3, $4, $5 + $6, name
  }'
} >"$table"
rm -f "$lines" "$table.names"
