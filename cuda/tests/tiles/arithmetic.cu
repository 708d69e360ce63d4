// exp2_fast over its whole range, and the functions of the C library that kernels use, within what device.h and the
// CUDA programming guide promise; multiplication and addition as they are written, never contracted.
#include "check.h"

namespace gtr::cuda::tiles {
namespace {

constexpr int kThreads = 128;

enum Function { kExp2Fast, kRsqrtf, kErff, kExpf, kLogf, kSqrtf, kFmaf, kApart, kFunctions };

// x [count], count a multiple of kThreads; y [kFunctions][count].
__global__ void float_kernel(const float* x, int32_t count, float* y) {
  const int i = static_cast<int>(blockIdx.x) * kThreads + static_cast<int>(threadIdx.x);
  const float value = x[i];
  const float next = x[(i + 1) % count];
  y[kExp2Fast * count + i] = exp2_fast(value);
  y[kRsqrtf * count + i] = rsqrtf(value);
  y[kErff * count + i] = erff(value);
  y[kExpf * count + i] = expf(value);
  y[kLogf * count + i] = logf(value);
  y[kSqrtf * count + i] = sqrtf(value);
  y[kFmaf * count + i] = fmaf(value, value, next);
  y[kApart * count + i] = value * value + next;
}

// x [count]; y [count][5]: sine and cosine of pi x, sqrt |x|, log |x|, and infinity.
__global__ void double_kernel(const double* x, double* y) {
  const int i = static_cast<int>(blockIdx.x) * kThreads + static_cast<int>(threadIdx.x);
  sincospi(x[i], &y[5 * i], &y[5 * i + 1]);
  y[5 * i + 2] = sqrt(fabs(x[i]));
  y[5 * i + 3] = log(fabs(x[i]));
  y[5 * i + 4] = static_cast<double>(float_infinity());
}

// bits [kThreads]; counts [kThreads].
__global__ void popcount_kernel(const uint32_t* bits, int32_t* counts) {
  counts[threadIdx.x] = popcount(bits[threadIdx.x]);
}

void check_popcount() {
  Check check("popcount");
  std::mt19937 random(10);
  std::vector<uint32_t> bits = {0, 1, 0x80000000u, 0xffffffffu};
  while (bits.size() < kThreads) bits.push_back(static_cast<uint32_t>(random()));
  Array<uint32_t> bits_array(bits);
  Array<int32_t> counts_array(kThreads);
  run<popcount_kernel>(1, kThreads, 0, bits_array.device(), counts_array.device());
  for (size_t i = 0; i < bits.size(); ++i) {
    uint32_t expected = 0;
    for (int bit = 0; bit < 32; ++bit) expected += bits[i] >> bit & 1;
    check.bits(static_cast<int64_t>(i), static_cast<uint32_t>(counts_array.download()[i]), expected);
  }
}

void check_floats() {
  std::vector<float> x;
  for (int i = -1600; i <= 1600; ++i) x.push_back(static_cast<float>(i) / 10);
  for (const float value : {0.0f, -0.0f, INFINITY, -INFINITY, NAN, 128.0f, 127.99999f, -126.0f, -149.0f, -150.0f,
                            1e-20f, -1e-20f, 1e30f, 0x1p-126f, 3e38f}) {
    x.push_back(value);
  }
  std::mt19937 random(6);
  std::normal_distribution<float> normal(0, 8);
  while (x.size() % kThreads != 0 || x.size() < 8192) x.push_back(normal(random));
  const auto count = static_cast<int>(x.size());
  Array<float> x_array(x);
  Array<float> y_array(x.size() * kFunctions);
  run<float_kernel>(count / kThreads, kThreads, 0, x_array.device(), count, y_array.device());
  const std::vector<float>& y = y_array.download();

  struct Line {
    const char* name;
    double relative;  // of the result
    double absolute;
  };
  constexpr double kUlp = 0x1p-23;
  constexpr double kDenormals = 0x1p-126;  // which ex2.approx.ftz makes zero
  const Line lines[kFunctions] = {{"exp2_fast", 2 * kUlp, kDenormals},
                                  {"rsqrtf", 2 * kUlp, 0},
                                  {"erff", 2 * kUlp, 0x1p-148},
                                  {"expf", 2 * kUlp, 0x1p-148},
                                  {"logf", 2 * kUlp, 0},
                                  {"sqrtf", 0, 0},
                                  {"fmaf", 0, 0},
                                  {"a * b + c, apart", 0, 0}};
  for (int f = 0; f < kFunctions; ++f) {
    Check check(lines[f].name);
    for (int i = 0; i < count; ++i) {
      const float value = x[static_cast<size_t>(i)];
      const float next = x[static_cast<size_t>((i + 1) % count)];
      const double exact = value;
      double expected = 0;
      switch (f) {
        case kExp2Fast:
          expected = std::exp2(exact);
          break;
        case kRsqrtf:
          expected = 1 / std::sqrt(exact);
          break;
        case kErff:
          expected = std::erf(exact);
          break;
        case kExpf:
          expected = std::exp(exact);
          break;
        case kLogf:
          expected = std::log(exact);
          break;
        case kSqrtf:
          expected = std::sqrt(value);
          break;
        case kFmaf:
          expected = std::fma(value, value, next);
          break;
        default: {
          const volatile float square = value * value;
          expected = square + next;
        }
      }
      // Beyond float's range a result is an infinity.
      if (std::abs(expected) >= 0x1.ffffffp127) expected = std::copysign(INFINITY, expected);
      check.close(i, y[static_cast<size_t>(f * count + i)], expected, lines[f].absolute, lines[f].relative);
    }
  }
}

void check_doubles() {
  std::vector<double> x;
  std::mt19937_64 random(7);
  for (const double value : {0.0, 0.5, 1.0, 1.5, 2.0, -0.5, 0.25, 1e-300}) x.push_back(value);
  while (x.size() < 8 * kThreads) {
    x.push_back(static_cast<double>(static_cast<int64_t>(random())) * 0x1p-62);
  }
  Array<double> x_array(x);
  Array<double> y_array(5 * x.size());
  run<double_kernel>(static_cast<int>(x.size()) / kThreads, kThreads, 0, x_array.device(), y_array.device());
  const std::vector<double>& y = y_array.download();
  constexpr long double kPi = 3.141592653589793238462643383279502884L;
  Check check("sincospi, sqrt, log and float_infinity");
  for (size_t i = 0; i < x.size(); ++i) {
    const auto at = static_cast<int64_t>(5 * i);
    const auto angle = kPi * static_cast<long double>(x[i]);
    check.close(at, y[5 * i], static_cast<double>(std::sin(angle)), 0x1p-51, 0);
    check.close(at + 1, y[5 * i + 1], static_cast<double>(std::cos(angle)), 0x1p-51, 0);
    check.close(at + 2, y[5 * i + 2], std::sqrt(std::abs(x[i])), 0, 0);
    check.close(at + 3, y[5 * i + 3], std::log(std::abs(x[i])), 0, 0x1p-51);
    check.close(at + 4, y[5 * i + 4], INFINITY, 0, 0);
  }
}

}  // namespace

void check_arithmetic() {
  check_popcount();
  check_floats();
  check_doubles();
}

}  // namespace gtr::cuda::tiles
