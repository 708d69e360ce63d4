// Shuffles, votes and warp_sync, in every warp of a block, for every source, mask and distance.
#include "check.h"

namespace gtr::cuda::tiles {
namespace {

constexpr int kWarps = 3;
constexpr int kThreads = kWarps * kWarp;

enum Form { kShuffle, kXor, kUp, kDown, kForms };

// One block. value [threads] (bits of T); out [kForms][32][threads]: by source, mask or distance 0..31.
template <typename T>
__global__ void shuffle_kernel(const T* value, T* out) {
  const int thread = static_cast<int>(threadIdx.x);
  const T mine = value[thread];
  for (int i = 0; i < kWarp; ++i) {
    out[(kShuffle * kWarp + i) * kThreads + thread] = shuffle(mine, i);
    out[(kXor * kWarp + i) * kThreads + thread] = shuffle_xor(mine, i);
    out[(kUp * kWarp + i) * kThreads + thread] = shuffle_up(mine, i);
    out[(kDown * kWarp + i) * kThreads + thread] = shuffle_down(mine, i);
  }
  // Sources that differ from lane to lane.
  out[kForms * kWarp * kThreads + thread] = shuffle(mine, (lane_id() * 7 + 3) % kWarp);
}

template <typename T>
void check_shuffles(const char* type) {
  std::vector<T> values;
  for (int thread = 0; thread < kThreads; ++thread) values.push_back(static_cast<T>(thread * 3 - 50));
  Array<T> value_array(values);
  Array<T> out_array((kForms * kWarp + 1) * kThreads);
  run<shuffle_kernel<T>>(1, kThreads, 0, value_array.device(), out_array.device());
  const std::vector<T>& out = out_array.download();
  const char* names[kForms] = {"shuffle", "shuffle_xor", "shuffle_up", "shuffle_down"};
  const auto same = [](T a, T b) { return std::memcmp(&a, &b, sizeof a) == 0; };
  for (int form = 0; form < kForms; ++form) {
    const std::string name = std::string(names[form]) + " of " + type;
    Check check(name.c_str());
    for (int i = 0; i < kWarp; ++i) {
      for (int thread = 0; thread < kThreads; ++thread) {
        const int lane = thread % kWarp;
        int source = i;
        if (form == kXor) source = lane ^ i;
        if (form == kUp) source = lane - i < 0 ? lane : lane - i;
        if (form == kDown) source = lane + i >= kWarp ? lane : lane + i;
        const int at = (form * kWarp + i) * kThreads + thread;
        const T expected = values[static_cast<size_t>(thread - lane + source)];
        check.bits(at, same(out[static_cast<size_t>(at)], expected) ? 1 : 0, 1);
      }
    }
  }
  const std::string name = std::string("shuffle of ") + type + ", a source per lane";
  Check check(name.c_str());
  for (int thread = 0; thread < kThreads; ++thread) {
    const int lane = thread % kWarp;
    const T expected = values[static_cast<size_t>(thread - lane + (lane * 7 + 3) % kWarp)];
    check.bits(thread, same(out[static_cast<size_t>(kForms * kWarp * kThreads + thread)], expected) ? 1 : 0, 1);
  }
}

// One block. out [32][threads]: votes on "my lane's bit of a pattern that depends on i and the warp is set".
__global__ void ballot_kernel(uint32_t* out) {
  for (int i = 0; i < kWarp; ++i) {
    const uint32_t pattern = 0x9e3779b9u * static_cast<uint32_t>(i * kWarps + warp_id() + 1);
    out[i * kThreads + static_cast<int>(threadIdx.x)] = ballot((pattern >> lane_id() & 1) != 0);
  }
}

void check_ballot() {
  Check check("ballot");
  Array<uint32_t> out_array(kWarp * kThreads);
  run<ballot_kernel>(1, kThreads, 0, out_array.device());
  const std::vector<uint32_t>& out = out_array.download();
  for (int at = 0; at < kWarp * kThreads; ++at) {
    const int warp = at % kThreads / kWarp;
    check.bits(at, out[static_cast<size_t>(at)],
               0x9e3779b9u * static_cast<uint32_t>(at / kThreads * kWarps + warp + 1));
  }
}

// One block. Each lane writes a word of shared memory and reads its neighbour's after warp_sync, kWarp times.
__global__ void warp_sync_kernel(uint32_t* out) {
  GTR_SHARED(uint32_t, words, kThreads);
  const int thread = static_cast<int>(threadIdx.x);
  const int neighbour = thread - lane_id() + (lane_id() + 1) % kWarp;
  for (int i = 0; i < kWarp; ++i) {
    words[thread] = static_cast<uint32_t>(i * kThreads + thread);
    warp_sync();
    out[i * kThreads + thread] = words[neighbour];
    warp_sync();
  }
}

void check_warp_sync() {
  Check check("warp_sync");
  Array<uint32_t> out_array(kWarp * kThreads);
  run<warp_sync_kernel>(1, kThreads, 0, out_array.device());
  const std::vector<uint32_t>& out = out_array.download();
  for (int at = 0; at < kWarp * kThreads; ++at) {
    const int thread = at % kThreads;
    const int lane = thread % kWarp;
    check.bits(at, out[static_cast<size_t>(at)], static_cast<uint32_t>(at - lane + (lane + 1) % kWarp));
  }
}

}  // namespace

void check_warp() {
  check_shuffles<int32_t>("int32_t");
  check_shuffles<uint32_t>("uint32_t");
  check_shuffles<float>("float");
  check_ballot();
  check_warp_sync();
}

}  // namespace gtr::cuda::tiles
