// Several threads at the C ABI: one head for many streams, cancelling from outside, handles that cannot go while they
// are used.
#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

#include "handles.h"
#include "small_head.h"

namespace gtr::test {
namespace {

constexpr gtr_head_shape kShape = {4, 16, 32, 2};

// Waits until `condition` holds; a hang is the test runner's to end.
template <typename Condition>
void wait_until(Condition&& condition) {
  while (!condition()) std::this_thread::yield();
}

// One call that lasts until it is cancelled, on a thread of its own: a chain of 1000 steps, again and again.
class EndlessChain {
 public:
  EndlessChain(const Fixture& f, gtr_head* head) : chain_(kShape) {
    for (gtr_chain_group& group : chain_.groups) group.steps = 1000;
    int64_t bytes = 0;
    EXPECT_OK(gtr_head_chain_scratch_size(head, &chain_.chain, &bytes));
    thread_ = std::thread([this, &f, head, bytes] {
      const Scratch scratch(bytes);
      for (;;) {
        ++started_;
        status_ = gtr_head_chain(f.stream, head, &chain_.chain, &chain_.x, scratch.data, bytes);
        // A thread that tries what is refused has the handle for a moment, if it falls between two chains.
        if (status_ != GTR_OK && status_ != GTR_ERROR_BUSY) break;
      }
      operation_cancelled_ = std::strcmp(gtr_last_error_operation(), "gtr_head_chain") == 0 &&
                             std::strstr(gtr_last_error(), "cancelled") != nullptr;
    });
    wait_until([this] { return started_ > 0; });
  }

  void expect_cancelled() {
    thread_.join();
    EXPECT_STATUS(status_, GTR_ERROR_CANCELLED);
    EXPECT(operation_cancelled_);
  }

