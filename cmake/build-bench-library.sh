#!/bin/sh
# Builds the benchmarks' libraries in a build folder that build-natives.sh has made, and copies them; Maven's way to them.
# Usage: build-bench-library.sh SOURCE BUILD TARGET
set -eu
cmake -S "$1" -B "$2" -DGTR_BENCH=ON >"$2.log" 2>&1 || {
  cat "$2.log" >&2
  exit 1
}
cmake --build "$2" --parallel "$(getconf _NPROCESSORS_ONLN)" --target gtr_bench gtr_replay
mkdir -p "$3"
cp "$2/native/bench/libgtr_bench.so" "$2/native/bench/libgtr_replay.so" "$3"
