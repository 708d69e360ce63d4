// Token bookkeeping: embed, gather, scatter.
#include "check.h"
#include "handles.h"

using namespace gtr;

gtr_status gtr_embed(gtr_stream* stream, const gtr_tensor* first, const gtr_tensor* second, const gtr_tensor* index,
                     const gtr_tensor* position, const gtr_tensor* position_index, const gtr_tensor* y) {
  Check check("gtr_embed");
  const StreamUse use(check, stream);
  if (!check.input("first", first, kF32, {any(), any()})) return check.status();
  const Dim width{first->shape[1], "width of first"};
  check.optional_input("second", second, kF32, {any(), width});
  if (!check.input("index", index, kI32, {any()})) return check.status();
  const Dim rows{index->shape[0], "entries of index"};
  check.optional_input("position", position, kF32, {any(), width});
  check.optional_input("position_index", position_index, kI32, {rows});
  if (check.ok() && (position == nullptr) != (position_index == nullptr)) {
    const char* missing = position == nullptr ? "position" : "position_index";
    check.fail(GTR_ERROR_INVALID_ARGUMENT, missing,
               "%s is null; allowed are both or neither of position and position_index", missing);
  }
  check.output("y", y, kF32, {rows, width});
  if (!check.ok()) return check.status();
  return run_on(stream, check, *y, [&] {
    return stream->device->backend->embed(stream->implementation, *first, second, *index, position, position_index, *y);
  });
}

gtr_status gtr_gather(gtr_stream* stream, const gtr_tensor* x, const gtr_tensor* index, const gtr_tensor* y) {
  Check check("gtr_gather");
  const StreamUse use(check, stream);
  if (!check.input("x", x, kF32 | kBF16, {any(), any()})) return check.status();
  if (!check.input("index", index, kI32, {any()})) return check.status();
  check.output("y", y, 1u << x->dtype, {{index->shape[0], "entries of index"}, {x->shape[1], "width of x"}});
  if (!check.ok()) return check.status();
  return run_on(stream, check, *y,
                [&] { return stream->device->backend->gather(stream->implementation, *x, *index, *y); });
}

gtr_status gtr_scatter(gtr_stream* stream, const gtr_tensor* x, const gtr_tensor* index, const gtr_tensor* y) {
  Check check("gtr_scatter");
  const StreamUse use(check, stream);
  if (!check.input("x", x, kF32 | kBF16, {any(), any()})) return check.status();
  check.input("index", index, kI32, {{x->shape[0], "rows of x"}});
  check.output("y", y, 1u << x->dtype, {any(), {x->shape[1], "width of x"}});
  if (!check.ok()) return check.status();
  return run_on(stream, check, *x,
                [&] { return stream->device->backend->scatter(stream->implementation, *x, *index, *y); });
}
