// What gtr-bench needs of a card beyond the C ABI: a stream with a clock that runs on the card, a way to empty its
// caches, and loops that show what its instructions and its memory reach at most. A shared library of its own, which
// gtr-bench loads when it is asked for a card, so that the program itself starts on machines without one.
#pragma once

#include <cstdint>

namespace gtr::bench {

enum class CardLoop : int32_t {
  kMultiplyAddF32 = 0,  // fmaf on registers
  kMultiplyBf16 = 1,    // mma.sync m16n8k16 on registers, sums in float
  kRead = 2,            // 16 bytes at a time, each once
};

struct CardDescription {
  int32_t multiprocessors;
  int32_t compute_capability;  // 80, 86, 90, ...
  int64_t l2_bytes;
};

// What a loop does in one run.
struct CardWork {
  double flops;
  double bytes;
};

// One card at a time and one thread. Functions return null, or one sentence that says what went wrong.
struct CardTools {
  // l2_bytes: as what size to take the second-level cache; 0: as the card's own. Description says which it is.
  const char* (*open)(int32_t index, int64_t l2_bytes, CardDescription* description);
  void (*close)();
  void* (*stream)();  // a cudaStream_t

  // Enqueue on the stream.
  const char* (*mark)(int32_t slot);  // notes when the stream has come this far; slot: 0 to kCardMarks - 1
  const char* (*overwrite_caches)();  // so that nothing written or read before is in the second-level cache
  const char* (*run)(CardLoop loop, int64_t rounds, CardWork* work);  // kRead: rounds through all of its memory

  // Between two marks that the stream has passed.
  const char* (*seconds)(int32_t from, int32_t to, double* seconds);
};

constexpr int32_t kCardMarks = 64;

// The library's one export.
using CardToolsFunction = const CardTools*();
constexpr char kCardToolsFunction[] = "gtr_bench_card_tools";

}  // namespace gtr::bench
