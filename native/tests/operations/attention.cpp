#include "reference/attention.h"

#include <cmath>
#include <limits>
#include <optional>

#include "fixtures/row_invariance.h"
#include "harness/case.h"

namespace gtr::test {
namespace {

using reference::AttentionShape;
using reference::Values;

enum class Mask { kNone, kFull, kOverHeads, kOverBatch, kOverQueries, kOverAll };

struct Problem {
  AttentionShape shape{2, 5, 9, 2, 16};
  gtr_precision precision = GTR_PRECISION_F32;
  gtr_dtype q = GTR_F32;
  gtr_dtype kv = GTR_F32;
  gtr_dtype out = GTR_F32;
  std::vector<int64_t> query_lengths;
  std::vector<int64_t> key_lengths;
  Mask mask = Mask::kNone;
  bool one_qkv = false;        // q, k and v are views of one matrix; Lq = Lk
  bool hidden_is_nan = false;  // keys that nobody may attend to hold NaN
  int64_t padding = 0;         // elements between heads, tokens and batch entries
};

std::string list_text(const std::vector<int64_t>& values) {
  std::string text;
  for (const int64_t value : values) text += (text.empty() ? "" : ",") + std::to_string(value);
  return text;
}

std::string name_of(const Problem& p) {
  static const char* const kMasks[] = {
      "", " mask", " mask over heads", " mask over batch", " mask over queries", " one mask"};
  std::string name =
      describe(p.precision == GTR_PRECISION_BF16 ? "bf16" : "f32", "B", p.shape.batch, "Lq", p.shape.query_length, "Lk",
               p.shape.key_length, "H", p.shape.heads, "D", p.shape.head_dim);
  if (p.q == GTR_BF16) name += " q bf16";
  if (p.kv == GTR_BF16) name += " kv bf16";
  if (p.out == GTR_BF16) name += " out bf16";
  if (!p.query_lengths.empty()) name += " query lengths " + list_text(p.query_lengths);
  if (!p.key_lengths.empty()) name += " key lengths " + list_text(p.key_lengths);
  name += kMasks[static_cast<int>(p.mask)];
  if (p.one_qkv) name += " one qkv";
  if (p.hidden_is_nan) name += " hidden NaN";
  if (p.padding) name += describe(" padding", p.padding);
  return name;
}

// Scores are sums of head_dim products of numbers up to 1, scaled by 1 / sqrt(head_dim): below 4 in practice, so they
// err by some 4 sqrt(head_dim) / sqrt(head_dim) epsilons, which is the relative error of a weight; exp adds a few.
// Values are up to 1 and the weights sum to 1. In bfloat16 each weight, whatever multiple of it is rounded, errs by up
// to an epsilon of it, all together by no more than an epsilon of the sum of their products with |v| <= 1; and the
// result by another epsilon of itself where it is divided by the sum of the unrounded ones.
Tolerance tolerance_of(const Problem& p) {
  Tolerance tolerance{40 * kFloatEpsilon, 8 * kFloatEpsilon};
  if (p.precision == GTR_PRECISION_BF16) tolerance = {kBfloat16Epsilon, kBfloat16Epsilon};
  return p.out == GTR_BF16 ? tolerance.stored_as_bfloat16() : tolerance;
}

std::vector<int64_t> padded_strides(const std::vector<int64_t>& shape, int64_t padding) {
  std::vector<int64_t> strides(shape.size(), 1);
  int64_t extent = shape.back();
  for (size_t i = shape.size() - 1; i-- > 0;) {
    strides[i] = extent + padding;
    extent = strides[i] * shape[i];
  }
  return strides;
}

// Everything that a call needs, in memory of its own.
struct Call {
  Call(Trial& trial, const Problem& p)
      : shape(p.shape),
        out(trial, "out", Role::kOutput, p.out, {p.shape.batch, p.shape.query_length, p.shape.heads, p.shape.head_dim},
            padded_strides({p.shape.batch, p.shape.query_length, p.shape.heads, p.shape.head_dim}, p.padding)) {
    const auto [batch, queries, keys, heads, dim] = shape;
    if (p.one_qkv) {
      const int64_t width = 3 * heads * dim;
      qkv.emplace(trial, "qkv", Role::kInput, p.q, std::vector<int64_t>{batch, queries, width});
      const auto view = [&, queries = queries, heads = heads, dim = dim, batch = batch](int64_t which) {
        return qkv->part(which * heads * dim, {batch, queries, heads, dim}, {queries * width, width, dim, 1});
      };
      q_view = view(0);
      k_view = view(1);
      v_view = view(2);
    } else {
      const std::vector<int64_t> key_shape{batch, keys, heads, dim};
      const std::vector<int64_t> query_shape{batch, queries, heads, dim};
      q.emplace(trial, "q", Role::kInput, p.q, query_shape, padded_strides(query_shape, p.padding));
      k.emplace(trial, "k", Role::kInput, p.kv, key_shape, padded_strides(key_shape, p.padding));
      v.emplace(trial, "v", Role::kInput, p.kv, key_shape, padded_strides(key_shape, 2 * p.padding));
      q_view = *q->view();
      k_view = *k->view();
      v_view = *v->view();
    }
    const auto lengths = [&, batch = batch](std::optional<Tensor>& tensor, const char* name,
                                            const std::vector<int64_t>& values) {
      if (values.empty()) return;
      tensor.emplace(trial, name, Role::kInput, GTR_I32, std::vector<int64_t>{batch});
      tensor->fill([&](int64_t i) { return static_cast<double>(values[static_cast<size_t>(i)]); });
    };
    lengths(query_lengths, "query_lengths", p.query_lengths);
    lengths(key_lengths, "key_lengths", p.key_lengths);
    if (p.mask != Mask::kNone) {
      const std::vector<int64_t> mask_shape{batch, heads, queries, keys};
      const bool all = p.mask == Mask::kOverAll;
      const bool over_queries = all || p.mask == Mask::kOverQueries;
      const bool over_heads = all || p.mask == Mask::kOverHeads;
      const bool over_batch = all || p.mask == Mask::kOverBatch;
      const int64_t query_stride = over_queries ? 0 : keys + p.padding;
      const int64_t per_head = over_queries ? keys : queries * (keys + p.padding);
      const int64_t head_stride = over_heads ? 0 : per_head;
      const int64_t batch_stride = over_batch ? 0 : over_heads ? per_head : heads * per_head;
      mask.emplace(trial, "mask", Role::kInput, GTR_U8, mask_shape,
                   std::vector<int64_t>{batch_stride, head_stride, query_stride, 1});
    }
    for (int64_t b = 0; b < batch && !p.query_lengths.empty(); ++b) {
      const int64_t row = heads * dim;
      for (int64_t i = p.query_lengths[static_cast<size_t>(b)] * row; i < queries * row; ++i) {
        out.leave_alone(b * queries * row + i);
      }
    }
  }

