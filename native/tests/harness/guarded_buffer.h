// Memory between two inaccessible pages: an access outside of it stops the program at once instead of reading whatever
// happens to be there.
#pragma once

#include <cstddef>

namespace gtr::test {

// Where a buffer lies in its accessible pages.
enum class Placement {
  kEndsAtGuard,    // the byte behind the last one is inaccessible
  kStartsAtGuard,  // the byte before the first one is inaccessible
  kUnaligned       // starts one element behind a page boundary: aligned to the element and to nothing more
};

const char* placement_name(Placement placement);

class GuardedBuffer {
 public:
  // alignment: of the first byte, a power of two up to a page. Throws std::bad_alloc.
  GuardedBuffer(size_t size, size_t alignment, Placement placement);
  ~GuardedBuffer();
  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;

  unsigned char* data() const { return data_; }
  size_t size() const { return size_; }

  // All accessible bytes: the buffer, and what lies between it and the guard pages.
  unsigned char* accessible() const { return accessible_; }
  size_t accessible_size() const { return accessible_size_; }

 private:
  unsigned char* accessible_;
  size_t accessible_size_;
  unsigned char* data_;
  size_t size_;
  size_t page_;
};

}  // namespace gtr::test
