// Peak loops of the scalar tier: vectors of four floats, a multiplication and an addition each.
#include "peak.h"

namespace gtr::bench::scalar {
namespace {

using Vector = float __attribute__((vector_size(16)));
constexpr int kLanes = 4;
constexpr int kSums = 12;

[[gnu::always_inline]] inline Vector splat(float value) { return Vector{value, value, value, value}; }
[[gnu::always_inline]] inline Vector load(const float* from) {
  Vector value;
  __builtin_memcpy(&value, __builtin_assume_aligned(from, 16), sizeof value);
  return value;
}
[[gnu::always_inline]] inline Vector add(Vector a, Vector b) { return a + b; }
#if defined(__x86_64__)
[[gnu::always_inline]] inline void hide(Vector& a) { asm volatile("" : "+x"(a)); }
#else
[[gnu::always_inline]] inline void hide(Vector& a) { asm volatile("" : "+w"(a)); }
#endif
[[gnu::always_inline]] inline void hide(Vector& a, Vector& b) {
  hide(a);
  hide(b);
}
[[gnu::always_inline]] inline Vector multiply_add(Vector a, Vector b, Vector sum) {
  Vector product = a * b;
  hide(product);  // a product of its own for every sum
  return sum + product;
}

#include "peak_loops.inl"

}  // namespace

extern const PeakLoops kPeakLoops = {multiply_loop, 2 * kLanes* kSums, multiply_loop, 2 * kLanes* kSums, read_loop};

}  // namespace gtr::bench::scalar
