// gtr-test-mutations: removes each wait of the kernels in turn and sees whether the operation cases notice.
//   gtr-test-mutations GTR_TEST_OPS CUDA_FOLDER HARMLESS_FILE OPERATION...
// A wait is a call of block_sync, warp_sync, grid_sync, dependency_wait, copy_async_commit, copy_async_wait,
// group_multiply_commit or group_multiply_wait. Without it some case of
// an operation that comes by must fail, in one of the orders of threads; or harmless_sites.txt says why none can. An
// entry of that list which is caught, or which is no wait that any case reaches, is an error as well; so is a wait in
// the sources that no case reaches.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <mutex>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

extern char** environ;

namespace {

namespace fs = std::filesystem;

constexpr const char* kOrders[] = {"forward", "reverse"};
// Of the emulated card: one whose products are wgmma's, and one that has mma.sync alone.
constexpr const char* kCapabilities[] = {"90", "80"};
constexpr int kTimeLimitSeconds = 300;  // of one run; a removed wait may also make a kernel run on and on

int errors = 0;
std::mutex output_mutex;

void report_error(const std::string& text) {
  const std::lock_guard<std::mutex> lock(output_mutex);
  ++errors;
  std::printf("FAILED %s\n", text.c_str());
}

enum class Outcome { kPassed, kCaught, kBroken };

// Runs one operation's cases up to the first failure.
Outcome run(const std::string& program, const std::string& operation, const std::map<std::string, std::string>& added) {
  const char* arguments[] = {
      program.c_str(), "--backend", "cuda-emu", "--op", operation.c_str(), "--stop", static_cast<char*>(nullptr)};
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (std::string(*variable).compare(0, 8, "GTR_EMU_") != 0) variables.emplace_back(*variable);
  }
  variables.push_back("GTR_EMU_PROTECT=0");  // costs time, and is no matter of waits
  for (const auto& entry : added) variables.push_back(entry.first + "=" + entry.second);
  std::vector<char*> environment;
  for (std::string& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int failed =
      posix_spawn(&child, program.c_str(), &actions, nullptr, const_cast<char* const*>(arguments), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return Outcome::kBroken;

  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(kTimeLimitSeconds);
  int status = 0;
  bool timed_out = false;
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (!timed_out && std::chrono::steady_clock::now() > end) {
      timed_out = true;
      kill(child, SIGKILL);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  if (timed_out || WIFSIGNALED(status) || WEXITSTATUS(status) == 1) return Outcome::kCaught;
  return WEXITSTATUS(status) == 0 ? Outcome::kPassed : Outcome::kBroken;
}

// A wait in the sources. Its name counts the waits of a function that cases reach, so that edits elsewhere do not
// change it.
struct Wait {
  std::string site;  // "attention.cu:123"
  std::string function;
  std::string name;  // "attention.cu attention_kernel 2"
  struct Reached {
    std::string operation;
    const char* capability;
  };
  std::vector<Reached> by;
};

struct SiteOrder {
  bool operator()(const std::string& a, const std::string& b) const {
    const auto split = [](const std::string& site) {
      const size_t colon = site.rfind(':');
      return std::make_pair(site.substr(0, colon), std::atoi(site.c_str() + colon + 1));
    };
    return split(a) < split(b);
  }
};
using Waits = std::map<std::string, Wait, SiteOrder>;

// Calls work(0) to work(count - 1), as many at once as the machine has processors.
void run_side_by_side(size_t count, const std::function<void(size_t)>& work) {
  std::atomic<size_t> next{0};
  std::vector<std::thread> workers;
  for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i) {
    workers.emplace_back([&] {
      for (size_t at = next++; at < count; at = next++) work(at);
    });
  }
  for (std::thread& worker : workers) worker.join();
}

// What the operations' cases reach as the sources are.
Waits find_waits(const std::string& program, const std::vector<std::string>& operations) {
  Waits waits;
  std::mutex mutex;
  std::map<std::string, double> seconds;
  run_side_by_side(operations.size() * std::size(kCapabilities), [&](size_t at) {
    const std::string& operation = operations[at / std::size(kCapabilities)];
    const char* const capability = kCapabilities[at % std::size(kCapabilities)];
    const std::string name = operation + "-" + capability;
    const std::string file =
        (fs::temp_directory_path() / ("gtr-sites-" + std::to_string(getpid()) + "-" + name)).string();
    const auto start = std::chrono::steady_clock::now();
    if (run(program, operation, {{"GTR_EMU_SITES", file}, {"GTR_EMU_CAPABILITY", capability}}) != Outcome::kPassed) {
      report_error(name + ": its cases do not pass as the sources are");
    }
    const std::lock_guard<std::mutex> lock(mutex);
    seconds[name] = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    std::ifstream sites(file);
    std::string site;
    std::string function;
    while (sites >> site && std::getline(sites >> std::ws, function)) {
      Wait& wait = waits[site];
      wait.site = site;
      wait.function = function;
      wait.by.push_back({operation, capability});
    }
    std::remove(file.c_str());
  });
  std::map<std::string, int> counts;
  for (auto& entry : waits) {
    Wait& wait = entry.second;
    // The short ones first: most waits are missed by whoever comes by.
    const auto time_of = [&](const Wait::Reached& reached) {
      return seconds[reached.operation + "-" + reached.capability];
    };
    std::sort(wait.by.begin(), wait.by.end(),
              [&](const Wait::Reached& a, const Wait::Reached& b) { return time_of(a) < time_of(b); });
    const std::string function = wait.site.substr(0, wait.site.rfind(':')) + " " + wait.function;
    wait.name = function + " " + std::to_string(++counts[function]);
  }
  return waits;
}

// Waits in the sources that no case reaches.
void check_all_are_reached(const fs::path& folder, const Waits& waits) {
  const std::regex call(
      R"(\b(block_sync|warp_sync|grid_sync|dependency_wait|(copy_async|group_multiply)_(commit|wait(<.*>)?))\()");
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const std::string extension = entry.path().extension().string();
    if (extension != ".cu" && extension != ".inl" && extension != ".h") continue;
    if (name == "device.h" || name == "device_nvidia.h" || name == "device_wgmma.h") continue;
    std::ifstream source(entry.path());
    std::string line;
    for (int number = 1; std::getline(source, line); ++number) {
      const std::string code = line.substr(0, line.find("//"));
      if (!std::regex_search(code, call)) continue;
      const std::string site = name + ":" + std::to_string(number);
      if (waits.count(site) == 0) report_error(site + ": no case reaches this wait: " + line);
    }
  }
}

// Lines "file function number: reason"; # begins a comment.
std::map<std::string, std::string> read_harmless(const std::string& file) {
  std::map<std::string, std::string> harmless;
  std::ifstream lines(file);
  if (!lines) report_error(file + " cannot be read");
  std::string line;
  while (std::getline(lines, line)) {
    if (line.empty() || line[0] == '#') continue;
    const size_t colon = line.find(": ");
    if (colon == std::string::npos || colon + 2 >= line.size()) {
      report_error("no reason in " + file + ": " + line);
      continue;
    }
    harmless[line.substr(0, colon)] = line.substr(colon + 2);
  }
  return harmless;
}

// By which operation, capability and order it is noticed that the wait is missing; empty if by none.
std::string catch_missing(const std::string& program, const Wait& wait) {
  for (const char* order : kOrders) {
    for (const Wait::Reached& reached : wait.by) {
      switch (
          run(program, reached.operation,
              {{"GTR_EMU_ORDER", order}, {"GTR_EMU_CAPABILITY", reached.capability}, {"GTR_EMU_REMOVE", wait.site}})) {
        case Outcome::kCaught:
          return reached.operation + " on " + reached.capability + ", " + order;
        case Outcome::kBroken:
          report_error(reached.operation + " does not run without " + wait.site);
          return "nobody";
        case Outcome::kPassed:
          break;
      }
    }
  }
  return "";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "usage: gtr-test-mutations GTR_TEST_OPS CUDA_FOLDER HARMLESS_FILE OPERATION...\n");
    return 2;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const std::string program = argv[1];
  const Waits waits = find_waits(program, std::vector<std::string>(argv + 4, argv + argc));
  check_all_are_reached(argv[2], waits);
  std::map<std::string, std::string> harmless = read_harmless(argv[3]);
  if (waits.empty()) report_error("no case reaches any wait");

