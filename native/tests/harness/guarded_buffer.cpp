#include "harness/guarded_buffer.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <new>

namespace gtr::test {

const char* placement_name(Placement placement) {
  switch (placement) {
    case Placement::kEndsAtGuard:
      return "ends at guard page";
    case Placement::kStartsAtGuard:
      return "starts at guard page";
    case Placement::kUnaligned:
      return "unaligned";
  }
  return "?";
}

GuardedBuffer::GuardedBuffer(size_t size, size_t alignment, Placement placement)
    : size_(size), page_(static_cast<size_t>(sysconf(_SC_PAGESIZE))) {
  const size_t offset = placement == Placement::kUnaligned ? alignment : 0;
  accessible_size_ = (size + offset + page_ - 1) / page_ * page_;
  void* mapping = mmap(nullptr, accessible_size_ + 2 * page_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) throw std::bad_alloc();
  accessible_ = static_cast<unsigned char*>(mapping) + page_;
  if (accessible_size_ != 0 && mprotect(accessible_, accessible_size_, PROT_READ | PROT_WRITE) != 0) {
    munmap(mapping, accessible_size_ + 2 * page_);
    throw std::bad_alloc();
  }
  if (placement == Placement::kEndsAtGuard) {
    const uintptr_t start = reinterpret_cast<uintptr_t>(accessible_) + accessible_size_ - size;
    data_ = accessible_ + ((start & ~(alignment - 1)) - reinterpret_cast<uintptr_t>(accessible_));
  } else {
    data_ = accessible_ + offset;
  }
}

GuardedBuffer::~GuardedBuffer() { munmap(accessible_ - page_, accessible_size_ + 2 * page_); }

}  // namespace gtr::test
