// Values inside arrays, which only the backend can read: indices and lengths that gtr.h forbids. The call that met
// them, or on an asynchronous backend the next synchronisation, names operation, argument, element, value and what is
// allowed; nothing is read or written by such a value, and the stream is as good as new. The CPU looks before it starts
// and writes nothing at all; CUDA leaves out the rows of the value alone.
#include <functional>

#include "harness/case.h"

namespace gtr::test {
namespace {

// A call, one of whose arrays of i32 gets a wrong value.
struct Refusal {
  const char* operation;
  const char* argument;
  std::string sentence;  // after the operation's name
  Tensor* array;
  int64_t at;  // the element
  int64_t value;
};

// Does an element of the output belong to the wrong value?
using BelongsTo = std::function<bool(int64_t element)>;

// The call with the wrong value, for an output that holds `before`. `good`: what a good call makes of it.
void expect_refusal(Trial& trial, const Refusal& refusal, const Tensor& out, const std::vector<double>& before,
                    const std::vector<double>& good, const BelongsTo& belongs,
                    const std::function<gtr_status()>& call) {
  gtr_stream* stream = trial.target().stream();
  trial.before_call();
  gtr_status status = call();
  if (status == GTR_OK) status = gtr_stream_synchronize(stream);
  const std::string operation = gtr_last_error_operation();
  const std::string argument = gtr_last_error_argument();
  const std::string message = gtr_last_error();
  trial.after_call();
  if (status != GTR_ERROR_INVALID_ARGUMENT) {
    trial.fail("%s[%lld] = %lld: %s", refusal.argument, static_cast<long long>(refusal.at),
               static_cast<long long>(refusal.value), gtr_status_name(status));
    return;
  }
  if (operation != refusal.operation || argument != refusal.argument ||
      message != std::string(refusal.operation) + ": " + refusal.sentence) {
    trial.fail("operation %s, argument %s, \"%s\", where \"%s\" was expected", operation.c_str(), argument.c_str(),
               message.c_str(), refusal.sentence.c_str());
  }
  std::vector<double> expected = before;
  if (!trial.target().is_cpu()) {
    for (int64_t i = 0; i < out.count(); ++i) {
      if (!belongs(i)) expected[static_cast<size_t>(i)] = good[static_cast<size_t>(i)];
    }
  }
  trial.compare_bits(std::string(refusal.operation) + " with a wrong " + refusal.argument, out.values(), expected);
  require_ok(gtr_stream_synchronize(stream), "a second gtr_stream_synchronize");
}

// Good values, then the wrong one, then good ones again.
void run_refusal(Trial& trial, const Refusal& refusal, Tensor& out, const BelongsTo& belongs,
                 const std::function<gtr_status()>& call) {
  out.fill_uniform(2, 3);
  const std::vector<double> before = out.values();
  const auto reset = [&] { out.fill([&](int64_t i) { return before[static_cast<size_t>(i)]; }); };
  trial.run(refusal.operation, call);
  const std::vector<double> good = out.values();
  trial.expect(good != before, "the good call did nothing");

  const double right = refusal.array->get(refusal.at);
  refusal.array->set(refusal.at, static_cast<double>(refusal.value));
  reset();
  expect_refusal(trial, refusal, out, before, good, belongs, call);

  refusal.array->set(refusal.at, right);
  reset();
  trial.run(refusal.operation, call);
  trial.compare_bits("the stream's next call", out.values(), good);
}

std::string allowed(const char* argument, int64_t at, int64_t value, int64_t lowest, int64_t highest,
                    const char* limit) {
  return std::string(argument) + "[" + std::to_string(at) + "] is " + std::to_string(value) + "; allowed are " +
         std::to_string(lowest) + " to " + std::to_string(highest) + " (" + limit + ")";
}

constexpr int64_t kRows = 7;
constexpr int64_t kWidth = 33;
constexpr int64_t kSources = 5;

// Row `row` of [.., kWidth].
BelongsTo row_is(int64_t row) {
  return [row](int64_t element) { return element / kWidth == row; };
}

struct EmbedProblem {
  bool has_second;
  bool has_position;
  bool one_index;       // stride 0
  bool wrong_position;  // the wrong value is in position_index
  int64_t value;
};

void run_embed(Trial& trial, const EmbedProblem& p) {
  constexpr int64_t kSecond = 2;
  Tensor first(trial, "first", Role::kInput, GTR_F32, {kSources, kWidth});
  Tensor second(trial, "second", Role::kInput, GTR_F32, {kSecond, kWidth});
  Tensor position(trial, "position", Role::kInput, GTR_F32, {kSources, kWidth});
  Tensor index(trial, "index", Role::kInput, GTR_I32, {kRows}, {p.one_index ? 0 : 1});
  Tensor position_index(trial, "position_index", Role::kInput, GTR_I32, {kRows});
  Tensor y(trial, "y", Role::kInOut, GTR_F32, {kRows, kWidth}, {kWidth + 3, 1});
  for (Tensor* tensor : {&first, &second, &position}) tensor->fill_uniform(-1, 1);
  index.fill_integers(p.has_second ? -kSecond : 0, kSources - 1);
  position_index.fill_integers(0, kSources - 1);

  const int64_t at = p.one_index && !p.wrong_position ? 0 : 4;
  const int64_t lowest = p.has_second && !p.wrong_position ? -kSecond : 0;
  const char* argument = p.wrong_position ? "position_index" : "index";
  const char* limit = p.wrong_position ? "rows of position" : "rows of second and first";
  const Refusal refusal = {"gtr_embed",
                           argument,
                           allowed(argument, at, p.value, lowest, kSources - 1, limit),
                           p.wrong_position ? &position_index : &index,
                           at,
                           p.value};
  const BelongsTo all = [](int64_t) { return true; };
  run_refusal(trial, refusal, y, p.one_index && !p.wrong_position ? all : row_is(at), [&] {
    return gtr_embed(trial.target().stream(), first.view(), p.has_second ? second.view() : nullptr, index.view(),
                     p.has_position ? position.view() : nullptr, p.has_position ? position_index.view() : nullptr,
                     y.view());
  });
}

void run_gather(Trial& trial, gtr_dtype dtype, int64_t value) {
  Tensor x(trial, "x", Role::kInput, dtype, {kSources, kWidth});
  Tensor index(trial, "index", Role::kInput, GTR_I32, {kRows});
  Tensor y(trial, "y", Role::kInOut, dtype, {kRows, kWidth}, {kWidth + 3, 1});
  x.fill_uniform(-1, 1);
  index.fill_integers(0, kSources - 1);
  constexpr int64_t kAt = 6;
  const Refusal refusal = {"gtr_gather", "index", allowed("index", kAt, value, 0, kSources - 1, "rows of x"),
                           &index,       kAt,     value};
  run_refusal(trial, refusal, y, row_is(kAt),
              [&] { return gtr_gather(trial.target().stream(), x.view(), index.view(), y.view()); });
}

// There is no right index into no rows.
void run_gather_of_nothing(Trial& trial) {
  Tensor x(trial, "x", Role::kInput, GTR_F32, {0, kWidth});
  Tensor index(trial, "index", Role::kInput, GTR_I32, {1});
  Tensor y(trial, "y", Role::kInOut, GTR_F32, {1, kWidth});
  index.set(0, 0);
  y.fill_uniform(2, 3);
  const std::vector<double> before = y.values();
  const Refusal refusal = {"gtr_gather", "index", "index[0] is 0; allowed are none (rows of x)", &index, 0, 0};
  expect_refusal(trial, refusal, y, before, before, row_is(0),
                 [&] { return gtr_gather(trial.target().stream(), x.view(), index.view(), y.view()); });
}

void run_scatter(Trial& trial, gtr_dtype dtype, int64_t value) {
  constexpr int64_t kTargets = 9;
  Tensor x(trial, "x", Role::kInput, dtype, {kRows, kWidth});
  Tensor index(trial, "index", Role::kInput, GTR_I32, {kRows});
  Tensor y(trial, "y", Role::kInOut, dtype, {kTargets, kWidth}, {kWidth + 3, 1});
  x.fill_uniform(-1, 1);
  index.fill([](int64_t i) { return static_cast<double>(i * 2 % kTargets); });
  constexpr int64_t kAt = 5;
  const auto target = static_cast<int64_t>(index.get(kAt));
  const Refusal refusal = {"gtr_scatter", "index", allowed("index", kAt, value, 0, kTargets - 1, "rows of y"),
                           &index,        kAt,     value};
  run_refusal(trial, refusal, y, row_is(target),
              [&] { return gtr_scatter(trial.target().stream(), x.view(), index.view(), y.view()); });
}

void run_attention(Trial& trial, gtr_precision precision, bool wrong_keys, bool one_length, int64_t value) {
  constexpr int64_t kBatch = 3, kQueries = 5, kKeys = 7, kHeads = 2, kHeadDim = 16;
  Tensor q(trial, "q", Role::kInput, GTR_F32, {kBatch, kQueries, kHeads, kHeadDim});
  Tensor k(trial, "k", Role::kInput, GTR_F32, {kBatch, kKeys, kHeads, kHeadDim});
  Tensor v(trial, "v", Role::kInput, GTR_F32, {kBatch, kKeys, kHeads, kHeadDim});
  const std::vector<int64_t> strides = {one_length ? 0 : 1};
  Tensor query_lengths(trial, "query_lengths", Role::kInput, GTR_I32, {kBatch}, strides);
  Tensor key_lengths(trial, "key_lengths", Role::kInput, GTR_I32, {kBatch}, strides);
  Tensor out(trial, "out", Role::kInOut, GTR_F32, {kBatch, kQueries, kHeads, kHeadDim});
  for (Tensor* tensor : {&q, &k, &v}) tensor->fill_uniform(-1, 1);
  query_lengths.fill([](int64_t i) { return static_cast<double>(kQueries - i); });
  key_lengths.fill([](int64_t i) { return static_cast<double>(kKeys - 2 * i); });
  int64_t bytes = -1;
  require_ok(
      gtr_attention_scratch_size(trial.target().device(), precision, kBatch, kQueries, kKeys, kHeads, kHeadDim, &bytes),
      "gtr_attention_scratch_size");
  Scratch scratch(trial, bytes);
  const int64_t at = one_length ? 0 : 1;
  const char* argument = wrong_keys ? "key_lengths" : "query_lengths";
  const Refusal refusal = {"gtr_attention",
                           argument,
                           wrong_keys ? allowed(argument, at, value, 0, kKeys, "the key length")
                                      : allowed(argument, at, value, 0, kQueries, "the query length"),
                           wrong_keys ? &key_lengths : &query_lengths,
                           at,
                           value};
  const BelongsTo belongs = [=](int64_t i) { return one_length || i / (kQueries * kHeads * kHeadDim) == at; };
  run_refusal(trial, refusal, out, belongs, [&] {
    return gtr_attention(trial.target().stream(), precision, 0.25, q.view(), k.view(), v.view(), query_lengths.view(),
                         key_lengths.view(), nullptr, out.view(), scratch.data(), scratch.size());
  });
}

}  // namespace

void add_refused_values_cases(CaseList& cases) {
  for (const int64_t value : {int64_t{kSources}, int64_t{-3}, int64_t{INT32_MIN}, int64_t{INT32_MAX}}) {
    for (const bool has_position : {false, true}) {
      for (const bool one_index : {false, true}) {
        const EmbedProblem p = {true, has_position, one_index, false, value};
        cases.add(describe("embed index", value, has_position ? "position" : "", one_index ? "broadcast" : ""),
                  [p](Trial& trial) { run_embed(trial, p); });
      }
    }
  }
  cases.add("embed index -1 without second", [](Trial& trial) { run_embed(trial, {false, true, false, false, -1}); });
  for (const int64_t value : {kSources, int64_t{-1}}) {
    cases.add(describe("embed position_index", value), [value](Trial& trial) {
      run_embed(trial, {true, true, false, true, value});
    });
  }
  for (const gtr_dtype dtype : {GTR_F32, GTR_BF16}) {
    const char* name = dtype == GTR_F32 ? "f32" : "bf16";
    for (const int64_t value : {int64_t{-1}, int64_t{1000}, int64_t{INT32_MIN}}) {
      cases.add(describe("gather index", value, name), [=](Trial& trial) { run_gather(trial, dtype, value); });
      cases.add(describe("scatter index", value, name), [=](Trial& trial) { run_scatter(trial, dtype, value); });
    }
  }
  cases.add("gather from no rows", run_gather_of_nothing);
  for (const gtr_precision precision : {GTR_PRECISION_F32, GTR_PRECISION_BF16}) {
    const char* name = precision == GTR_PRECISION_F32 ? "f32" : "bf16";
    for (const bool wrong_keys : {false, true}) {
      for (const int64_t value : {int64_t{-1}, int64_t{8}, int64_t{INT32_MAX}, int64_t{INT32_MIN}}) {
        cases.add(describe("attention", wrong_keys ? "key_lengths" : "query_lengths", value, name),
                  [=](Trial& trial) { run_attention(trial, precision, wrong_keys, false, value); });
      }
      cases.add(describe("attention", wrong_keys ? "key_lengths" : "query_lengths", "broadcast", name),
                [=](Trial& trial) { run_attention(trial, precision, wrong_keys, true, 8); });
    }
  }
}

}  // namespace gtr::test
