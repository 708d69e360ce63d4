#include "linear_round.h"

namespace gtr::cuda {

constexpr int kRoundThreads = 256;
constexpr int kRoundAtOnce = 8;  // elements a thread, 16 bytes of bf16

// Rounds x [rows, width], f32 or bf16 of row stride x_stride and any alignment, to bf16 [rows, stride] with zeros from
// width to stride. by_8: x lets 8 elements of a row be loaded by 16 bytes at a time. Launch: enough blocks of 256
// threads for one thread per 8 elements of the result.
template <bool kBf16>
__global__ void __launch_bounds__(kRoundThreads)
    round_rows_kernel(const void* x, int64_t x_stride, int64_t rows, int64_t width, bool by_8, Bf16* rounded,
                      int64_t stride) {
  const int64_t i = int64_t{blockIdx.x} * kRoundThreads + threadIdx.x;
  const int64_t per_row = stride / kRoundAtOnce;
  const int64_t row = i / per_row;
  const int64_t column = i % per_row * kRoundAtOnce;
  if (row >= rows) return;
  uint4 result;
  if (by_8 && column < width) {
    if constexpr (kBf16) {
      result = load_16(static_cast<const Bf16*>(x) + row * x_stride + column);
    } else {
      const float* from = static_cast<const float*>(x) + row * x_stride + column;
      const float4 low = *reinterpret_cast<const float4*>(from);
      const float4 high = *reinterpret_cast<const float4*>(from + 4);
      result = make_uint4(pack_bf16(low.x, low.y), pack_bf16(low.z, low.w), pack_bf16(high.x, high.y),
                          pack_bf16(high.z, high.w));
    }
  } else {
    float values[kRoundAtOnce];
#pragma unroll
    for (int e = 0; e < kRoundAtOnce; ++e) {
      values[e] = 0.0f;
      if (column + e < width) {
        const int64_t at = row * x_stride + column + e;
        values[e] = kBf16 ? to_float(static_cast<const Bf16*>(x)[at]) : static_cast<const float*>(x)[at];
      }
    }
    result = make_uint4(pack_bf16(values[0], values[1]), pack_bf16(values[2], values[3]),
                        pack_bf16(values[4], values[5]), pack_bf16(values[6], values[7]));
  }
  store_16(rounded + row * stride + column, result);
}

void round_rows(Queue& queue, const gtr_tensor& x, int64_t first_row, int64_t rows, Bf16* rounded,
                int64_t stride) noexcept {
  const bool bf16 = x.dtype == GTR_BF16;
  const int64_t size = bf16 ? 2 : 4;
  const int64_t width = x.shape[1];
  const void* from = static_cast<const char*>(x.data) + first_row * x.stride[0] * size;
  const bool by_8 =
      reinterpret_cast<uintptr_t>(from) % 16 == 0 && x.stride[0] * size % 16 == 0 && width % kRoundAtOnce == 0;
  const int64_t threads = rows * (stride / kRoundAtOnce);
  const dim3 grid(static_cast<unsigned>((threads + kRoundThreads - 1) / kRoundThreads));
  if (bf16) {
    launch<round_rows_kernel<true>>(queue, grid, kRoundThreads, 0, from, x.stride[0], rows, width, by_8, rounded,
                                    stride);
  } else {
    launch<round_rows_kernel<false>>(queue, grid, kRoundThreads, 0, from, x.stride[0], rows, width, by_8, rounded,
                                     stride);
  }
}

}  // namespace gtr::cuda
