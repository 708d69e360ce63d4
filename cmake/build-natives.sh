#!/bin/sh
# Configures and builds the natives; Maven's way into CMake.
# Usage: build-natives.sh SOURCE BUILD SKIP_TESTS CUDA ARCHITECTURES
#   SKIP_TESTS     true: build the libraries alone
#   CUDA           AUTO, ON or OFF: the CUDA backend
#   ARCHITECTURES  what it is compiled for, such as 80,90, or all
set -eu
source=$1
build=$2
skip_tests=$3
cuda=$4
architectures=$(printf '%s' "$5" | tr ',' ';')

# A build folder keeps the generator that it was made with.
if [ -z "${CMAKE_GENERATOR:-}" ] && [ ! -f "$build/CMakeCache.txt" ] && command -v ninja >/dev/null 2>&1; then
  export CMAKE_GENERATOR=Ninja
fi
tests=ON
if [ "$skip_tests" = true ]; then
  tests=OFF
fi
cmake -S "$source" -B "$build" -DGTR_TESTS=$tests -DGTR_BENCH=OFF -DGTR_CUDA="$cuda" \
  -DGTR_CUDA_ARCHITECTURES="$architectures" >"$build.log" 2>&1 || {
  cat "$build.log" >&2
  exit 1
}
cmake --build "$build" --parallel "$(getconf _NPROCESSORS_ONLN)"
