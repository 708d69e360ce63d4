// Large blocks: that they never overlap, that what is released is used again and goes back to the system.
#include "block_heap.h"

#include <atomic>
#include <cstring>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "expect.h"

namespace gtr::test {
namespace {

struct Block {
  unsigned char* data;
  int64_t bytes;
  unsigned char mark;  // what its first and last 64 bytes hold

  bool is_intact() const {
    if (data == nullptr || reinterpret_cast<uintptr_t>(data) % GTR_ALIGNMENT != 0) return false;
    for (int64_t i = 0; i < 64; ++i) {
      if (data[i] != mark || data[bytes - 1 - i] != mark) return false;
    }
    return true;
  }
};

Block allocate(BlockHeap& heap, int64_t bytes, unsigned char mark) {
  const Block block{static_cast<unsigned char*>(heap.allocate(bytes)), bytes, mark};
  if (block.data != nullptr) {
    std::memset(block.data, mark, 64);
    std::memset(block.data + bytes - 64, mark, 64);
  }
  return block;
}

// Allocates and releases in any order; true if every block was aligned and held what was written to it.
bool fill_and_release(BlockHeap& heap, unsigned seed, int rounds) {
  std::mt19937 random(seed);
  std::vector<Block> blocks;
  bool intact = true;
  const auto release = [&](size_t i) {
    intact = intact && blocks[i].is_intact();
    heap.release(blocks[i].data, blocks[i].bytes);
    blocks[i] = blocks.back();
    blocks.pop_back();
  };
  for (int round = 0; round < rounds; ++round) {
    if (blocks.size() == 40 || (!blocks.empty() && random() % 3 == 0)) {
      release(random() % blocks.size());
    } else {
      // Some larger than a region, sizes that are no multiples of anything.
      const int64_t most = random() % 16 == 0 ? int64_t{100} << 20 : int64_t{6} << 20;
      const int64_t bytes = BlockHeap::kLeastBytes + static_cast<int64_t>(random()) % most;
      blocks.push_back(allocate(heap, bytes, static_cast<unsigned char>(random() % 255 + 1)));
    }
  }
  while (!blocks.empty()) release(blocks.size() - 1);
  return intact;
}

void blocks_hold_what_is_written() {
  BlockHeap heap;
  EXPECT(fill_and_release(heap, 1, 3000));
}

void threads_share_a_heap() {
  BlockHeap heap;
  std::vector<std::thread> threads;
  std::atomic<int> intact{0};
  for (unsigned thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&heap, &intact, thread] { intact += fill_and_release(heap, 2 + thread, 500) ? 1 : 0; });
  }
  for (auto& thread : threads) thread.join();
  EXPECT(intact == 4);
}

// Neighbours that were released in every order become one block again, in which a larger one has room.
void what_is_released_is_used_again() {
  constexpr int64_t kBytes = 300000;
  const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  for (const auto& order : orders) {
    BlockHeap heap;
    const Block first = allocate(heap, kBytes, 1);
    Block middle[3];
    for (auto& block : middle) block = allocate(heap, kBytes, 2);
    const Block last = allocate(heap, kBytes, 3);
    for (const int i : order) heap.release(middle[i].data, kBytes);
    const Block large = allocate(heap, 3 * kBytes, 4);
    EXPECT(large.data == middle[0].data);
    EXPECT(first.is_intact() && last.is_intact());
    heap.release(large.data, large.bytes);
    heap.release(first.data, kBytes);
    heap.release(last.data, kBytes);
  }
}

int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  int64_t size, resident;
  file >> size >> resident;
  return resident * 4096;
}

// A block in the middle of others goes back to the system, not only the last one.
void released_memory_goes_back() {
  constexpr int64_t kBytes = int64_t{24} << 20;
  BlockHeap heap;
  const Block before = allocate(heap, kBytes / 8, 1);
  const Block block = allocate(heap, kBytes, 2);
  const Block after = allocate(heap, kBytes / 8, 3);
  std::memset(block.data, 4, static_cast<size_t>(block.bytes));
  const int64_t with = resident_bytes();
  heap.release(block.data, block.bytes);
  EXPECT(with - resident_bytes() >= kBytes - (int64_t{5} << 20));  // less what its first and last huge page hold
  EXPECT(before.is_intact() && after.is_intact());
  heap.release(before.data, before.bytes);
  heap.release(after.data, after.bytes);
}

void what_does_not_fit_is_refused() {
  BlockHeap heap;
  EXPECT(heap.allocate(int64_t{1} << 56) == nullptr);
  const Block block = allocate(heap, BlockHeap::kLeastBytes, 1);
  EXPECT(block.is_intact());
  heap.release(block.data, block.bytes);
}

}  // namespace
}  // namespace gtr::test

int main() {
  using namespace gtr::test;
  blocks_hold_what_is_written();
  threads_share_a_heap();
  what_is_released_is_used_again();
  released_memory_goes_back();
  what_does_not_fit_is_refused();
  return result();
}
