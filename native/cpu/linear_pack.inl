// Packing of x: copied, rounded or widened into groups of 16 steps, see linear_kernels.h. Included by a tier's
// linear.cpp inside its namespace and an anonymous one; the loops over a group are what the compiler vectorises with
// the tier's instructions.

// A rule's elements follow each other in a group: a step of pairs is two of them, the even one in the low half.
struct PackFloat {
  using Source = float;
  using Element = float;
  static Element element(Source from) { return from; }
};

struct PackRoundedFloat {  // f32 to a float that is a bfloat16 value
  using Source = float;
  using Element = float;
  static Element element(Source from) { return to_float(to_bfloat16(from)); }
};

struct PackWidened {  // bf16 to float
  using Source = Bfloat16;
  using Element = float;
  static Element element(Source from) { return to_float(from); }
};

struct PackRounded {
  using Source = float;
  using Element = Bfloat16;
  static Element element(Source from) { return to_bfloat16(from); }
};

struct PackBfloat16 {
  using Source = Bfloat16;
  using Element = Bfloat16;
  static Element element(Source from) { return from; }
};

#ifdef __PRFCHW__
constexpr int64_t kFetchAhead = 1024;  // bytes of packed x
#endif

template <typename Rule>
void pack_with(const gtr_tensor& x, int64_t first_row, int64_t rows, void* packed) {
  using Source = typename Rule::Source;
  using Element = typename Rule::Element;
  constexpr int64_t kGroupBytes = kLinearGroup * 4;
  constexpr int64_t kGroupInputs = kGroupBytes / sizeof(Element);
  const Source* source = static_cast<const Source*>(x.data) + first_row * x.stride[0];
  char* target = static_cast<char*>(packed);
  for (int64_t input = 0; input < x.shape[1]; input += kGroupInputs) {
    const int64_t left = x.shape[1] - input;
    for (int64_t row = 0; row < rows; ++row, target += kGroupBytes) {
      const Source* from = source + row * x.stride[0] + input;
      Source padded[kGroupInputs];
      if (left < kGroupInputs) {
        for (int64_t i = 0; i < kGroupInputs; ++i) {
          padded[i] = i < left ? from[i] : Source{};
        }
        from = padded;
      }
#ifdef __PRFCHW__
      // After the last call these lines belong to all the cores that read them.
      __builtin_prefetch(target + kFetchAhead, 1);
#endif
      Element group[kGroupInputs];
      for (int64_t i = 0; i < kGroupInputs; ++i) {
        group[i] = Rule::element(from[i]);
      }
      __builtin_memcpy(target, group, kGroupBytes);
    }
  }
}
