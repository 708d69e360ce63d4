// Layer norm, with or without the modulation of adaLN.
#include "check.h"
#include "handles.h"

using namespace gtr;

gtr_status gtr_layer_norm(gtr_stream* stream, const gtr_tensor* x, const gtr_tensor* weight, const gtr_tensor* bias,
                          const gtr_tensor* scale, const gtr_tensor* shift, double epsilon, const gtr_tensor* y) {
  Check check("gtr_layer_norm");
  const StreamUse use(check, stream);
  if (!check.input("x", x, kF32, {any(), any()})) return check.status();
  const Dim rows{x->shape[0], "rows of x"};
  const Dim width{x->shape[1], "width of x"};
  check.optional_input("weight", weight, kF32, {width}, Check::kDense);
  check.optional_input("bias", bias, kF32, {width}, Check::kDense);
  check.optional_input("scale", scale, kF32 | kBF16, {rows, width});
  check.optional_input("shift", shift, kF32 | kBF16, {rows, width});
  if (check.ok() && (scale == nullptr) != (shift == nullptr)) {
    const char* missing = scale == nullptr ? "scale" : "shift";
    check.fail(GTR_ERROR_INVALID_ARGUMENT, missing, "%s is null; allowed are both or neither of scale and shift",
               missing);
  }
  check.finite_positive("epsilon", epsilon);
  check.output("y", y, kF32 | kBF16, {rows, width}, "x");
  if (!check.ok()) return check.status();
  return run_on(stream, check, *y, [&] {
    return stream->device->backend->layer_norm(stream->implementation, *x, weight, bias, scale, shift, epsilon, *y);
  });
}
