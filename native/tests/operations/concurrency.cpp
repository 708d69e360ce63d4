// Several threads on one device, each with a stream of its own, share weights: every result has the bits that one
// thread alone gets. Meant to run under ThreadSanitizer too.
#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "fixtures/chain.h"
#include "fixtures/weights.h"
#include "harness/case.h"

namespace gtr::test {
namespace {

constexpr int kCallers = 4;
constexpr int kRounds = 5;

// One caller's operands. All callers have the same inputs.
struct Caller {
  Caller(Trial& trial, const reference::Head& head, const std::vector<reference::ChainRow>& rows, const Tensor& inputs,
         const gtr_linear_weights* linear, const gtr_head* shared_head)
      : x(trial, "x", Role::kInput, GTR_F32, inputs.shape()),
        y(trial, "y", Role::kOutput, GTR_F32, {inputs.shape()[0], 64}),
        normal(trial, "normal", Role::kOutput, GTR_F32, {inputs.shape()[0], 64}),
        attended(trial, "attended", Role::kOutput, GTR_F32, {1, inputs.shape()[0], 2, 32}),
        call(trial, head, rows, {1, 0, false}) {
    x.fill([&](int64_t i) { return inputs.get(i); });
    int64_t sizes[3] = {};
    require_ok(gtr_linear_scratch_size(linear, inputs.shape()[0], &sizes[0]), "gtr_linear_scratch_size");
    require_ok(gtr_attention_scratch_size(trial.target().device(), GTR_PRECISION_F32, 1, inputs.shape()[0],
                                          inputs.shape()[0], 2, 32, &sizes[1]),
               "gtr_attention_scratch_size");
    sizes[2] = call.scratch_size(shared_head);
    scratch = std::make_unique<Scratch>(trial, std::max({int64_t{1}, sizes[0], sizes[1], sizes[2]}));
    gtr_stream* raw = nullptr;
    require_ok(gtr_stream_create(trial.target().device(), nullptr, &raw), "gtr_stream_create");
    stream.reset(raw);
  }

  // On any thread.
  void run(const gtr_linear_weights* linear, const gtr_head* head) {
    const int64_t rows = x.shape()[0];
    gtr_tensor heads = y.part(0, {1, rows, 2, 32}, {rows * 64, 64, 32, 1});
    const auto check = [&](gtr_status status) {
      if (status != GTR_OK && error.empty()) error = gtr_last_error();
    };
    check(gtr_linear(stream.get(), linear, GTR_ACTIVATION_GELU, x.view(), nullptr, nullptr, y.view(), scratch->data(),
                     scratch->size()));
    check(gtr_layer_norm(stream.get(), y.view(), nullptr, nullptr, nullptr, nullptr, 1e-6, normal.view()));
    check(gtr_attention(stream.get(), GTR_PRECISION_F32, 0.2, &heads, &heads, &heads, nullptr, nullptr, nullptr,
                        attended.view(), scratch->data(), scratch->size()));
    check(gtr_head_chain(stream.get(), head, &call.chain(), call.x().view(), scratch->data(), scratch->size()));
    check(gtr_stream_synchronize(stream.get()));
  }

  std::vector<reference::Values> results() const {
    return {y.values(), normal.values(), attended.values(), call.x_of_rows()};
  }

  Tensor x, y, normal, attended;
  ChainCall call;
  std::unique_ptr<Scratch> scratch;
  StreamHandle stream;
  std::string error;
};

void run_shared_weights(Trial& trial, gtr_precision precision) {
  Tensor weight(trial, "weight", Role::kHost, GTR_F32, {64, 48});
  Tensor inputs(trial, "inputs", Role::kHost, GTR_F32, {37, 48});
  weight.fill_uniform(-0.3, 0.3);
  inputs.fill_uniform(-1, 1);
  const reference::Head head = random_head(trial.random(), 4, 9, 40, 2, precision);
  std::vector<reference::ChainRow> rows;
  for (const int steps : {6, 6, 4, 1}) rows.push_back(random_row(trial.random(), head, steps, steps == 6));
  const LinearHandle linear = make_linear(trial.target(), weight, nullptr, precision);
  const HeadHandle shared_head = make_head(trial, trial.target(), head);

  std::vector<std::unique_ptr<Caller>> callers;
  for (int i = 0; i < kCallers; ++i) {
    callers.push_back(std::make_unique<Caller>(trial, head, rows, inputs, linear.get(), shared_head.get()));
  }
  trial.before_call();
  callers[0]->run(linear.get(), shared_head.get());
  trial.after_call();
  const std::vector<reference::Values> expected = callers[0]->results();

  trial.before_call();
  std::vector<std::thread> threads;
  for (const auto& caller : callers) {
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) caller->run(linear.get(), shared_head.get());
    });
  }
  // Beside them: handles and memory come and go, on this device and on others.
  std::string error;
  for (int round = 0; round < kRounds && error.empty(); ++round) {
    try {
      Target other(trial.target().info().backend, trial.target().info().tier, trial.target().is_cpu() ? 2 : 0);
      gtr_stream* stream = nullptr;
      require_ok(gtr_stream_create(trial.target().device(), nullptr, &stream), "gtr_stream_create");
      require_ok(gtr_stream_destroy(stream), "gtr_stream_destroy");
      void* data = nullptr;
      require_ok(gtr_allocate(trial.target().device(), GTR_MEMORY_HOST, 1000, &data), "gtr_allocate");
      require_ok(gtr_free(trial.target().device(), data), "gtr_free");
      gtr_linear_weights* own = nullptr;
      require_ok(gtr_linear_create(trial.target().device(), 10, 10, precision, &own), "gtr_linear_create");
      require_ok(gtr_linear_destroy(own), "gtr_linear_destroy");
      trial.target().memory();
    } catch (const std::exception& failure) {
      error = failure.what();
    }
  }
  for (std::thread& thread : threads) thread.join();
  trial.after_call();
  trial.expect(error.empty(), error.c_str());
  for (int i = 0; i < kCallers; ++i) {
    trial.expect(callers[static_cast<size_t>(i)]->error.empty(), callers[static_cast<size_t>(i)]->error.c_str());
    const std::vector<reference::Values> results = callers[static_cast<size_t>(i)]->results();
    for (size_t r = 0; r < results.size(); ++r) {
      trial.compare_bits(describe("caller", i, "result", r), results[r], expected[r]);
    }
  }
}

// Messages belong to the thread that met the failure.
void run_errors_per_thread(Trial& trial) {
  std::atomic<int> mixed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kCallers; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 200; ++round) {
        int64_t count = 0;
        const bool count_fails = i % 2 == 0;
        const gtr_status status = count_fails ? gtr_top_fraction_count(2, 10, &count)
                                              : gtr_linear_create(trial.target().device(), 0, 1, 0, nullptr);
        const std::string operation = gtr_last_error_operation();
        if (status != GTR_ERROR_INVALID_ARGUMENT ||
            operation != (count_fails ? "gtr_top_fraction_count" : "gtr_linear_create")) {
          ++mixed;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  trial.expect(mixed == 0, "a thread saw the failure of another");
}

}  // namespace

void add_concurrency_cases(CaseList& cases) {
  cases.add_once("f32 shared weights", [](Trial& trial) { run_shared_weights(trial, GTR_PRECISION_F32); });
  cases.add_once("bf16 shared weights", [](Trial& trial) { run_shared_weights(trial, GTR_PRECISION_BF16); });
  cases.add_once("errors per thread", run_errors_per_thread);
}

}  // namespace gtr::test
