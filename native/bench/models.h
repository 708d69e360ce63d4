// The shapes of the public MAR models.
#pragma once

#include <cstdint>

namespace gtr::bench {

struct Model {
  const char* name;
  int64_t width;
  int64_t heads;
  int32_t head_width;  // of the diffusion head
  int32_t head_blocks;
};

constexpr Model kModels[] = {{"MAR-B", 768, 12, 1024, 6}, {"MAR-L", 1024, 16, 1280, 8}, {"MAR-H", 1280, 16, 1536, 12}};
constexpr int64_t kBuffer = 64;    // tokens of the class embedding
constexpr int64_t kTokens = 256;   // of an image of 256x256
constexpr int32_t kChannels = 16;  // of a token

}  // namespace gtr::bench
