// Threads of execution that hand over to one another on one thread of the operating system: a stack and where it
// stopped. Knows nothing of CUDA.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__SANITIZE_ADDRESS__)
#define GTR_EMU_ASAN 1
#endif

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace gtr::cuda::emu {

class Fibre {
 public:
  // The stack behind the calling thread itself: the one that starts the others.
  Fibre() noexcept = default;
  Fibre(const Fibre&) = delete;
  Fibre& operator=(const Fibre&) = delete;

  // Sets it to the beginning of entry, on stack number `index` of the process. What it ran before is forgotten; nothing
  // is unwound. entry must not return.
  void prepare(size_t index, void (*entry)());

  // Leaves this one, which runs, and goes on with the other one.
  void switch_to(Fibre& other) noexcept;
  // The same for good: this one does not go on.
  [[noreturn]] void exit_to(Fibre& other) noexcept;

 private:
  static void begin();
  void arrive() noexcept;
  // fake_stack: where AddressSanitizer keeps this one's, null if it does not go on.
  void jump_to(Fibre& other, void** fake_stack) noexcept;

#if defined(__x86_64__)
  void* stack_pointer_ = nullptr;
#else
  ucontext_t context_;
#endif
  void (*entry_)() = nullptr;
  const void* stack_ = nullptr;  // lowest byte
  size_t stack_size_ = 0;
  void* fake_stack_ = nullptr;  // AddressSanitizer's
};

}  // namespace gtr::cuda::emu
