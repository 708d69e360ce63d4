// Packing of x into groups of 16 steps, see linear_kernels.h. Included by a tier's linear.cpp inside its namespace and
// an anonymous one; the loops over a group are what the compiler vectorises with the tier's instructions.

[[gnu::always_inline]] inline uint32_t bits_of(float value) {
  uint32_t bits;
  __builtin_memcpy(&bits, &value, 4);
  return bits;
}

[[gnu::always_inline]] inline float float_of(uint32_t bits) {
  float value;
  __builtin_memcpy(&value, &bits, 4);
  return value;
}

// Nearest even; a NaN stays a NaN.
[[gnu::always_inline]] inline uint32_t bf16_bits(float value) {
  const uint32_t bits = bits_of(value);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  return (bits & 0x7fffffffu) > 0x7f800000u ? (bits >> 16) | 0x40u : rounded;
}

struct PackFloat {
  using Source = float;
  using Target = float;
  static constexpr int64_t kInputs = 1;
  static Target element(const Source* from) { return from[0]; }
};

struct PackRoundedFloat {  // f32 to a float that is a bfloat16 value
  using Source = float;
  using Target = float;
  static constexpr int64_t kInputs = 1;
  static Target element(const Source* from) { return float_of(bf16_bits(from[0]) << 16); }
};

struct PackWidened {  // bf16 to float
  using Source = uint16_t;
  using Target = float;
  static constexpr int64_t kInputs = 1;
  static Target element(const Source* from) { return float_of(static_cast<uint32_t>(from[0]) << 16); }
};

struct PackRoundedPair {
  using Source = float;
  using Target = uint32_t;
  static constexpr int64_t kInputs = 2;
  static Target element(const Source* from) { return bf16_bits(from[0]) | (bf16_bits(from[1]) << 16); }
};

struct PackPair {
  using Source = uint16_t;
  using Target = uint32_t;
  static constexpr int64_t kInputs = 2;
  static Target element(const Source* from) {
    return static_cast<uint32_t>(from[0]) | (static_cast<uint32_t>(from[1]) << 16);
  }
};

template <typename Rule>
void pack_with(const gtr_tensor& x, int64_t first_row, int64_t rows, int64_t first_step, int64_t steps, void* packed) {
  using Source = typename Rule::Source;
  using Target = typename Rule::Target;
  constexpr int64_t kGroupInputs = kLinearGroup * Rule::kInputs;
  const Source* source = static_cast<const Source*>(x.data) + first_row * x.stride[0];
  for (int64_t step = 0; step < steps; step += kLinearGroup) {
    const int64_t input = (first_step + step) * Rule::kInputs;
    const int64_t left = x.shape[1] - input;
    Target* target = static_cast<Target*>(packed) + step * rows;
    for (int64_t row = 0; row < rows; ++row, target += kLinearGroup) {
      const Source* from = source + row * x.stride[0] + input;
      Source padded[kGroupInputs];
      if (left < kGroupInputs) {
        for (int64_t i = 0; i < kGroupInputs; ++i) {
          padded[i] = i < left ? from[i] : Source(0);
        }
        from = padded;
      }
      for (int64_t i = 0; i < kLinearGroup; ++i) {
        target[i] = Rule::element(from + i * Rule::kInputs);
      }
    }
  }
}
