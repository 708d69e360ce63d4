// Checks of the arguments of one call. The first failure is kept and recorded with fail(); after it every further check
// returns false without looking, so that checks can be written one below the other:
//
//   Check check("gtr_gather");
//   if (!check.input("x", x, kF32 | kBF16, {any(), any()})) return check.status();
//   check.input("index", index, kI32, {any()});
//   ...
//   if (!check.ok()) return check.status();
#pragma once

#include <cstdint>
#include <initializer_list>

#include "gtr/gtr.h"
#include "handles.h"

namespace gtr {

// Sets of dtypes.
constexpr uint32_t kF32 = 1u << GTR_F32;
constexpr uint32_t kF16 = 1u << GTR_F16;
constexpr uint32_t kBF16 = 1u << GTR_BF16;
constexpr uint32_t kI32 = 1u << GTR_I32;
constexpr uint32_t kU32 = 1u << GTR_U32;
constexpr uint32_t kU64 = 1u << GTR_U64;
constexpr uint32_t kU8 = 1u << GTR_U8;

// A dimension that a tensor must have: exactly `size`, which is `meaning`; any size if it is negative.
struct Dim {
  int64_t size;
  const char* meaning;
};
constexpr Dim any() noexcept { return {-1, ""}; }

// Most rows (batch entries, positions, heads) of a call: products of two of them and a width stay far from 2^63.
constexpr int64_t kMaxRows = INT32_MAX;

class Check {
 public:
  explicit Check(const char* operation) noexcept : operation_(operation) {}

  const char* operation() const noexcept { return operation_; }
  bool ok() const noexcept { return status_ == GTR_OK; }
  gtr_status status() const noexcept { return status_; }

  // Records a failure, unless there is one already; false.
  bool fail(gtr_status status, const char* argument, const char* format, ...) noexcept
      __attribute__((format(printf, 4, 5)));

  bool not_null(const char* argument, const void* pointer) noexcept;

  // lowest <= value <= highest. meaning: what sets the limit, "" if gtr.h does.
  bool range(const char* argument, int64_t value, int64_t lowest, int64_t highest, const char* meaning = "") noexcept;
  bool finite(const char* argument, double value) noexcept;
  bool finite_not_negative(const char* argument, double value) noexcept;
  bool finite_positive(const char* argument, double value) noexcept;
  bool precision(int32_t value) noexcept;

  // The same for a size in the shape of a tensor that has passed its check.
  bool size(const char* argument, const gtr_tensor& tensor, int32_t dimension, int64_t lowest, int64_t highest,
            const char* meaning = "") noexcept;

  // Tensors: not null, rank and shape as in dims, one of dtypes, aligned, strides not negative, all elements within
  // tensor->size; the last dimension has stride 1 if there is more than one, or if kDense. Inputs may repeat elements.
  enum Layout { kDefault, kDense };
  bool input(const char* argument, const gtr_tensor* tensor, uint32_t dtypes, std::initializer_list<Dim> dims,
             Layout layout = kDefault) noexcept;
  // Null passes.
  bool optional_input(const char* argument, const gtr_tensor* tensor, uint32_t dtypes, std::initializer_list<Dim> dims,
                      Layout layout = kDefault) noexcept;
  // After all inputs: also no element twice, and no overlap with an input, unless that is the argument may_be_same (may
  // be null) and in every respect the same tensor.
  bool output(const char* argument, const gtr_tensor* tensor, uint32_t dtypes, std::initializer_list<Dim> dims,
              const char* may_be_same = nullptr) noexcept;

  // Last of all: aligned, large enough, and apart from every tensor of the call. May be null if required is 0.
  bool scratch(const void* scratch, int64_t scratch_size, int64_t required) noexcept;

