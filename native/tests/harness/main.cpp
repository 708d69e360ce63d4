// gtr-test-ops: runs the operation cases on one backend and tier.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>

#include "harness/case.h"
#include "harness/crash_report.h"
#include "harness/options.h"

namespace gtr::test {
namespace {

constexpr int kSkipped = 77;

// More threads than this project's test machines have cores, and no divisor of typical extents.
constexpr int32_t kThreads = 3;

struct Totals {
  int runs = 0;
  int failed = 0;
};

void run_case(const Case& test, Target& target, TestData& data, bool verbose, Totals* totals) {
  for (const Placement placement : test.placements) {
    const std::string label = test.operation + " | " + test.name + " | " + placement_name(placement);
    set_running_case(label);
    const auto start = std::chrono::steady_clock::now();
    Trial trial(target, data, test.operation + test.name, placement);
    const gtr_memory_stats before = target.memory();
    try {
      test.body(trial);
      const gtr_memory_stats after = target.memory();
      if (after.live_bytes != before.live_bytes || after.allocations != before.allocations ||
          after.handles != before.handles) {
        trial.fail("left behind: %lld bytes, %lld allocations, %lld handles",
                   static_cast<long long>(after.live_bytes - before.live_bytes),
                   static_cast<long long>(after.allocations - before.allocations),
                   static_cast<long long>(after.handles - before.handles));
      }
    } catch (const std::exception& error) {
      trial.fail("%s", error.what());
    }
    gtr_test_fail_allocation(0);
    ++totals->runs;
    if (!trial.failures().empty()) ++totals->failed;
    for (const std::string& failure : trial.failures()) std::printf("FAILED %s: %s\n", label.c_str(), failure.c_str());
    if (verbose) {
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      std::printf("%s %s (%.3f s)\n", trial.failures().empty() ? "passed" : "failed", label.c_str(), seconds.count());
    }
  }
}

// Prints why and returns false if the machine cannot run the backend and tier.
bool is_available(const Options& options) {
  if (options.backend == GTR_BACKEND_CPU && options.tier != GTR_TIER_AUTO) {
    int32_t available = 0;
    require_ok(gtr_cpu_tier_available(options.tier, &available), "gtr_cpu_tier_available");
    if (!available) std::printf("SKIPPED: this machine lacks the tier %s\n", tier_name(options.tier));
    return available != 0;
  }
  char detail[512] = "";
  int32_t count = 0;
  require_ok(gtr_device_count(options.backend, &count, detail, sizeof detail), "gtr_device_count");
  if (count == 0 && options.emulated) throw Failure(detail);
  if (count == 0) std::printf("SKIPPED: %s\n", detail);
  return count != 0;
}

int run_all(const Options& options) {
  std::vector<Case> cases = all_cases().cases();
  for (const std::string& operation : options.operations) {
    const auto known = [&](const Case& test) { return test.operation == operation; };
    if (std::none_of(cases.begin(), cases.end(), known)) {
      std::fprintf(stderr, "gtr-test-ops: no operation '%s'; --list shows all\n", operation.c_str());
      return 2;
    }
  }
  const auto unwanted = [&](const Case& test) {
    const auto& wanted = options.operations;
    return (!wanted.empty() && std::find(wanted.begin(), wanted.end(), test.operation) == wanted.end()) ||
           test.name.find(options.case_part) == std::string::npos;
  };
  cases.erase(std::remove_if(cases.begin(), cases.end(), unwanted), cases.end());
  if (cases.empty()) {
    std::fprintf(stderr, "gtr-test-ops: no case contains '%s'\n", options.case_part.c_str());
    return 2;
  }
  if (options.list) {
    for (const Case& test : cases) std::printf("%s | %s\n", test.operation.c_str(), test.name.c_str());
    return 0;
  }
  if (!is_available(options)) return kSkipped;

  install_crash_report();
  const auto start = std::chrono::steady_clock::now();
  TestData data(options.golden_folder, options.model_file);
  Target target(options.backend, options.tier, options.backend == GTR_BACKEND_CPU ? kThreads : 0);
  Totals totals;
  for (const Case& test : cases) {
    run_case(test, target, data, options.verbose, &totals);
    if (options.stop && totals.failed != 0) break;
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::printf("%s: %zu cases, %d runs, %d failed, %.1f s on %s %s (%s)\n", totals.failed ? "FAILED" : "passed",
              cases.size(), totals.runs, totals.failed, seconds.count(),
              target.is_cpu()    ? "cpu"
              : options.emulated ? "cuda-emu"
                                 : "cuda",
              target.is_cpu() ? tier_name(target.info().tier) : "", target.info().name);
  return totals.failed ? 1 : 0;
}

}  // namespace
}  // namespace gtr::test

int main(int argc, char** argv) {
  gtr::test::Options options;
  int exit_code = 0;
  if (!gtr::test::parse_options(argc, argv, &options, &exit_code)) return exit_code;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  try {
    return gtr::test::run_all(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gtr-test-ops: %s\n", error.what());
    return 1;
  }
}
