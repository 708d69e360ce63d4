#!/bin/sh
# Runs gtr-bench on the CPU in its smallest shapes: every case that it lists must give a row of finite numbers, whole
# images in both precisions among them.
# Usage: smoke_test.sh GTR_BENCH
set -eu
bench=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$bench" --small --list >"$folder/cases.tsv"
"$bench" --small --tier scalar --threads 2 --seconds 0.001 --repetitions 1 -o tsv >"$folder/results.tsv"
awk -F '\t' '
  FNR == NR { listed[$1 "\t" $2 "\t" $3] = 1; next }
  FNR == 1 { next }
  {
    measured[$1 "\t" $2 "\t" $3] = 1
    images[$2] += $1 == "image"
    if (!($5 > 0 && $5 < 1e6) || NF != 12) { print "not a result: " $0; bad = 1 }
  }
  END {
    for (key in listed) if (!(key in measured)) { print "listed, but not measured: " key; bad = 1 }
    for (key in measured) if (!(key in listed)) { print "measured, but not listed: " key; bad = 1 }
    if (images["f32"] < 6 || images["bf16"] < 6) { print "whole images are missing"; bad = 1 }
    exit bad
  }' "$folder/cases.tsv" "$folder/results.tsv"

# Whole images of MAR-B on the CPU are there when they are asked for, and only then.
"$bench" --images --list --filter "image f32 MAR-B GtR 12,3,1, 8 images" | grep -q "images=8 steps=16"
test -z "$("$bench" --list --filter "image ")"
echo "passed"
