// Complex Fourier transforms of several rows at once, one in each lane of a vector: every row gets the same operations
// in the same order, whatever the other lanes hold, and twiddle factors are broadcast.
//
// Included by a tier's frequency_energy.cpp inside its namespace and an anonymous one, after its simd header and after
// it has defined
//   Float (a vector of kLanes floats with the operators of the compiler's vector extension),
//   broadcast(pointer to a float), multiply_add(a, b, c) = a b + c, subtract_product(c, a, b) = c - a b.
// No include guard, and nothing from std: see cmake/GtrCpuTiers.cmake.

struct Complex {
  Float re;
  Float im;
};

[[gnu::always_inline]] inline Complex operator+(const Complex& a, const Complex& b) {
  return {a.re + b.re, a.im + b.im};
}

[[gnu::always_inline]] inline Complex operator-(const Complex& a, const Complex& b) {
  return {a.re - b.re, a.im - b.im};
}

// a times -i.
[[gnu::always_inline]] inline Complex quarter_turn(const Complex& a) { return {a.im, -a.re}; }

// a times the complex number at root.
[[gnu::always_inline]] inline Complex times(const Complex& a, const float* root) {
  const Float re = broadcast(root);
  const Float im = broadcast(root + 1);
  return {subtract_product(a.re * re, a.im, im), multiply_add(a.re, im, a.im * re)};
}

[[gnu::always_inline]] inline void butterfly(Complex (&a)[2]) {
  const Complex sum = a[0] + a[1];
  a[1] = a[0] - a[1];
  a[0] = sum;
}

[[gnu::always_inline]] inline void butterfly(Complex (&a)[3]) {
  constexpr float kSin60 = 0.866025403784438646763723170752936183f;
  const Complex sum = a[1] + a[2];
  const Complex middle = {a[0].re - 0.5f * sum.re, a[0].im - 0.5f * sum.im};
  const Complex side = quarter_turn(Complex{kSin60 * (a[1].re - a[2].re), kSin60 * (a[1].im - a[2].im)});
  a[0] = a[0] + sum;
  a[1] = middle + side;
  a[2] = middle - side;
}

[[gnu::always_inline]] inline void butterfly(Complex (&a)[4]) {
  const Complex even = a[0] + a[2];
  const Complex even_difference = a[0] - a[2];
  const Complex odd = a[1] + a[3];
  const Complex odd_difference = quarter_turn(a[1] - a[3]);
  a[0] = even + odd;
  a[1] = even_difference + odd_difference;
  a[2] = even - odd;
  a[3] = even_difference - odd_difference;
}

[[gnu::always_inline]] inline void butterfly(Complex (&a)[5]) {
  constexpr float kCos72 = 0.309016994374947424102293417182819059f;
  constexpr float kCos144 = -0.809016994374947424102293417182819059f;
  constexpr float kSin72 = 0.951056516295153572116439333379382143f;
  constexpr float kSin144 = 0.587785252292473129168705954639072769f;
  const Complex sum1 = a[1] + a[4];
  const Complex sum2 = a[2] + a[3];
  const Complex difference1 = a[1] - a[4];
  const Complex difference2 = a[2] - a[3];
  const Complex middle1 = {a[0].re + kCos72 * sum1.re + kCos144 * sum2.re,
                           a[0].im + kCos72 * sum1.im + kCos144 * sum2.im};
  const Complex middle2 = {a[0].re + kCos144 * sum1.re + kCos72 * sum2.re,
                           a[0].im + kCos144 * sum1.im + kCos72 * sum2.im};
  const Complex side1 = quarter_turn(
      Complex{kSin72 * difference1.re + kSin144 * difference2.re, kSin72 * difference1.im + kSin144 * difference2.im});
  const Complex side2 = quarter_turn(
      Complex{kSin144 * difference1.re - kSin72 * difference2.re, kSin144 * difference1.im - kSin72 * difference2.im});
  a[0] = a[0] + sum1 + sum2;
  a[1] = middle1 + side1;
  a[2] = middle2 + side2;
  a[3] = middle2 - side2;
  a[4] = middle1 - side1;
}

