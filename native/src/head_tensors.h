// Names and shapes of a diffusion head's tensors, as in public MAR checkpoints.
#pragma once

#include <cstdint>

#include "gtr/gtr.h"

namespace gtr {

// Width of the sinusoidal timestep embedding.
constexpr int32_t kTimeEmbedding = 256;

enum class HeadLayer : int32_t {
  kTimeEmbed0,       // time_embed.mlp.0
  kTimeEmbed2,       // time_embed.mlp.2
  kConditionEmbed,   // cond_embed
  kInputProjection,  // input_proj
  kFinalModulation,  // final_layer.adaLN_modulation.1
  kFinalLinear,      // final_layer.linear
  kBlockNorm,        // res_blocks.N.in_ln; the first of the layers that every block has
  kBlockMlp0,        // res_blocks.N.mlp.0
  kBlockMlp2,        // res_blocks.N.mlp.2
  kBlockModulation,  // res_blocks.N.adaLN_modulation.1
};

// One tensor: weight or bias of a layer.
struct HeadTensor {
  HeadLayer layer;
  int32_t block;  // 0 for layers outside the blocks
  bool bias;
};

constexpr int32_t kHeadOuterLayers = static_cast<int32_t>(HeadLayer::kBlockNorm);
constexpr int32_t kHeadBlockLayers = static_cast<int32_t>(HeadLayer::kBlockModulation) + 1 - kHeadOuterLayers;

// Tensors are numbered 0..count-1: the layers outside the blocks, then block after block.
int64_t head_tensor_count(const gtr_head_shape& head) noexcept;
HeadTensor head_tensor_at(int64_t number) noexcept;
int64_t head_tensor_number(const HeadTensor& tensor) noexcept;

// False if the head has no tensor of that name.
bool head_tensor_find(const gtr_head_shape& head, const char* name, HeadTensor* tensor) noexcept;

// Rows (all there is of a vector) and columns (0 for a vector) of a tensor.
void head_tensor_size(const gtr_head_shape& head, const HeadTensor& tensor, int64_t* rows, int64_t* columns) noexcept;

constexpr int kHeadTensorNameSize = 64;

// The name, without "diffloss.net.".
void head_tensor_name(const HeadTensor& tensor, char name[kHeadTensorNameSize]) noexcept;

// Rank and shape by name; false if the head has no such tensor. shape[1] is 0 for a vector.
bool head_tensor_shape(const gtr_head_shape& head, const char* name, int32_t* rank, int64_t shape[2]) noexcept;

}  // namespace gtr
