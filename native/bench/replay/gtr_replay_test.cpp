// A recording outlives what its calls pointed to, brings the same bytes again, and says so where it does not.
#include "gtr_replay.h"

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "gtr/gtr.h"
#include "head_weights.h"
#include "image_model.h"
#include "matrix.h"
#include "models.h"
#include "session.h"

namespace gtr::bench {
namespace {

constexpr int32_t kRows = 4;
constexpr int64_t kScratchBytes = 4 << 20;

int failures = 0;

void expect(bool holds, const char* what) {
  if (!holds) {
    std::fprintf(stderr, "failed: %s (%s)\n", what, gtr_replay_last_error());
    ++failures;
  }
}

bool refuses(int32_t result, const char* message) {
  return result == -1 && std::string(gtr_replay_last_error()).find(message) != std::string::npos;
}

// Memory of the host's, [kRows, columns] floats.
class HostMatrix {
 public:
  HostMatrix(const Session& session, int64_t columns) : device_(session.device()), size_(kRows * columns) {
    void* data = nullptr;
    check(gtr_allocate(device_, GTR_MEMORY_HOST, bytes(), &data));
    data_ = static_cast<float*>(data);
  }
  ~HostMatrix() { gtr_free(device_, data_); }
  HostMatrix(const HostMatrix&) = delete;
  HostMatrix& operator=(const HostMatrix&) = delete;

  float* data() const { return data_; }
  int64_t bytes() const { return size_ * static_cast<int64_t>(sizeof(float)); }
  std::vector<float> values() const { return {data_, data_ + size_}; }
  void fill(float value) {
    for (int64_t i = 0; i < size_; ++i) {
      data_[i] = value * static_cast<float>(i % 7 - 3);
    }
  }

 private:
  gtr_device* device_;
  int64_t size_;
  float* data_;
};

// z comes from the host, goes through a linear layer, is chosen from by its scores, and conditions a chain whose tokens
// go back to the host.
class Work {
 public:
  explicit Work(const Session& session)
      : session_(session),
        width_(kSmallModels[0].width),
        layer_(session, width_, width_, GTR_PRECISION_BF16),
        head_(session, head_shape(kSmallModels[0]), GTR_PRECISION_BF16),
        sent_(session, width_),
        brought_(session, kChannels),
        input_(session, kRows, width_),
        z_(session, kRows, width_),
        x_(session, kRows, kChannels),
        scores_(session, 1, kRows),
        cells_(session, GTR_U32, kCells, kRows),
        seed_(session, GTR_U64, &kSeed, 1),
        temperature_(session, GTR_F32, &kTemperature, 1),
        place_(session, {0, 0, 0, 0}),
        scratch_(session, kScratchBytes) {}

  HostMatrix& sent() { return sent_; }
  HostMatrix& brought() { return brought_; }

  void overwrite_device() {
    const std::vector<float> zeros(static_cast<size_t>(kRows * width_));
    check(gtr_copy(session_.stream(), z_.tensor().data, zeros.data(), z_.tensor().size));
    check(gtr_copy(session_.stream(), input_.tensor().data, zeros.data(), input_.tensor().size));
    check(gtr_copy(session_.stream(), x_.tensor().data, zeros.data(), x_.tensor().size));
  }

  void overwrite_temperature() {
    const float other = 2;
    check(gtr_copy(session_.stream(), temperature_.tensor().data, &other, sizeof(other)));
  }

  // Everything that its calls point to but memory of the device's is gone when it returns.
  void run() {
    gtr_stream* const stream = session_.stream();
    check(gtr_copy(stream, input_.tensor().data, sent_.data(), sent_.bytes()));
    const gtr_tensor input = input_.tensor();
    const gtr_tensor z = z_.tensor();
    check(gtr_linear(stream, layer_.get(), GTR_ACTIVATION_NONE, &input, nullptr, &input, &z, scratch_.data(),
                     scratch_.size()));
    const gtr_tensor scores = scores_.vector();
    check(gtr_frequency_energy(stream, &z, &scores, scratch_.data(), scratch_.size()));
    {
      const std::vector<gtr_segment> segments = {{0, kRows, 1, 0, 1}};
      check(gtr_top_fraction(stream, &scores, &cells_.tensor(), segments.data(), 1, &place_.tensor(), scratch_.data(),
                             scratch_.size()));
    }
    chain(z);
    check(gtr_stream_synchronize(stream));
    check(gtr_copy(stream, brought_.data(), x_.tensor().data, brought_.bytes()));
  }

