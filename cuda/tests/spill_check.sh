#!/bin/sh
# cmake/check-kernels.sh lets a plain kernel pass and lists it; one that spills and one that recurses fail.
# Usage: spill_check.sh CHECK NVCC ARCHITECTURE FOLDER
set -eu
check=$1
nvcc=$2
architecture=$3
folder=$4/spill_check
mkdir -p "$folder"

cat >"$folder/plain.cu" <<'SOURCE'
__global__ void plain(float* p) {
  __shared__ float tile[512];
  tile[threadIdx.x] = p[threadIdx.x];
  __syncthreads();
  p[threadIdx.x] = tile[511 - threadIdx.x];
}
SOURCE
cat >"$folder/spills.cu" <<'SOURCE'
__global__ void __launch_bounds__(1024) spills(float* p) {
  float a[128];
  for (int i = 0; i < 128; ++i) a[i] = p[i * 1024 + threadIdx.x];
  for (int j = 0; j < 128; ++j) {
    for (int i = 0; i < 128; ++i) a[i] = a[i] * a[(i + 7) % 128] + a[(i * 3 + 1) % 128];
  }
  for (int i = 0; i < 128; ++i) p[i * 1024 + threadIdx.x] = a[i];
}
SOURCE
cat >"$folder/recurses.cu" <<'SOURCE'
__device__ __noinline__ int fibonacci(int n, int* p) {
  return n < 2 ? p[n] : fibonacci(n - 1, p) + fibonacci(n - 2, p) * p[n];
}
__global__ void recurses(int* p) { p[0] = fibonacci(p[1], p); }
SOURCE

compile() {
  rm -f "$folder/$1.o" "$folder/$1.o.kernels"
  "$check" "$nvcc" -arch="$architecture" -c "$folder/$1.cu" -o "$folder/$1.o" >"$folder/$1.log" 2>&1
}

if ! compile plain; then
  echo "a plain kernel fails the check:"
  cat "$folder/plain.log"
  exit 1
fi
if ! grep -q "^$architecture [0-9]* 2048 0 0 0 _Z5plainPf\$" "$folder/plain.o.kernels"; then
  echo "its line should have 2048 bytes of shared memory and no spill:"
  cat "$folder/plain.o.kernels"
  exit 1
fi
for name in spills recurses; do
  if compile "$name" || [ -e "$folder/$name.o" ] || ! grep -q "for $architecture spills: [1-9]" "$folder/$name.log"; then
    echo "the kernel of $name.cu passes, or fails without saying why:"
    cat "$folder/$name.log"
    exit 1
  fi
done
echo "a plain kernel passes, two that need memory do not"
