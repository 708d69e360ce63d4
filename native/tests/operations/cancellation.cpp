// Cancelling a stream from another thread ends a long chain; the stream, the head and the memory are as good as new
// afterwards.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <thread>
#include <vector>

#include "fixtures/chain.h"
#include "fixtures/weights.h"
#include "harness/case.h"

namespace gtr::test {
namespace {

// A chain that would run for minutes on a CPU, so that a test which waits for its end does not go unnoticed.
constexpr int kLongRows = 600;
constexpr int kLongSteps = 1000;
// The emulator takes ten seconds or so for this one. A cancellation waits there for the end of the launch that runs,
// and every launch after it still runs all its threads, up to their look at the flag.
constexpr int kEmulatedRows = 4;
constexpr int kEmulatedSteps = 50;

constexpr int kChannels = 16;

void run_cancel(Trial& trial, gtr_precision precision) {
  const reference::Head head = random_head(trial.random(), kChannels, 64, 512, 4, precision);
  const HeadHandle handle = make_head(trial, trial.target(), head);
  std::vector<reference::ChainRow> few;
  for (const int steps : {3, 3, 2}) few.push_back(random_row(trial.random(), head, steps, steps == 3));
  ChainCall small(trial, head, few, {1, 0, false});
  const reference::Values expected = small.run(trial.target(), handle.get());

  const bool emulated = trial.target().is_emulated();
  const std::vector<reference::ChainRow> many(
      emulated ? kEmulatedRows : kLongRows,
      random_row(trial.random(), head, emulated ? kEmulatedSteps : kLongSteps, true));
  ChainCall large(trial, head, many, {1, 1 << 24, false});
  Scratch scratch(trial, large.scratch_size(handle.get()));
  gtr_stream* stream = trial.target().stream();
  const gtr_memory_stats before = trial.target().memory();
  for (const int milliseconds : {0, 1, 10, 50}) {
    large.set_x_of_rows(reference::Values(many.size() * kChannels, std::nan("")));
    std::thread canceller([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
      gtr_stream_cancel(stream);
    });
    trial.before_call();
    gtr_status status =
        gtr_head_chain(stream, handle.get(), &large.chain(), large.x().view(), scratch.data(), scratch.size());
    if (status == GTR_OK) status = gtr_stream_synchronize(stream);  // asynchronous backends report here
    canceller.join();
    trial.after_call();
    if (status != GTR_ERROR_CANCELLED) trial.fail("cancelled after %d ms: %s", milliseconds, gtr_status_name(status));
    if (emulated) {  // the samples are what the last launch of a chain stores
      const reference::Values x = large.x_of_rows();
      trial.expect(std::all_of(x.begin(), x.end(), [](double value) { return std::isnan(value); }),
                   "the chain has run to its end");
    }
    const gtr_memory_stats after = trial.target().memory();
    trial.expect(after.live_bytes == before.live_bytes && after.handles == before.handles,
                 "cancelling left memory behind");

    // Until the reset nothing runs on the stream, though another one of the device does its work.
    gtr_stream* raw = nullptr;
    require_ok(gtr_stream_create(trial.target().device(), nullptr, &raw), "gtr_stream_create");
    const StreamHandle other(raw);
    Scratch small_scratch(trial, small.scratch_size(handle.get()));
    trial.run_expecting(GTR_ERROR_CANCELLED, "gtr_head_chain", [&] {
      return gtr_head_chain(stream, handle.get(), &small.chain(), small.x().view(), small_scratch.data(),
                            small_scratch.size());
    });
    trial.run(other.get(), "gtr_head_chain", [&] {
      return gtr_head_chain(other.get(), handle.get(), &small.chain(), small.x().view(), small_scratch.data(),
                            small_scratch.size());
    });
    trial.compare_bits("x0 on another stream", small.x_of_rows(), expected);

    require_ok(gtr_stream_reset(stream), "gtr_stream_reset");
    trial.compare_bits("x0 after the reset", small.run(trial.target(), handle.get()), expected);
  }
}

// What is enqueued when the cancellation comes ends without computing, with nothing of it left under way: products of
// few rows and of many, and chains. Of a backend whose calls have ended when they return there is nothing to see.
void run_enqueued(Trial& trial, gtr_precision precision) {
  if (trial.target().is_cpu()) return;
  gtr_stream* stream = trial.target().stream();
  const auto run_and_cancel = [&](const char* what, const std::function<gtr_status()>& call) {
    trial.before_call();
    require_ok(call(), what);
    require_ok(gtr_stream_cancel(stream), "gtr_stream_cancel");
    const gtr_status status = gtr_stream_synchronize(stream);
    if (status != GTR_ERROR_CANCELLED) trial.fail("%s, cancelled once enqueued: %s", what, gtr_status_name(status));
    require_ok(gtr_stream_reset(stream), "gtr_stream_reset");
  };

  Tensor weight(trial, "weight", Role::kHost, GTR_F32, {200, 300});
  weight.fill_uniform(-1, 1);
  const LinearHandle linear = make_linear(trial.target(), weight, nullptr, precision);
  for (const int64_t rows : {1, 20, 300}) {
    Tensor x(trial, "x", Role::kInput, GTR_F32, {rows, 300});
    Tensor y(trial, "y", Role::kOutput, GTR_F32, {rows, 200});
    x.fill_uniform(-1, 1);
    int64_t bytes = 0;
    require_ok(gtr_linear_scratch_size(linear.get(), rows, &bytes), "gtr_linear_scratch_size");
    Scratch scratch(trial, bytes);
    const auto call = [&] {
      return gtr_linear(stream, linear.get(), GTR_ACTIVATION_NONE, x.view(), nullptr, nullptr, y.view(), scratch.data(),
                        scratch.size());
    };
    trial.run("gtr_linear", call);
    const reference::Values expected = y.values();
    run_and_cancel("gtr_linear", call);
    trial.run("gtr_linear", call);
    trial.compare_bits(describe("y of", rows, "rows after the reset"), y.values(), expected);
  }

  const reference::Head head = random_head(trial.random(), 16, 64, 96, 2, precision);
  const HeadHandle handle = make_head(trial, trial.target(), head);
  for (const size_t rows : {size_t{2}, size_t{80}}) {
    ChainCall chain(trial, head, std::vector<reference::ChainRow>(rows, random_row(trial.random(), head, 3, true)),
                    {1, 0, false});
    const reference::Values expected = chain.run(trial.target(), handle.get());
    Scratch scratch(trial, chain.scratch_size(handle.get()));
    run_and_cancel("gtr_head_chain", [&] {
      return gtr_head_chain(stream, handle.get(), &chain.chain(), chain.x().view(), scratch.data(), scratch.size());
    });
    trial.compare_bits(describe("x0 of", rows, "rows after the reset"), chain.run(trial.target(), handle.get()),
                       expected);
  }
}

// Other operations look before they start.
void run_before_start(Trial& trial) {
  Tensor weight(trial, "weight", Role::kHost, GTR_F32, {8, 8});
  Tensor x(trial, "x", Role::kInput, GTR_F32, {3, 8});
  Tensor y(trial, "y", Role::kOutput, GTR_F32, {3, 8});
  Tensor q(trial, "q", Role::kInput, GTR_F32, {1, 3, 1, 8});
  Tensor out(trial, "out", Role::kOutput, GTR_F32, {1, 3, 1, 8});
  for (Tensor* tensor : {&weight, &x, &q}) tensor->fill_uniform(-1, 1);
  const LinearHandle linear = make_linear(trial.target(), weight, nullptr, GTR_PRECISION_F32);
  int64_t sizes[2] = {};
  require_ok(gtr_linear_scratch_size(linear.get(), 3, &sizes[0]), "gtr_linear_scratch_size");
  require_ok(gtr_attention_scratch_size(trial.target().device(), GTR_PRECISION_F32, 1, 3, 3, 1, 8, &sizes[1]),
             "gtr_attention_scratch_size");
  Scratch scratch(trial, std::max(sizes[0], sizes[1]));
  gtr_stream* stream = trial.target().stream();
  require_ok(gtr_stream_cancel(stream), "gtr_stream_cancel");
  trial.run_expecting(GTR_ERROR_CANCELLED, "gtr_linear", [&] {
    return gtr_linear(stream, linear.get(), GTR_ACTIVATION_NONE, x.view(), nullptr, nullptr, y.view(), scratch.data(),
                      scratch.size());
  });
  trial.run_expecting(GTR_ERROR_CANCELLED, "gtr_layer_norm", [&] {
    return gtr_layer_norm(stream, x.view(), nullptr, nullptr, nullptr, nullptr, 1e-6, y.view());
  });
  trial.run_expecting(GTR_ERROR_CANCELLED, "gtr_attention", [&] {
    return gtr_attention(stream, GTR_PRECISION_F32, 1, q.view(), q.view(), q.view(), nullptr, nullptr, nullptr,
                         out.view(), scratch.data(), scratch.size());
  });
  require_ok(gtr_stream_reset(stream), "gtr_stream_reset");
  trial.run("gtr_layer_norm",
            [&] { return gtr_layer_norm(stream, x.view(), nullptr, nullptr, nullptr, nullptr, 1e-6, y.view()); });
}

}  // namespace

void add_cancellation_cases(CaseList& cases) {
  cases.add_once("f32 long chain", [](Trial& trial) { run_cancel(trial, GTR_PRECISION_F32); });
  cases.add_once("bf16 long chain", [](Trial& trial) { run_cancel(trial, GTR_PRECISION_BF16); });
  cases.add_once("f32 enqueued", [](Trial& trial) { run_enqueued(trial, GTR_PRECISION_F32); });
  cases.add_once("bf16 enqueued", [](Trial& trial) { run_enqueued(trial, GTR_PRECISION_BF16); });
  cases.add_once("before start", run_before_start);
}

}  // namespace gtr::test