[[gnu::always_inline]] inline void butterfly(Complex (&a)[8]) {
  constexpr float kSin45 = 0.707106781186547524400844362104849039f;
  const auto eighth_turn = [](const Complex& b) { return Complex{kSin45 * (b.re + b.im), kSin45 * (b.im - b.re)}; };
  Complex even[4] = {a[0] + a[4], a[1] + a[5], a[2] + a[6], a[3] + a[7]};
  Complex odd[4] = {a[0] - a[4], eighth_turn(a[1] - a[5]), quarter_turn(a[2] - a[6]),
                    quarter_turn(eighth_turn(a[3] - a[7]))};
  butterfly(even);
  butterfly(odd);
#pragma GCC unroll 4
  for (int k = 0; k < 4; ++k) {
    a[2 * k] = even[k];
    a[2 * k + 1] = odd[k];
  }
}

// One decimation-in-frequency stage of Stockham's self-sorting transform: `stride` interleaved transforms of `length`
// become stride * radix interleaved transforms of length / radix.
template <int radix>
void stage(const FftPlan& plan, int64_t length, int64_t stride, const Complex* x, Complex* y) {
  const int64_t part = length / radix;
  const int64_t root_step = plan.roots.count / length;
  for (int64_t p = 0; p < part; ++p) {
    const float* root[radix];
    for (int k = 0; k < radix; ++k) root[k] = plan.roots.values + 2 * root_step * p * k;
    for (int64_t q = 0; q < stride; ++q) {
      Complex a[radix];
      for (int j = 0; j < radix; ++j) a[j] = x[q + stride * (p + part * j)];
      butterfly(a);
      Complex* const target = y + q + stride * radix * p;
      target[0] = a[0];
      for (int k = 1; k < radix; ++k) target[stride * k] = times(a[k], root[k]);
    }
  }
}

// The same for any radix up to kLargestRadix, by the definition.
void stage_of_prime(const FftPlan& plan, int64_t radix, int64_t length, int64_t stride, const Complex* x, Complex* y) {
  const int64_t part = length / radix;
  const int64_t root_step = plan.roots.count / length;
  const int64_t radix_step = plan.roots.count / radix;
  for (int64_t p = 0; p < part; ++p) {
    for (int64_t q = 0; q < stride; ++q) {
      Complex a[kLargestRadix];
      for (int64_t j = 0; j < radix; ++j) a[j] = x[q + stride * (p + part * j)];
      for (int64_t k = 0; k < radix; ++k) {
        Complex sum = a[0];
        int64_t turn = 0;  // j k mod radix
        for (int64_t j = 1; j < radix; ++j) {
          turn += k;
          if (turn >= radix) turn -= radix;
          sum = sum + times(a[j], plan.roots.values + 2 * radix_step * turn);
        }
        y[q + stride * (radix * p + k)] = times(sum, plan.roots.values + 2 * root_step * p * k);
      }
    }
  }
}

// Transforms x; both buffers hold plan.length elements and are overwritten. Returns the one with the result.
Complex* transform(const FftPlan& plan, Complex* x, Complex* other) {
  int64_t length = plan.length;
  int64_t stride = 1;
  for (int32_t i = 0; i < plan.factor_count; ++i) {
    const int32_t radix = plan.factors[i];
    switch (radix) {
      case 2:
        stage<2>(plan, length, stride, x, other);
        break;
      case 3:
        stage<3>(plan, length, stride, x, other);
        break;
      case 4:
        stage<4>(plan, length, stride, x, other);
        break;
      case 5:
        stage<5>(plan, length, stride, x, other);
        break;
      case 8:
        stage<8>(plan, length, stride, x, other);
        break;
      default:
        stage_of_prime(plan, radix, length, stride, x, other);
        break;
    }
    Complex* const result = other;
    other = x;
    x = result;
    length /= radix;
    stride *= radix;
  }
  return x;
}
