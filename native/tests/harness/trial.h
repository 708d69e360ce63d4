// One run of a case: what it runs on, its random numbers, and what went wrong.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "gtr/gtr.h"
#include "harness/random.h"
#include "harness/target.h"
#include "harness/tensor.h"
#include "harness/tolerance.h"
#include "safetensors.h"

namespace gtr::test {

// Files that cases read; opened once.
class TestData {
 public:
  TestData(std::string golden_folder, std::string model_file)
      : golden_folder_(std::move(golden_folder)), model_file_(std::move(model_file)) {}

  // golden("tiny_cases"), and the bundled model.
  const Safetensors& golden(const std::string& name);
  const Safetensors& model();

 private:
  const Safetensors& file(const std::string& path);

  std::string golden_folder_;
  std::string model_file_;
  std::map<std::string, Safetensors> files_;
};

class Trial {
 public:
  Trial(Target& target, TestData& data, const std::string& seed, Placement placement)
      : target_(target), data_(data), random_(seed), placement_(placement) {}

  Target& target() const { return target_; }
  TestData& data() const { return data_; }
  Random& random() { return random_; }
  Placement placement() const { return placement_; }

  // Records a failure; the case goes on.
  void fail(const char* format, ...) __attribute__((format(printf, 2, 3)));
  bool expect(bool condition, const char* what);
  const std::vector<std::string>& failures() const { return failures_; }

  // Runs a call between before_call and after_call; throws unless it and what follows on the stream succeeds.
  void run(const char* what, const std::function<gtr_status()>& call);
  // The same for a call on another stream.
  void run(gtr_stream* on, const char* what, const std::function<gtr_status()>& call);
  // The same for a call that must fail with this status.
  void run_expecting(gtr_status expected, const char* what, const std::function<gtr_status()>& call);
  void before_call();
  void after_call();

  // Every element that a call may write, against row-major expected values. Reports the worst one.
  void compare(const Tensor& got, const std::vector<double>& expected, Tolerance tolerance, const char* what = "");
  // The same for plain values.
  void compare(const std::string& name, const std::vector<double>& got, const std::vector<double>& expected,
               Tolerance tolerance);
  // ||got - expected|| <= limit ||expected|| for each row of `width` values.
  void compare_norm(const std::string& name, const std::vector<double>& got, const std::vector<double>& expected,
                    int64_t width, double limit) {
    const auto rows = width > 0 ? expected.size() / static_cast<size_t>(width) : 0;
    compare_norm(name, got, expected, width, std::vector<double>(rows, limit));
  }
  // With a limit for each row.
  void compare_norm(const std::string& name, const std::vector<double>& got, const std::vector<double>& expected,
                    int64_t width, const std::vector<double>& limits);
  // Bit for bit, as far as doubles made from floats tell (NaN equals NaN, 0 does not equal -0).
  void compare_bits(const std::string& name, const std::vector<double>& got, const std::vector<double>& expected);

  // For Tensor.
  void add(Tensor* tensor) { tensors_.push_back(tensor); }
  void remove(Tensor* tensor);

 private:
  Target& target_;
  TestData& data_;
  Random random_;
  Placement placement_;
  std::vector<Tensor*> tensors_;
  std::vector<std::string> failures_;
};

// ||got - expected|| / ||expected||; NaN where either side has one.
double relative_norm(const double* got, const double* expected, size_t count);

// Scratch of exactly the size that was asked for, in the backend's memory, full of NaN.
class Scratch {
 public:
  Scratch(Trial& trial, int64_t bytes)
      : tensor_(trial, "scratch", Role::kOutput, GTR_U8, {bytes}, {}, GTR_ALIGNMENT), bytes_(bytes) {}
  void* data() const { return tensor_.view()->data; }
  int64_t size() const { return bytes_; }

 private:
  Tensor tensor_;
  int64_t bytes_;
};

}  // namespace gtr::test
