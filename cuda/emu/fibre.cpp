#include "fibre.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

#if defined(GTR_EMU_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace gtr::cuda::emu {
namespace {

#if defined(GTR_EMU_ASAN)
constexpr size_t kStackBytes = 256 << 10;  // ASan's frames are larger
#else
constexpr size_t kStackBytes = 64 << 10;
#endif

// Stacks are mapped when first needed and kept; below each lies a page that nobody may touch.
unsigned char* stack_of(size_t index) {
  constexpr size_t kChunk = 64;
  static std::vector<unsigned char*> chunks;
  static const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t stride = kStackBytes + page;
  while (chunks.size() * kChunk <= index) {
    void* mapping =
        mmap(nullptr, kChunk * stride, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED) {
      std::fprintf(stderr, "cuda-emu: no memory for the stacks of %zu threads\n", index + 1);
      std::abort();
    }
    chunks.push_back(static_cast<unsigned char*>(mapping));
    for (size_t i = 0; i < kChunk; ++i) mprotect(chunks.back() + i * stride, page, PROT_NONE);
  }
  return chunks[index / kChunk] + index % kChunk * stride + page;
}

// Of the fibre that is being left and of the one that is being entered.
Fibre* leaving;
Fibre* entering;

}  // namespace

#if defined(__x86_64__)

// Saves what the calling convention says a function must keep, and the stack pointer to *save; goes on where `load` was
// saved.
extern "C" void gtr_emu_switch(void** save, void* load) noexcept;
asm(R"(
.text
.p2align 4
.globl gtr_emu_switch
.hidden gtr_emu_switch
.type gtr_emu_switch, @function
gtr_emu_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size gtr_emu_switch, .-gtr_emu_switch
)");

#endif

void Fibre::begin() {
  entering->arrive();
  entering->entry_();
  std::abort();  // an entry does not return
}

void Fibre::prepare(size_t index, void (*entry)()) {
  entry_ = entry;
  unsigned char* stack = stack_of(index);
  stack_ = stack;
  stack_size_ = kStackBytes;
  fake_stack_ = nullptr;
#if defined(GTR_EMU_ASAN)
  ASAN_UNPOISON_MEMORY_REGION(stack, kStackBytes);  // what frames left behind that were never left
#endif
#if defined(__x86_64__)
  // Tops of stacks lie a multiple of pages apart; without this all of them would compete for the same cache sets.
  constexpr size_t kColours = 61;
  constexpr size_t kLine = 64;
  auto** top = reinterpret_cast<void**>(stack + kStackBytes - index % kColours * kLine);
  *--top = nullptr;  // return address of begin, which has none; leaves the stack as after a call
  *--top = reinterpret_cast<void*>(&Fibre::begin);
  for (int saved_register = 0; saved_register < 6; ++saved_register) *--top = nullptr;
  stack_pointer_ = top;
#else
  getcontext(&context_);
  context_.uc_stack.ss_sp = stack;
  context_.uc_stack.ss_size = kStackBytes;
  context_.uc_link = nullptr;
  makecontext(&context_, &Fibre::begin, 0);
#endif
}

// The first thing after a switch, on the stack of the fibre that goes on.
void Fibre::arrive() noexcept {
#if defined(GTR_EMU_ASAN)
  // A fibre that was not prepared is the thread's own stack, of which ASan tells the bounds when it is left.
  const void* bottom = nullptr;
  size_t size = 0;
  __sanitizer_finish_switch_fiber(fake_stack_, &bottom, &size);
  if (leaving->entry_ == nullptr) {
    leaving->stack_ = bottom;
    leaving->stack_size_ = size;
  }
#endif
}

void Fibre::jump_to(Fibre& other, [[maybe_unused]] void** fake_stack) noexcept {
  leaving = this;
  entering = &other;
#if defined(GTR_EMU_ASAN)
  __sanitizer_start_switch_fiber(fake_stack, other.stack_, other.stack_size_);
#endif
#if defined(__x86_64__)
  gtr_emu_switch(&stack_pointer_, other.stack_pointer_);
#else
  swapcontext(&context_, &other.context_);
#endif
}

void Fibre::switch_to(Fibre& other) noexcept {
  jump_to(other, &fake_stack_);
  arrive();
}

void Fibre::exit_to(Fibre& other) noexcept {
  jump_to(other, nullptr);  // the sanitizer forgets this stack
  std::abort();
}

}  // namespace gtr::cuda::emu
