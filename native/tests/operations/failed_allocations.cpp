// Every allocation of the library fails once, in turn: each time a clean status, nothing left behind, and the next
// attempt works.
#include <algorithm>
#include <memory>
#include <string>

#include "fixtures/chain.h"
#include "fixtures/weights.h"
#include "harness/case.h"

namespace gtr::test {
namespace {

struct CloseDevice {
  void operator()(gtr_device* device) const { gtr_device_close(device); }
};
using DeviceHandle = std::unique_ptr<gtr_device, CloseDevice>;

// Takes over what a create function made. After a failure there must be nothing.
template <typename Handle, typename Raw>
gtr_status keep(Trial& trial, gtr_status status, Raw* const* raw, Handle* handle) {
  if (status != GTR_OK) trial.expect(*raw == nullptr, "a failed call left a handle");
  handle->reset(*raw);
  return status;
}

// Inputs and outputs of the scenario, made while allocations still work.
struct Problem {
  explicit Problem(Trial& trial)
      : head(random_head(trial.random(), 4, 9, 24, 2, GTR_PRECISION_BF16)),
        weight(trial, "weight", Role::kHost, GTR_F32, {40, 30}),
        x(trial, "x", Role::kInput, GTR_F32, {6, 30}),
        y(trial, "y", Role::kOutput, GTR_F32, {6, 40}),
        q(trial, "q", Role::kInput, GTR_F32, {1, 9, 2, 16}),
        out(trial, "out", Role::kOutput, GTR_F32, {1, 9, 2, 16}),
        z(trial, "z", Role::kInput, GTR_F32, {3, 60}),
        score(trial, "score", Role::kOutput, GTR_F32, {3}) {
    for (Tensor* tensor : {&weight, &x, &q, &z}) tensor->fill_uniform(-1, 1);
    std::vector<reference::ChainRow> rows;
    for (const int steps : {4, 4, 2}) rows.push_back(random_row(trial.random(), head, steps, steps == 4));
    call = std::make_unique<ChainCall>(trial, head, rows, ChainOptions{1, 0, false});
    for (const auto& named : reference::head_tensors(head.channels, head.condition, head.width, head.blocks)) {
      tensors.push_back(std::make_unique<Tensor>(trial, named.first.c_str(), Role::kHost, GTR_F32, named.second));
      const reference::Values& values = head.tensors.at(named.first);
      tensors.back()->fill([&](int64_t i) { return values[static_cast<size_t>(i)]; });
    }
  }

