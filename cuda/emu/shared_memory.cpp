#include "shared_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "fibre.h"

#if defined(GTR_EMU_ASAN)
#include <sanitizer/asan_interface.h>
#endif

namespace gtr::cuda::emu {
namespace {

constexpr int kUndefined = 0xFF;  // NaN in every float format
constexpr int kMark = 0xA5;
constexpr size_t kGap = 64;  // behind an array
constexpr size_t kDynamicAlignment = 128;

size_t round_up(size_t value, size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

void open_region(void* data, size_t bytes) {
#if defined(GTR_EMU_ASAN)
  ASAN_UNPOISON_MEMORY_REGION(data, bytes);
#else
  (void)data, (void)bytes;
#endif
}

void close_region(void* data, size_t bytes) {
#if defined(GTR_EMU_ASAN)
  ASAN_POISON_MEMORY_REGION(data, bytes);
#else
  std::memset(data, kMark, bytes);
#endif
}

bool is_marked(const unsigned char* data, size_t bytes) {
#if defined(GTR_EMU_ASAN)
  (void)data, (void)bytes;
  return true;
#else
  for (size_t i = 0; i < bytes; ++i) {
    if (data[i] != kMark) return false;
  }
  return true;
#endif
}

}  // namespace

// Guard, arrays, guard, dynamic part that ends at the last guard.
SharedMemory::SharedMemory() {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t static_size = round_up(2 * kStaticLimit, page);  // half of it gaps
  const size_t dynamic_size = round_up(kDynamicLimit, page);
  const size_t size = static_size + dynamic_size + 3 * page;
  void* mapping = mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) {
    std::fprintf(stderr, "cuda-emu: no memory for the shared memory of a block\n");
    std::abort();
  }
  static_base_ = static_cast<unsigned char*>(mapping) + page;
  static_end_ = static_base_;
  unsigned char* dynamic_base = static_base_ + static_size + page;
  dynamic_end_ = dynamic_base + dynamic_size;
  mprotect(static_base_, static_size, PROT_READ | PROT_WRITE);
  mprotect(dynamic_base, dynamic_size, PROT_READ | PROT_WRITE);
  close_region(static_base_, static_size);
}

void SharedMemory::reset(size_t dynamic_bytes) {
  close_region(static_base_, static_cast<size_t>(static_end_ - static_base_));
  static_end_ = static_base_;
  static_used_ = 0;
  arrays_.clear();
  if (dynamic_ != nullptr) close_region(dynamic_, static_cast<size_t>(dynamic_end_ - dynamic_));
  dynamic_bytes_ = dynamic_bytes;
  dynamic_ = dynamic_end_ - round_up(dynamic_bytes, kDynamicAlignment);
  open_region(dynamic_, dynamic_bytes);
  std::memset(dynamic_, kUndefined, dynamic_bytes);
  close_region(dynamic_ + dynamic_bytes, static_cast<size_t>(dynamic_end_ - dynamic_) - dynamic_bytes);
}

void* SharedMemory::array(const void* key, size_t bytes, size_t alignment) {
  for (const Array& array : arrays_) {
    if (array.key == key) return array.data;
  }
  if (static_used_ + bytes > kStaticLimit) return nullptr;
  const size_t offset = round_up(static_cast<size_t>(static_end_ - static_base_), alignment < 16 ? 16 : alignment);
  unsigned char* data = static_base_ + offset;
  if (offset + bytes + kGap > 2 * kStaticLimit) return nullptr;
  static_used_ += bytes;
  static_end_ = data + bytes + kGap;
  open_region(data, bytes);
  std::memset(data, kUndefined, bytes);
  arrays_.push_back({key, data, bytes});
  return data;
}

bool SharedMemory::contains(const void* address, size_t bytes) const {
  const auto* first = static_cast<const unsigned char*>(address);
  const auto within = [&](const unsigned char* data, size_t size) {
    return first >= data && first < data + size && bytes <= static_cast<size_t>(data + size - first);
  };
  if (within(dynamic_, dynamic_bytes_)) return true;
  for (const Array& array : arrays_) {
    if (within(array.data, array.bytes)) return true;
  }
  return false;
}

bool SharedMemory::is_intact() const {
  for (const Array& array : arrays_) {
    if (!is_marked(array.data + array.bytes, kGap)) return false;
  }
  return is_marked(dynamic_ + dynamic_bytes_, static_cast<size_t>(dynamic_end_ - dynamic_) - dynamic_bytes_);
}

}  // namespace gtr::cuda::emu
