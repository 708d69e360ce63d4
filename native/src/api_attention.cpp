// Attention.
#include "check.h"
#include "handles.h"

using namespace gtr;

namespace {

bool check_head_dim(Check& check, const char* argument, const char* what, int64_t head_dim) noexcept {
  if (!check.ok()) return false;
  return (head_dim >= 8 && head_dim <= 256 && head_dim % 8 == 0) ||
         check.fail(GTR_ERROR_INVALID_ARGUMENT, argument, "%s is %lld; allowed are multiples of 8 from 8 to 256", what,
                    static_cast<long long>(head_dim));
}

// No backend's arithmetic of sizes may overflow: eight bytes for every element of q and k, and for every score of one
// head, stay within 2^62.
bool check_total(Check& check, int64_t batch, int64_t query_length, int64_t key_length, int64_t heads,
                 int64_t head_dim) noexcept {
  if (!check.ok()) return false;
  const int64_t length = query_length > key_length ? query_length : key_length;
  int64_t bytes = 8;
  for (const int64_t factor : {batch, heads, head_dim, length}) {
    if (factor != 0 && __builtin_mul_overflow(bytes, factor, &bytes)) bytes = INT64_MAX;
  }
  return bytes <= INT64_MAX / 2 || check.fail(GTR_ERROR_INVALID_ARGUMENT, "",
                                              "batch x length x heads x head dim is %lld x %lld x %lld x %lld; "
                                              "allowed are products below 2^59",
                                              static_cast<long long>(batch), static_cast<long long>(length),
                                              static_cast<long long>(heads), static_cast<long long>(head_dim));
}

}  // namespace

gtr_status gtr_attention_scratch_size(gtr_device* device, int32_t precision, int64_t batch, int64_t query_length,
                                      int64_t key_length, int64_t heads, int64_t head_dim, int64_t* bytes) {
  Check check("gtr_attention_scratch_size");
  check.not_null("device", device);
  check.precision(precision);
  check.range("batch", batch, 0, kMaxRows);
  check.range("query_length", query_length, 0, kMaxRows);
  check.range("key_length", key_length, 0, kMaxRows);
  check.range("heads", heads, 0, kMaxRows);
  check_head_dim(check, "head_dim", "head_dim", head_dim);
  check_total(check, batch, query_length, key_length, heads, head_dim);
  check.not_null("bytes", bytes);
  if (!check.ok()) return check.status();
  *bytes = device->backend->attention_scratch_size(device->implementation, static_cast<gtr_precision>(precision), batch,
                                                   query_length, key_length, heads, head_dim);
  return GTR_OK;
}

gtr_status gtr_attention(gtr_stream* stream, int32_t precision, double scale, const gtr_tensor* q, const gtr_tensor* k,
                         const gtr_tensor* v, const gtr_tensor* query_lengths, const gtr_tensor* key_lengths,
                         const gtr_tensor* mask, const gtr_tensor* out, void* scratch, int64_t scratch_size) {
  Check check("gtr_attention");
  const StreamUse use(check, stream);
  check.precision(precision);
  check.finite("scale", scale);
  const uint32_t types = precision == GTR_PRECISION_BF16 ? kF32 | kBF16 : kF32;
  if (!check.input("q", q, types, {any(), any(), any(), any()})) return check.status();
  const Dim batch{q->shape[0], "batch of q"};
  const Dim query_length{q->shape[1], "the query length"};
  const Dim heads{q->shape[2], "heads of q"};
  const Dim head_dim{q->shape[3], "head dim of q"};
  check_head_dim(check, "q", "q.shape[3]", head_dim.size);
  if (!check.input("k", k, types, {batch, any(), heads, head_dim})) return check.status();
  const Dim key_length{k->shape[1], "the key length"};
  for (int32_t d = 0; d < 3; ++d) check.size("q", *q, d, 0, kMaxRows);
  check.size("k", *k, 1, 0, kMaxRows);
  check_total(check, batch.size, query_length.size, key_length.size, heads.size, head_dim.size);
  check.input("v", v, types, {batch, key_length, heads, head_dim});
  check.optional_input("query_lengths", query_lengths, kI32, {batch});
  check.optional_input("key_lengths", key_lengths, kI32, {batch});
  check.optional_input("mask", mask, kU8, {batch, heads, query_length, key_length});
  check.output("out", out, types, {batch, query_length, heads, head_dim});
  if (!check.ok()) return check.status();
  const Backend& backend = *stream->device->backend;
  const auto arithmetic = static_cast<gtr_precision>(precision);
  const int64_t required =
      backend.attention_scratch_size(stream->device->implementation, arithmetic, batch.size, query_length.size,
                                     key_length.size, heads.size, head_dim.size);
  if (!check.scratch(scratch, scratch_size, required)) return check.status();
  return run_on(stream, check, *out, [&] {
    return backend.attention(stream->implementation, arithmetic, scale, *q, *k, *v, query_lengths, key_lengths, mask,
                             *out, scratch);
  });
}
