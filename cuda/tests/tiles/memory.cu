// 16-byte loads and stores, relaxed loads, compare and swap.
#include "check.h"

namespace gtr::cuda::tiles {
namespace {

constexpr int kThreads = 96;
constexpr int kBlocks = 5;
constexpr int kAll = kThreads * kBlocks;

// from [kAll][4]; streamed, loaded [kAll][4]; relaxed [kAll].
__global__ void load_kernel(const uint32_t* from, uint32_t* streamed, uint32_t* loaded, uint32_t* relaxed) {
  GTR_SHARED(uint4, shared, kThreads);
  const int thread = static_cast<int>(threadIdx.x);
  const int i = static_cast<int>(blockIdx.x) * kThreads + thread;
  store_16(streamed + 4 * i, load_streaming_16(from + 4 * i));
  store_16(&shared[thread], load_16(from + 4 * i));
  block_sync();
  store_16(loaded + 4 * i, load_16(&shared[kThreads - 1 - thread]));
  relaxed[i] = load_relaxed(from + 4 * i);
}

// counter [1]: 0; winners [kAll]: what each thread found there; the one that found 0 sets it to its number plus 1.
__global__ void swap_kernel(int32_t* counter, int32_t* winners) {
  const int32_t i = static_cast<int32_t>(blockIdx.x) * kThreads + static_cast<int32_t>(threadIdx.x);
  winners[i] = atomic_compare_swap(counter, 0, i + 1);
  fence();
}

}  // namespace

void check_memory() {
  std::mt19937 random(9);
  std::vector<uint32_t> from(4 * kAll);
  for (uint32_t& word : from) word = static_cast<uint32_t>(random());
  Array<uint32_t> from_array(from);
  Array<uint32_t> streamed_array(from.size());
  Array<uint32_t> loaded_array(from.size());
  Array<uint32_t> relaxed_array(kAll);
  run<load_kernel>(kBlocks, kThreads, 0, from_array.device(), streamed_array.device(), loaded_array.device(),
                   relaxed_array.device());
  {
    Check streaming("load_streaming_16, store_16");
    Check loads("load_16, store_16");
    Check relaxed("load_relaxed");
    const std::vector<uint32_t>& streamed = streamed_array.download();
    const std::vector<uint32_t>& loaded = loaded_array.download();
    const std::vector<uint32_t>& relaxed_words = relaxed_array.download();
    for (int i = 0; i < kAll; ++i) {
      const int mirrored = i / kThreads * kThreads + kThreads - 1 - i % kThreads;
      for (int word = 0; word < 4; ++word) {
        const auto at = static_cast<size_t>(4 * i + word);
        streaming.bits(4 * i + word, streamed[at], from[at]);
        loads.bits(4 * i + word, loaded[at], from[static_cast<size_t>(4 * mirrored + word)]);
      }
      relaxed.bits(i, relaxed_words[static_cast<size_t>(i)], from[static_cast<size_t>(4 * i)]);
    }
  }

  Array<int32_t> counter_array(1);
  Array<int32_t> winners_array(kAll);
  run<swap_kernel>(kBlocks, kThreads, 0, counter_array.device(), winners_array.device());
  Check swap("atomic_compare_swap");
  const int32_t counter = counter_array.download()[0];
  int32_t first = 0;
  for (int32_t i = 0; i < kAll; ++i) {
    const int32_t found = winners_array.download()[static_cast<size_t>(i)];
    if (found == 0) {
      ++first;
      swap.bits(i, static_cast<uint32_t>(counter), static_cast<uint32_t>(i + 1));
    } else {
      swap.bits(i, static_cast<uint32_t>(found), static_cast<uint32_t>(counter));
    }
  }
  swap.bits(kAll, static_cast<uint32_t>(first), 1);
}

}  // namespace gtr::cuda::tiles