  reference::Head head;
  Tensor weight, x, y, q, out, z, score;
  std::unique_ptr<ChainCall> call;
  std::vector<std::unique_ptr<Tensor>> tensors;
};

#define GTR_RETURN_IF_FAILED(expression) \
  if (const gtr_status failed = (expression); failed != GTR_OK) return failed

// From opening to a whole chain; scratch comes from the library too.
gtr_status run_on_device(Trial& trial, const Problem& p, gtr_device* device) {
  gtr_stream* raw_stream = nullptr;
  StreamHandle stream;
  GTR_RETURN_IF_FAILED(keep(trial, gtr_stream_create(device, nullptr, &raw_stream), &raw_stream, &stream));

  gtr_linear_weights* raw_linear = nullptr;
  LinearHandle linear;
  GTR_RETURN_IF_FAILED(
      keep(trial, gtr_linear_create(device, 40, 30, GTR_PRECISION_F32, &raw_linear), &raw_linear, &linear));
  GTR_RETURN_IF_FAILED(gtr_linear_set(linear.get(), 0, p.weight.view(), nullptr));

  const gtr_head_shape shape{static_cast<int32_t>(p.head.channels), static_cast<int32_t>(p.head.condition),
                             static_cast<int32_t>(p.head.width), static_cast<int32_t>(p.head.blocks)};
  gtr_head* raw_head = nullptr;
  HeadHandle head;
  GTR_RETURN_IF_FAILED(keep(trial, gtr_head_create(device, &shape, p.head.precision, &raw_head), &raw_head, &head));
  for (const auto& tensor : p.tensors) {
    GTR_RETURN_IF_FAILED(gtr_head_set(head.get(), tensor->name().c_str(), 0, tensor->view()));
  }

  int64_t sizes[4] = {};
  GTR_RETURN_IF_FAILED(gtr_linear_scratch_size(linear.get(), 6, &sizes[0]));
  GTR_RETURN_IF_FAILED(gtr_attention_scratch_size(device, GTR_PRECISION_F32, 1, 9, 9, 2, 16, &sizes[1]));
  GTR_RETURN_IF_FAILED(gtr_frequency_energy_scratch_size(device, 3, 60, &sizes[2]));
  GTR_RETURN_IF_FAILED(gtr_head_chain_scratch_size(head.get(), &p.call->chain(), &sizes[3]));
  int64_t bytes = 1;
  for (const int64_t size : sizes) bytes = std::max(bytes, size);
  struct Free {
    gtr_device* device;
    void operator()(void* data) const { gtr_free(device, data); }
  };
  void* raw_scratch = nullptr;
  std::unique_ptr<void, Free> scratch(nullptr, Free{device});
  GTR_RETURN_IF_FAILED(
      keep(trial, gtr_allocate(device, GTR_MEMORY_DEVICE, bytes, &raw_scratch), &raw_scratch, &scratch));

  GTR_RETURN_IF_FAILED(gtr_linear(stream.get(), linear.get(), GTR_ACTIVATION_GELU, p.x.view(), nullptr, nullptr,
                                  p.y.view(), scratch.get(), bytes));
  GTR_RETURN_IF_FAILED(gtr_attention(stream.get(), GTR_PRECISION_F32, 0.25, p.q.view(), p.q.view(), p.q.view(), nullptr,
                                     nullptr, nullptr, p.out.view(), scratch.get(), bytes));
  GTR_RETURN_IF_FAILED(gtr_frequency_energy(stream.get(), p.z.view(), p.score.view(), scratch.get(), bytes));
  GTR_RETURN_IF_FAILED(
      gtr_head_chain(stream.get(), head.get(), &p.call->chain(), p.call->x().view(), scratch.get(), bytes));
  return gtr_stream_synchronize(stream.get());
}

gtr_status run_scenario(Trial& trial, const Problem& p) {
  gtr_device_options options{};
  options.backend = trial.target().info().backend;
  options.tier = trial.target().info().tier;
  options.threads = trial.target().info().threads;
  gtr_device* raw = nullptr;
  DeviceHandle device;
  GTR_RETURN_IF_FAILED(keep(trial, gtr_device_open(&options, &raw), &raw, &device));
  gtr_memory_stats before{};
  GTR_RETURN_IF_FAILED(gtr_memory_get_stats(device.get(), &before));
  const gtr_status status = run_on_device(trial, p, device.get());
  gtr_memory_stats after{};
  GTR_RETURN_IF_FAILED(gtr_memory_get_stats(device.get(), &after));
  if (after.live_bytes != before.live_bytes || after.allocations != 0 || after.handles != 0) {
    trial.fail("%s left %lld bytes, %lld allocations, %lld handles", gtr_status_name(status),
               static_cast<long long>(after.live_bytes - before.live_bytes), static_cast<long long>(after.allocations),
               static_cast<long long>(after.handles));
  }
  trial.expect(gtr_device_close(device.release()) == GTR_OK, "the device cannot be closed");
  return status;
}

#undef GTR_RETURN_IF_FAILED

// True if the failure that was asked for is still to come; switches it off.
bool failure_is_pending(const Target& target, int64_t nth) {
  bool pending = false;
  for (int64_t i = 0; i < nth && !pending; ++i) {
    void* data = nullptr;
    pending = gtr_allocate(target.device(), GTR_MEMORY_HOST, 1, &data) != GTR_OK;
    gtr_free(target.device(), data);
  }
  gtr_test_fail_allocation(0);
  return pending;
}

void run_every_failure(Trial& trial) {
  const Problem problem(trial);
  trial.before_call();
  gtr_test_fail_allocation(0);
  require_ok(run_scenario(trial, problem), "the scenario without a failure");
  trial.after_call();
  const reference::Values expected = problem.call->x_of_rows();
  trial.before_call();
  constexpr int64_t kTooMany = 100000;
  int64_t nth = 1;
  for (; nth < kTooMany; ++nth) {
    gtr_test_fail_allocation(nth);
    const gtr_status status = run_scenario(trial, problem);
    if (status == GTR_OK) {
      if (failure_is_pending(trial.target(), nth)) break;  // there are fewer than nth allocations
      continue;
    }
    gtr_test_fail_allocation(0);
    if (status != GTR_ERROR_OUT_OF_MEMORY || std::string(gtr_last_error()).empty() ||
        std::string(gtr_last_error_operation()).empty()) {
      trial.fail("failed allocation %lld: %s, operation '%s', message '%s'", static_cast<long long>(nth),
                 gtr_status_name(status), gtr_last_error_operation(), gtr_last_error());
    }
  }
  trial.expect(nth > 5 && nth < kTooMany, "allocations do not go through gtr_test_fail_allocation");
  require_ok(run_scenario(trial, problem), "the scenario after all failures");
  trial.after_call();
  trial.compare_bits("x0 after all failures", problem.call->x_of_rows(), expected);
}

// What runs once per decode step must not allocate: an armed failure stays pending.
void run_steady_state(Trial& trial) {
  const Problem p(trial);
  const LinearHandle linear = make_linear(trial.target(), p.weight, nullptr, GTR_PRECISION_F32);
  const HeadHandle head = make_head(trial, trial.target(), p.head);
  int64_t sizes[4] = {};
  require_ok(gtr_linear_scratch_size(linear.get(), 6, &sizes[0]), "gtr_linear_scratch_size");
  require_ok(gtr_attention_scratch_size(trial.target().device(), GTR_PRECISION_F32, 1, 9, 9, 2, 16, &sizes[1]),
             "gtr_attention_scratch_size");
  require_ok(gtr_frequency_energy_scratch_size(trial.target().device(), 3, 60, &sizes[2]),
             "gtr_frequency_energy_scratch_size");
  sizes[3] = p.call->scratch_size(head.get());
  Scratch scratch(trial, *std::max_element(std::begin(sizes), std::end(sizes)));
  Tensor normal(trial, "normal", Role::kOutput, GTR_F32, {6, 30});
  trial.before_call();
  gtr_stream* stream = trial.target().stream();
  gtr_test_fail_allocation(1);
  const gtr_status statuses[] = {
      gtr_linear(stream, linear.get(), GTR_ACTIVATION_GELU, p.x.view(), nullptr, nullptr, p.y.view(), scratch.data(),
                 scratch.size()),
      gtr_layer_norm(stream, p.x.view(), nullptr, nullptr, nullptr, nullptr, 1e-6, normal.view()),
      gtr_attention(stream, GTR_PRECISION_F32, 0.25, p.q.view(), p.q.view(), p.q.view(), nullptr, nullptr, nullptr,
                    p.out.view(), scratch.data(), scratch.size()),
      gtr_frequency_energy(stream, p.z.view(), p.score.view(), scratch.data(), scratch.size()),
      gtr_head_chain(stream, head.get(), &p.call->chain(), p.call->x().view(), scratch.data(), scratch.size())};
  trial.expect(failure_is_pending(trial.target(), 1), "an operation allocated memory");
  for (const gtr_status status : statuses) trial.expect(status == GTR_OK, gtr_status_name(status));
  require_ok(gtr_stream_synchronize(stream), "gtr_stream_synchronize");
  trial.after_call();
}

}  // namespace

void add_failed_allocations_cases(CaseList& cases) {
  cases.add_once("every allocation fails once", run_every_failure);
  cases.add_once("steady state allocates nothing", run_steady_state);
}

}  // namespace gtr::test
