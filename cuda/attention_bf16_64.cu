// Attention in bf16 for up to 64 columns, 64 exactly without waste: MAR-B and L.
#include "attention_bf16.inl"

namespace gtr::cuda {

void launch_attention_bf16_64(Queue& queue, AttentionVariant variant, const AttentionParameters& parameters,
                              dim3 grid) noexcept {
  launch_attention_bf16<64, 2>(queue, variant, parameters, grid);
}

}  // namespace gtr::cuda
