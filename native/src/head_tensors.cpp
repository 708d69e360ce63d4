#include "head_tensors.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace gtr {
namespace {

constexpr char kBlockPrefix[] = "res_blocks.";

// In the order of HeadLayer; for block layers what follows "res_blocks.N.".
constexpr const char* kLayerNames[kHeadOuterLayers + kHeadBlockLayers] = {
    "time_embed.mlp.0",
    "time_embed.mlp.2",
    "cond_embed",
    "input_proj",
    "final_layer.adaLN_modulation.1",
    "final_layer.linear",
    "in_ln",
    "mlp.0",
    "mlp.2",
    "adaLN_modulation.1",
};

}  // namespace

int64_t head_tensor_count(const gtr_head_shape& head) noexcept {
  return 2 * (kHeadOuterLayers + static_cast<int64_t>(head.blocks) * kHeadBlockLayers);
}

HeadTensor head_tensor_at(int64_t number) noexcept {
  const int64_t layer = number / 2;
  const bool bias = number % 2 != 0;
  if (layer < kHeadOuterLayers) return {static_cast<HeadLayer>(layer), 0, bias};
  const int64_t in_blocks = layer - kHeadOuterLayers;
  return {static_cast<HeadLayer>(kHeadOuterLayers + in_blocks % kHeadBlockLayers),
          static_cast<int32_t>(in_blocks / kHeadBlockLayers), bias};
}

int64_t head_tensor_number(const HeadTensor& tensor) noexcept {
  return 2 * (static_cast<int64_t>(tensor.layer) + static_cast<int64_t>(tensor.block) * kHeadBlockLayers) +
         (tensor.bias ? 1 : 0);
}

bool head_tensor_find(const gtr_head_shape& head, const char* name, HeadTensor* tensor) noexcept {
  int32_t first_layer = 0;
  int32_t last_layer = kHeadOuterLayers;
  int64_t block = 0;
  const size_t prefix = sizeof(kBlockPrefix) - 1;
  if (std::strncmp(name, kBlockPrefix, prefix) == 0) {
    name += prefix;
    // Decimal without sign, space or leading zeros, so that every tensor has one name.
    if (name[0] < '0' || name[0] > '9' || (name[0] == '0' && name[1] != '.')) return false;
    char* end = nullptr;
    block = std::strtol(name, &end, 10);
    if (*end != '.' || block >= head.blocks) return false;
    name = end + 1;
    first_layer = kHeadOuterLayers;
    last_layer = kHeadOuterLayers + kHeadBlockLayers;
  }
  for (int32_t layer = first_layer; layer < last_layer; ++layer) {
    const size_t length = std::strlen(kLayerNames[layer]);
    if (std::strncmp(name, kLayerNames[layer], length) != 0) continue;
    const bool weight = std::strcmp(name + length, ".weight") == 0;
    if (!weight && std::strcmp(name + length, ".bias") != 0) continue;
    *tensor = {static_cast<HeadLayer>(layer), static_cast<int32_t>(block), !weight};
    return true;
  }
  return false;
}

void head_tensor_size(const gtr_head_shape& head, const HeadTensor& tensor, int64_t* rows, int64_t* columns) noexcept {
  const int64_t width = head.width;
  *rows = width;
  *columns = width;
  switch (tensor.layer) {
    case HeadLayer::kTimeEmbed0:
      *columns = kTimeEmbedding;
      break;
    case HeadLayer::kConditionEmbed:
      *columns = head.condition;
      break;
    case HeadLayer::kInputProjection:
      *columns = head.channels;
      break;
    case HeadLayer::kFinalModulation:
      *rows = 2 * width;
      break;
    case HeadLayer::kFinalLinear:
      *rows = 2 * static_cast<int64_t>(head.channels);
      break;
    case HeadLayer::kBlockNorm:
      *columns = 0;
      break;
    case HeadLayer::kBlockModulation:
      *rows = 3 * width;
      break;
    case HeadLayer::kTimeEmbed2:
    case HeadLayer::kBlockMlp0:
    case HeadLayer::kBlockMlp2:
      break;
  }
  if (tensor.bias) *columns = 0;
}

void head_tensor_name(const HeadTensor& tensor, char name[kHeadTensorNameSize]) noexcept {
  const int32_t layer = static_cast<int32_t>(tensor.layer);
  const char* suffix = tensor.bias ? "bias" : "weight";
  if (layer < kHeadOuterLayers) {
    std::snprintf(name, kHeadTensorNameSize, "%s.%s", kLayerNames[layer], suffix);
  } else {
    std::snprintf(name, kHeadTensorNameSize, "%s%d.%s.%s", kBlockPrefix, tensor.block, kLayerNames[layer], suffix);
  }
}

bool head_tensor_shape(const gtr_head_shape& head, const char* name, int32_t* rank, int64_t shape[2]) noexcept {
  HeadTensor tensor;
  if (!head_tensor_find(head, name, &tensor)) return false;
  head_tensor_size(head, tensor, &shape[0], &shape[1]);
  *rank = shape[1] == 0 ? 1 : 2;
  return true;
}

}  // namespace gtr
