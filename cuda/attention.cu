// Attention: which kernel, how many blocks. The kernels are in attention_bf16.inl and attention_f32.inl.
#include <cmath>
#include <limits>

#include "attention_parameters.h"
#include "operations.h"

namespace gtr::cuda {
namespace {

constexpr double kLog2E = 1.4426950408889634;

// CUDA's limit for grids in y and z.
constexpr int64_t kMostBlocks = 65535;

AttentionView view_of(const gtr_tensor& tensor) noexcept {
  return {tensor.data, tensor.stride[0], tensor.stride[1], tensor.stride[2], tensor.dtype == GTR_BF16};
}

// All rows of D start at multiples of `bytes`. The stride of a dimension without a second entry says nothing.
bool rows_aligned(const gtr_tensor& tensor, int64_t bytes) noexcept {
  const int64_t element = tensor.dtype == GTR_BF16 ? 2 : 4;
  if (reinterpret_cast<uintptr_t>(tensor.data) % static_cast<uintptr_t>(bytes) != 0) return false;
  for (int d = 0; d < 3; ++d) {
    if (tensor.shape[d] > 1 && tensor.stride[d] * element % bytes != 0) return false;
  }
  return true;
}

bool fits_async(const gtr_tensor& tensor) noexcept { return tensor.dtype == GTR_BF16 && rows_aligned(tensor, 16); }

// Sign and factor of the scale, see AttentionParameters. A scale that float cannot tell from 0 makes all weights equal;
// the factor must not be 0 or infinite itself, since it meets differences that are.
void set_scale(AttentionParameters& p, double scale, gtr_precision precision) noexcept {
  const double factor = std::fabs(scale) * (precision == GTR_PRECISION_BF16 ? kLog2E : 1.0);
  if (factor < std::numeric_limits<float>::min()) {
    p.query_keep = 0;
    p.query_flip = 0;
    p.factor = 1.0f;
    return;
  }
  p.query_keep = 0xffff;
  p.query_flip = scale < 0 ? 0x8000 : 0;
  const double highest = std::numeric_limits<float>::max();
  p.factor = static_cast<float>(factor < highest ? factor : highest);
}

int64_t divide_up(int64_t a, int64_t b) noexcept { return (a + b - 1) / b; }

// 128 queries per block use each key in a register twice and read it half as often, 64 give twice as many blocks: so
// 128 once they alone fill the card, two blocks on a multiprocessor, and where more than 64 queries are there to fill
// them.
int rows_per_block(const DeviceLimits& limits, int64_t query_length, int64_t batch_heads, int64_t head_dim,
                   bool masked) noexcept {
  if (masked || head_dim > 80 || query_length <= 64) return 64;
  return divide_up(query_length, 128) * batch_heads >= 2 * int64_t{limits.multiprocessors} ? 128 : 64;
}

}  // namespace

int64_t attention_scratch_size(const DeviceLimits&, gtr_precision, int64_t, int64_t, int64_t, int64_t,
                               int64_t) noexcept {
  return 0;
}

void attention(Context& context, gtr_precision precision, double scale, const gtr_tensor& q, const gtr_tensor& k,
               const gtr_tensor& v, const gtr_tensor* query_lengths, const gtr_tensor* key_lengths,
               const gtr_tensor* mask, const gtr_tensor& out, void*) noexcept {
  const int64_t batch = q.shape[0];
  const int64_t query_length = q.shape[1];
  const int64_t heads = q.shape[2];
  const int64_t head_dim = q.shape[3];

  AttentionParameters p = {};
  p.q = view_of(q);
  // Without keys k and v may have no address. Nothing is read of them.
  const bool no_keys = k.shape[1] == 0;
  p.k = view_of(no_keys ? q : k);
  p.v = view_of(no_keys ? q : v);
  p.out = view_of(out);
  if (mask != nullptr && !no_keys) {
    p.mask = static_cast<const uint8_t*>(mask->data);
    p.mask_batch_stride = mask->stride[0];
    p.mask_head_stride = mask->stride[1];
    p.mask_row_stride = mask->stride[2];
  }
  if (query_lengths != nullptr) {
    p.query_lengths = static_cast<const int32_t*>(query_lengths->data);
    p.query_lengths_stride = query_lengths->stride[0];
  }
  if (key_lengths != nullptr) {
    p.key_lengths = static_cast<const int32_t*>(key_lengths->data);
    p.key_lengths_stride = key_lengths->stride[0];
  }
  p.query_length = static_cast<int32_t>(query_length);
  p.key_length = static_cast<int32_t>(k.shape[1]);
  p.head_dim = static_cast<int32_t>(head_dim);
  set_scale(p, scale, precision);
  p.out_aligned = rows_aligned(out, out.dtype == GTR_BF16 ? 8 : 16);
  p.errors = context.errors;

  AttentionVariant variant = {};
  if (precision == GTR_PRECISION_BF16) {
    variant.load = fits_async(q) && fits_async(k) && fits_async(v) ? AttentionLoad::kAsync : AttentionLoad::kConvert;
    const bool general = p.mask != nullptr || variant.load == AttentionLoad::kConvert;
    variant.rows = rows_per_block(*context.limits, query_length, batch * heads, head_dim, general);
  } else {
    variant.rows = attention_f32_rows(head_dim);
  }

  for (int64_t first_batch = 0; first_batch < batch; first_batch += kMostBlocks) {
    for (int64_t first_head = 0; first_head < heads; first_head += kMostBlocks) {
      p.first_batch = static_cast<int32_t>(first_batch);
      p.first_head = static_cast<int32_t>(first_head);
      const auto part = [](int64_t rest) { return static_cast<unsigned>(rest < kMostBlocks ? rest : kMostBlocks); };
      const dim3 grid(static_cast<unsigned>(divide_up(query_length, variant.rows)), part(heads - first_head),
                      part(batch - first_batch));
      if (precision != GTR_PRECISION_BF16) {
        launch_attention_f32(context.queue, p, grid);
      } else if (head_dim <= 64) {
        launch_attention_bf16_64(context.queue, variant, p, grid);
      } else if (head_dim <= 80) {
        launch_attention_bf16_80(context.queue, variant, p, grid);
      } else if (head_dim <= 128) {
        launch_attention_bf16_128(context.queue, variant, p, grid);
      } else {
        launch_attention_bf16_256(context.queue, variant, p, grid);
      }
    }
  }
}

}  // namespace gtr::cuda
