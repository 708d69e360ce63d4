// CPU quota and memory limit, read from made-up file systems: version 2, version 1, nested groups, containers that see
// only their own part.
#include "container_limits.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "expect.h"

namespace gtr::test {
namespace {

class FakeRoot {
 public:
  FakeRoot() {
    std::string pattern = (std::filesystem::temp_directory_path() / "gtr-limits-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  ~FakeRoot() { std::filesystem::remove_all(path_); }

  void write(const std::string& name, const std::string& text) const {
    const std::filesystem::path file = path_ + name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  int64_t quota() const { return cpu::cpu_allowance(path_.c_str()).quota_milli; }
  int64_t memory() const { return cpu::memory_allowance(path_.c_str()); }

 private:
  std::string path_;
};

void version_2() {
  const FakeRoot root;
  root.write("/proc/self/cgroup", "0::/user/job\n");
  root.write("/proc/self/mountinfo",
             "22 1 0:20 / / rw - ext4 /dev/sda1 rw\n"
             "30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 master:1 - cgroup2 cgroup2 rw,nsdelegate\n");
  EXPECT(root.quota() == 0);  // no cpu.max at all
  root.write("/sys/fs/cgroup/user/job/cpu.max", "max 100000\n");
  EXPECT(root.quota() == 0);
  root.write("/sys/fs/cgroup/user/job/cpu.max", "250000 100000\n");
  EXPECT(root.quota() == 2500);
  root.write("/sys/fs/cgroup/user/cpu.max", "150000 100000\n");  // an ancestor that is stricter
  EXPECT(root.quota() == 1500);
  root.write("/sys/fs/cgroup/user/cpu.max", "50 100000\n");
  EXPECT(root.quota() == 1);

  const int64_t machine = root.memory();
  EXPECT(machine > 0);
  root.write("/sys/fs/cgroup/user/job/memory.max", "max\n");
  EXPECT(root.memory() == machine);
  root.write("/sys/fs/cgroup/user/job/memory.max", "1048576\n");
  EXPECT(root.memory() == 1048576);
}

void version_2_in_a_container() {
  const FakeRoot root;  // a namespace of its own: the group is the root
  root.write("/proc/self/cgroup", "0::/\n");
  root.write("/proc/self/mountinfo", "30 22 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
  root.write("/sys/fs/cgroup/cpu.max", "400000 100000\n");
  EXPECT(root.quota() == 4000);
  root.write("/proc/self/cgroup", "0::/../other\n");  // a group outside the namespace
  EXPECT(root.quota() == 4000);
}

void version_1() {
  const FakeRoot root;
  root.write("/proc/self/cgroup", "5:cpuacct,cpu:/docker/abc\n4:memory:/docker/abc\n1:name=systemd:/docker/abc\n");
  root.write("/proc/self/mountinfo",
             "40 22 0:30 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n"
             "41 22 0:31 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
             "42 22 0:32 /docker/abc /sys/fs/cgroup/cpuset ro - cgroup cgroup rw,cpuset\n");
  root.write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  root.write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  EXPECT(root.quota() == 0);
  root.write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "300000\n");
  EXPECT(root.quota() == 3000);
  root.write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "2097152\n");
  EXPECT(root.memory() == 2097152);
}

void nothing_there() {
  const FakeRoot root;
  EXPECT(root.quota() == 0);
  EXPECT(root.memory() > 0);
  root.write("/proc/self/cgroup", "garbage\n::\n0::\n");
  root.write("/proc/self/mountinfo", "garbage\n - \n1 2 3 / /x rw - cgroup2\n");
  EXPECT(root.quota() == 0);
}

void threads_round_up() {
  EXPECT((cpu::CpuAllowance{8, 0}.threads() == 8));
  EXPECT((cpu::CpuAllowance{8, 2500}.threads() == 3));
  EXPECT((cpu::CpuAllowance{8, 2000}.threads() == 2));
  EXPECT((cpu::CpuAllowance{8, 1}.threads() == 1));
  EXPECT((cpu::CpuAllowance{2, 64000}.threads() == 2));
}

}  // namespace
}  // namespace gtr::test

int main() {
  using namespace gtr::test;
  version_2();
  version_2_in_a_container();
  version_1();
  nothing_there();
  threads_round_up();
  return result();
}
