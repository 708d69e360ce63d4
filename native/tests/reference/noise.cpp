#include "reference/noise.h"

#include <cmath>

namespace gtr::test::reference {

std::array<uint32_t, 4> philox(uint64_t seed, const std::array<uint32_t, 4>& counter) {
  std::array<uint32_t, 4> c = counter;
  auto key0 = static_cast<uint32_t>(seed);
  auto key1 = static_cast<uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = uint64_t{0xD2511F53} * c[0];
    const uint64_t product1 = uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<uint32_t>(product1 >> 32) ^ c[1] ^ key0, static_cast<uint32_t>(product1),
         static_cast<uint32_t>(product0 >> 32) ^ c[3] ^ key1, static_cast<uint32_t>(product0)};
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return c;
}

double noise(uint64_t seed, uint32_t image, uint32_t cell, uint32_t draw, int64_t channel) {
  const auto words = philox(seed, {static_cast<uint32_t>(channel / 4), draw, cell, image});
  const size_t pair = channel % 4 < 2 ? 0 : 2;
  const double u = (words[pair] + 0.5) * 0x1p-32;
  const double angle = 2 * std::acos(-1.0) * ((words[pair + 1] + 0.5) * 0x1p-32);
  return std::sqrt(-2 * std::log(u)) * (channel % 2 == 0 ? std::cos(angle) : std::sin(angle));
}

}  // namespace gtr::test::reference
