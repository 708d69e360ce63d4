#include "report.h"

namespace gtr::bench {
namespace {

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
    }
    result += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return result + '"';
}

// A number for the table, empty where it says nothing.
std::string cell(double value, const char* format) {
  if (!(value > 0)) {
    return "";
  }
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

}  // namespace

double Result::spread() const {
  const size_t quarter = seconds.size() / 4;
  return (seconds[seconds.size() - 1 - quarter] - seconds[quarter]) / 2 / median();
}

Report::Report(Format format, std::FILE* out, const Machine& machine) : format_(format), out_(out), machine_(machine) {
  switch (format_) {
    case Format::kMarkdown:
      std::fprintf(out_, "gtr4j %s on %s\n\n", machine.version.c_str(), machine.processor.c_str());
      std::fprintf(out_,
                   "| operation | case | tier | precision | threads | median | spread | GFLOP/s | of peak | GB/s | "
                   "of bandwidth |\n"
                   "|---|---|---|---|--:|--:|--:|--:|--:|--:|--:|\n");
      break;
    case Format::kCsv:
      std::fprintf(out_,
                   "version,processor,operation,case,tier,precision,threads,median_seconds,spread,repetitions,"
                   "flops_per_second,peak_flops_per_second,bytes_per_second,peak_bytes_per_second\n");
      break;
    case Format::kTsv:
      std::fprintf(out_,
                   "operation\tprecision\tcase\tbackend\tmedian_seconds\tspread\trepetitions\tflops_per_second\t"
                   "peak_flops_per_second\tbytes_per_second\tpeak_bytes_per_second\tshape\n");
      break;
    case Format::kJson:
      std::fprintf(out_, "{\"version\": %s, \"processor\": %s, \"results\": [", quoted(machine.version).c_str(),
                   quoted(machine.processor).c_str());
      break;
  }
}

void Report::add(const Result& r) {
  const double median = r.median();
  const double flops = r.flops / median;
  const double bytes = r.bytes / median;
  switch (format_) {
    case Format::kMarkdown:
      std::fprintf(out_, "| %s | %s | %s | %s | %d | %.3f ms | %.1f%% | %s | %s | %s | %s |\n", r.operation.c_str(),
                   r.name.c_str(), r.tier.c_str(), r.precision.c_str(), r.threads, median * 1e3, r.spread() * 100,
                   cell(flops / 1e9, "%.1f").c_str(), cell(flops / r.peak_flops * 100, "%.0f%%").c_str(),
                   cell(bytes / 1e9, "%.1f").c_str(), cell(bytes / r.peak_bytes * 100, "%.0f%%").c_str());
      break;
    case Format::kCsv:
      std::fprintf(out_, "%s,%s,%s,%s,%s,%s,%d,%.9g,%.4g,%zu,%.6g,%.6g,%.6g,%.6g\n", quoted(machine_.version).c_str(),
                   quoted(machine_.processor).c_str(), quoted(r.operation).c_str(), quoted(r.name).c_str(),
                   r.tier.c_str(), r.precision.c_str(), r.threads, median, r.spread(), r.seconds.size(), flops,
                   r.peak_flops, bytes, r.peak_bytes);
      break;
    case Format::kTsv:
      std::fprintf(out_, "%s\t%s\t%s\t%s\t%.9g\t%.4g\t%zu\t%.6g\t%.6g\t%.6g\t%.6g\t%s\n", r.operation.c_str(),
                   r.precision.c_str(), r.name.c_str(), r.tier.c_str(), median, r.spread(), r.seconds.size(), flops,
                   r.peak_flops, bytes, r.peak_bytes, r.shape.c_str());
      break;
    case Format::kJson:
      std::fprintf(out_,
                   "%s\n  {\"operation\": %s, \"case\": %s, \"tier\": \"%s\", \"precision\": \"%s\", \"threads\": %d, "
                   "\"median_seconds\": %.9g, \"spread\": %.4g, \"repetitions\": %zu, \"flops_per_second\": %.6g, "
                   "\"peak_flops_per_second\": %.6g, \"bytes_per_second\": %.6g, \"peak_bytes_per_second\": %.6g}",
                   first_ ? "" : ",", quoted(r.operation).c_str(), quoted(r.name).c_str(), r.tier.c_str(),
                   r.precision.c_str(), r.threads, median, r.spread(), r.seconds.size(), flops, r.peak_flops, bytes,
                   r.peak_bytes);
      break;
  }
  first_ = false;
  std::fflush(out_);
}

void Report::finish() {
  if (format_ == Format::kJson) {
    std::fprintf(out_, "\n]}\n");
  }
  std::fflush(out_);
}

}  // namespace gtr::bench
