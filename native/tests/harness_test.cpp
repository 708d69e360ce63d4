// The harness itself: everything that a case relies on to fail must fail. "Kernels" here are lambdas with defects.
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>

#include "harness/trial.h"

namespace gtr::test {
namespace {

int failures = 0;

void expect(bool condition, const char* what) {
  if (!condition) ++failures;
  std::printf("%s %s\n", condition ? "passed" : "FAILED", what);
}

// How many failures the body records.
size_t failures_of(Target& target, Placement placement, const std::function<void(Trial&)>& body) {
  TestData data("", "");
  Trial trial(target, data, "harness", placement);
  body(trial);
  return trial.failures().size();
}

// y = x with rows of 3 in strides of 5, and then whatever the defect does to the memory of x and y.
size_t failures_of_copy(Target& target, Placement placement, const std::function<void(float* x, float* y)>& defect) {
  return failures_of(target, placement, [&](Trial& trial) {
    Tensor x(trial, "x", Role::kInput, GTR_F32, {2, 3}, {5, 1});
    Tensor y(trial, "y", Role::kOutput, GTR_F32, {2, 3}, {5, 1});
    x.fill_uniform(-1, 1);
    trial.run("copy", [&] {
      auto* from = static_cast<float*>(x.view()->data);
      auto* to = static_cast<float*>(y.view()->data);
      for (int row = 0; row < 2; ++row) {
        for (int column = 0; column < 3; ++column) to[5 * row + column] = from[5 * row + column];
      }
      defect(from, to);
      return GTR_OK;
    });
    trial.compare(y, x.values(), kExact);
  });
}

// True if reading this many elements from the start of an input of four stops the program.
bool read_is_fatal(Target& target, Placement placement, int64_t offset) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    if (!std::freopen("/dev/null", "w", stderr)) _exit(0);  // a sanitizer's report
    failures_of(target, placement, [&](Trial& trial) {
      Tensor x(trial, "x", Role::kInput, GTR_F32, {4});
      volatile const float* data = static_cast<const float*>(x.view()->data);
      static_cast<void>(data[offset]);
    });
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

void check_memory_watch(Target& target) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  for (const Placement placement : {Placement::kEndsAtGuard, Placement::kStartsAtGuard, Placement::kUnaligned}) {
    const auto count = [&](const std::function<void(float*, float*)>& defect) {
      return failures_of_copy(target, placement, defect);
    };
    expect(count([](float*, float*) {}) == 0, "a right copy passes");
    expect(count([](float* x, float*) { x[1] = 7; }) > 0, "a changed input fails");
    expect(count([](float* x, float*) { x[3] = 7; }) > 0, "a changed gap of an input fails");
    expect(count([](float*, float* y) { y[3] = 7; }) > 0, "a write between rows fails");
    expect(count([](float*, float* y) { y[4] = 0; }) > 0, "a write of zero between rows fails");
    expect(count([](float*, float* y) { y[7] = kNan; }) > 0, "NaN in a result fails");
    expect(count([](float*, float* y) { y[0] = HUGE_VALF; }) > 0, "infinity in a result fails");
    expect(count([](float*, float* y) { y[6] = std::nextafter(y[6], 2.0f); }) > 0, "one bit too many fails");
  }
  expect(failures_of_copy(target, Placement::kEndsAtGuard, [](float*, float* y) { y[-1] = 0; }) > 0,
         "a write before the start fails");
  expect(failures_of_copy(target, Placement::kStartsAtGuard, [](float*, float* y) { y[8] = 0; }) > 0,
         "a write behind the end fails");
  expect(failures_of(target, Placement::kEndsAtGuard,
                     [](Trial& trial) {
                       Tensor y(trial, "y", Role::kOutput, GTR_F32, {2});
                       y.fill([](int64_t) { return 1; });
                       trial.run("nothing", [] { return GTR_OK; });
                       trial.compare(y, {1, 1}, {1e9, 0});
                     }) > 0,
         "an element that is never written fails");
  expect(failures_of(target, Placement::kEndsAtGuard,
                     [](Trial& trial) {
                       Tensor y(trial, "y", Role::kInOut, GTR_F32, {2});
                       y.fill([](int64_t) { return 1; });
                       y.leave_alone(1);
                       trial.run("both", [&] {
                         y.at<float>(0) = y.at<float>(1) = 2;
                         return GTR_OK;
                       });
                     }) > 0,
         "an element that was to be left alone fails");
}

void check_guards(Target& target) {
  expect(!read_is_fatal(target, Placement::kEndsAtGuard, 3), "the last element can be read");
  expect(read_is_fatal(target, Placement::kEndsAtGuard, 4), "reading behind the end stops the program");
  expect(!read_is_fatal(target, Placement::kStartsAtGuard, 0), "the first element can be read");
  expect(read_is_fatal(target, Placement::kStartsAtGuard, -1), "reading before the start stops the program");
}

void check_comparisons(Target& target) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  const auto compare = [&](double got, double expected, Tolerance tolerance) {
    return failures_of(target, Placement::kEndsAtGuard,
                       [&](Trial& trial) { trial.compare("value", {got}, {expected}, tolerance); }) == 0;
  };
  const auto norm = [&](double got, double expected) {
    return failures_of(target, Placement::kEndsAtGuard,
                       [&](Trial& trial) { trial.compare_norm("value", {got}, {expected}, 1, 0.1); }) == 0;
  };
  expect(compare(1.05, 1, {0, 0.1}) && !compare(1.2, 1, {0, 0.1}), "a relative limit");
  expect(compare(0.05, 0, {0.1, 0}) && !compare(0.2, 0, {0.1, 0}), "an absolute limit");
  expect(!compare(kNan, 1, {9, 9}) && !compare(1, kNan, {9, 9}) && !compare(kNan, kNan, {9, 9}), "NaN on any side");
  expect(!compare(HUGE_VAL, 1, {9, 9}) && !compare(1, HUGE_VAL, {9, 9}) && !compare(-HUGE_VAL, HUGE_VAL, {9, 9}),
         "infinity where it does not belong");
  expect(compare(HUGE_VAL, HUGE_VAL, kExact), "infinity where it belongs");
  expect(norm(1.05, 1) && !norm(1.2, 1) && !norm(kNan, 1) && !norm(1, kNan) && !norm(1, 0) && norm(0, 0), "norms");
  const auto bits = [&](double got, double expected) {
    return failures_of(target, Placement::kEndsAtGuard,
                       [&](Trial& trial) { trial.compare_bits("value", {got}, {expected}); }) == 0;
  };
  expect(bits(1, 1) && !bits(1, 1 + 1e-15) && !bits(0.0, -0.0) && bits(kNan, kNan) && !bits(kNan, 1), "bits");
}

}  // namespace
}  // namespace gtr::test

int main() {
  using namespace gtr::test;
  try {
    Target target(GTR_BACKEND_CPU, GTR_TIER_SCALAR, 1);
    check_memory_watch(target);
    check_guards(target);
    check_comparisons(target);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gtr-test-harness: %s\n", error.what());
    return 1;
  }
  std::printf("%d failed\n", failures);
  return failures ? 1 : 0;
}
