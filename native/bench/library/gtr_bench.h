/* libgtr_bench: the ceilings of this machine, which bench/cpu binds, by the loops that gtr-bench measures them with.
 * Every function returns 0, or -1 and leaves a message. */
#ifndef GTR_BENCH_H
#define GTR_BENCH_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GTR_BENCH_API __attribute__((visibility("default")))

/* What went wrong in the calling thread's last call that returned -1. */
GTR_BENCH_API const char* gtr_bench_last_error(void);

/* What `threads` threads reach together per second with the instructions of a gtr_cpu_tier, the median of several
 * repetitions. */
typedef struct gtr_bench_peak {
  double f32_flops;
  double bf16_flops;
  double read_bytes;        /* from memory */
  double cached_bf16_flops; /* with operands from the second-level cache; bf16_flops where they change nothing */
  double matrix_bytes;      /* read of 3.5 MB again and again, each thread its part: qkv of MAR-B in bfloat16 */
  double head_bytes;        /* the same of 25 MB: the square matrices of MAR-B's head */
  /* Of bfloat16, keys and values in the second-level cache, beside the softmax of heads of 64 and of 80 elements;
   * bf16_flops where they share instructions, so that nothing is to be found out. */
  double attention_64_flops;
  double attention_80_flops;
} gtr_bench_peak;

GTR_BENCH_API int32_t gtr_bench_measure_peak(int32_t tier, int32_t threads, gtr_bench_peak* out);

#ifdef __cplusplus
}
#endif

#endif
