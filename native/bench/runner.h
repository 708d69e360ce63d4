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
#include "session.h"

namespace gtr::bench {

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

class Runner : public Session {
 public:
  Runner(const Options& options, Report& report, int32_t tier, int32_t threads);
  Runner(const Options& options, Report& report, Card& card);
  // Runs nothing, but prints the cases.
  explicit Runner(const Options& options);

  const Peak& peak() const { return peak_; }

  bool is_of_card() const { return options_.target != Target::kCpu; }

  // Whether the cases are those for a card: the model's own dtypes, more rows, whole images.
  bool has_card_cases() const { return is_of_card() || options_.small; }
  bool has_images() const { return has_card_cases() || options_.images; }
  bool is_small() const { return options_.small; }
  std::vector<Model> models() const;

  // Whether the filter lets the case through: asked before its inputs are made. Never, where cases are only listed.
  bool wants(const Case& c) const;

  // Measures run(i), i = 0, 1, ..., and reports it.
  void measure(const Case& c, const std::function<void(int64_t)>& run);

  // A result that was measured in another way.
  void add(const Case& c, std::vector<double> seconds);

 private:
  bool matches(const Case& c, const char* suffix) const;
  std::vector<double> measure_on_host(const std::function<void(int64_t)>& run);

  const Options& options_;
  Report* report_ = nullptr;
  std::string tier_;
  int32_t threads_ = 0;
  Card* card_ = nullptr;
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
void bench_image(Runner& runner);  // on cards, small, or asked for

}  // namespace gtr::bench