  // q, k or v as the reference wants it.
  Values values(int which) const {
    if (!qkv) return (which == 0 ? *q : which == 1 ? *k : *v).values();
    const int64_t row = shape.heads * shape.head_dim;
    Values values;
    for (int64_t token = 0; token < shape.batch * shape.query_length; ++token) {
      for (int64_t i = 0; i < row; ++i) values.push_back(qkv->get((token * 3 + which) * row + i));
    }
    return values;
  }

  void run(Trial& trial, const Target& target, gtr_precision precision, double scale) {
    Scratch scratch(trial, scratch_size(target, precision));
    trial.run(target.stream(), "gtr_attention", [&] { return run_on(target, precision, scale, scratch); });
  }
  void run_refused(Trial& trial, gtr_precision precision, double scale) {
    Scratch scratch(trial, scratch_size(trial.target(), precision));
    trial.run_expecting(GTR_ERROR_INVALID_ARGUMENT, "gtr_attention",
                        [&] { return run_on(trial.target(), precision, scale, scratch); });
  }

  int64_t scratch_size(const Target& target, gtr_precision precision) const {
    int64_t bytes = -1;
    require_ok(gtr_attention_scratch_size(target.device(), precision, shape.batch, shape.query_length, shape.key_length,
                                          shape.heads, shape.head_dim, &bytes),
               "gtr_attention_scratch_size");
    return bytes;
  }
  // The call and its end, with which comes what kernels find.
  gtr_status run_on(const Target& target, gtr_precision precision, double scale, const Scratch& scratch) const {
    const auto view = [](const std::optional<Tensor>& tensor) { return tensor ? tensor->view() : nullptr; };
    const gtr_status status =
        gtr_attention(target.stream(), precision, scale, &q_view, &k_view, &v_view, view(query_lengths),
                      view(key_lengths), view(mask), out.view(), scratch.data(), scratch.size());
    return status == GTR_OK ? gtr_stream_synchronize(target.stream()) : status;
  }