 private:
  static constexpr int32_t kCells[kRows] = {5, 1, 7, 2};
  static constexpr uint64_t kSeed = 3;
  static constexpr float kTemperature = 1;

  void chain(const gtr_tensor& z) {
    const std::vector<gtr_chain_group> groups = {{1, 5, 0}, {kRows - 1, 3, 0}};
    const gtr_tensor seed = seed_.broadcast(kRows);
    const gtr_tensor temperature = temperature_.broadcast(kRows);
    gtr_chain chain{};
    chain.groups = groups.data();
    chain.group_count = static_cast<int64_t>(groups.size());
    chain.place = &place_.tensor();
    chain.z = &z;
    chain.seed = &seed;
    chain.image = &cells_.tensor();
    chain.cell = &cells_.tensor();
    chain.temperature = &temperature;
    chain.modulation_bytes = 1 << 20;
    check(gtr_head_chain(session_.stream(), head_.get(), &chain, &x_.tensor(), scratch_.data(), scratch_.size()));
  }

  const Session& session_;
  int64_t width_;
  LinearWeights layer_;
  HeadWeights head_;
  HostMatrix sent_;
  HostMatrix brought_;
  Matrix input_;
  Matrix z_;
  Matrix x_;
  Matrix scores_;
  Array cells_;
  Array seed_;
  Array temperature_;
  Array place_;
  Scratch scratch_;
};

void test() {
  double seconds = -1;
  expect(refuses(gtr_replay_run(&seconds), "nothing is recorded"), "an empty recording is refused");

  gtr_device_options options{};
  options.backend = GTR_BACKEND_CPU;
  options.threads = 2;
  const Session session(options);
  Work work(session);
  work.sent().fill(0.25F);
  work.run();
  const std::vector<float> tokens = work.brought().values();
  double first = 0;
  double none = 1;
  expect(gtr_replay_take_seconds(&first) == 0 && first > 0, "the time in calls is counted");
  expect(gtr_replay_take_seconds(&none) == 0 && none == 0, "and counted once");

  expect(gtr_replay_start() == 0, "a recording begins");
  work.run();
  expect(refuses(gtr_replay_run(&seconds), "has not ended"), "a recording that goes on is refused");
  int64_t calls = 0;
  expect(gtr_replay_stop(&calls) == 0 && calls == 7, "each call is recorded, and none that it makes itself");
  expect(work.brought().values() == tokens, "recording changes nothing");

  // What the host sent is gone, and so is all that followed from it.
  work.sent().fill(8);
  work.brought().fill(0);
  work.overwrite_device();
  const std::vector<float> untouched = work.brought().values();
  gtr_replay_take_seconds(&seconds);
  expect(gtr_replay_run(&seconds) == 0 && seconds > 0, "the calls bring the same bytes");
  expect(gtr_replay_run(&seconds) == 0, "and bring them again");
  expect(gtr_replay_take_seconds(&none) == 0 && none == 0, "they count as nobody's");
  expect(work.brought().values() == untouched, "the host's memory is left alone");

  work.overwrite_temperature();
  expect(refuses(gtr_replay_run(&seconds), "other bytes"), "other bytes are noticed");

  expect(gtr_replay_start() == 0 && gtr_replay_stop(&calls) == 0 && calls == 0, "a recording begins anew");
}

}  // namespace
}  // namespace gtr::bench

int main() {
  try {
    gtr::bench::test();
  } catch (const gtr::bench::Failure& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
  return gtr::bench::failures == 0 ? 0 : 1;
}
