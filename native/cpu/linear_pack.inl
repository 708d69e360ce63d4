// Packing of x into groups of 16 steps, see linear_kernels.h. Included by a tier's linear.cpp inside its namespace and
// an anonymous one; the loops over a group are what the compiler vectorises with the tier's instructions.

GTR_SIMD_INLINE uint32_t pair(Bfloat16 even, Bfloat16 odd) { return even.bits | static_cast<uint32_t>(odd.bits) << 16; }

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
  static Target element(const Source* from) { return to_float(to_bfloat16(from[0])); }
};

struct PackWidened {  // bf16 to float
  using Source = Bfloat16;
  using Target = float;
  static constexpr int64_t kInputs = 1;
  static Target element(const Source* from) { return to_float(from[0]); }
};

struct PackRoundedPair {
  using Source = float;
  using Target = uint32_t;
  static constexpr int64_t kInputs = 2;
  static Target element(const Source* from) { return pair(to_bfloat16(from[0]), to_bfloat16(from[1])); }
};

struct PackPair {
  using Source = Bfloat16;
  using Target = uint32_t;
  static constexpr int64_t kInputs = 2;
  static Target element(const Source* from) { return pair(from[0], from[1]); }
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
    char* target = static_cast<char*>(packed) + step * rows * 4;
    for (int64_t row = 0; row < rows; ++row) {
      const Source* from = source + row * x.stride[0] + input;
      Source padded[kGroupInputs];
      if (left < kGroupInputs) {
        for (int64_t i = 0; i < kGroupInputs; ++i) {
          padded[i] = i < left ? from[i] : Source{};
        }
        from = padded;
      }
      for (int64_t i = 0; i < kLinearGroup; ++i, target += 4) {
        const Target element = Rule::element(from + i * Rule::kInputs);
        static_assert(sizeof element == 4, "the micro-kernels step over packed x in floats, pairs too");
        __builtin_memcpy(target, &element, sizeof element);
      }
    }
  }
}
