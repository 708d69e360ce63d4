// The kernels of head_kernels.h, written once over a tier's vector. Included by a tier's head.cpp inside its namespace.
// No include guard, and nothing from std: see cmake/GtrCpuTiers.cmake.

namespace {

template <typename T>
void silu_of_sum(const float* a, const float* b, int64_t n, T* y) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, silu(load(a + i) + load(b + i)));
  if (i < n) {
    const int left = static_cast<int>(n - i);
    store(y + i, silu(load(a + i, left) + load(b + i, left)), left);
  }
}

}  // namespace

extern const HeadKernels kHead = {silu_of_sum<float>, silu_of_sum<Bfloat16>};
