// Noise.
#include "check.h"
#include "handles.h"
#include "philox.h"

using namespace gtr;

gtr_status gtr_noise(gtr_stream* stream, const gtr_tensor* seed, const gtr_tensor* image, const gtr_tensor* cell,
                     const gtr_tensor* draw, const gtr_tensor* y) {
  Check check("gtr_noise");
  const StreamUse use(check, stream);
  if (!check.input("seed", seed, kU64, {any()})) return check.status();
  const Dim rows{seed->shape[0], "entries of seed"};
  check.input("image", image, kU32, {rows});
  check.input("cell", cell, kU32, {rows});
  check.input("draw", draw, kU32, {rows});
  check.output("y", y, kF32, {rows, any()});
  if (!check.ok()) return check.status();
  return run_on(stream, check, *y, [&] {
    return stream->device->backend->noise(stream->implementation, *seed, *image, *cell, *draw, *y);
  });
}

gtr_status gtr_philox(uint64_t seed, uint32_t counter0, uint32_t counter1, uint32_t counter2, uint32_t counter3,
                      uint32_t* words) {
  Check check("gtr_philox");
  if (!check.not_null("words", words)) return check.status();
  const uint32_t counter[4] = {counter0, counter1, counter2, counter3};
  philox4x32_10(seed, counter, words);
  return GTR_OK;
}
