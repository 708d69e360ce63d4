// What the heads of all backends share though their weights are types of their own.
#pragma once

#include <cstdint>

#include "gtr/gtr.h"
#include "head_tensors.h"

namespace gtr {

// Block MLPs and modulations follow the head's precision; its ends stay float: 1 / sqrt(alpha_bar) multiplies an error
// in epsilon by up to 2e4.
inline gtr_precision head_layer_precision(gtr_precision head, HeadLayer layer) noexcept {
  switch (layer) {
    case HeadLayer::kFinalModulation:
    case HeadLayer::kBlockMlp0:
    case HeadLayer::kBlockMlp2:
    case HeadLayer::kBlockModulation:
      return head;
    default:
      return GTR_PRECISION_F32;
  }
}

// Where a backend's Head keeps the weights of a layer (`Linear**`); null for a norm.
template <typename Head>
auto head_linear_of(Head& head, HeadLayer layer, int32_t block) noexcept -> decltype(&head.outer[0]) {
  switch (layer) {
    case HeadLayer::kBlockNorm:
      return nullptr;
    case HeadLayer::kBlockMlp0:
      return &head.blocks[block].mlp0;
    case HeadLayer::kBlockMlp2:
      return &head.blocks[block].mlp2;
    case HeadLayer::kBlockModulation:
      return &head.blocks[block].modulation;
    default:
      return &head.outer[static_cast<int32_t>(layer)];
  }
}

}  // namespace gtr
