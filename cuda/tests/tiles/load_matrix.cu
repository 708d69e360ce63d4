// load_matrix_x4, _x2 and their transposed forms against PTX ISA, "ldmatrix": lane l receives of each 8x8 tile row l /
// 4, columns 2 (l % 4) and the next; transposed, column l / 4, rows 2 (l % 4) and the next. Lanes 8i .. 8i+7 give the
// addresses of tile i's rows.
#include "check.h"

namespace gtr::cuda::tiles {
namespace {

constexpr int kRows = 64;        // in shared memory, of which tiles take theirs in any order
constexpr int kRowElements = 8;  // 16 bytes
constexpr int kForms = 4;

enum Form { kX4 = 0, kX4Transposed = 1, kX2 = 2, kX2Transposed = 3 };

// One warp. memory [kRows][8]; rows [32]: which of them each lane names; r [kForms][32][4].
__global__ void load_kernel(const uint16_t* memory, const int32_t* rows, Bf16x2* r) {
  uint16_t* shared = dynamic_shared<uint16_t>();
  const int lane = lane_id();
  for (int i = lane; i < kRows * kRowElements; i += kWarp) shared[i] = memory[i];
  block_sync();
  const uint16_t* row = shared + rows[lane] * kRowElements;
  Bf16x2 x4[2][4];
  Bf16x2 x2[2][2];
  load_matrix_x4(x4[0], row);
  load_matrix_x4_transposed(x4[1], row);
  load_matrix_x2(x2[0], row);
  load_matrix_x2_transposed(x2[1], row);
  for (int form = 0; form < kForms; ++form) {
    for (int i = 0; i < 4; ++i) {
      const bool four = form < kX2;
      r[(form * kWarp + lane) * 4 + i] = four ? x4[form % 2][i] : i < 2 ? x2[form % 2][i] : 0;
    }
  }
}

}  // namespace

void check_load_matrix() {
  std::mt19937 random(5);
  std::vector<uint16_t> memory(kRows * kRowElements);
  for (size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<uint16_t>(i * 37 + 1);
  std::vector<int32_t> rows(kWarp);
  for (int32_t& row : rows) row = static_cast<int32_t>(random() % kRows);
  Array<uint16_t> memory_array(memory);
  Array<int32_t> rows_array(rows);
  Array<Bf16x2> found_array(kForms * kWarp * 4);
  run<load_kernel>(1, kWarp, kRows * kRowElements * 2, memory_array.device(), rows_array.device(),
                   found_array.device());
  const std::vector<Bf16x2>& found = found_array.download();

  const char* names[kForms] = {"load_matrix_x4", "load_matrix_x4_transposed", "load_matrix_x2",
                               "load_matrix_x2_transposed"};
  for (int form = 0; form < kForms; ++form) {
    Check check(names[form]);
    for (int lane = 0; lane < kWarp; ++lane) {
      for (int tile = 0; tile < (form < kX2 ? 4 : 2); ++tile) {
        const auto element = [&](int row, int column) -> uint32_t {
          return memory[static_cast<size_t>(rows[static_cast<size_t>(tile * 8 + row)] * kRowElements + column)];
        };
        const int group = lane / 4;
        const int pair = lane % 4 * 2;
        const bool transposed = form == kX4Transposed || form == kX2Transposed;
        const uint32_t low = transposed ? element(pair, group) : element(group, pair);
        const uint32_t high = transposed ? element(pair + 1, group) : element(group, pair + 1);
        const int at = (form * kWarp + lane) * 4 + tile;
        check.bits(at, found[static_cast<size_t>(at)], low | high << 16);
      }
    }
  }
}

}  // namespace gtr::cuda::tiles
