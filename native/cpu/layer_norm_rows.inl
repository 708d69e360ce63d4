// Layer norm of rows, written once over a tier's vector. Included by a tier's layer_norm.cpp after the tier's header.
//
// A row is read three times: for its mean, for the mean and the mean square of the differences from that, and for the
// result. The second pass also finds how far the mean was off by rounding, so a mean that is large beside the deviation
// costs no accuracy. Sums have a fixed order, which depends on the width alone.

namespace gtr::cpu::GTR_TIER {
namespace {

// Calls body(vector, first element, elements of it) for a row's vectors, the last of which may be partial, with
// `vector` counting from 0 to kWays - 1 again and again: that many sums run side by side.
constexpr int kWays = 4;
template <typename Body>
GTR_SIMD_INLINE void for_vectors(int64_t width, const Body& body) {
  int64_t i = 0;
  for (; i + kWays * kLanes <= width; i += kWays * kLanes) {
#pragma GCC unroll 4
    for (int way = 0; way < kWays; ++way) body(way, i + way * kLanes, kLanes);
  }
  int way = 0;
  for (; i + kLanes <= width; i += kLanes) body(way++, i, kLanes);
  if (i < width) body(way, i, static_cast<int>(width - i));
}

template <typename Element>
GTR_SIMD_INLINE Vec load_some(const Element* p, int n) {
  return n == kLanes ? load(p) : load(p, n);
}
template <typename Element>
GTR_SIMD_INLINE void store_some(Element* p, Vec v, int n) {
  if (n == kLanes) {
    store(p, v);
  } else {
    store(p, v, n);
  }
}

// A row of a tensor that is f32 or bf16, or absent.
struct Row {
  const float* wide = nullptr;
  const Bfloat16* narrow = nullptr;

  GTR_SIMD_INLINE Row(const gtr_tensor* tensor, int64_t row) {
    if (tensor == nullptr) return;
    const int64_t at = tensor->rank == 1 ? 0 : row * tensor->stride[0];
    if (tensor->dtype == GTR_BF16) {
      narrow = static_cast<const Bfloat16*>(tensor->data) + at;
    } else {
      wide = static_cast<const float*>(tensor->data) + at;
    }
  }
  GTR_SIMD_INLINE bool exists() const { return wide != nullptr || narrow != nullptr; }
  GTR_SIMD_INLINE Vec at(int64_t i, int n) const {
    return wide != nullptr ? load_some(wide + i, n) : load_some(narrow + i, n);
  }
};

GTR_SIMD_INLINE float total(const Vec (&sums)[kWays]) { return sum((sums[0] + sums[2]) + (sums[1] + sums[3])); }

template <typename Y>
GTR_SIMD_INLINE void normalise_row(const LayerNorm& arguments, int64_t row) {
  const int64_t width = arguments.x->shape[1];
  const float* x = static_cast<const float*>(arguments.x->data) + row * arguments.x->stride[0];
  Y* y = static_cast<Y*>(arguments.y->data) + row * arguments.y->stride[0];

  const Vec zero = broadcast(0.0f);
  Vec sums[kWays] = {zero, zero, zero, zero};
  for_vectors(
      width, [&](int way, int64_t i, int n)
                 __attribute__((always_inline)) { sums[way] = sums[way] + load_some(x + i, n); });
  const Vec mean = broadcast(total(sums) / static_cast<float>(width));

  Vec squares[kWays] = {zero, zero, zero, zero};
  for (Vec& s : sums) s = zero;
  for_vectors(
      width, [&](int way, int64_t i, int n) __attribute__((always_inline)) {
        const Vec difference = keep(load_some(x + i, n) - mean, n);
        sums[way] = sums[way] + difference;
        squares[way] = fma(difference, difference, squares[way]);
      });
  const double off = static_cast<double>(total(sums)) / static_cast<double>(width);
  const double variance = static_cast<double>(total(squares)) / static_cast<double>(width) - off * off;
  const double positive = variance < 0 ? 0 : variance;  // lets NaN through
  const Vec factor = broadcast(static_cast<float>(1 / __builtin_sqrt(positive + arguments.epsilon)));
  const Vec correction = broadcast(static_cast<float>(off));

  const Row weight(arguments.weight, row);
  const Row bias(arguments.bias, row);
  const Row scale(arguments.scale, row);
  const Row shift(arguments.shift, row);
  for_vectors(
      width, [&](int, int64_t i, int n) __attribute__((always_inline)) {
        Vec value = ((load_some(x + i, n) - mean) - correction) * factor;
        if (weight.exists()) value = value * weight.at(i, n);
        if (bias.exists()) value = value + bias.at(i, n);
        if (scale.exists()) value = fma(value, broadcast(1.0f) + scale.at(i, n), shift.at(i, n));
        store_some(y + i, value, n);
      });
}

}  // namespace

void layer_norm_rows(const LayerNorm& arguments, int64_t first_row, int64_t rows) {
  for (int64_t row = first_row; row < first_row + rows; ++row) {
    if (arguments.y->dtype == GTR_BF16) {
      normalise_row<Bfloat16>(arguments, row);
    } else {
      normalise_row<float>(arguments, row);
    }
  }
}

}  // namespace gtr::cpu::GTR_TIER
