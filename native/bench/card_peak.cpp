#include "card_peak.h"

#include <algorithm>
#include <functional>

#include "runner.h"

namespace gtr::bench {
namespace {

constexpr double kLoopSeconds = 0.05;  // of one run of a loop of arithmetic
constexpr int64_t kCopyMultiple = 8;   // of the second-level cache: what a copy reads, and what it writes
constexpr int64_t kLeastCopy = 1 << 14;

class Ceilings {
 public:
  Ceilings(Card& card, gtr_device* device, gtr_stream* stream, bool emulated)
      : card_(card), device_(device), stream_(stream), emulated_(emulated) {}

  double flops(CardLoop loop) {
    CardWork work{};
    int64_t rounds = emulated_ ? 1 : 1 << 12;
    const auto run = [&](int64_t) { work = card_.run(loop, rounds); };
    if (!emulated_) {
      const double seconds = least_seconds(run);
      rounds = std::max<int64_t>(1, static_cast<int64_t>(static_cast<double>(rounds) * kLoopSeconds / seconds));
    }
    const double seconds = least_seconds(run);
    return work.flops / seconds;
  }

  double read_bytes() {
    CardWork work{};
    const double seconds = least_seconds([&](int64_t) { work = card_.run(CardLoop::kRead, 1); });
    return work.bytes / seconds;
  }

  double copy_bytes() {
    const int64_t bytes = std::max(kLeastCopy, kCopyMultiple * card_.description().l2_bytes);
    void* source = nullptr;
    void* target = nullptr;
    check(gtr_allocate(device_, GTR_MEMORY_DEVICE, bytes, &source));
    check(gtr_allocate(device_, GTR_MEMORY_DEVICE, bytes, &target));
    const double seconds = least_seconds([&](int64_t) { check(gtr_copy(stream_, target, source, bytes)); });
    check(gtr_free(device_, target));
    check(gtr_free(device_, source));
    return 2.0 * static_cast<double>(bytes) / seconds;
  }

 private:
  // The best of several counts: a peak is what is possible.
  double least_seconds(const std::function<void(int64_t)>& run) {
    return card_.measure(Card::Cache::kCold, emulated_ ? 1 : 9, emulated_ ? 0 : 0.2, run).front();
  }

  Card& card_;
  gtr_device* device_;
  gtr_stream* stream_;
  bool emulated_;
};

}  // namespace

Peak measure_card_peak(Card& card, gtr_device* device, gtr_stream* stream, bool emulated) {
  Ceilings ceilings(card, device, stream, emulated);
  return {ceilings.flops(CardLoop::kMultiplyAddF32), ceilings.flops(CardLoop::kMultiplyBf16), ceilings.read_bytes(),
          ceilings.copy_bytes()};
}

}  // namespace gtr::bench
