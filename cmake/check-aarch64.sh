#!/bin/sh
# The baseline and the scalar tier compile for aarch64: nothing in them is x86 only. Needs aarch64-linux-gnu-g++.
set -eu
cd "$(dirname "$0")/.."
count=0
for file in native/src/*.cpp native/cpu/*.cpp native/cpu/scalar/*.cpp; do
  aarch64-linux-gnu-g++ -std=c++17 -O1 -fsyntax-only -fno-exceptions -Wall -Wextra -Werror -Wno-psabi -DGTR_BUILD \
    -DGTR_HAS_TIER_SCALAR=1 -DGTR_VERSION_STAMP='"check"' -DGTR_CUDA_LIBRARY_NAME='"check"' -Inative/include \
    -Inative/src -Inative/cpu "$file"
  count=$((count + 1))
done
echo "$count files compile for aarch64"
