// Asynchronous copies: what a thread sees before and after it waits, and what is refused.
#include "test.h"

namespace gtr::cuda::test {
namespace {

constexpr uint32_t kUnderWay = 0xffffffffu;

// Three groups, of which the thread lets the two youngest, then the youngest, then none be under way. Writes what it
// finds after each wait.
__global__ void groups_kernel(const uint4* source, uint32_t* found) {
  GTR_SHARED(uint4, target, 4);
  for (int i = 0; i < 3; ++i) {
    copy_async_16(&target[i], &source[i], true);
    copy_async_commit();
  }
  copy_async_16(&target[3], &source[3], true);  // in no group
  for (int i = 0; i < 4; ++i) found[i] = target[i].x;
  copy_async_wait<2>();
  for (int i = 0; i < 4; ++i) found[4 + i] = target[i].x;
  copy_async_wait<1>();
  for (int i = 0; i < 4; ++i) found[8 + i] = target[i].x;
  copy_async_wait<0>();
  for (int i = 0; i < 4; ++i) found[12 + i] = target[i].x;
  copy_async_commit();
  copy_async_wait<0>();
  for (int i = 0; i < 4; ++i) found[16 + i] = target[i].w;
}

void test_groups() {
  std::vector<uint4> values;
  for (unsigned i = 0; i < 4; ++i) values.push_back(make_uint4(10 + i, 0, 0, 20 + i));
  Array<uint4> source(values);
  Array<uint32_t> found(20);
  run<groups_kernel>(1, 1, 0, source.data(), found.data());
  found.download();
  const uint32_t u = kUnderWay;
  const std::vector<uint32_t> expected = {u, u, u, u, 10, u, u, u, 10, 11, u, u, 10, 11, 12, u, 20, 21, 22, 23};
  EXPECT(found.host == expected);
}

// Not valid: zeros, and the source is not read. Empty groups count.
__global__ void invalid_kernel(uint4* found) {
  GTR_SHARED(uint4, target, 2);
  const void* nowhere = nullptr;
  copy_async_16(&target[0], nowhere, false);
  copy_async_commit();
  copy_async_commit();
  copy_async_wait<1>();
  found[0] = target[0];
}

void test_invalid() {
  Array<uint4> found(1);
  run<invalid_kernel>(1, 1, 0, found.data());
  const uint4 value = found.download()[0];
  EXPECT(value.x == 0 && value.y == 0 && value.z == 0 && value.w == 0);
}

// Before the barrier, others see NaN or the data, depending on who ran first; behind it the data.
__global__ void others_kernel(const uint4* source, uint32_t* found) {
  GTR_SHARED(uint4, target, 64);
  copy_async_16(&target[threadIdx.x], &source[threadIdx.x], true);
  copy_async_commit();
  copy_async_wait<0>();
  block_sync();
  found[threadIdx.x] = target[63 - threadIdx.x].y;
}

void test_others() {
  std::vector<uint4> values;
  for (unsigned i = 0; i < 64; ++i) values.push_back(make_uint4(0, i, 0, 0));
  Array<uint4> source(values);
  Array<uint32_t> found(64);
  run<others_kernel>(2, 64, 0, source.data(), found.data());
  found.download();
  for (size_t i = 0; i < 64; ++i) EXPECT(found.host[i] == 63 - i);
}

__global__ void source_changes_kernel(uint4* source) {
  GTR_SHARED(uint4, target, 1);
  copy_async_16(target, source, true);
  copy_async_commit();
  source[0].z = 5;
  copy_async_wait<0>();
}

__global__ void target_changes_kernel(uint4* source) {
  GTR_SHARED(uint4, target, 1);
  copy_async_16(target, source, true);
  copy_async_commit();
  target[0].z = 5;
  copy_async_wait<0>();
}

__global__ void never_waits_kernel(const uint4* source) {
  GTR_SHARED(uint4, target, 1);
  copy_async_16(target, source, true);
  copy_async_commit();
}

__global__ void misaligned_kernel(const uint32_t* source) {
  GTR_SHARED(uint32_t, target, 64);
  copy_async_16(target + 1, source, true);
}

__global__ void from_elsewhere_kernel(const void* source) {
  GTR_SHARED(uint4, target, 1);
  copy_async_16(target, source, true);
}

__global__ void to_elsewhere_kernel(uint4* global) {
  GTR_SHARED(uint4, target, 1);
  target[0] = {};
  copy_async_16(global, global, true);
}

void test_copy_refusals() {
  Array<uint4> source(std::vector<uint4>(2, make_uint4(1, 2, 3, 4)));
  const auto* words = reinterpret_cast<const uint32_t*>(source.data());
  run_failing<source_changes_kernel>("source of an asynchronous copy was written", false, 1, 1, 0, source.data());
  run_failing<target_changes_kernel>("target of an asynchronous copy was written", false, 1, 1, 0, source.data());
  run_failing<never_waits_kernel>("returned with asynchronous copies under way", false, 1, 1, 0,
                                  static_cast<const uint4*>(source.data()));
  run_failing<misaligned_kernel>("not aligned to 16", false, 1, 1, 0, words);
  run_failing<from_elsewhere_kernel>("not aligned to 16", false, 1, 1, 0, words + 1);
  alignas(16) static uint32_t on_the_host[4];
  run_failing<from_elsewhere_kernel>("not that of global memory", false, 1, 1, 0, &on_the_host);
  run_failing<to_elsewhere_kernel>("shared memory", false, 1, 1, 0, source.data());
}

}  // namespace

void test_async_copies() {
  test_groups();
  test_invalid();
  test_others();
  test_copy_refusals();
}

}  // namespace gtr::cuda::test