  std::vector<const Wait*> queue;
  for (const auto& entry : waits) queue.push_back(&entry.second);
  // What nobody misses takes longest.
  std::stable_partition(queue.begin(), queue.end(), [&](const Wait* wait) { return harmless.count(wait->name) != 0; });
  std::atomic<int> caught{0};
  std::atomic<int> listed{0};
  run_side_by_side(queue.size(), [&](size_t at) {
    const Wait& wait = *queue[at];
    const bool is_listed = harmless.count(wait.name) != 0;
    const std::string by = catch_missing(program, wait);
    if (by.empty() && !is_listed) {
      report_error(wait.site + " (" + wait.name + "): nothing fails without this wait");
    } else if (!by.empty() && is_listed) {
      report_error(wait.site + " (" + wait.name + "): is listed as harmless, but missed by " + by);
    } else {
      ++(is_listed ? listed : caught);
      const std::lock_guard<std::mutex> lock(output_mutex);
      std::printf("%s (%s): %s\n", wait.site.c_str(), wait.name.c_str(),
                  is_listed ? "harmless as listed" : ("missed by " + by).c_str());
    }
  });
  for (const auto& entry : waits) harmless.erase(entry.second.name);
  for (const auto& entry : harmless)
    report_error(entry.first + " is listed as harmless, but is no wait that is reached");
  std::printf("%s: %zu waits, %d caught, %d harmless, %d errors\n", errors == 0 ? "passed" : "FAILED", waits.size(),
              caught.load(), listed.load(), errors);
  return errors == 0 ? 0 : 1;
}
