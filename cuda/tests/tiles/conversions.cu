// to_bf16, to_float, pack_bf16 and unpack_bf16: rounding to nearest even, infinities kept, numbers beyond the largest
// bfloat16 to infinity, denormals kept, every NaN to 0x7fff.
#include "check.h"

namespace gtr::cuda::tiles {
namespace {

constexpr int kThreads = 128;

// value [count], count a multiple of kThreads; single [count], packed [count]: value[i] low and value[count-1-i] high.
__global__ void to_bf16_kernel(const float* value, int32_t count, uint32_t* single, uint32_t* packed) {
  const int i = static_cast<int>(blockIdx.x) * kThreads + static_cast<int>(threadIdx.x);
  single[i] = to_bf16(value[i]).bits;
  packed[i] = pack_bf16(value[i], value[count - 1 - i]);
}

// bits [65536], of all bfloat16; single [65536]; pair [65536][2]: unpacked of (i, i xor 0xffff).
__global__ void to_float_kernel(float* single, float* pair) {
  const uint32_t i = blockIdx.x * kThreads + threadIdx.x;
  single[i] = to_float({static_cast<uint16_t>(i)});
  const float2 both = unpack_bf16(i | (i ^ 0xffffu) << 16);
  pair[2 * i] = both.x;
  pair[2 * i + 1] = both.y;
}

// As the IEEE standard has it, by comparing with the two neighbours rather than by the usual trick with integers.
uint32_t rounded(float value) {
  if (std::isnan(value)) return 0x7fff;
  const uint32_t below = bits_of(value) >> 16;  // towards zero
  if ((bits_of(value) & 0xffffu) == 0) return below;
  const double low = std::abs(static_cast<double>(float_of(below << 16)));
  const bool to_infinity = (below & 0x7fffu) == 0x7f7fu;
  const double high = to_infinity ? 0x1p128 : std::abs(static_cast<double>(float_of((below + 1) << 16)));
  const double magnitude = std::abs(static_cast<double>(value));
  const double down = magnitude - low;
  const double up = high - magnitude;
  return up < down || (up == down && (below & 1) != 0) ? below + 1 : below;
}

}  // namespace

void check_conversions() {
  std::vector<float> values = special_floats();
  values.resize((values.size() + kThreads - 1) / kThreads * kThreads);
  const auto count = static_cast<int>(values.size());
  Array<float> value_array(values);
  Array<uint32_t> single_array(values.size());
  Array<uint32_t> packed_array(values.size());
  run<to_bf16_kernel>(count / kThreads, kThreads, 0, value_array.device(), count, single_array.device(),
                      packed_array.device());
  {
    Check single("to_bf16");
    Check packed("pack_bf16");
    const std::vector<uint32_t>& singles = single_array.download();
    const std::vector<uint32_t>& packs = packed_array.download();
    for (int i = 0; i < count; ++i) {
      const uint32_t low = rounded(values[static_cast<size_t>(i)]);
      const uint32_t high = rounded(values[static_cast<size_t>(count - 1 - i)]);
      single.bits(i, singles[static_cast<size_t>(i)], low);
      packed.bits(i, packs[static_cast<size_t>(i)], low | high << 16);
    }
  }

  constexpr uint32_t kAll = 1u << 16;
  Array<float> float_array(kAll);
  Array<float> pair_array(2 * kAll);
  run<to_float_kernel>(static_cast<int>(kAll) / kThreads, kThreads, 0, float_array.device(), pair_array.device());
  Check single("to_float");
  Check pair("unpack_bf16");
  const std::vector<float>& singles = float_array.download();
  const std::vector<float>& pairs = pair_array.download();
  for (uint32_t i = 0; i < kAll; ++i) {
    single.bits(i, bits_of(singles[i]), i << 16);
    pair.bits(2 * i, bits_of(pairs[2 * i]), i << 16);
    pair.bits(2 * i + 1, bits_of(pairs[2 * i + 1]), (i ^ 0xffffu) << 16);
  }
}

}  // namespace gtr::cuda::tiles
