// Results and their output.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace gtr::bench {

struct Result {
  std::string operation;  // "linear"
  std::string name;       // "MAR-L fc1, 128 rows, cold"
  std::string tier;
  std::string precision;
  int32_t threads;
  double flops;                 // of one run; 0 where none are counted
  double bytes;                 // that one run has to read from memory at least; 0 where none are counted
  double peak_flops;            // per second, of the tier, threads and precision
  double peak_bytes;            // per second
  std::vector<double> seconds;  // one per repetition, ascending
  std::string shape;            // "rows=640 inputs=1280", or empty; not in the tables for people

  double median() const { return seconds[seconds.size() / 2]; }
  // Half the distance between the quartiles, as a share of the median.
  double spread() const;
};

struct Machine {
  std::string version;  // of the library
  std::string processor;
};

enum class Format { kMarkdown, kCsv, kTsv, kJson };

// Writes each result as it comes. CSV, TSV and JSON are in base units (seconds, operations and bytes a second).
class Report {
 public:
  Report(Format format, std::FILE* out, const Machine& machine);
  void add(const Result& result);
  void finish();

 private:
  Format format_;
  std::FILE* out_;
  Machine machine_;
  bool first_ = true;
};

}  // namespace gtr::bench
