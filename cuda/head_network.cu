#include "head_network.h"

#include <algorithm>

#include "device.h"
#include "diffusion_table.h"
#include "head_mlp.h"

namespace gtr::cuda {
namespace {

constexpr int kHalfEmbedding = kTimeEmbedding / 2;

const void* element(const void* data, gtr_dtype dtype, int64_t at) noexcept {
  return static_cast<const char*>(data) + at * element_size(dtype);
}

__device__ __forceinline__ void store(float* y, float value) { *y = value; }
__device__ __forceinline__ void store(Bf16* y, float value) { *y = to_bf16(value); }

// cos, then sin of t f_k, f_k = exp(-ln 10000 k / 128), as the official code computes it: exponent, frequency and angle
// are floats.
// steps [rows], step_stride elements apart; y [rows, 256]; first: what steps[0] is of the caller's array. One block of
// 128 threads per row.
__global__ void __launch_bounds__(kHalfEmbedding)
    sinusoid_kernel(const int32_t* steps, int64_t step_stride, int64_t first, float* y, DeviceErrors* errors,
                    const int32_t* cancelled) {
  if (load_relaxed(cancelled) != 0) return;
  constexpr float kMinusLog10000 = -9.210340371976184f;
  const int64_t row = blockIdx.x;
  const int k = static_cast<int>(threadIdx.x);
  const int32_t base_step = steps[row * step_stride];
  const bool allowed = 0 <= base_step && base_step < kBaseSteps;
  if (!allowed && k == 0) report(errors, Checked::kHeadForwardT, first + row, base_step, 0, kBaseSteps - 1);
  const float exponent = kMinusLog10000 * static_cast<float>(k) / static_cast<float>(kHalfEmbedding);
  const float frequency = static_cast<float>(exp(static_cast<double>(exponent)));
  const float angle = allowed ? static_cast<float>(base_step) * frequency : float_infinity();  // of which cos is NaN
  y[row * kTimeEmbedding + k] = static_cast<float>(cos(static_cast<double>(angle)));
  y[row * kTimeEmbedding + kHalfEmbedding + k] = static_cast<float>(sin(static_cast<double>(angle)));
}

// y = SiLU(time + condition) of each row's time and condition.
// times, conditions: rows of `width` floats; time_row, condition_row [rows] or null for the row itself; y [rows,
// width]. One block per row, of any number of threads.
template <typename T>
__global__ void silu_of_sum_kernel(const float* times, const int32_t* time_row, const float* conditions,
                                   const int32_t* condition_row, int64_t width, T* y, const int32_t* cancelled) {
  if (load_relaxed(cancelled) != 0) return;
  const int64_t row = blockIdx.x;
  const float* const time = times + (time_row == nullptr ? row : time_row[row]) * width;
  const float* const condition = conditions + (condition_row == nullptr ? row : condition_row[row]) * width;
  for (int64_t i = threadIdx.x; i < width; i += blockDim.x) {
    const float sum = time[i] + condition[i];
    store(y + row * width + i, sum / (1.0f + expf(-sum)));
  }
}

}  // namespace

gtr_tensor row_range(const gtr_tensor& matrix, int64_t first, int64_t rows) noexcept {
  const float* data = static_cast<const float*>(matrix.data) + first * matrix.stride[0];
  return matrix_view(data, GTR_F32, rows, matrix.shape[1], matrix.stride[0]);
}

int64_t head_linear_scratch_size(const Head& head, int64_t rows) noexcept {
  int64_t bytes = 0;
  for (const Linear* linear : head.outer) bytes = std::max(bytes, linear_scratch_size(*linear, rows));
  for (int32_t b = 0; b < head.shape.blocks; ++b) {
    const HeadBlock& block = head.blocks[b];
    for (const Linear* linear : {block.mlp0, block.mlp2, block.modulation}) {
      bytes = std::max(bytes, linear_scratch_size(*linear, rows));
    }
  }
  return bytes;
}

HeadTimes HeadTimes::place(HeadScratch& scratch, const Head& head, int64_t capacity) noexcept {
  HeadTimes times{};
  times.sinusoids = scratch.take<float>(capacity * kTimeEmbedding);
  times.hidden = scratch.take<float>(capacity * head.shape.width);
  times.embedded = scratch.take<float>(capacity * head.shape.width);
  return times;
}

void HeadTimes::embed(Context& context, const Head& head, const int32_t* steps, int64_t step_stride, int64_t first,
                      int64_t count, void* linear_scratch) const noexcept {
  launch<sinusoid_kernel>(context.queue, dim3(static_cast<unsigned>(count)), kHalfEmbedding, 0, steps, step_stride,
                          first, sinusoids, context.errors, context.cancelled);
  const int64_t width = head.shape.width;
  const gtr_tensor hidden_view = matrix_view(hidden, GTR_F32, count, width, width);
  linear(context, head.layer(HeadLayer::kTimeEmbed0), GTR_ACTIVATION_SILU,
         matrix_view(sinusoids, GTR_F32, count, kTimeEmbedding, kTimeEmbedding), nullptr, nullptr, hidden_view,
         linear_scratch);
  linear(context, head.layer(HeadLayer::kTimeEmbed2), GTR_ACTIVATION_NONE, hidden_view, nullptr, nullptr,
         matrix_view(embedded, GTR_F32, count, width, width), linear_scratch);
}

HeadModulations HeadModulations::place(HeadScratch& scratch, const Head& head, int64_t capacity) noexcept {
  const int64_t width = head.shape.width;
  const int64_t size = element_size(head_activation_type(head));
  HeadModulations modulations{};
  modulations.capacity = capacity;
  modulations.blocks = scratch.take_bytes(head.shape.blocks * capacity * 3 * width * size);
  modulations.last = scratch.take<float>(capacity * 2 * width);
  modulations.activated = scratch.take_bytes(capacity * width * size);
  return modulations;
}

int64_t HeadModulations::row_bytes(const Head& head) noexcept {
  const int64_t width = head.shape.width;
  return head.shape.blocks * 3 * width * element_size(head_activation_type(head)) +
         2 * width * static_cast<int64_t>(sizeof(float));
}

void HeadModulations::compute(Context& context, const Head& head, int64_t rows, const float* times,
                              const int32_t* time_row, const float* conditions, const int32_t* condition_row,
                              void* linear_scratch) const noexcept {
  const int64_t width = head.shape.width;
  const gtr_dtype dtype = head_activation_type(head);
  constexpr int64_t kMostThreads = 256;
  const int threads = static_cast<int>(std::min(kMostThreads, (width + kWarp - 1) / kWarp * kWarp));
  const dim3 grid(static_cast<unsigned>(rows));
  if (dtype == GTR_BF16) {
    launch<silu_of_sum_kernel<Bf16>>(context.queue, grid, threads, 0, times, time_row, conditions, condition_row, width,
                                     static_cast<Bf16*>(activated), context.cancelled);
  } else {
    launch<silu_of_sum_kernel<float>>(context.queue, grid, threads, 0, times, time_row, conditions, condition_row,
                                      width, static_cast<float*>(activated), context.cancelled);
  }
  const gtr_tensor x = matrix_view(activated, dtype, rows, width, width);
  for (int32_t b = 0; b < head.shape.blocks; ++b) {
    const gtr_tensor y =
        matrix_view(element(blocks, dtype, b * capacity * 3 * width), dtype, rows, 3 * width, 3 * width);
    linear(context, *head.blocks[b].modulation, GTR_ACTIVATION_NONE, x, nullptr, nullptr, y, linear_scratch);
  }
  linear(context, head.layer(HeadLayer::kFinalModulation), GTR_ACTIVATION_NONE, x, nullptr, nullptr,
         matrix_view(last, GTR_F32, rows, 2 * width, 2 * width), linear_scratch);
}

HeadPass HeadPass::place(HeadScratch& scratch, const Head& head, int64_t capacity) noexcept {
  const int64_t elements = capacity * head.shape.width;
  HeadPass pass{};
  const int64_t bytes = elements * element_size(head_activation_type(head));
  pass.normed = scratch.take_bytes(bytes);
  pass.hidden = scratch.take_bytes(bytes);
  return pass;
}

void HeadPass::run(Context& context, const Head& head, int64_t rows, float* stream, const HeadModulations& modulations,
                   int64_t first, void* linear_scratch) const noexcept {
  const int64_t width = head.shape.width;
  const gtr_dtype dtype = head_activation_type(head);
  const gtr_tensor h = matrix_view(stream, GTR_F32, rows, width, width);
  const gtr_tensor normed_view = matrix_view(normed, dtype, rows, width, width);
  const gtr_tensor hidden_view = matrix_view(hidden, dtype, rows, width, width);
  const bool fused = mlp_fits(*context.limits, head, rows);
  for (int32_t b = 0; b < head.shape.blocks; ++b) {
    const HeadBlock& block = head.blocks[b];
    const int64_t row = (b * modulations.capacity + first) * 3 * width;
    const auto part = [&](int64_t which) {
      return matrix_view(element(modulations.blocks, dtype, row + which * width), dtype, rows, width, 3 * width);
    };
    const gtr_tensor shift = part(0), scale = part(1), gate = part(2);
    if (fused) {
      norm_modulate_linear_silu(
          context, head, b, rows,
          {stream, block.norm_weight, block.norm_bias, shift.data, scale.data, shift.stride[0], hidden});
    } else {
      const gtr_tensor norm_weight = vector_view(block.norm_weight, width);
      const gtr_tensor norm_bias = vector_view(block.norm_bias, width);
      layer_norm(context, h, &norm_weight, &norm_bias, &scale, &shift, kHeadNormEpsilon, normed_view);
      linear(context, *block.mlp0, GTR_ACTIVATION_SILU, normed_view, nullptr, nullptr, hidden_view, linear_scratch);
    }
    linear(context, *block.mlp2, GTR_ACTIVATION_NONE, hidden_view, &gate, &h, h, linear_scratch);
  }
}

}  // namespace gtr::cuda
