// The CPU backend's thread pool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>

namespace gtr::cpu {

// Runs loops on a fixed number of threads. Any number of callers may be inside parallel_for at once: each works on its
// own loop, idle workers help whoever has chunks left, and a caller waits only for chunks that a worker already runs,
// so callers cannot deadlock. A loop inside a loop's body runs on the thread that meets it.
class Pool {
 public:
  static constexpr int kMaxThreads = 1024;

  // Not the global ones, which throw inside: the library is compiled without exceptions.
  static void* operator new(size_t bytes, const std::nothrow_t&) noexcept;
  static void operator delete(void* memory) noexcept;

  // threads, 1 to kMaxThreads, counts the caller. Returns null if a thread cannot be started or memory is out.
  static std::unique_ptr<Pool> create(int threads) noexcept;
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  int threads() const noexcept;

  // How often a worker that had no processor of its own was sent to a free one.
  int64_t moves() const noexcept;

  // Bytes that a pool allocates, whatever its number of threads; their stacks are not in it.
  static int64_t bytes() noexcept;

  // Calls body(i) once for every i in 0..count-1, in any order, on any threads; returns when all are done. Bodies must
  // not throw, and must not depend on which thread runs them.
  template <typename Body>
  void parallel_for(int64_t count, Body&& body) noexcept {
    using Plain = std::remove_reference_t<Body>;
    run(
        count, [](void* context, int64_t i) { (*static_cast<Plain*>(context))(i); },
        const_cast<void*>(static_cast<const void*>(&body)));
  }

 private:
  Pool() = default;
  void run(int64_t count, void (*body)(void*, int64_t), void* context) noexcept;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gtr::cpu
