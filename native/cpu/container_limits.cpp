#include "container_limits.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace gtr::cpu {
namespace {

constexpr size_t kPathSize = 4096;

// Lines of a small text file, without allocating. A line longer than the buffer ends at its size.
class Lines {
 public:
  explicit Lines(const char* path) noexcept : file_(open(path, O_RDONLY | O_CLOEXEC)) {}
  ~Lines() {
    if (file_ >= 0) close(file_);
  }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  // The next line without its end, or null.
  char* next() noexcept {
    if (file_ < 0) return nullptr;
    size_t length = 0;
    for (char c; read_char(&c);) {
      if (c == '\n') {
        line_[length] = '\0';
        return line_;
      }
      if (length < sizeof line_ - 1) line_[length++] = c;
    }
    line_[length] = '\0';
    return length > 0 ? line_ : nullptr;
  }

 private:
  bool read_char(char* c) noexcept {
    if (at_ == filled_) {
      const ssize_t bytes = read(file_, buffer_, sizeof buffer_);
      if (bytes <= 0) return false;
      filled_ = static_cast<size_t>(bytes);
      at_ = 0;
    }
    *c = buffer_[at_++];
    return true;
  }

  int file_;
  size_t at_ = 0;
  size_t filled_ = 0;
  char buffer_[4096];
  char line_[2 * kPathSize];
};

// Is `word` one of the comma-separated words of `list`?
bool lists(const char* list, const char* word) noexcept {
  const size_t length = std::strlen(word);
  for (const char* at = list; (at = std::strstr(at, word)) != nullptr; at += length) {
    const bool begins = at == list || at[-1] == ',';
    const bool ends = at[length] == '\0' || at[length] == ',';
    if (begins && ends) return true;
  }
  return false;
}

// Where a controller of version 1, or the one hierarchy of version 2, shows itself in the file system.
struct Hierarchy {
  bool found = false;
  char mount[kPathSize];  // of the hierarchy's part that is visible here
  char path[kPathSize];   // of this process's group below the mount; "" for the mount itself
};

// This process's group: "hierarchy:controllers:path" lines, no controllers in version 2.
bool group_path(const char* root, const char* controller, char* path) noexcept {
  char file[kPathSize];
  std::snprintf(file, sizeof file, "%s/proc/self/cgroup", root);
  Lines lines(file);
  while (char* line = lines.next()) {
    char* controllers = std::strchr(line, ':');
    if (controllers == nullptr) continue;
    ++controllers;
    char* group = std::strchr(controllers, ':');
    if (group == nullptr) continue;
    *group++ = '\0';
    const bool match = controller == nullptr ? controllers[0] == '\0' : lists(controllers, controller);
    if (match) {
      std::snprintf(path, kPathSize, "%s", group);
      return true;
    }
  }
  return false;
}

// controller: of version 1; null for version 2.
void find_hierarchy(const char* root, const char* controller, Hierarchy* hierarchy) noexcept {
  char group[kPathSize];
  if (!group_path(root, controller, group)) return;
  char file[kPathSize];
  std::snprintf(file, sizeof file, "%s/proc/self/mountinfo", root);
  Lines lines(file);
  while (char* line = lines.next()) {
    // id parent device root mount-point options [optional fields] - type source super-options
    char mount_root[kPathSize], mount_point[kPathSize], type[64], super_options[1024];
    if (std::sscanf(line, "%*s %*s %*s %4095s %4095s", mount_root, mount_point) != 2) continue;
    const char* rest = std::strstr(line, " - ");
    if (rest == nullptr || std::sscanf(rest, " - %63s %*s %1023s", type, super_options) != 2) continue;
    const bool match = controller == nullptr ? std::strcmp(type, "cgroup2") == 0
                                             : std::strcmp(type, "cgroup") == 0 && lists(super_options, controller);
    if (!match) continue;
    // A container may see only its own part of the hierarchy, mounted with that part as the root.
    const char* below = group;
    const size_t length = std::strcmp(mount_root, "/") == 0 ? 0 : std::strlen(mount_root);
    if (std::strncmp(group, mount_root, length) == 0 && (group[length] == '/' || group[length] == '\0')) {
      below = group + length;
    } else {
      below = "";
    }
    if (std::strcmp(below, "/") == 0 || std::strstr(below, "/..") != nullptr) below = "";
    std::snprintf(hierarchy->mount, sizeof hierarchy->mount, "%s%s", root, mount_point);
    std::snprintf(hierarchy->path, sizeof hierarchy->path, "%s", below);
    hierarchy->found = true;
    return;
  }
}

// Calls visit with a directory for this process's group and each of its ancestors, since all their limits hold.
template <typename Visit>
void for_each_group(Hierarchy& hierarchy, Visit&& visit) noexcept {
  for (;;) {
    char directory[2 * kPathSize];
    std::snprintf(directory, sizeof directory, "%s%s", hierarchy.mount, hierarchy.path);
    visit(directory);
    char* last = std::strrchr(hierarchy.path, '/');
    if (last == nullptr) return;
    *last = '\0';
  }
}

// The first line of a file of a group.
bool first_line(const char* directory, const char* name, char* text, size_t size) noexcept {
  char path[2 * kPathSize + 64];
  std::snprintf(path, sizeof path, "%s/%s", directory, name);
  Lines lines(path);
  const char* line = lines.next();
  if (line == nullptr) return false;
  const size_t length = std::strlen(line);
  if (length >= size) return false;  // none of the numbers looked for is that long
  std::memcpy(text, line, length + 1);
  return true;
}

void lower(int64_t value, int64_t* least) noexcept {
  if (value > 0 && (*least == 0 || value < *least)) *least = value;
}

int64_t quota_in_milli(long long quota, long long period) noexcept {
  if (quota <= 0 || period <= 0 || quota > INT64_MAX / 1000) return 0;  // -1: no limit
  const int64_t milli = quota * 1000 / period;
  return milli < 1 ? 1 : milli;
}

int64_t cpu_quota_milli(const char* root) noexcept {
  int64_t least = 0;
  Hierarchy unified;
  find_hierarchy(root, nullptr, &unified);
  if (unified.found) {
    for_each_group(unified, [&](const char* directory) {
      char text[64];
      long long quota, period;
      if (first_line(directory, "cpu.max", text, sizeof text) &&
          std::sscanf(text, "%lld %lld", &quota, &period) == 2) {  // "max 100000" has no quota
        lower(quota_in_milli(quota, period), &least);
      }
    });
  }
  Hierarchy cpu;
  find_hierarchy(root, "cpu", &cpu);
  if (cpu.found) {
    for_each_group(cpu, [&](const char* directory) {
      char quota[64], period[64];
      if (first_line(directory, "cpu.cfs_quota_us", quota, sizeof quota) &&
          first_line(directory, "cpu.cfs_period_us", period, sizeof period)) {
        lower(quota_in_milli(std::atoll(quota), std::atoll(period)), &least);
      }
    });
  }
  return least;
}

int affinity_count() noexcept {
  // The mask of a machine with more processors than a cpu_set_t has bits does not fit; then all count.
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    const int count = CPU_COUNT(&set);
    if (count > 0) return count;
  }
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? static_cast<int>(online) : 1;
}

}  // namespace

int CpuAllowance::threads() const noexcept {
  if (quota_milli == 0) return affinity;
  const int64_t quota = (quota_milli + 999) / 1000;
  return quota < affinity ? static_cast<int>(quota) : affinity;
}

CpuAllowance cpu_allowance(const char* root) noexcept { return {affinity_count(), cpu_quota_milli(root)}; }

int64_t memory_allowance(const char* root) noexcept {
  int64_t least = 0;
  lower(static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE), &least);
  Hierarchy unified;
  find_hierarchy(root, nullptr, &unified);
  if (unified.found) {
    for_each_group(unified, [&](const char* directory) {
      char text[64];
      if (first_line(directory, "memory.max", text, sizeof text)) lower(std::atoll(text), &least);  // "max": 0
    });
  }
  Hierarchy memory;
  find_hierarchy(root, "memory", &memory);
  if (memory.found) {
    for_each_group(memory, [&](const char* directory) {
      char text[64];
      if (first_line(directory, "memory.limit_in_bytes", text, sizeof text)) lower(std::atoll(text), &least);
    });
  }
  return least;
}

}  // namespace gtr::cpu