 private:
  bool refuse_value(const char* argument, const char* what, int64_t value, int64_t lowest, int64_t highest,
                    const char* meaning) noexcept;
  bool tensor(const char* argument, const gtr_tensor* tensor, uint32_t dtypes, std::initializer_list<Dim> dims,
              Layout layout) noexcept;
  void remember(const char* argument, const gtr_tensor* tensor) noexcept;

  const char* operation_;
  gtr_status status_ = GTR_OK;

  // The tensors of the call so far. No function has more.
  static constexpr int kMaxTensors = 12;
  struct Seen {
    const char* argument;
    const gtr_tensor* tensor;
  };
  Seen seen_[kMaxTensors];
  int seen_count_ = 0;
};

// A stream for the time of one call on it. Fails the check if it is null or another thread has it.
class StreamUse {
 public:
  StreamUse(Check& check, const gtr_stream* stream) noexcept;
  ~StreamUse();
  StreamUse(const StreamUse&) = delete;
  StreamUse& operator=(const StreamUse&) = delete;

 private:
  const gtr_stream* stream_ = nullptr;
};

// Weights (gtr_linear_weights, gtr_head) for the time of one call that reads them. Fails the check if they are null,
// are being set or destroyed, or belong to another device than the stream (null: no stream).
template <typename Weights>
class WeightsUse {
 public:
  WeightsUse(Check& check, const char* argument, const Weights* weights, const gtr_stream* stream) noexcept {
    if (!check.not_null(argument, weights)) return;
    if (!weights->use.try_share()) {
      check.fail(GTR_ERROR_BUSY, argument, "%s is being set or destroyed by another thread", argument);
      return;
    }
    weights_ = weights;
    if (stream != nullptr && weights->device != stream->device) {
      check.fail(GTR_ERROR_INVALID_ARGUMENT, argument, "%s belongs to another device than the stream", argument);
    }
  }
  ~WeightsUse() {
    if (weights_ != nullptr) weights_->use.end_share();
  }
  WeightsUse(const WeightsUse&) = delete;
  WeightsUse& operator=(const WeightsUse&) = delete;

 private:
  const Weights* weights_ = nullptr;
};

// Weights for a call that changes them. Fails the check if anybody else uses them.
template <typename Weights>
class WeightsChange {
 public:
  WeightsChange(Check& check, const char* argument, const Weights* weights) noexcept {
    if (!check.not_null(argument, weights)) return;
    if (!weights->use.try_alone()) {
      check.fail(GTR_ERROR_BUSY, argument, "%s is in use by another thread", argument);
      return;
    }
    weights_ = weights;
  }
  ~WeightsChange() {
    if (weights_ != nullptr) weights_->use.end_alone();
  }
  WeightsChange(const WeightsChange&) = delete;
  WeightsChange& operator=(const WeightsChange&) = delete;

  // The handle is destroyed: nothing is left to give back.
  void forget() noexcept { weights_ = nullptr; }

 private:
  const Weights* weights_ = nullptr;
};

// The end of an operation whose arguments are good: GTR_ERROR_CANCELLED if the stream is, GTR_OK without a call if
// `output` is empty, else run()'s status.
template <typename Run>
gtr_status run_on(const gtr_stream* stream, const Check& check, const gtr_tensor& output, Run&& run) noexcept;

// Records that the stream is cancelled, and says so.
gtr_status cancelled(const Check& check) noexcept;

// What a backend's call on a stream returned; GTR_ERROR_CANCELLED is for the caller to report.
inline gtr_status reported(const Check& check, gtr_status status) noexcept {
  return status == GTR_ERROR_CANCELLED ? cancelled(check) : status;
}

}  // namespace gtr

#include "tensor_view.h"

template <typename Run>
gtr_status gtr::run_on(const gtr_stream* stream, const Check& check, const gtr_tensor& output, Run&& run) noexcept {
  if (stream->cancelled.load(std::memory_order_relaxed)) return cancelled(check);
  if (is_empty(output)) return GTR_OK;
  return reported(check, run());
}
