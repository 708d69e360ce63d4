// A card as gtr-bench sees it, through the library of cuda/bench.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "card_tools.h"
#include "options.h"

namespace gtr::bench {

// Ends the program with a sentence if anything fails.
class Card {
 public:
  // small: takes the caches as if they held next to nothing, so that the emulator does not overwrite the megabytes of a
  // real one before every run.
  Card(Target target, int32_t index, bool small);
  ~Card();
  Card(const Card&) = delete;
  Card& operator=(const Card&) = delete;

  const CardDescription& description() const { return description_; }
  void* stream() const { return tools_->stream(); }

  // How a run finds the second-level cache: with nothing of its own in it, or as a run of the same case left it.
  enum class Cache { kCold, kWarm };

  // The times of run(i), i = 0, 1, ..., which enqueues on the stream; ascending. What is between two marks is the
  // card's time alone: the stream has to overwrite its caches before each run, while the host enqueues ahead.
  std::vector<double> measure(Cache cache, int32_t repetitions, double seconds,
                              const std::function<void(int64_t)>& run);

  // Enqueues a loop; what it does.
  CardWork run(CardLoop loop, int64_t rounds);

 private:
  void check(const char* message) const;

  Target target_;
  const CardTools* tools_;
  CardDescription description_{};
};

}  // namespace gtr::bench
