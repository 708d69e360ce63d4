// copy_async_16, its groups and their waits.
#include "check.h"

namespace gtr::cuda::tiles {
namespace {

constexpr int kThreads = 64;
constexpr int kStages = 3;
constexpr int kRounds = 7;
constexpr int kWords = 4;  // of 16 bytes

// One block. global [kRounds][threads][4]; valid [kRounds][threads]; out likewise: what each thread's neighbour copied,
// round by round, with kStages - 1 groups under way. Where a copy is not valid its address is one past the array, which
// must not be read.
__global__ void pipeline_kernel(const uint32_t* global, const int32_t* valid, uint32_t* out) {
  auto* stages = dynamic_shared<uint32_t>();
  const int thread = static_cast<int>(threadIdx.x);
  const auto slot = [&](int round, int of) { return stages + ((round % kStages) * kThreads + of) * kWords; };
  const auto start = [&](int round) {
    if (round < kRounds) {
      const bool is_valid = valid[round * kThreads + thread] != 0;
      const uint32_t* from = global + (is_valid ? (round * kThreads + thread) : kRounds * kThreads) * kWords;
      copy_async_16(slot(round, thread), from, is_valid);
    }
    copy_async_commit();
  };
  for (int round = 0; round < kStages - 1; ++round) start(round);
  for (int round = 0; round < kRounds; ++round) {
    copy_async_wait<kStages - 2>();
    block_sync();
    start(round + kStages - 1);
    const int neighbour = (thread + 17) % kThreads;
    for (int i = 0; i < kWords; ++i) {
      out[(round * kThreads + thread) * kWords + i] = slot(round, neighbour)[i];
    }
  }
  copy_async_wait<0>();
}

}  // namespace

void check_copies() {
  Check check("copy_async_16, valid and not");
  std::mt19937 random(8);
  std::vector<uint32_t> global(kRounds * kThreads * kWords);
  for (uint32_t& word : global) word = static_cast<uint32_t>(random());
  std::vector<int32_t> valid(kRounds * kThreads);
  for (int32_t& flag : valid) flag = static_cast<int32_t>(random() % 3 != 0);
  Array<uint32_t> global_array(global);
  Array<int32_t> valid_array(valid);
  Array<uint32_t> out_array(global.size());
  run<pipeline_kernel>(1, kThreads, kStages * kThreads * kWords * 4, global_array.device(), valid_array.device(),
                       out_array.device());
  const std::vector<uint32_t>& out = out_array.download();
  for (int round = 0; round < kRounds; ++round) {
    for (int thread = 0; thread < kThreads; ++thread) {
      const int copied = round * kThreads + (thread + 17) % kThreads;
      for (int i = 0; i < kWords; ++i) {
        const int at = (round * kThreads + thread) * kWords + i;
        const uint32_t expected =
            valid[static_cast<size_t>(copied)] != 0 ? global[static_cast<size_t>(copied * kWords + i)] : 0;
        check.bits(at, out[static_cast<size_t>(at)], expected);
      }
    }
  }
}

}  // namespace gtr::cuda::tiles