 private:
  SmallChain chain_;
  std::thread thread_;
  std::atomic<int> started_{0};
  gtr_status status_ = GTR_OK;
  bool operation_cancelled_ = false;
};

// A call may be between two chains just when it is tried; the answer that is wanted comes when it is inside.
template <typename Call>
void expect_busy(const char* operation, const char* argument, const Call& call) {
  wait_until([&] { return call() == GTR_ERROR_BUSY; });
  EXPECT_REFUSED(GTR_ERROR_BUSY, GTR_ERROR_BUSY, operation, argument, "in use");
}

void cancel_and_busy() {
  const Fixture f;
  gtr_head* head = nullptr;
  EXPECT_OK(gtr_head_create(f.device, &kShape, GTR_PRECISION_F32, &head));
  EXPECT_OK(set_head(head, kShape));
  for (int round = 0; round < 5; ++round) {
    EndlessChain running(f, head);
    // Only calls that change nothing if they find a gap between two chains.
    const Array<float> none({0, 4});
    expect_busy("gtr_head_set", "head", [&] { return gtr_head_set(head, "input_proj.weight", 0, &none); });
    expect_busy("gtr_stream_synchronize", "stream", [&] { return gtr_stream_synchronize(f.stream); });
    EXPECT_REFUSED(gtr_device_close(f.device), GTR_ERROR_BUSY, "gtr_device_close", "device",
                   "1 streams, 0 linears, 1 heads and 0 allocations");
    EXPECT_OK(gtr_stream_cancel(f.stream));
    running.expect_cancelled();
    // Everything is usable afterwards.
    EXPECT_STATUS(gtr_copy(f.stream, nullptr, nullptr, 0), GTR_ERROR_CANCELLED);
    EXPECT_OK(gtr_stream_reset(f.stream));
    EXPECT_OK(gtr_copy(f.stream, nullptr, nullptr, 0));
  }
  EXPECT_OK(gtr_head_destroy(head));
}

// A handle that a call uses cannot be destroyed or set. The test holds it as a call does, since a call of its own might
// be over before the attempt.
void destroy_in_use() {
  const Fixture f;
  gtr_head* head = nullptr;
  gtr_linear_weights* linear = nullptr;
  EXPECT_OK(gtr_head_create(f.device, &kShape, GTR_PRECISION_F32, &head));
  EXPECT_OK(gtr_linear_create(f.device, 4, 4, GTR_PRECISION_F32, &linear));
  const Array<float> square({4, 4}), y({4, 4});

  EXPECT(f.stream->use.try_alone());
  EXPECT_REFUSED(gtr_stream_destroy(f.stream), GTR_ERROR_BUSY, "gtr_stream_destroy", "stream", "in use");
  EXPECT_REFUSED(gtr_copy(f.stream, nullptr, nullptr, 0), GTR_ERROR_BUSY, "gtr_copy", "stream", "allowed is one");
  EXPECT_OK(gtr_stream_cancel(f.stream));  // from any thread
  EXPECT_REFUSED(gtr_stream_reset(f.stream), GTR_ERROR_BUSY, "gtr_stream_reset", "stream", "allowed is one");
  f.stream->use.end_alone();
  EXPECT_OK(gtr_stream_reset(f.stream));

  EXPECT(head->use.try_share() && linear->use.try_share());
  EXPECT_REFUSED(gtr_head_destroy(head), GTR_ERROR_BUSY, "gtr_head_destroy", "head", "in use");
  EXPECT_REFUSED(gtr_head_set(head, "input_proj.bias", 0, &square), GTR_ERROR_BUSY, "gtr_head_set", "head", "in use");
  EXPECT_REFUSED(gtr_linear_destroy(linear), GTR_ERROR_BUSY, "gtr_linear_destroy", "linear", "in use");
  EXPECT_REFUSED(gtr_linear_set(linear, 0, &square, nullptr), GTR_ERROR_BUSY, "gtr_linear_set", "linear", "in use");
  int64_t bytes = 0;
  EXPECT_OK(gtr_linear_scratch_size(linear, 4, &bytes));  // readers go together
  head->use.end_share();
  linear->use.end_share();

  EXPECT(linear->use.try_alone());  // as gtr_linear_set does
  const Scratch scratch(bytes);
  EXPECT_REFUSED(gtr_linear(f.stream, linear, 0, &square, nullptr, nullptr, &y, scratch.data, bytes), GTR_ERROR_BUSY,
                 "gtr_linear", "linear", "being set or destroyed");
  linear->use.end_alone();
  EXPECT_OK(gtr_linear(f.stream, linear, 0, &square, nullptr, nullptr, &y, scratch.data, bytes));
  EXPECT_OK(gtr_head_destroy(head));
  EXPECT_OK(gtr_linear_destroy(linear));
}

// Jobs of several threads share one head and one pool, and each gets the bits that it gets alone.
void shared_head() {
  const Fixture f(3);
  gtr_head* head = nullptr;
  EXPECT_OK(gtr_head_create(f.device, &kShape, GTR_PRECISION_BF16, &head));
  EXPECT_OK(set_head(head, kShape));
  constexpr int kJobs = 5;
  const auto run = [&](int job) {
    SmallChain c(kShape);
    for (uint64_t& seed : c.seed.values) seed = static_cast<uint64_t>(job);
    gtr_stream* stream = nullptr;
    int64_t bytes = 0;
    gtr_status status = gtr_stream_create(f.device, nullptr, &stream);
    if (status == GTR_OK) status = gtr_head_chain_scratch_size(head, &c.chain, &bytes);
    const Scratch scratch(bytes);
    if (status == GTR_OK) status = gtr_head_chain(stream, head, &c.chain, &c.x, scratch.data, bytes);
    if (status == GTR_OK) status = gtr_stream_destroy(stream);
    return status == GTR_OK ? c.x.values : std::vector<float>();
  };
  std::vector<std::vector<float>> alone, together(kJobs);
  for (int job = 0; job < kJobs; ++job) alone.push_back(run(job));
  for (int round = 0; round < 10; ++round) {
    std::vector<std::thread> threads;
    for (int job = 0; job < kJobs; ++job) {
      threads.emplace_back([&, job] { together[static_cast<size_t>(job)] = run(job); });
    }
    for (auto& thread : threads) thread.join();
    for (size_t job = 0; job < kJobs; ++job) {
      EXPECT(!alone[job].empty() && together[job].size() == alone[job].size() &&
             std::memcmp(together[job].data(), alone[job].data(), alone[job].size() * sizeof(float)) == 0);
    }
  }
  EXPECT(std::memcmp(alone[0].data(), alone[1].data(), alone[0].size() * sizeof(float)) != 0);
  EXPECT_OK(gtr_head_destroy(head));
}

// Errors belong to the thread that made them.
void errors_per_thread() {
  EXPECT_STATUS(gtr_philox(0, 0, 0, 0, 0, nullptr), GTR_ERROR_INVALID_ARGUMENT);
  std::thread other([] {
    if (gtr_last_error()[0] != '\0') EXPECT(!"a new thread has an error");
    EXPECT_STATUS(gtr_stream_cancel(nullptr), GTR_ERROR_INVALID_ARGUMENT);
  });
  other.join();
  EXPECT(std::strcmp(gtr_last_error_operation(), "gtr_philox") == 0);
}

// Allocations from many threads at once leave the books straight.
void memory_from_many_threads() {
  const Fixture f;
  const gtr_memory_stats before = f.stats();
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < 200; ++round) {
        void* data[3] = {};
        for (int i = 0; i < 3; ++i) {
          if (gtr_allocate(f.device, 0, 64 + 10 * t + i, &data[i]) != GTR_OK) ++wrong;
        }
        for (void* block : data) {
          if (gtr_free(f.device, block) != GTR_OK) ++wrong;
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT(wrong == 0);
  const gtr_memory_stats after = f.stats();
  EXPECT(after.live_bytes == before.live_bytes && after.allocations == 0);
}

}  // namespace
}  // namespace gtr::test

int main() {
  using namespace gtr::test;
  cancel_and_busy();
  destroy_in_use();
  shared_head();
  errors_per_thread();
  memory_from_many_threads();
  return result();
}
