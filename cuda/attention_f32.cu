// Attention in float, for every number of columns.
#include "attention_f32.inl"

namespace gtr::cuda {
namespace {

template <int kDim>
void launch_columns(Queue& queue, const AttentionParameters& p, dim3 grid) noexcept {
  using Sizes = AttentionF32Sizes<kDim>;
  if (p.mask != nullptr) {
    launch<attention_f32<kDim, true>>(queue, grid, Sizes::kThreads, Sizes::kSharedBytes, p);
  } else {
    launch<attention_f32<kDim, false>>(queue, grid, Sizes::kThreads, Sizes::kSharedBytes, p);
  }
}

}  // namespace

int attention_f32_rows(int64_t head_dim) noexcept {
  return head_dim <= 128 ? AttentionF32Sizes<128>::kRows : AttentionF32Sizes<256>::kRows;
}

void launch_attention_f32(Queue& queue, const AttentionParameters& p, dim3 grid) noexcept {
  static_assert(AttentionF32Sizes<64>::kRows == AttentionF32Sizes<128>::kRows &&
                    AttentionF32Sizes<80>::kRows == AttentionF32Sizes<128>::kRows,
                "attention_f32_rows");
  if (p.head_dim <= 64) {
    launch_columns<64>(queue, p, grid);
  } else if (p.head_dim <= 80) {
    launch_columns<80>(queue, p, grid);
  } else if (p.head_dim <= 128) {
    launch_columns<128>(queue, p, grid);
  } else {
    launch_columns<256>(queue, p, grid);
  }
}

}  // namespace gtr::cuda
