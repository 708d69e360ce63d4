// Attention in bf16 for 136 to 256 columns.
#include "attention_bf16.inl"

namespace gtr::cuda {

void launch_attention_bf16_256(Queue& queue, AttentionVariant variant, const AttentionParameters& parameters,
                               dim3 grid) noexcept {
  launch_attention_bf16<256, 1>(queue, variant, parameters, grid);
}

}  // namespace gtr::cuda