  AttentionShape shape;
  Tensor out;
  std::optional<Tensor> qkv;
  std::optional<Tensor> q;
  std::optional<Tensor> k;
  std::optional<Tensor> v;
  std::optional<Tensor> query_lengths;
  std::optional<Tensor> key_lengths;
  std::optional<Tensor> mask;
  gtr_tensor q_view{};
  gtr_tensor k_view{};
  gtr_tensor v_view{};
};

double usual_scale(const AttentionShape& shape) { return 1 / std::sqrt(static_cast<double>(shape.head_dim)); }

void fill_mask(Trial& trial, const AttentionShape& shape, Tensor& mask) {
  // About a third hidden; any value but 0 means attend. Query 1 sees nothing, where the mask has a row of its own.
  mask.fill([&](int64_t i) {
    const int64_t query = i / shape.key_length % shape.query_length;
    if (query == 1 && mask.view()->stride[2] != 0) return 0.0;
    return trial.random().integer(0, 2) == 0 ? 0.0 : static_cast<double>(trial.random().integer(1, 255));
  });
}

void run_problem(Trial& trial, const Problem& p) {
  Call call(trial, p);
  for (auto* tensor : {&call.qkv, &call.q, &call.k, &call.v}) {
    if (*tensor) (*tensor)->fill_uniform(-1, 1);
  }
  if (call.mask) fill_mask(trial, p.shape, *call.mask);
  const auto [batch, queries, keys, heads, dim] = p.shape;
  const Values mask = call.mask ? call.mask->values() : Values();
  if (p.hidden_is_nan) {
    // Behind the key length, and keys that the mask hides from every query of a head.
    for (int64_t b = 0; b < batch; ++b) {
      for (int64_t j = 0; j < keys; ++j) {
        for (int64_t h = 0; h < heads; ++h) {
          bool seen = false;
          for (int64_t i = 0; i < queries; ++i) {
            seen |= mask.empty() || mask[static_cast<size_t>(((b * heads + h) * queries + i) * keys + j)] != 0;
          }
          if (!p.key_lengths.empty()) seen &= j < p.key_lengths[static_cast<size_t>(b)];
          if (seen) continue;
          for (int64_t d = 0; d < dim; ++d) {
            const int64_t at = ((b * keys + j) * heads + h) * dim + d;
            const double poison = d % 2 ? std::numeric_limits<double>::quiet_NaN() : HUGE_VAL;
            call.k->set(at, poison);
            call.v->set(at, poison);
          }
        }
      }
    }
  }
  call.run(trial, trial.target(), p.precision, usual_scale(p.shape));
  trial.compare(call.out,
                reference::attention(p.shape, usual_scale(p.shape), call.values(0), call.values(1), call.values(2),
                                     p.precision, p.key_lengths, mask),
                tolerance_of(p));
}

// Scores of up to 4 million: the softmax is decided by single keys, and must neither overflow nor lose ties. All scores
// are integers below 2^24, so they are exact in float and so is the choice; in bfloat16 too, since entries are small
// multiples of 16.
void run_huge_scores(Trial& trial, gtr_precision precision, double sign) {
  Problem p;
  p.shape = {1, 7, 70, 2, 64};
  p.precision = precision;
  Call call(trial, p);
  call.q->fill([&](int64_t) { return 16.0 * static_cast<double>(trial.random().integer(-15, 15)); });
  call.k->fill([&](int64_t) { return 16.0 * static_cast<double>(trial.random().integer(-15, 15)); });
  call.v->fill_uniform(-1, 1);
  // Two equal best keys for every query of head 0: copies share the weight.
  for (int64_t d = 0; d < 64; ++d) call.k->set((3 * 2) * 64 + d, call.k->get((69 * 2) * 64 + d));
  call.run(trial, trial.target(), precision, sign);
  trial.compare(call.out,
                reference::attention(p.shape, sign, call.values(0), call.values(1), call.values(2), precision),
                tolerance_of(p));
}

// scale 0 is the plain mean of the values, whatever q and k hold.
void run_zero_scale(Trial& trial) {
  Problem p;
  p.shape = {1, 3, 33, 1, 24};
  Call call(trial, p);
  for (auto* tensor : {&call.q, &call.k, &call.v}) (*tensor)->fill_uniform(-1, 1);
  call.run(trial, trial.target(), GTR_PRECISION_F32, 0);
  trial.compare(call.out, reference::attention(p.shape, 0, call.values(0), call.values(1), call.values(2)),
                tolerance_of(p));
}

// A batch entry, a head or a query alone has the bits that it has among others, with other lengths around it, and for
// any number of threads.
void run_invariance(Trial& trial, gtr_precision precision, gtr_dtype dtype, int64_t dim) {
  Problem together;
  // Together so many rows that a GPU's larger blocks of queries have work for all of it, alone not.
  together.shape = {3, 130, 77, 3, dim};
  together.precision = precision;
  together.q = together.kv = dtype;
  together.key_lengths = {77, 40, 9};
  const auto [batch, queries, keys, heads, head_dim] = together.shape;
  Call all(trial, together);
  for (auto* tensor : {&all.q, &all.k, &all.v}) (*tensor)->fill_uniform(-1, 1);
  const double scale = usual_scale(together.shape);
  all.run(trial, trial.target(), precision, scale);
  const Values expected = all.out.values();

  for (const int32_t threads : thread_counts(trial.target())) {
    Target other(trial.target().info().backend, trial.target().info().tier, threads);
    all.run(trial, other, precision, scale);
    trial.compare_bits(describe(threads, "threads"), all.out.values(), expected);
  }

  // One batch entry, some of its queries, no more keys than it attends to.
  for (int64_t b = 0; b < batch; ++b) {
    for (const auto& range : {std::pair<int64_t, int64_t>{0, 130}, {0, 1}, {64, 65}, {5, 12}, {129, 130}}) {
      Problem alone = together;
      const int64_t own_keys = together.key_lengths[static_cast<size_t>(b)];
      alone.shape.batch = 1;
      alone.shape.query_length = range.second - range.first;
      alone.shape.key_length = own_keys;
      alone.key_lengths.clear();
      Call call(trial, alone);
      const int64_t row = heads * head_dim;
      call.q->fill([&, b, queries = queries](int64_t i) { return all.q->get((b * queries + range.first) * row + i); });
      call.k->fill([&, b, keys = keys](int64_t i) { return all.k->get(b * keys * row + i); });
      call.v->fill([&, b, keys = keys](int64_t i) { return all.v->get(b * keys * row + i); });
      call.run(trial, trial.target(), precision, scale);
      const auto first = expected.begin() + (b * queries + range.first) * row;
      trial.compare_bits(describe("entry", b, "queries", range.first, "to", range.second, "alone"), call.out.values(),
                         Values(first, first + alone.shape.query_length * row));
    }
  }
}

// A value that is infinite or NaN reaches the query that may attend to its key, in its column, and nobody else.
void run_value_of_one(Trial& trial, gtr_precision precision, gtr_dtype dtype, double value) {
  constexpr int64_t kQuery = 2;
  constexpr int64_t kKey = 67;
  constexpr int64_t kColumn = 17;
  constexpr int64_t kHead = 1;
  Problem p;
  p.shape = {1, 19, 70, 2, 80};
  p.precision = precision;
  p.q = p.kv = dtype;
  p.mask = Mask::kFull;
  const auto [batch, queries, keys, heads, dim] = p.shape;
  Call call(trial, p);
  for (auto* tensor : {&call.q, &call.k, &call.v}) (*tensor)->fill_uniform(-1, 1);
  call.mask->fill([&, queries = queries, keys = keys](int64_t i) {
    const int64_t query = i / keys % queries;
    return i % keys == kKey && query != kQuery ? 0.0 : 1.0;
  });
  Values without = call.values(2);
  without[(kKey * heads + kHead) * dim + kColumn] = 0;
  const Values expected = reference::attention(p.shape, usual_scale(p.shape), call.values(0), call.values(1), without,
                                               precision, {}, call.mask->values());
  call.v->set((kKey * heads + kHead) * dim + kColumn, value);
  call.run(trial, trial.target(), precision, usual_scale(p.shape));
  Values got = call.out.values();
  double& hit = got[(kQuery * heads + kHead) * dim + kColumn];
  trial.expect(std::isnan(value) ? std::isnan(hit) : hit == value, "the query that may attend sees the value");
  hit = expected[(kQuery * heads + kHead) * dim + kColumn];
  trial.compare("out elsewhere", got, expected, tolerance_of(p));
}

// The same numbers in any form that gtr.h allows: other dtypes, strides that no vector load likes, a mask that hides
// nothing, queries beside others. All have the same bits.
void run_forms(Trial& trial, int64_t dim) {
  Problem p;
  p.shape = {3, 130, 77, 3, dim};
  p.precision = GTR_PRECISION_BF16;
  p.q = p.kv = GTR_BF16;
  Call plain(trial, p);
  for (auto* tensor : {&plain.q, &plain.k, &plain.v}) (*tensor)->fill_uniform(-1, 1);
  plain.run(trial, trial.target(), p.precision, usual_scale(p.shape));
  const Values expected = plain.out.values();

  const auto check = [&](const char* what, const Problem& form) {
    Call call(trial, form);
    call.q->fill([&](int64_t i) { return plain.q->get(i); });
    call.k->fill([&](int64_t i) { return plain.k->get(i); });
    call.v->fill([&](int64_t i) { return plain.v->get(i); });
    if (call.mask) call.mask->fill([](int64_t i) { return static_cast<double>(1 + i % 255); });
    call.run(trial, trial.target(), form.precision, usual_scale(form.shape));
    trial.compare_bits(what, call.out.values(), expected);
  };
  Problem form = p;
  form.padding = 3;
  check("odd strides", form);
  form.padding = 8;
  check("padded by 16 bytes", form);
  form = p;
  form.q = GTR_F32;
  check("q f32", form);
  form.kv = GTR_F32;
  check("all f32", form);
  form.padding = 1;
  check("all f32, odd strides", form);
  form = p;
  form.mask = Mask::kFull;
  check("a mask of all", form);
  form.mask = Mask::kOverAll;
  form.kv = GTR_F32;
  check("one mask of all, kv f32", form);
}

// A length out of range is refused, with its place, its value and what is allowed, and nothing of its batch entry is
// written.
void run_bad_length(Trial& trial, bool of_keys, int64_t length) {
  Problem p;
  p.shape = {3, 70, 66, 2, 64};
  p.precision = GTR_PRECISION_BF16;
  p.query_lengths = {70, 1, 9};
  p.key_lengths = {66, 65, 0};
  Call call(trial, p);
  for (auto* tensor : {&call.q, &call.k, &call.v}) (*tensor)->fill_uniform(-1, 1);
  (of_keys ? call.key_lengths : call.query_lengths)->set(1, static_cast<double>(length));
  const int64_t entry = p.shape.query_length * p.shape.heads * p.shape.head_dim;
  for (int64_t i = entry; i < 2 * entry; ++i) call.out.leave_alone(i);
  call.run_refused(trial, p.precision, usual_scale(p.shape));
  const std::string argument = of_keys ? "key_lengths" : "query_lengths";
  trial.expect(gtr_last_error_argument() == argument, "the message names the argument");
  const std::string text = argument + describe("[1] is", length) + describe("; allowed are 0 to", of_keys ? 66 : 70);
  trial.expect(std::string(gtr_last_error()).find(text) != std::string::npos, text.c_str());
}

void run_golden(Trial& trial, const std::string& prefix, bool masked) {
  const Safetensors& file = trial.data().golden("tiny_cases");
  const auto& q_shape = file.get(prefix + ".q").shape;
  Problem p;
  p.shape = {q_shape[0], q_shape[1], file.get(prefix + ".k").shape[1], q_shape[2], q_shape[3]};
  if (masked) {
    p.mask = Mask::kOverHeads;
  } else {
    p.key_lengths = file.get(prefix + ".key_lengths").integers();
  }
  Call call(trial, p);
  const auto fill = [&](std::optional<Tensor>& tensor, const char* name) {
    const Values values = file.values(prefix + name);
    tensor->fill([&](int64_t i) { return values[static_cast<size_t>(i)]; });
  };
  fill(call.q, ".q");
  fill(call.k, ".k");
  fill(call.v, ".v");
  if (masked) {
    const Values narrow = file.values(prefix + ".mask");
    const int64_t plane = p.shape.query_length * p.shape.key_length;
    call.mask->fill(
        [&](int64_t i) { return narrow[static_cast<size_t>(i / (p.shape.heads * plane) * plane + i % plane)]; });
  }
  call.run(trial, trial.target(), GTR_PRECISION_F32, usual_scale(p.shape));
  const Values expected = file.values(prefix + (masked ? ".out_mask" : ".out_lengths"));
  trial.compare_norm(prefix, call.out.values(), expected, static_cast<int64_t>(expected.size()), 1e-5);
}

}  // namespace

void add_attention_cases(CaseList& cases) {
  const auto add = [&](const Problem& p) { cases.add(name_of(p), [p](Trial& trial) { run_problem(trial, p); }); };
  for (const gtr_precision precision : {GTR_PRECISION_F32, GTR_PRECISION_BF16}) {
    for (const int64_t dim : {8, 16, 24, 32, 40, 56, 64, 72, 80, 96, 128, 200, 256}) {
      Problem p;
      p.precision = precision;
      p.shape = {2, 1 + dim % 7, 3 + dim % 33, 1 + dim % 3, dim};
      p.padding = dim % 16 ? 3 : 0;
      add(p);
    }
    // Lengths around what a kernel may block by.
    for (const auto& lengths : {std::pair<int64_t, int64_t>{1, 1},
                                {1, 2},
                                {2, 1},
                                {3, 15},
                                {4, 16},
                                {5, 17},
                                {8, 31},
                                {15, 32},
                                {16, 33},
                                {17, 63},
                                {31, 64},
                                {33, 65},
                                {63, 100},
                                {64, 127},
                                {65, 129},
                                {70, 257},
                                {0, 5},
                                {5, 0}}) {
      for (const int64_t dim : {64, 80}) {
        Problem p;
        p.precision = precision;
        p.shape = {1, lengths.first, lengths.second, 2, dim};
        add(p);
      }
    }
    for (const Mask mask :
         {Mask::kNone, Mask::kFull, Mask::kOverHeads, Mask::kOverBatch, Mask::kOverQueries, Mask::kOverAll}) {
      for (const bool with_lengths : {false, true}) {
        for (const int64_t padding : {0, 5}) {
          Problem p;
          p.precision = precision;
          p.shape = {3, 13, 37, 2, 24};
          p.mask = mask;
          p.padding = padding;
          if (with_lengths) {
            p.query_lengths = {13, 0, 6};
            p.key_lengths = {0, 37, 20};
          }
          p.hidden_is_nan = mask != Mask::kNone || with_lengths;
          add(p);
        }
      }
    }
    for (const int bits : {1, 2, 3, 4, 5, 6, 7}) {
      Problem p;
      p.precision = precision;
      p.q = bits & 1 ? GTR_BF16 : GTR_F32;
      p.kv = bits & 2 ? GTR_BF16 : GTR_F32;
      p.out = bits & 4 ? GTR_BF16 : GTR_F32;
      p.shape = {2, 11, 35, 2, 80};
      p.key_lengths = {35, 17};
      if (precision == GTR_PRECISION_BF16) add(p);
    }
    // Where tiles of 32 and 64 keys and blocks of 32, 64 and 128 queries end, as kernels like their inputs best, with
    // and without a mask that hides keys of the last, partial tile.
    for (const int64_t dim : {64, 80, 88, 96, 128, 136, 256}) {
      for (const auto& lengths : {std::pair<int64_t, int64_t>{16, 31}, {63, 64}, {65, 65}, {130, 129}, {33, 97}}) {
        for (const Mask mask : {Mask::kNone, Mask::kOverHeads}) {
          Problem p;
          p.precision = precision;
          p.q = p.kv = p.out = precision == GTR_PRECISION_BF16 ? GTR_BF16 : GTR_F32;
          p.shape = {2, lengths.first, lengths.second, dim > 80 ? 1 : 2, dim};
          p.mask = mask;
          p.hidden_is_nan = mask != Mask::kNone;
          cases.add_once(name_of(p), [p](Trial& trial) { run_problem(trial, p); });
        }
      }
    }
    // The same with lengths of their own, the last ones far below the longest; and so many heads that blocks of 128
    // queries fill 4 multiprocessors, or (the second) any card of today.
    for (const int64_t batch : {4, 40}) {
      for (const int64_t dim : {64, 80}) {
        Problem p;
        p.precision = precision;
        p.q = p.kv = precision == GTR_PRECISION_BF16 ? GTR_BF16 : GTR_F32;
        p.shape = {batch, batch == 4 ? 200 : 72, batch == 4 ? 150 : 66, batch == 4 ? 2 : 8, dim};
        p.query_lengths = {batch == 4 ? 200 : 72, 64, 0, 1};
        p.key_lengths = {batch == 4 ? 150 : 66, 0, 64, 65};
        for (int64_t b = 4; b < batch; ++b) {
          p.query_lengths.push_back(b);
          p.key_lengths.push_back(b % 3 ? b : 66);
        }
        p.hidden_is_nan = true;
        cases.add_once(describe(name_of(p).substr(0, name_of(p).find(" query lengths")), "lengths hidden NaN"),
                       [p](Trial& trial) { run_problem(trial, p); });
      }
    }
    for (const gtr_dtype dtype : {GTR_F32, GTR_BF16}) {
      if (dtype == GTR_BF16 && precision == GTR_PRECISION_F32) continue;
      Problem p;
      p.precision = precision;
      p.q = p.kv = dtype;
      p.shape = {2, 29, 29, 3, 64};
      p.one_qkv = true;
      add(p);
      p.key_lengths = {29, 10};
      p.query_lengths = {29, 10};
      add(p);
    }
    // Decoders of MAR-B and MAR-H with 64 buffer tokens, one head each.
    for (const int64_t dim : {64, 80}) {
      Problem p;
      p.precision = precision;
      p.shape = {1, 320, 320, 1, dim};
      cases.add_once(name_of(p), [p](Trial& trial) { run_problem(trial, p); });
    }
    const std::string prefix = precision == GTR_PRECISION_BF16 ? "bf16 " : "f32 ";
    cases.add(prefix + "huge scores", [precision](Trial& trial) { run_huge_scores(trial, precision, 1); });
    cases.add(prefix + "huge scores, negative scale",
              [precision](Trial& trial) { run_huge_scores(trial, precision, -1); });
    const gtr_dtype dtype = precision == GTR_PRECISION_BF16 ? GTR_BF16 : GTR_F32;
    for (const int64_t dim : {24, 64, 80, 136}) {
      cases.add_once(describe(prefix + "invariance D", dim),
                     [precision, dtype, dim](Trial& trial) { run_invariance(trial, precision, dtype, dim); });
    }
    for (const double value : {HUGE_VAL, -HUGE_VAL, std::numeric_limits<double>::quiet_NaN()}) {
      for (const gtr_dtype stored : {GTR_F32, dtype}) {
        cases.add(describe(prefix + "value seen by one query", value, stored == GTR_BF16 ? "bf16" : "f32"),
                  [precision, stored, value](Trial& trial) { run_value_of_one(trial, precision, stored, value); });
        if (stored == dtype && dtype == GTR_F32) break;
      }
    }
  }
  cases.add("zero scale", run_zero_scale);
  for (const int64_t dim : {64, 80, 128}) {
    cases.add_once(describe("same bits in any form, D", dim), [dim](Trial& trial) { run_forms(trial, dim); });
  }
  for (const bool of_keys : {false, true}) {
    for (const int64_t length : {-1, of_keys ? 67 : 71}) {
      cases.add(describe(of_keys ? "key length" : "query length", length, "is refused"),
                [of_keys, length](Trial& trial) { run_bad_length(trial, of_keys, length); });
    }
  }
  for (const int dim : {16, 64, 80}) {
    const std::string prefix = "attention.d" + std::to_string(dim);
    cases.add("golden " + prefix + " lengths", [prefix](Trial& trial) { run_golden(trial, prefix, false); });
    cases.add("golden " + prefix + " mask", [prefix](Trial& trial) { run_golden(trial, prefix, true); });
  }
}

}  // namespace gtr::test
