// Runs the cases of one tier and number of threads.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "gtr/gtr.h"
#include "options.h"
#include "peak.h"
#include "report.h"

namespace gtr::bench {

// Ends the program with the library's message if a call failed: a benchmark has nothing to clean up.
void check(gtr_status status);

// What a case does, for one run.
struct Case {
  const char* operation;
  std::string name;
  gtr_precision precision;
  double flops;
  double bytes;
};

class Runner {
 public:
  Runner(const Options& options, Report& report, int32_t tier, int32_t threads);
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  gtr_device* device() const { return device_; }
  gtr_stream* stream() const { return stream_; }
  const Peak& peak() const { return peak_; }

  // Whether the filter lets the case through: asked before its inputs are made.
  bool wants(const Case& c) const;

  // Measures run(i), i = 0, 1, ..., and reports it.
  void measure(const Case& c, const std::function<void(int64_t)>& run);

  // A result that was measured in another way.
  void add(const Case& c, std::vector<double> seconds);

 private:
  const Options& options_;
  Report& report_;
  int32_t tier_;
  int32_t threads_;
  gtr_device* device_ = nullptr;
  gtr_stream* stream_ = nullptr;
  Peak peak_;
};

// The benchmarks: each a file of its own, listed in main.cpp.
using Benchmark = void (*)(Runner&);
void bench_peak(Runner& runner);
void bench_linear(Runner& runner);
void bench_attention(Runner& runner);
void bench_head(Runner& runner);
void bench_layer_norm(Runner& runner);
void bench_frequency_energy(Runner& runner);

}  // namespace gtr::bench
