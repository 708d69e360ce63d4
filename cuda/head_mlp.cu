#include "head_mlp.h"

#include "device.h"
#include "head_network.h"
#include "layer_norm_row.inl"
#include "linear_stream.h"

namespace gtr::cuda {
namespace {

// Every block of the product normalises all rows again, one after the other from L2 and with its two warps, while its
// weights are on their way. Two rows are done when these come; more would keep them waiting longer than a launch of its
// own for all rows takes.
constexpr int64_t kMostRows = 2;

using Shape = StreamShape<1, 1, true>;

// Of a row that stays in registers, up to 1536 elements.
constexpr int kRowSteps = 3;

// Rows for stream_linear, made in shared memory behind its own: bf16 [8, row_bytes / 2], zeros beyond the width.
template <int kSteps, bool kVector>
struct NormedRows {
  static constexpr bool kInShared = true;
  HeadMlp mlp;
  int32_t rows;
  int32_t steps;
  int64_t width;
  float epsilon;
  int32_t row_bytes;

  __device__ __forceinline__ unsigned char* row_at(int row) const {
    return dynamic_shared<unsigned char>() + Shape::kSharedBytes + row * row_bytes;
  }

  __device__ __forceinline__ void prepare() const {
    GTR_SHARED(NormSums, sums, 1);
    for (int row = 0; row < rows; ++row) {
      auto* const y = reinterpret_cast<Bf16*>(row_at(row));
      normalise(row, sums[0], y);
      const int64_t columns = static_cast<int64_t>(steps) * kStepInputsBf16;
      for (int64_t i = width + threadIdx.x; i < columns; i += Shape::kThreads) y[i] = Bf16{0};
    }
    block_sync();
  }

  __device__ __forceinline__ const void* chunk(int row, int step, int c) const {
    return row_at(row) + step * kStepRowBytes + 16 * c;
  }

 private:
  __device__ __forceinline__ void normalise(int64_t row, NormSums& sums, Bf16* y) const {
    const int rank = warp_id();
    const float* const x = mlp.stream + row * width;
    const Bf16* const shift = static_cast<const Bf16*>(mlp.shift) + row * mlp.modulation_stride;
    const Bf16* const scale = static_cast<const Bf16*>(mlp.scale) + row * mlp.modulation_stride;
    if constexpr (kSteps > 0) {
      // All that is read, before anything waits for it.
      constexpr int kHeld = kSteps * kNormWarps / Shape::kWarps;
      float4 own[kHeld], weight[kHeld], bias[kHeld], scales[kHeld], shifts[kHeld];
      for_quads<Shape::kWarps, kSteps>(rank, width, [&](int held, int, int64_t quad) {
        own[held] = load_quad<kVector>(x, width, quad);
        weight[held] = load_quad<kVector>(mlp.norm_weight, width, quad);
        bias[held] = load_quad<kVector>(mlp.norm_bias, width, quad);
        scales[held] = load_quad<kVector>(scale, width, quad);
        shifts[held] = load_quad<kVector>(shift, width, quad);
      });
      const NormMoments moments = norm_moments<Shape::kWarps, kSteps, kVector>(
          rank, width, epsilon, sums, [&](int held, int64_t) { return own[held]; });
      for_quads<Shape::kWarps, kSteps>(rank, width, [&](int held, int, int64_t quad) {
        const float4 v = normalised(own[held], moments) * weight[held] + bias[held];
        store_quad<kVector>(y, width, quad, modulated(v, scales[held], shifts[held]));
      });
    } else {
      const auto load = [&](int, int64_t quad) { return load_quad<kVector>(x, width, quad); };
      const NormMoments moments = norm_moments<Shape::kWarps, 0, kVector>(rank, width, epsilon, sums, load);
      for_quads<Shape::kWarps, 0>(rank, width, [&](int held, int, int64_t quad) {
        const float4 v = normalised(load(held, quad), moments) * load_quad<kVector>(mlp.norm_weight, width, quad) +
                         load_quad<kVector>(mlp.norm_bias, width, quad);
        store_quad<kVector>(
            y, width, quad,
            modulated(v, load_quad<kVector>(scale, width, quad), load_quad<kVector>(shift, width, quad)));
      });
    }
  }
};

// SiLU(modulate(norm(stream)) W^T + b). weights: packed bf16 [tiles][steps][512 bytes]. Launch: `tiles` blocks of
// Shape::kThreads, Shape::kSharedBytes + 8 rows.row_bytes.
template <typename Rows>
__global__ void __launch_bounds__(Shape::kThreads, 4)
    norm_modulate_linear_silu_kernel(const void* weights, int32_t tiles, Rows rows, LinearEpilogue epilogue,
                                     const int32_t* cancelled) {
  stream_linear<Shape>(weights, rows.steps, tiles, rows.width, rows, rows.rows, epilogue, cancelled);
}

// Of shared memory: 16 bytes more than a multiple of 128, which keeps reads of 8 rows free of bank conflicts.
int64_t row_bytes(const Linear& linear) noexcept {
  const int64_t bytes = int64_t{linear.steps} * kStepRowBytes;
  return (bytes + 127) / 128 * 128 + 16;
}

int64_t shared_bytes(const Linear& linear) noexcept { return Shape::kSharedBytes + Shape::kRows * row_bytes(linear); }

template <int kSteps, bool kVector>
void launch_mlp(Context& context, const Linear& linear, int64_t rows, const HeadMlp& mlp,
                const LinearEpilogue& epilogue) noexcept {
  using Rows = NormedRows<kSteps, kVector>;
  const Rows normed{mlp,           static_cast<int32_t>(rows),     linear.steps,
                    linear.inputs, norm_epsilon(kHeadNormEpsilon), static_cast<int32_t>(row_bytes(linear))};
  launch_dependent<norm_modulate_linear_silu_kernel<Rows>>(
      context.queue, dim3(static_cast<unsigned>(linear.tiles)), Shape::kThreads, shared_bytes(linear),
      static_cast<const void*>(linear.weights), linear.tiles, normed, epilogue, context.cancelled);
}

}  // namespace

bool mlp_fits(const DeviceLimits& limits, const Head& head, int64_t rows) noexcept {
  return head.precision == GTR_PRECISION_BF16 && rows <= kMostRows && head.shape.blocks > 0 &&
         shared_bytes(*head.blocks[0].mlp0) + static_cast<int64_t>(sizeof(NormSums)) <= limits.shared_bytes;
}

void norm_modulate_linear_silu(Context& context, const Head& head, int32_t block, int64_t rows,
                               const HeadMlp& mlp) noexcept {
  const Linear& linear = *head.blocks[block].mlp0;
  LinearEpilogue epilogue{};
  epilogue.activation = GTR_ACTIVATION_SILU;
  epilogue.bias = linear.bias;
  epilogue.y = {mlp.hidden, linear.outputs, true};
  epilogue.by_4 = epilogue.y.aligned_by_4();
  const bool vector = linear.inputs % kQuad == 0;  // all rows start at multiples of it
  if (vector && linear.inputs <= int64_t{kRowSteps} * kNormStep) {
    launch_mlp<kRowSteps, true>(context, linear, rows, mlp, epilogue);
  } else {
    launch_mlp<0, false>(context, linear, rows, mlp, epilogue);
  }
}

}  // namespace gtr::cuda
