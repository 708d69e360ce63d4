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

# The card's clock during a step, by an nvidia-smi that knows the names of older drivers only.
mkdir "$out/tools"
cat >"$out/tools/nvidia-smi" <<'TOOL'
#!/bin/sh
case "$*" in *clocks_event_reasons*) echo "is not a valid field to query"; exit 2 ;; esac
cat <<'SAMPLES'
0, 345, 0x0000000000000001
100, 1980, 0x0000000000000000
100, 885, 0x0000000000000008
97, 1700, 0x0000000000000004
97, 1755, 0x0000000000000004
[N/A], 210, [N/A]
SAMPLES
exec sleep 60
TOOL
chmod +x "$out/tools/nvidia-smi"
status=0
PATH="$out/tools:$PATH" "$script" --step sampled "$out/clocks" 30 sh -c 'sleep 1; exit 7' || status=$?
[ "$status" -eq 7 ] || fail "a command that is sampled ends with $status"
found=$("$script" --step summarise_clocks "$out/clocks")
[ "$found" = "$(printf '5\t4\t885\t1755\tsoftware power cap, hardware slowdown')" ] || fail "the clocks' summary is: $found"
cp "$out/clocks" "$out/cuda-emu/logs/bench.peak.clocks"
sed 1q "$out/clocks" >"$out/cuda-emu/logs/operations.gather.clocks"
sed '/ 885,/d' "$out/clocks" >"$out/cuda-emu/logs/bench.linear.clocks"
"$script" report
grep -q "^\*\*Disturbed, .*: bench peak\.\*\*" "$report.md" || fail "the report does not name the disturbed step alone"
grep -q "^| bench | peak | 5 | 4 | 885 | 1755 | software power cap, hardware slowdown | yes |" "$report.md" ||
  fail "the report has no line of a step's clocks"
"$cmake" -DREPORT="$report.json" -P "$source/cuda/bench/CheckReport.cmake"

# Of a step that was ended the rows that it had finished are in the report, and not the one that it was writing.
table=$(ls "$out"/cuda-emu/results/gtr.linear.tsv)
{
  sed -n 1p "$table"
  sed -n '2s/\t[^\t]*/\ta finished case/2p' "$table"
  sed -n '3s/\t[^\t]*/\ta case that was cut/2p' "$table"
} >"$out/cuda-emu/results/gtr.ended.tsv.part"
"$script" report
rm "$out/cuda-emu/results/gtr.ended.tsv.part"
grep -q "a finished case" "$report.md" || fail "rows of a step that was ended are not in the report"
! grep -q "a case that was cut" "$report.md" || fail "the last row of a step that was ended, which may be cut, is in the report"
"$cmake" -DREPORT="$report.json" -P "$source/cuda/bench/CheckReport.cmake"

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
