// gtr_attention*: every refusal.
#include <cmath>

#include "fixture.h"

namespace gtr::test {
namespace {

constexpr gtr_status kInvalid = GTR_ERROR_INVALID_ARGUMENT;
constexpr int64_t kBatch = 3, kQueries = 4, kKeys = 5, kHeads = 3, kHeadDim = 16;

void scratch_sizes(const Fixture& f) {
  constexpr const char* kOperation = "gtr_attention_scratch_size";
  int64_t bytes = -1;
  const auto refused = [&](gtr_device* device, int32_t precision, int64_t batch, int64_t queries, int64_t keys,
                           int64_t heads, int64_t head_dim, const char* argument, const char* text) {
    EXPECT_REFUSED(gtr_attention_scratch_size(device, precision, batch, queries, keys, heads, head_dim, &bytes),
                   kInvalid, kOperation, argument, text);
  };
  refused(nullptr, 0, 1, 1, 1, 1, 64, "device", "device is null");
  refused(f.device, 2, 1, 1, 1, 1, 64, "precision", "precision is 2");
  refused(f.device, 0, -1, 1, 1, 1, 64, "batch", "batch is -1");
  refused(f.device, 0, 1, -1, 1, 1, 64, "query_length", "query_length is -1");
  refused(f.device, 0, 1, 1, -1, 1, 64, "key_length", "key_length is -1");
  refused(f.device, 0, 1, 1, 1, INT64_MAX, 64, "heads", "heads is 9223372036854775807");
  for (const int64_t head_dim : {-8, 0, 4, 12, 264}) {
    refused(f.device, 0, 1, 1, 1, 1, head_dim, "head_dim", "allowed are multiples of 8 from 8 to 256");
  }
  refused(f.device, 0, INT32_MAX, INT32_MAX, 1, INT32_MAX, 64, "", "allowed are products below");
  EXPECT_REFUSED(gtr_attention_scratch_size(f.device, 0, 1, 1, 1, 1, 64, nullptr), kInvalid, kOperation, "bytes",
                 "bytes is null");
}

void running(const Fixture& f) {
  constexpr const char* kOperation = "gtr_attention";
  const Array<float> q({kBatch, kQueries, kHeads, kHeadDim}), k({kBatch, kKeys, kHeads, kHeadDim});
  const Array<float> v({kBatch, kKeys, kHeads, kHeadDim});
  Array<int32_t> query_lengths({kBatch}, kQueries), key_lengths({kBatch}, kKeys);
  const Array<uint8_t> mask({kBatch, kHeads, kQueries, kKeys}, 1);
  const Array<float> out({kBatch, kQueries, kHeads, kHeadDim}, 7.0f);
  int64_t bytes = -1;
  EXPECT_OK(gtr_attention_scratch_size(f.device, 0, kBatch, kQueries, kKeys, kHeads, kHeadDim, &bytes));
  EXPECT(bytes >= 0);
  const Scratch scratch(bytes);
  const auto call = [&](const gtr_tensor* q_, const gtr_tensor* k_, const gtr_tensor* v_, const gtr_tensor* queries_,
                        const gtr_tensor* keys_, const gtr_tensor* mask_, const gtr_tensor* out_) {
    return gtr_attention(f.stream, GTR_PRECISION_F32, 0.25, q_, k_, v_, queries_, keys_, mask_, out_, scratch.data,
                         bytes);
  };
  refuse_null_stream(kOperation, [&](gtr_stream* stream) {
    return gtr_attention(stream, 0, 1, &q, &k, &v, nullptr, nullptr, nullptr, &out, scratch.data, bytes);
  });
  for (const int32_t precision : {-1, 2}) {
    EXPECT_REFUSED(
        gtr_attention(f.stream, precision, 1, &q, &k, &v, nullptr, nullptr, nullptr, &out, scratch.data, bytes),
        kInvalid, kOperation, "precision", "; allowed are 0 (f32), 1 (bf16)");
  }
  for (const double scale : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    EXPECT_REFUSED(gtr_attention(f.stream, 0, scale, &q, &k, &v, nullptr, nullptr, nullptr, &out, scratch.data, bytes),
                   kInvalid, kOperation, "scale", "allowed are finite numbers");
  }
  const auto with_q = [&](const gtr_tensor* t) { return call(t, &k, &v, &query_lengths, &key_lengths, &mask, &out); };
  const auto with_k = [&](const gtr_tensor* t) { return call(&q, t, &v, &query_lengths, &key_lengths, &mask, &out); };
  const auto with_v = [&](const gtr_tensor* t) { return call(&q, &k, t, &query_lengths, &key_lengths, &mask, &out); };
  refuse_null(kOperation, "q", with_q);
  refuse_null(kOperation, "k", with_k);
  refuse_null(kOperation, "v", with_v);
  refuse_bad_tensor(kOperation, "q", q.tensor, {}, with_q);
  refuse_bad_tensor(kOperation, "k", k.tensor, {0, 2, 3}, with_k);
  refuse_bad_tensor(kOperation, "v", v.tensor, {0, 1, 2, 3}, with_v);
  refuse_bad_tensor(kOperation, "query_lengths", query_lengths.tensor, {0},
                    [&](const gtr_tensor* t) { return call(&q, &k, &v, t, &key_lengths, &mask, &out); });
  refuse_bad_tensor(kOperation, "key_lengths", key_lengths.tensor, {0},
                    [&](const gtr_tensor* t) { return call(&q, &k, &v, &query_lengths, t, &mask, &out); });
  refuse_bad_tensor(kOperation, "mask", mask.tensor, {0, 1, 2, 3},
                    [&](const gtr_tensor* t) { return call(&q, &k, &v, &query_lengths, &key_lengths, t, &out); });
  refuse_bad_output(kOperation, "out", out.tensor, {0, 1, 2, 3}, {&q, &k, &v},
                    [&](const gtr_tensor* t) { return call(&q, &k, &v, &query_lengths, &key_lengths, &mask, t); });
  const Array<float> odd({kBatch, kQueries, kHeads, 12});
  EXPECT_REFUSED(with_q(&odd), kInvalid, kOperation, "q", "q.shape[3] is 12; allowed are multiples of 8 from 8 to 256");
  const Array<uint16_t> half({kBatch, kQueries, kHeads, kHeadDim});
  EXPECT_REFUSED(with_q(&half), kInvalid, kOperation, "q", "q.dtype is bf16; allowed is f32");

  // Lengths, in the words of the brief to all backends.
  const auto lengths_refused = [&](Array<int32_t>& lengths, int32_t value, const char* argument, const char* text) {
    const int32_t good = lengths.values[1];
    lengths.values[1] = value;
    EXPECT_REFUSED(call(&q, &k, &v, &query_lengths, &key_lengths, nullptr, &out), kInvalid, kOperation, argument, text);
    lengths.values[1] = good;
  };
  lengths_refused(key_lengths, 6, "key_lengths", "key_lengths[1] is 6; allowed are 0 to 5 (the key length)");
  lengths_refused(key_lengths, -1, "key_lengths", "key_lengths[1] is -1; allowed are 0 to 5");
  lengths_refused(query_lengths, 5, "query_lengths", "query_lengths[1] is 5; allowed are 0 to 4 (the query length)");
  lengths_refused(query_lengths, INT32_MIN, "query_lengths", "query_lengths[1] is -2147483648");

  bool unchanged = true;
  for (const float value : out.values) unchanged = unchanged && value == 7.0f;
  EXPECT(unchanged);

  refuse_bad_scratch(kOperation, scratch, bytes, [&](void* data, int64_t size) {
    return gtr_attention(f.stream, 0, 1, &q, &k, &v, nullptr, nullptr, nullptr, &out, data, size);
  });
  EXPECT_OK(call(&q, &k, &v, &query_lengths, &key_lengths, &mask, &out));

  // q, k, v and even out as views of one matrix [batch, length, 4, heads, head dim].
  Array<float> matrix({kBatch, kKeys, 4, kHeads * kHeadDim});
  const auto part = [&](int64_t which) {
    gtr_tensor view = k.tensor;
    view.data = matrix.values.data() + which * kHeads * kHeadDim;
    view.size = matrix.tensor.size - which * kHeads * kHeadDim * 4;
    view.stride[0] = matrix.tensor.stride[0];
    view.stride[1] = matrix.tensor.stride[1];
    return view;
  };
  const gtr_tensor parts[4] = {part(0), part(1), part(2), part(3)};
  int64_t needed = 0;
  EXPECT_OK(gtr_attention_scratch_size(f.device, 0, kBatch, kKeys, kKeys, kHeads, kHeadDim, &needed));
  const Scratch more(needed);
  EXPECT_OK(gtr_attention(f.stream, 0, 1, &parts[0], &parts[1], &parts[2], nullptr, nullptr, nullptr, &parts[3],
                          more.data, needed));
  EXPECT_REFUSED(gtr_attention(f.stream, 0, 1, &parts[0], &parts[1], &parts[2], nullptr, nullptr, nullptr, &parts[2],
                               more.data, needed),
                 kInvalid, kOperation, "out", "out overlaps v");

  const Array<float> none({0, kQueries, kHeads, kHeadDim}), no_keys({0, kKeys, kHeads, kHeadDim});
  EXPECT_OK(
      gtr_attention(f.stream, 0, 1, &none, &no_keys, &no_keys, nullptr, nullptr, nullptr, &none, more.data, needed));
  EXPECT_OK(gtr_stream_cancel(f.stream));
  EXPECT_REFUSED(call(&q, &k, &v, nullptr, nullptr, nullptr, &out), GTR_ERROR_CANCELLED, kOperation, "stream",
                 "cancelled");
  EXPECT_OK(gtr_stream_reset(f.stream));
}

// No key at all: as where key_lengths is 0, the result is 0.
void no_keys_give_zero(const Fixture& f) {
  const Array<float> q({2, 3, 2, 8}, 1.0f), none({2, 0, 2, 8}), out({2, 3, 2, 8}, 7.0f);
  int64_t bytes = -1;
  EXPECT_OK(gtr_attention_scratch_size(f.device, 0, 2, 3, 0, 2, 8, &bytes));
  const Scratch scratch(bytes);
  EXPECT_OK(gtr_attention(f.stream, 0, 1, &q, &none, &none, nullptr, nullptr, nullptr, &out, scratch.data, bytes));
  bool zero = true;
  for (const float value : out.values) zero = zero && value == 0.0f;
  EXPECT(zero);
}

}  // namespace
}  // namespace gtr::test

int main() {
  using namespace gtr::test;
  {
    const Fixture f;
    scratch_sizes(f);
    running(f);
    no_keys_give_zero(f);
  }
  return result();
}
