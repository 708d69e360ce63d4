/* libgtr_replay: stands before libgtr (LD_PRELOAD, or linked before it), passes calls on and adds up their time, and
 * makes those of a recording again from C, on the same weights and memory. What a program takes beyond that is its own.
 * Only what samples an image on the CPU is timed and recorded; other functions of the C ABI go past it. Every function
 * returns 0, or -1 and leaves a message. */
#ifndef GTR_REPLAY_H
#define GTR_REPLAY_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GTR_REPLAY_API __attribute__((visibility("default")))

/* What went wrong in the calling thread's last call that returned -1. */
GTR_REPLAY_API const char* gtr_replay_last_error(void);

/* seconds: what all threads have spent in calls since this was asked last, those of gtr_replay_run apart. */
GTR_REPLAY_API int32_t gtr_replay_take_seconds(double* seconds);

/* Forgets the last recording and begins one. Calls of all threads are recorded, in the order in which they begin. What
 * copies read from GTR_MEMORY_HOST is recorded with them, and so is what they write there. */
GTR_REPLAY_API int32_t gtr_replay_start(void);

/* Ends it. calls: how many it has. */
GTR_REPLAY_API int32_t gtr_replay_stop(int64_t* calls);

/* Makes the recorded calls again, on one stream of its own. Weights and memory that they refer to must still be there,
 * and nobody else may use these meanwhile; host memory is left alone. seconds: in all. -1 if a call fails, or if a copy
 * to the host brings other bytes than it did when it was recorded. */
GTR_REPLAY_API int32_t gtr_replay_run(double* seconds);

#ifdef __cplusplus
}
#endif

#endif
