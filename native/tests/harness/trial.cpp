#include "harness/trial.h"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace gtr::test {

const Safetensors& TestData::golden(const std::string& name) {
  return file(golden_folder_ + "/" + name + ".safetensors");
}

const Safetensors& TestData::model() { return file(model_file_); }

const Safetensors& TestData::file(const std::string& path) {
  const auto known = files_.find(path);
  if (known != files_.end()) return known->second;
  return files_.emplace(path, Safetensors::read(path)).first->second;
}

void Trial::fail(const char* format, ...) {
  char text[1200];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  failures_.push_back(text);
}

bool Trial::expect(bool condition, const char* what) {
  if (!condition) fail("%s", what);
  return condition;
}

void Trial::before_call() {
  for (Tensor* tensor : tensors_) tensor->before_call();
  target_.wait_for_copies();
}

void Trial::after_call() {
  for (Tensor* tensor : tensors_) tensor->after_call();
}

void Trial::run(const char* what, const std::function<gtr_status()>& call) { run(target_.stream(), what, call); }

void Trial::run(gtr_stream* on, const char* what, const std::function<gtr_status()>& call) {
  before_call();
  require_ok(call(), what);
  require_ok(gtr_stream_synchronize(on), what);
  after_call();
}

void Trial::run_expecting(gtr_status expected, const char* what, const std::function<gtr_status()>& call) {
  before_call();
  const gtr_status status = call();
  if (status != expected) {
    fail("%s returned %s (%s) where %s was expected", what, gtr_status_name(status),
         status == GTR_OK ? "" : gtr_last_error(), gtr_status_name(expected));
  }
  after_call();
}

void Trial::compare(const Tensor& got, const std::vector<double>& expected, Tolerance tolerance, const char* what) {
  if (static_cast<int64_t>(expected.size()) != got.count()) throw Failure("the reference has another size");
  std::vector<double> values = got.values();
  std::vector<double> reference = expected;
  for (int64_t i = 0; i < got.count(); ++i) {
    // Untouched bytes were checked after the call.
    if (got.is_left_alone(i)) values[static_cast<size_t>(i)] = reference[static_cast<size_t>(i)] = 0;
  }
  compare(got.name() + " " + shape_text(got.shape()) + (*what ? std::string(" ") + what : ""), values, reference,
          tolerance);
}

void Trial::compare(const std::string& name, const std::vector<double>& got, const std::vector<double>& expected,
                    Tolerance tolerance) {
  if (got.size() != expected.size()) {
    fail("%s: %zu values where %zu were expected", name.c_str(), got.size(), expected.size());
    return;
  }
  size_t bad = 0;
  size_t worst = 0;
  double worst_excess = -1;
  for (size_t i = 0; i < got.size(); ++i) {
    if (tolerance.accepts(got[i], expected[i])) continue;
    ++bad;
    const double excess = tolerance.excess(got[i], expected[i]);
    if (excess > worst_excess) {
      worst_excess = excess;
      worst = i;
    }
  }
  if (bad) {
    fail("%s: %zu of %zu wrong; worst at %zu: got %.9g, expected %.9g, error %.3g, allowed %.3g", name.c_str(), bad,
         got.size(), worst, got[worst], expected[worst], std::fabs(got[worst] - expected[worst]),
         tolerance.allowed(expected[worst]));
  }
}

double relative_norm(const double* got, const double* expected, size_t count) {
  double difference = 0;
  double reference = 0;
  for (size_t i = 0; i < count; ++i) {
    difference += (got[i] - expected[i]) * (got[i] - expected[i]);
    reference += expected[i] * expected[i];
  }
  return difference == 0 ? 0 : std::sqrt(difference / reference);
}

void Trial::compare_norm(const std::string& name, const std::vector<double>& got, const std::vector<double>& expected,
                         int64_t width, const std::vector<double>& limits) {
  if (got.size() != expected.size() || width < 1 || limits.size() * static_cast<size_t>(width) != got.size()) {
    fail("%s: %zu values where %zu were expected", name.c_str(), got.size(), expected.size());
    return;
  }
  const auto row_width = static_cast<size_t>(width);
  size_t bad = 0;
  size_t worst = 0;
  double worst_norm = 0;
  for (size_t row = 0; row < limits.size(); ++row) {
    const double norm = relative_norm(&got[row * row_width], &expected[row * row_width], row_width);
    if (norm <= limits[row]) continue;
    if (bad++ == 0 || !(norm <= worst_norm)) {
      worst_norm = norm;
      worst = row;
    }
  }
  if (bad) {
    fail(
        "%s: %zu of %zu rows wrong; worst row %zu: relative norm %.3g, allowed %.3g; it starts got %.9g, expected %.9g",
        name.c_str(), bad, limits.size(), worst, worst_norm, limits[worst], got[worst * row_width],
        expected[worst * row_width]);
  }
}

void Trial::compare_bits(const std::string& name, const std::vector<double>& got, const std::vector<double>& expected) {
  if (got.size() != expected.size()) {
    fail("%s: %zu values where %zu were expected", name.c_str(), got.size(), expected.size());
    return;
  }
  size_t bad = 0;
  size_t first = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    if (std::memcmp(&got[i], &expected[i], sizeof(double)) == 0 || (std::isnan(got[i]) && std::isnan(expected[i])))
      continue;
    if (bad++ == 0) first = i;
  }
  if (bad) {
    fail("%s: %zu of %zu values have other bits; first at %zu: %.9g, not %.9g", name.c_str(), bad, got.size(), first,
         got[first], expected[first]);
  }
}

void Trial::remove(Tensor* tensor) { tensors_.erase(std::find(tensors_.begin(), tensors_.end(), tensor)); }

}  // namespace gtr::test
