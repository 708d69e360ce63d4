// Attention in bf16 for 88 to 128 columns, 128 exactly without waste.
#include "attention_bf16.inl"

namespace gtr::cuda {

void launch_attention_bf16_128(Queue& queue, AttentionVariant variant, const AttentionParameters& parameters,
                               dim3 grid) noexcept {
  launch_attention_bf16<128, 1>(queue, variant, parameters, grid);
}

}  // namespace gtr::cuda
