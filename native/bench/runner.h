// Runs the cases of one tier and number of threads, or of a card.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "card.h"
#include "gtr/gtr.h"
#include "models.h"
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
  std::string shape = "";        // "rows=640 inputs=1280": for programs that measure the same with another library
  bool depends_on_cache = true;  // on a card: measure it cold and warm
};

class Runner {
 public:
  Runner(const Options& options, Report& report, int32_t tier, int32_t threads);
  Runner(const Options& options, Report& report, Card& card);
  // Runs nothing, but prints the cases.
  explicit Runner(const Options& options);
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  gtr_device* device() const { return device_; }
  gtr_stream* stream() const { return stream_; }
  const Peak& peak() const { return peak_; }
  const gtr_device_info& info() const { return info_; }

  bool is_of_card() const { return options_.target != Target::kCpu; }

  // Whether calls return when they are enqueued.
  bool is_asynchronous() const { return card_ != nullptr; }

  // Whether the cases are those for a card: the model's own dtypes, more rows, whole images.
  bool has_card_cases() const { return is_of_card() || options_.small; }
  bool is_small() const { return options_.small; }
  std::vector<Model> models() const;

  // Whether the filter lets the case through: asked before its inputs are made. Never, where cases are only listed.
  bool wants(const Case& c) const;

  // Measures run(i), i = 0, 1, ..., and reports it.
  void measure(const Case& c, const std::function<void(int64_t)>& run);

  // A result that was measured in another way.
  void add(const Case& c, std::vector<double> seconds);

 private:
  void open(const gtr_device_options& options, void* external_stream);
  bool matches(const Case& c, const char* suffix) const;
  std::vector<double> measure_on_host(const std::function<void(int64_t)>& run);

  const Options& options_;
  Report* report_ = nullptr;
  std::string tier_;
  int32_t threads_ = 0;
  Card* card_ = nullptr;
  gtr_device* device_ = nullptr;
  gtr_stream* stream_ = nullptr;
  gtr_device_info info_{};
  Peak peak_{};
};

// The benchmarks: each a file of its own, listed in main.cpp.
using Benchmark = void (*)(Runner&);
void bench_peak(Runner& runner);
void bench_linear(Runner& runner);
void bench_attention(Runner& runner);
void bench_head(Runner& runner);
void bench_layer_norm(Runner& runner);
void bench_frequency_energy(Runner& runner);
void bench_image(Runner& runner);  // on cards, or small

}  // namespace gtr::bench
