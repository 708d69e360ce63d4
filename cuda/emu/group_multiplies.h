// The asynchronous products of one thread, of a warpgroup's tiles in shared memory. A product is computed when it is
// issued, from what lies in shared memory then, and fills its sums with NaN until a wait has reached its group; then
// the tiles must still be what they were. So whoever does not wait, for copies before or for products after, reads NaN,
// and whoever overwrites a tile too early is told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gtr::cuda::emu {

class GroupMultiplies {
 public:
  // One thread's part of D += A B, wgmma of 64 x columns x 16: d [columns / 2]; a: 64 rows, b: `columns` rows of 128
  // bytes, swizzled; the inputs are 16 k to 16 k + 15 of the rows' 64. thread: of the warpgroup's 128.
  void issue(float* d, int columns, const void* a, const void* b, int k, int thread);
  void commit() { ++open_group_; }
  // Finishes all but the `younger` youngest groups. Null, or what is wrong.
  const char* wait(unsigned younger);
  bool is_under_way() const { return first_ < products_.size(); }
  // For the next kernel.
  void forget();

 private:
  struct Product {
    float* d;
    int columns;
    const unsigned char* a;  // the thread's first row
    const unsigned char* b;
    int k;
    int thread;
    uint64_t group;
    uint64_t tiles;  // a checksum of what was read
    std::vector<float> sums;
  };

  std::vector<Product> products_;  // from first_ on under way
  size_t first_ = 0;
  uint64_t open_group_ = 0;
};

}  // namespace gtr::cuda::emu
