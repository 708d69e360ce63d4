#!/bin/sh
# Runs gtr-bench on the emulator in its smallest shapes: every case that it lists must give a row of finite numbers.
# Usage: smoke_test.sh GTR_BENCH
set -eu
bench=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$bench" --backend cuda-emu --small --list >"$folder/cases.tsv"
"$bench" --backend cuda-emu --small --seconds 0.01 --repetitions 1 -o tsv >"$folder/results.tsv"

# A case is measured cold and warm, but for peaks and images. Columns: operation, precision, case, ..., see report.cpp.
awk -F '\t' '
  FNR == NR { listed[$1 "\t" $2 "\t" $3] = 1; next }
  FNR == 1 { next }
  {
    name = $3
    sub(/, (cold|warm)$/, "", name)
    key = $1 "\t" $2 "\t" name
    measured[key] = measured[key] " " (name == $3 ? "once" : substr($3, length($3) - 3))
    if (!($5 > 0 && $5 < 1e6) || NF != 12) { print "not a result: " $0; bad = 1 }
  }
  END {
    for (key in listed) {
      if (measured[key] != " cold warm" && measured[key] != " once") {
        print "listed, but measured" (key in measured ? measured[key] : " never") ": " key
        bad = 1
      }
      ++count
    }
    for (key in measured) if (!(key in listed)) { print "measured, but not listed: " key; bad = 1 }
    if (count < 40) { print "only " count " cases"; bad = 1 }
    exit bad
  }' "$folder/cases.tsv" "$folder/results.tsv"

# The design names the operations of one guided image of MAR-H: 15.3 TFLOP for GtR 12,3,1 and 65.2 for MAR 64 x 100.
"$bench" --backend cuda --list --filter "image bf16 MAR-H" >"$folder/images.tsv"
grep -q "MAR-H GtR 12,3,1, 1 image	images=1 steps=16 gflop=153[0-9][0-9]$" "$folder/images.tsv"
grep -q "MAR-H MAR 64 x 100, 1 image	images=1 steps=64 gflop=65[12][0-9][0-9]$" "$folder/images.tsv"
echo "passed"
