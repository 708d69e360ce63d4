// The shared memory of one block: arrays declared in kernels, and the launch's dynamic part. Fresh for every block and
// full of NaN; what lies behind an array belongs to nobody, which AddressSanitizer or, without it, marks left there
// find out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gtr::cuda::emu {

class SharedMemory {
 public:
  static constexpr size_t kStaticLimit = 48 << 10;  // of arrays, whatever the device
  static constexpr size_t kDynamicLimit = 227 << 10;

  SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  // For the next block.
  void reset(size_t dynamic_bytes);

  // The array with this key, made when first asked for. Null if arrays take more than the limit.
  void* array(const void* key, size_t bytes, size_t alignment);
  void* dynamic() const { return dynamic_; }
  size_t dynamic_bytes() const { return dynamic_bytes_; }
  size_t static_bytes() const { return static_used_; }

  // True if all bytes lie in one array or in the dynamic part.
  bool contains(const void* address, size_t bytes) const;
  // False if something was written behind an array or the dynamic part.
  bool is_intact() const;

 private:
  struct Array {
    const void* key;
    unsigned char* data;
    size_t bytes;
  };

  unsigned char* static_base_;
  unsigned char* static_end_;  // of what is taken, gaps included
  size_t static_used_ = 0;
  std::vector<Array> arrays_;
  unsigned char* dynamic_end_;
  unsigned char* dynamic_ = nullptr;
  size_t dynamic_bytes_ = 0;
};

}  // namespace gtr::cuda::emu
