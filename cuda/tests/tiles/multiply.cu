// multiply_bf16 against the layout of PTX ISA, "Matrix fragments for mma.m16n8k16 with floating point type": groupID =
// lane / 4, threadID_in_group = lane % 4; of A, element i of 8 lies in row groupID (+ 8 for i = 2, 3, 6, 7) and column
// 2 threadID_in_group + (i & 1) (+ 8 for i >= 4); of B, element i of 4 in row 2 threadID_in_group + (i & 1) (+ 8 for
// i >= 2) and column groupID; of C and D, element i of 4 in row groupID (+ 8 for i >= 2) and column 2
// threadID_in_group + (i & 1).
#include "check.h"

namespace gtr::cuda::tiles {
namespace {

constexpr int kM = 16;
constexpr int kN = 8;
constexpr int kK = 16;

// One warp per block. a [blocks][32][4], b [blocks][32][2], d [blocks][32][4], in and out.
__global__ void multiply_kernel(const Bf16x2* a, const Bf16x2* b, float* d) {
  const int lane = static_cast<int>(blockIdx.x) * kWarp + lane_id();
  Bf16x2 a_part[4];
  Bf16x2 b_part[2];
  float d_part[4];
  for (int i = 0; i < 4; ++i) a_part[i] = a[lane * 4 + i];
  for (int i = 0; i < 2; ++i) b_part[i] = b[lane * 2 + i];
  for (int i = 0; i < 4; ++i) d_part[i] = d[lane * 4 + i];
  multiply_bf16(d_part, a_part, b_part);
  for (int i = 0; i < 4; ++i) d[lane * 4 + i] = d_part[i];
}

struct Problem {
  float a[kM][kK];
  float b[kK][kN];
  float c[kM][kN];
};

uint32_t bf16_bits(float exact) { return bits_of(exact) >> 16; }

// Element i of a lane's fragment by the formulas above.
float a_element(const Problem& p, int lane, int i) {
  return p.a[lane / 4 + (i % 4 < 2 ? 0 : 8)][lane % 4 * 2 + (i & 1) + (i >= 4 ? 8 : 0)];
}
float b_element(const Problem& p, int lane, int i) { return p.b[lane % 4 * 2 + (i & 1) + (i >= 2 ? 8 : 0)][lane / 4]; }
int d_row(int lane, int i) { return lane / 4 + (i >= 2 ? 8 : 0); }
int d_column(int lane, int i) { return lane % 4 * 2 + (i & 1); }

// The problems' D, [problems][32][4].
std::vector<float> multiply(const std::vector<Problem>& problems) {
  std::vector<Bf16x2> a;
  std::vector<Bf16x2> b;
  std::vector<float> d;
  for (const Problem& p : problems) {
    for (int lane = 0; lane < kWarp; ++lane) {
      for (int i = 0; i < 8; i += 2)
        a.push_back(bf16_bits(a_element(p, lane, i)) | bf16_bits(a_element(p, lane, i + 1)) << 16);
      for (int i = 0; i < 4; i += 2)
        b.push_back(bf16_bits(b_element(p, lane, i)) | bf16_bits(b_element(p, lane, i + 1)) << 16);
      for (int i = 0; i < 4; ++i) d.push_back(p.c[d_row(lane, i)][d_column(lane, i)]);
    }
  }
  Array<Bf16x2> a_array(a);
  Array<Bf16x2> b_array(b);
  Array<float> d_array(d);
  run<multiply_kernel>(static_cast<int>(problems.size()), kWarp, 0, a_array.device(), b_array.device(),
                       d_array.device());
  return d_array.download();
}

double expected(const Problem& p, int row, int column) {
  double sum = p.c[row][column];
  for (int k = 0; k < kK; ++k) sum += static_cast<double>(p.a[row][k]) * p.b[k][column];
  return sum;
}

// Relative to the sum of the magnitudes, since a tensor core aligns its products before it adds them.
double magnitude(const Problem& p, int row, int column) {
  double sum = std::abs(p.c[row][column]);
  for (int k = 0; k < kK; ++k) sum += std::abs(static_cast<double>(p.a[row][k]) * p.b[k][column]);
  return sum;
}

template <typename F>
void fill(Problem& p, const F& f) {
  for (auto& row : p.a) {
    for (float& value : row) value = f();
  }
  for (auto& row : p.b) {
    for (float& value : row) value = f();
  }
  for (auto& row : p.c) {
    for (float& value : row) value = f();
  }
}

// Sums of small whole numbers are exact in any order, so that one element out of place shows.
void check_layout() {
  Check check("multiply_bf16, whole numbers");
  std::mt19937 random(2);
  std::vector<Problem> problems(16);
  for (Problem& p : problems) {
    fill(p, [&] { return static_cast<float>(static_cast<int>(random() % 255) - 127); });
  }
  // And each place of A and of B alone.
  for (int i = 0; i < kM * kK; ++i) {
    Problem p = {};
    p.a[i / kK][i % kK] = 1;
    for (int k = 0; k < kK; ++k) {
      for (int n = 0; n < kN; ++n) p.b[k][n] = static_cast<float>(k * kN + n + 1);
    }
    problems.push_back(p);
  }
  const std::vector<float> found = multiply(problems);
  for (size_t at = 0; at < found.size(); ++at) {
    const int lane = static_cast<int>(at / 4) % kWarp;
    const int i = static_cast<int>(at % 4);
    const Problem& p = problems[at / (4 * kWarp)];
    const double value = expected(p, d_row(lane, i), d_column(lane, i));
    check.bits(static_cast<int64_t>(at), bits_of(found[at]), bits_of(static_cast<float>(value)));
  }
}

void check_rounding() {
  Check check("multiply_bf16, random numbers");
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  std::vector<Problem> problems(64);
  for (Problem& p : problems) {
    fill(p, [&] { return float_of(bits_of(normal(random)) & 0xffff0000u); });
  }
  const std::vector<float> found = multiply(problems);
  for (size_t at = 0; at < found.size(); ++at) {
    const int lane = static_cast<int>(at / 4) % kWarp;
    const int i = static_cast<int>(at % 4);
    const Problem& p = problems[at / (4 * kWarp)];
    const int row = d_row(lane, i);
    const int column = d_column(lane, i);
    check.close(static_cast<int64_t>(at), found[at], expected(p, row, column), 0x1p-20 * magnitude(p, row, column), 0);
  }
}

// The operation cases compare bits for rows in other company; a row must not see the other rows of its tile.
void check_rows_alone() {
  Check check("multiply_bf16, a row among others");
  std::mt19937 random(4);
  std::normal_distribution<float> normal;
  Problem all;
  fill(all, [&] { return float_of(bits_of(normal(random)) & 0xffff0000u); });
  std::vector<Problem> problems = {all};
  for (int row = 0; row < kM; ++row) {
    Problem alone = {};
    std::memcpy(alone.b, all.b, sizeof all.b);
    std::memcpy(alone.a[row], all.a[row], sizeof all.a[row]);
    std::memcpy(alone.c[row], all.c[row], sizeof all.c[row]);
    problems.push_back(alone);
  }
  const std::vector<float> found = multiply(problems);
  for (int lane = 0; lane < kWarp; ++lane) {
    for (int i = 0; i < 4; ++i) {
      const int at = lane * 4 + i;
      const int problem = 1 + d_row(lane, i);
      check.bits(at, bits_of(found[static_cast<size_t>(problem * 4 * kWarp + at)]),
                 bits_of(found[static_cast<size_t>(at)]));
    }
  }
}

void check_special() {
  Check check("multiply_bf16, infinities, NaN and denormals");
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const float denormal = float_of(0x00010000);  // the smallest of bfloat16
  struct Values {
    float a, b, c;
    double expected;
  };
  const Values list[] = {{kInfinity, 1, 0, kInfinity},
                         {kInfinity, -1, 0, -kInfinity},
                         {kInfinity, 0, 0, NAN},
                         {1, 1, kInfinity, kInfinity},
                         {kInfinity, 1, -kInfinity, NAN},
                         {NAN, 1, 0, NAN},
                         {0, NAN, 0, NAN},
                         {1, 1, NAN, NAN},
                         {denormal, 0x1p100f, 0, static_cast<double>(denormal) * 0x1p100},
                         {-denormal, 0x1p100f, 0, -static_cast<double>(denormal) * 0x1p100},
                         {0x1p127f, 0x1p127f, 0, kInfinity}};
  std::vector<Problem> problems;
  for (const Values& values : list) {
    Problem p = {};
    for (int i = 0; i < kM; ++i) p.a[i][i] = values.a;
    for (auto& row : p.b) {
      for (float& value : row) value = values.b;
    }
    for (auto& row : p.c) {
      for (float& value : row) value = values.c;
    }
    problems.push_back(p);
  }
  const std::vector<float> found = multiply(problems);
  for (size_t at = 0; at < found.size(); ++at) {
    check.close(static_cast<int64_t>(at), found[at], list[at / (4 * kWarp)].expected, 0, 0);
  }
}

}  // namespace

void check_multiply() {
  check_layout();
  check_rounding();
  check_rows_alone();
  check_special();
}

}  // namespace gtr::cuda::tiles
