// The shapes of the public MAR models.
#pragma once

#include <cstdint>

namespace gtr::bench {

struct Model {
  const char* name;
  int64_t width;
  int64_t heads;
  int32_t blocks;      // of the encoder, and as many of the decoder
  int32_t head_width;  // of the diffusion head
  int32_t head_blocks;
  int64_t buffer;  // places of the class embedding
  int64_t grid;    // of grid x grid tokens
  int64_t classes;

  int64_t tokens() const { return grid * grid; }
  int64_t places() const { return buffer + tokens(); }
};

constexpr int64_t kBuffer = 64;    // tokens of the class embedding
constexpr int64_t kTokens = 256;   // of an image of 256x256
constexpr int32_t kChannels = 16;  // of a token

constexpr Model kModels[] = {{"MAR-B", 768, 12, 12, 1024, 6, kBuffer, 16, 1000},
                             {"MAR-L", 1024, 16, 16, 1280, 8, kBuffer, 16, 1000},
                             {"MAR-H", 1280, 16, 20, 1536, 12, kBuffer, 16, 1000}};

// Of no use but to see that everything runs.
constexpr Model kSmallModels[] = {{"small", 160, 2, 1, 64, 1, 4, 4, 3}};

}  // namespace gtr::bench
