// Checks a tier's primitives and elementary functions against the C library in double. Compiled with the tier's flags,
// so nothing here may come from the C++ library.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include GTR_TEST_SIMD_HEADER

#include "simd_test.h"

namespace gtr::test {
namespace {

using namespace gtr::cpu;
using namespace gtr::cpu::GTR_TIER;

int failures = 0;

void fail(const char* what, float x, double found, double expected) {
  if (++failures <= 20) printf("%s(%a = %.9g): found %.17g, expected %.17g\n", what, x, x, found, expected);
}

uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

float from_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

// Distance of neighbouring floats at a value.
double spacing(double value) {
  if (!(fabs(value) >= 0x1p-126)) return 0x1p-149;
  int exponent;
  frexp(value, &exponent);
  return ldexp(1.0, exponent - 24);
}

// error <= units in the last place + absolute; a reference beyond the floats must give infinity, or the largest float
// if it is within half a unit of that.
bool close_enough(float found, double expected, double units, double absolute) {
  if (expected != expected) return found != found;
  if (fabs(expected) >= 0x1.ffffffp+127) return found == (expected > 0 ? INFINITY : -INFINITY);
  if (fabs(expected) > 0x1.fffff0p+127 && fabsf(found) == INFINITY) return (found > 0) == (expected > 0);
  return fabs(static_cast<double>(found) - expected) <= units * spacing(expected) + absolute;
}

struct Function {
  const char* name;
  Vec (*vector)(Vec);
  double (*reference)(double);
  double units;
  double absolute;
};

double reference_sigmoid(double x) { return 1 / (1 + ::exp(-x)); }
double reference_silu(double x) { return x / (1 + ::exp(-x)); }
double reference_gelu(double x) { return x == -INFINITY ? -0.0 : x * 0.5 * erfc(-x * 0.70710678118654752440); }

// An always-inlined function has no address of its own.
Vec call_exp(Vec x) { return GTR_TIER::exp(x); }
Vec call_erf(Vec x) { return GTR_TIER::erf(x); }
Vec call_gelu(Vec x) { return gelu(x); }
Vec call_silu(Vec x) { return silu(x); }
Vec call_gelu_for_bfloat16(Vec x) { return gelu_for_bfloat16(x); }
Vec call_silu_for_bfloat16(Vec x) { return silu_for_bfloat16(x); }
Vec call_sigmoid(Vec x) { return sigmoid(x); }

// e^-x overflows before 1 / (1 + e^-x) underflows: hence the absolute term of sigmoid and silu.
const Function kFunctions[] = {
    {"exp", call_exp, ::exp, 1.5, 0},
    {"erf", call_erf, ::erf, 1.5, 0},
    {"gelu", call_gelu, reference_gelu, 12, 0},
    {"silu", call_silu, reference_silu, 3.5, 3e-37},
    // Rounded to bfloat16 next: 2^-15, where a unit is 2^-24 to 2^-23.
    {"gelu for bfloat16", call_gelu_for_bfloat16, reference_gelu, 512, 0},
    {"silu for bfloat16", call_silu_for_bfloat16, reference_silu, 512, 3e-37},
    {"sigmoid", call_sigmoid, reference_sigmoid, 3, 3e-39},
};

void check_values(const Function& function, const float* x, double* worst) {
  float y[kLanes];
  store(y, function.vector(load(x)));
  for (int i = 0; i < kLanes; ++i) {
    const double expected = function.reference(x[i]);
    if (!close_enough(y[i], expected, function.units, function.absolute)) fail(function.name, x[i], y[i], expected);
    const double error = fabs(y[i] - expected) / (spacing(expected) + function.absolute / function.units);
    if (error > *worst && error < 1e30) *worst = error;
  }
}

void check_function(const Function& function) {
  double worst = 0;
  float x[kLanes];
  // A stride that is coprime to the lanes and to powers of two: all exponents, both signs, NaN and infinity included.
  const uint64_t stride = 4099;
  uint64_t pattern = 0;
  while (pattern < (1ull << 32)) {
    for (int i = 0; i < kLanes; ++i, pattern += stride) x[i] = from_bits(static_cast<uint32_t>(pattern));
    check_values(function, x, &worst);
  }
  // Where the interesting arguments are.
  const double step = 1.0 / 6151;
  for (double at = -110; at < 95;) {
    for (int i = 0; i < kLanes; ++i, at += step) x[i] = static_cast<float>(at);
    check_values(function, x, &worst);
  }
  const float special[] = {
      0.0f,       -0.0f,     INFINITY,        -INFINITY,        NAN,       1.0f,      -1.0f,      0x1p-149f,
      -0x1p-149f, 0x1p-126f, 0x1.fffffep127f, -0x1.fffffep127f, 88.72283f, 88.72284f, -87.33654f, -103.97208f};
  for (float value : special) {
    for (int i = 0; i < kLanes; ++i) x[i] = value;
    check_values(function, x, &worst);
  }
  printf("%s: largest error %.3f units in the last place\n", function.name, worst);
}

// Nearest even by arithmetic: scaled so that the wanted digits are the integer part.
uint16_t reference_bfloat16(float x) {
  if (x != x) return static_cast<uint16_t>((bits_of(x) >> 16) | 0x40);
  if (fabsf(x) == INFINITY) return static_cast<uint16_t>(bits_of(x) >> 16);
  int exponent;
  frexp(x, &exponent);
  const int unit = exponent - 8 < -133 ? -133 : exponent - 8;
  const double rounded = ldexp(nearbyint(ldexp(static_cast<double>(x), -unit)), unit);
  const float result = fabs(rounded) >= 0x1p128 ? copysignf(INFINITY, x) : copysignf(static_cast<float>(rounded), x);
  return static_cast<uint16_t>(bits_of(result) >> 16);
}

void check_bfloat16() {
  float x[kLanes];
  Bfloat16 narrow[kLanes];
  float wide[kLanes];
  uint64_t pattern = 0;
  while (pattern < (1ull << 32)) {
    // Alternate between arbitrary values and exact ties.
    for (int i = 0; i < kLanes; ++i, pattern += 8209) {
      const uint32_t bits = static_cast<uint32_t>(pattern);
      x[i] = from_bits(i % 2 == 0 ? bits : (bits & 0xffff0000u) | 0x8000u);
    }
    store(narrow, load(x));
    store(wide, load(narrow));
    for (int i = 0; i < kLanes; ++i) {
      const uint16_t expected = reference_bfloat16(x[i]);
      if (narrow[i].bits != expected) fail("store bfloat16", x[i], narrow[i].bits, expected);
      if (to_bfloat16(x[i]).bits != expected) fail("to_bfloat16", x[i], to_bfloat16(x[i]).bits, expected);
      const uint32_t widened = static_cast<uint32_t>(expected) << 16;
      if (bits_of(wide[i]) != widened) fail("load bfloat16", x[i], bits_of(wide[i]), widened);
      if (bits_of(to_float(narrow[i])) != widened) fail("to_float", x[i], bits_of(to_float(narrow[i])), widened);
    }
  }
}

// Partial loads and stores at the last bytes of a page whose successor cannot be touched.
template <typename Element>
void check_partial(char* page_end) {
  for (int n = 0; n <= kLanes; ++n) {
    Element* data = reinterpret_cast<Element*>(page_end) - n;
    for (int i = 0; i < n; ++i) {
      const float value = static_cast<float>(i + 1);
      if constexpr (sizeof(Element) == 2) {
        data[i] = to_bfloat16(value);
      } else {
        data[i] = value;
      }
    }
    float loaded[kLanes];
    store(loaded, n < kLanes ? load(data, n) : load(data));
    for (int i = 0; i < kLanes; ++i) {
      const float expected = i < n ? static_cast<float>(i + 1) : 0.0f;
      if (!(loaded[i] == expected)) fail("partial load", static_cast<float>(n), loaded[i], expected);
    }
    Element* const before = data - 1;
    memset(static_cast<void*>(before), 0x55, sizeof(Element));
    const Vec doubled = load(loaded) + load(loaded);
    if (n < kLanes) {
      store(data, doubled, n);
    } else {
      store(data, doubled);
    }
    for (int i = 0; i < n; ++i) {
      float found;
      if constexpr (sizeof(Element) == 2) {
        found = to_float(data[i]);
      } else {
        found = data[i];
      }
      if (!(found == static_cast<float>(2 * (i + 1)))) fail("partial store", static_cast<float>(n), found, 2 * (i + 1));
    }
    Element sentinel;
    memset(static_cast<void*>(&sentinel), 0x55, sizeof sentinel);
    if (memcmp(before, &sentinel, sizeof sentinel) != 0) fail("store before its start", static_cast<float>(n), 0, 0);
  }
}

void check_guarded() {
  const long page = sysconf(_SC_PAGESIZE);
  void* pages =
      mmap(nullptr, static_cast<size_t>(2 * page), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED || mprotect(static_cast<char*>(pages) + page, static_cast<size_t>(page), PROT_NONE) != 0) {
    printf("cannot make a guard page\n");
    ++failures;
    return;
  }
  check_partial<float>(static_cast<char*>(pages) + page);
  check_partial<Bfloat16>(static_cast<char*>(pages) + page);
  munmap(pages, static_cast<size_t>(2 * page));
}

// A value gives the same bits in every lane, whatever its neighbours are.
void check_lane_independence() {
  const float values[] = {0.37f, -0.37f, 1.01f, -5.5f, 20.0f, -60.25f};
  for (const Function& function : kFunctions) {
    for (float value : values) {
      float x[kLanes], y[kLanes], first = 0;
      for (int lane = 0; lane < kLanes; ++lane) {
        for (int i = 0; i < kLanes; ++i)
          x[i] = i == lane ? value : (i % 3 == 0 ? NAN : i % 3 == 1 ? INFINITY : -0x1p-140f);
        store(y, function.vector(load(x)));
        if (lane == 0) first = y[0];
        if (bits_of(y[lane]) != bits_of(first)) fail(function.name, value, y[lane], first);
      }
    }
  }
}

void check_arithmetic() {
  float a[kLanes], b[kLanes], c[kLanes], y[kLanes];
  for (int i = 0; i < kLanes; ++i) {
    a[i] = static_cast<float>(i) - 2.5f;
    b[i] = static_cast<float>(i * i) * 0.25f - 1.0f;
    c[i] = static_cast<float>(3 - i) + 0x1p-20f;
  }
  a[kLanes - 1] = NAN;
  const auto expect = [&](const char* what, Vec found, int i, float expected) {
    store(y, found);
    if (!(y[i] == expected || (y[i] != y[i] && expected != expected))) fail(what, a[i], y[i], expected);
  };
  double total = 0;
  float largest = b[0];
  for (int i = 0; i < kLanes; ++i) {
    const Vec va = load(a), vb = load(b), vc = load(c);
    expect("add", va + vb, i, a[i] + b[i]);
    expect("subtract", va - vb, i, a[i] - b[i]);
    expect("multiply", va * vb, i, a[i] * b[i]);
    expect("divide", va / vb, i, a[i] / b[i]);
    expect("min", min(va, vb), i, a[i] < b[i] ? a[i] : b[i]);
    expect("max", max(va, vb), i, a[i] > b[i] ? a[i] : b[i]);
    expect("abs", abs(va), i, fabsf(a[i]));
    expect("sqrt", sqrt(abs(va)), i, sqrtf(fabsf(a[i])));
    expect("copy_sign", copy_sign(vb, vc), i, copysignf(b[i], c[i]));
    expect("less", select(less(va, vb), va, vb), i, a[i] < b[i] ? a[i] : b[i]);
    expect("is_nan", select(is_nan(va), vb, vc), i, a[i] != a[i] ? b[i] : c[i]);
    for (int n = 0; n <= kLanes; ++n) expect("keep", keep(va, n), i, i < n ? a[i] : 0.0f);
    expect("round_to_integer", round_to_integer(vb), i, rintf(b[i]));
    expect("scale_by_power", scale_by_power(vb, broadcast(-3.0f)), i, b[i] * 0.125f);
    store(y, fma(va, vb, vc));
    const double product_sum = static_cast<double>(a[i]) * b[i] + c[i];
    const double allowed = spacing(product_sum) + spacing(static_cast<double>(a[i]) * b[i]);
    if (a[i] == a[i] && !(fabs(y[i] - product_sum) <= allowed)) fail("fma", a[i], y[i], product_sum);
    float of_fma[kLanes];
    store(of_fma, fma(va, vb, vc));
    expect("accumulate", accumulate(va, vb, vc), i, of_fma[i]);
    store(y, product_error(vc, vc, vc * vc));
    const double exact = static_cast<double>(c[i]) * c[i] - static_cast<double>(c[i] * c[i]);
    if (!(y[i] == exact)) fail("product_error", c[i], y[i], exact);
    total += b[i];
    largest = b[i] > largest ? b[i] : largest;
  }
  if (!(sum(load(b)) == total)) fail("sum", 0, sum(load(b)), total);
  if (!(maximum(load(b)) == largest)) fail("maximum", 0, maximum(load(b)), largest);
  b[1] = 1e9f;
  if (!(maximum(load(b)) == 1e9f)) fail("maximum", 0, maximum(load(b)), 1e9);
}

void check_transpose() {
  Vec square[kLanes];
  float row[kLanes];
  for (int r = 0; r < kLanes; ++r) {
    for (int c = 0; c < kLanes; ++c) row[c] = static_cast<float>(r * kLanes + c);
    square[r] = load(row);
  }
  transpose(square);
  for (int r = 0; r < kLanes; ++r) {
    store(row, square[r]);
    for (int c = 0; c < kLanes; ++c) {
      const float expected = static_cast<float>(c * kLanes + r);
      if (!(row[c] == expected)) fail("transpose", expected, row[c], expected);
    }
  }
}

}  // namespace

int check_simd() {
  check_arithmetic();
  check_transpose();
  check_guarded();
  check_bfloat16();
  check_lane_independence();
  for (const Function& function : kFunctions) check_function(function);
  return failures;
}

}  // namespace gtr::test
