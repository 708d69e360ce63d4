// Attention in bf16 for 72 and 80 columns, 80 exactly without waste (5 steps of 16): MAR-H.
#include "attention_bf16.inl"

namespace gtr::cuda {

void launch_attention_bf16_80(Queue& queue, AttentionVariant variant, const AttentionParameters& parameters,
                              dim3 grid) noexcept {
  launch_attention_bf16<80, 2>(queue, variant, parameters, grid);
}

}  // namespace gtr::cuda
