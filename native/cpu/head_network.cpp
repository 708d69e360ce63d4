#include "head_network.h"

#include <algorithm>
#include <cmath>

#include "errors.h"
#include "head_kernels.h"
#include "pool.h"

namespace gtr::cpu {
namespace {

constexpr double kNormEpsilon = 1e-6;
constexpr int64_t kSinusoidsPerTask = 4;
constexpr int64_t kActivatedPerTask = 8;

const void* element(const void* data, gtr_dtype dtype, int64_t at) noexcept {
  return static_cast<const char*>(data) + at * element_size(dtype);
}

// cos, then sin of t f_k, f_k = exp(-ln 10000 k / 128), as the official code computes it: exponent, frequency and angle
// are floats.
void sinusoid(int32_t base_step, float* y) noexcept {
  constexpr int kHalf = kTimeEmbedding / 2;
  constexpr float kMinusLog10000 = -9.210340371976184f;
  for (int k = 0; k < kHalf; ++k) {
    const float exponent = kMinusLog10000 * static_cast<float>(k) / static_cast<float>(kHalf);
    const float frequency = static_cast<float>(std::exp(static_cast<double>(exponent)));
    const float angle = static_cast<float>(base_step) * frequency;
    y[k] = static_cast<float>(std::cos(static_cast<double>(angle)));
    y[kHalf + k] = static_cast<float>(std::sin(static_cast<double>(angle)));
  }
}

const HeadKernels& kernels_of(Tier tier) noexcept {
  switch (tier) {
#ifdef GTR_HAS_TIER_AVX2
    case Tier::kAvx2:
      return avx2::kHead;
    case Tier::kAvx512:
    case Tier::kAvx512Bf16:
    case Tier::kAmxBf16:
      return avx512::kHead;
#endif
    default:
      return scalar::kHead;
  }
}

}  // namespace

gtr_status head_cancelled(const char* operation) noexcept {
  return fail(GTR_ERROR_CANCELLED, operation, "stream", "the stream was cancelled");
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
  times.row_of_step = scratch.take<int16_t>(kBaseSteps);
  times.steps = scratch.take<int32_t>(capacity);
  times.sinusoids = scratch.take<float>(capacity * kTimeEmbedding);
  times.hidden = scratch.take<float>(capacity * head.shape.width);
  times.embedded = scratch.take<float>(capacity * head.shape.width);
  return times;
}

void HeadTimes::clear() noexcept {
  std::fill_n(row_of_step, kBaseSteps, int16_t{-1});
  count = 0;
}

void HeadTimes::add(int32_t base_step) noexcept {
  if (row_of_step[base_step] >= 0) return;
  row_of_step[base_step] = static_cast<int16_t>(count);
  steps[count++] = base_step;
}

gtr_status HeadTimes::embed(const Context& context, const Head& head, void* linear_scratch) noexcept {
  context.pool->parallel_for((count + kSinusoidsPerTask - 1) / kSinusoidsPerTask, [&](int64_t task) {
    const int64_t end = std::min(count, (task + 1) * kSinusoidsPerTask);
    for (int64_t i = task * kSinusoidsPerTask; i < end; ++i) sinusoid(steps[i], sinusoids + i * kTimeEmbedding);
  });
  const int64_t width = head.shape.width;
  const gtr_tensor hidden_view = matrix_view(hidden, GTR_F32, count, width, width);
  const gtr_status status = linear(context, head.layer(HeadLayer::kTimeEmbed0), GTR_ACTIVATION_SILU,
                                   matrix_view(sinusoids, GTR_F32, count, kTimeEmbedding, kTimeEmbedding), nullptr,
                                   nullptr, hidden_view, linear_scratch);
  if (status != GTR_OK) return status;
  return linear(context, head.layer(HeadLayer::kTimeEmbed2), GTR_ACTIVATION_NONE, hidden_view, nullptr, nullptr,
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
  modulations.time_row = scratch.take<int32_t>(capacity);
  modulations.condition_row = scratch.take<int32_t>(capacity);
  return modulations;
}

int64_t HeadModulations::row_bytes(const Head& head) noexcept {
  const int64_t width = head.shape.width;
  return head.shape.blocks * 3 * width * element_size(head_activation_type(head)) +
         2 * width * static_cast<int64_t>(sizeof(float));
}

gtr_status HeadModulations::compute(const Context& context, const Head& head, const char* operation, int64_t rows,
                                    const float* times, const float* conditions, void* linear_scratch) noexcept {
  const int64_t width = head.shape.width;
  const gtr_dtype dtype = head_activation_type(head);
  const HeadKernels& kernels = kernels_of(context.tier);
  context.pool->parallel_for((rows + kActivatedPerTask - 1) / kActivatedPerTask, [&](int64_t task) {
    const int64_t end = std::min(rows, (task + 1) * kActivatedPerTask);
    for (int64_t r = task * kActivatedPerTask; r < end; ++r) {
      const float* time = times + time_row[r] * width;
      const float* condition = conditions + condition_row[r] * width;
      if (dtype == GTR_BF16) {
        kernels.silu_of_sum_bf16(time, condition, width, static_cast<Bfloat16*>(activated) + r * width);
      } else {
        kernels.silu_of_sum(time, condition, width, static_cast<float*>(activated) + r * width);
      }
    }
  });
  const gtr_tensor x = matrix_view(activated, dtype, rows, width, width);
  for (int32_t b = 0; b < head.shape.blocks; ++b) {
    if (context.is_cancelled()) return head_cancelled(operation);
    const gtr_tensor y =
        matrix_view(element(blocks, dtype, b * capacity * 3 * width), dtype, rows, 3 * width, 3 * width);
    const gtr_status status =
        linear(context, *head.blocks[b].modulation, GTR_ACTIVATION_NONE, x, nullptr, nullptr, y, linear_scratch);
    if (status != GTR_OK) return status;
  }
  return linear(context, head.layer(HeadLayer::kFinalModulation), GTR_ACTIVATION_NONE, x, nullptr, nullptr,
                matrix_view(last, GTR_F32, rows, 2 * width, 2 * width), linear_scratch);
}

HeadPass HeadPass::place(HeadScratch& scratch, const Head& head, int64_t capacity) noexcept {
  const int64_t elements = capacity * head.shape.width;
  const int64_t size = element_size(head_activation_type(head));
  HeadPass pass{};
  pass.stream = scratch.take<float>(elements);
  // The final layer's norm writes floats in either precision.
  pass.normed = scratch.take<float>(elements);
  pass.hidden = scratch.take_bytes(elements * size);
  return pass;
}

gtr_status HeadPass::run(const Context& context, const Head& head, const char* operation, int64_t rows,
                         const HeadModulations& modulations, int64_t first, const gtr_tensor& out,
                         void* linear_scratch) noexcept {
  const int64_t width = head.shape.width;
  const gtr_dtype dtype = head_activation_type(head);
  const gtr_tensor h = matrix_view(stream, GTR_F32, rows, width, width);
  const gtr_tensor normed_view = matrix_view(normed, dtype, rows, width, width);
  const gtr_tensor hidden_view = matrix_view(hidden, dtype, rows, width, width);
  for (int32_t b = 0; b < head.shape.blocks; ++b) {
    if (context.is_cancelled()) return head_cancelled(operation);
    const HeadBlock& block = head.blocks[b];
    const int64_t row = (b * modulations.capacity + first) * 3 * width;
    const auto part = [&](int64_t which) {
      return matrix_view(element(modulations.blocks, dtype, row + which * width), dtype, rows, width, 3 * width);
    };
    const gtr_tensor shift = part(0), scale = part(1), gate = part(2);
    const gtr_tensor norm_weight = vector_view(block.norm_weight, width);
    const gtr_tensor norm_bias = vector_view(block.norm_bias, width);
    gtr_status status = layer_norm(context, h, &norm_weight, &norm_bias, &scale, &shift, kNormEpsilon, normed_view);
    if (status == GTR_OK) {
      status =
          linear(context, *block.mlp0, GTR_ACTIVATION_SILU, normed_view, nullptr, nullptr, hidden_view, linear_scratch);
    }
    if (status == GTR_OK) {
      status = linear(context, *block.mlp2, GTR_ACTIVATION_NONE, hidden_view, &gate, &h, h, linear_scratch);
    }
    if (status != GTR_OK) return status;
  }
  const float* const last = modulations.last + first * 2 * width;
  const gtr_tensor shift = matrix_view(last, GTR_F32, rows, width, 2 * width);
  const gtr_tensor scale = matrix_view(last + width, GTR_F32, rows, width, 2 * width);
  const gtr_tensor final_normed = matrix_view(normed, GTR_F32, rows, width, width);
  const gtr_status status = layer_norm(context, h, nullptr, nullptr, &scale, &shift, kNormEpsilon, final_normed);
  if (status != GTR_OK) return status;
  return linear(context, head.layer(HeadLayer::kFinalLinear), GTR_ACTIVATION_NONE, final_normed, nullptr, nullptr, out,
                linear_scratch);
}

}  // namespace gtr::cpu
