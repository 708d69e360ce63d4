#!/bin/sh
# Runs all of bench/gpu.sh on the emulator, and looks at what it wrote.
# Usage: gpu_script_test.sh SOURCE_FOLDER BUILD_FOLDER CMAKE
set -eu
source=$1
build=$2
cmake=$3
script=$source/bench/gpu.sh
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

fail() {
  echo "FAILED: $1"
  exit 1
}

# Wrong usage, and a machine without a card.
status=0
"$script" nonsense 2>/dev/null || status=$?
[ "$status" -eq 2 ] || fail "an unknown part ends with $status"
if ! command -v nvidia-smi >/dev/null 2>&1; then
  status=0
  "$script" tiles 2>"$out/message" || status=$?
  [ "$status" -eq 2 ] || fail "without a card it ends with $status"
  grep -q "nvidia-smi" "$out/message" || fail "without a card it does not say what is missing"
fi

export GTR_GPU_BACKEND=cuda-emu GTR_GPU_BUILD="$build" GTR_GPU_OUT="$out"
"$script" all || {
  for log in "$out"/cuda-emu/logs/*; do
    echo "== $log"
    tail -n 20 "$log"
  done
  fail "bench/gpu.sh all ends with an error"
}
report=$out/cuda-emu/report/cuda-emu
"$cmake" -DREPORT="$report.json" -P "$source/cuda/bench/CheckReport.cmake"
for heading in "## Checks" "## Targets" "## Times" "### image" "## Peers that did not run"; do
  grep -q "^$heading" "$report.md" || fail "the report has no '$heading'"
done
[ "$(grep -c "| not measured |$" "$report.md")" -eq 6 ] || fail "targets have numbers that no card gave"

# What has passed is not run again, and a step that fails is seen.
before=$(ls -l --time-style=full-iso "$out"/cuda-emu/results/*.tsv)
"$script" bench
[ "$before" = "$(ls -l --time-style=full-iso "$out"/cuda-emu/results/*.tsv)" ] || fail "what had passed ran again"
printf 'failed\t1\tfor this test\n' >"$out/cuda-emu/steps/bench.extra"
status=0
"$script" report 2>/dev/null || status=$?
[ "$status" -eq 1 ] || fail "a report of a failed step ends with $status"
grep -q "| bench | extra | failed | 1 | for this test |" "$report.md" || fail "a failed step is not in the report"
status=0
"$script" bench 2>/dev/null || status=$?
[ "$status" -eq 1 ] || fail "a failed step ends with $status"
echo "passed"
