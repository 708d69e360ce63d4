#include "head_rows.h"

#include <algorithm>

#include "device.h"
#include "noise.inl"

namespace gtr::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int32_t kLeftOut = -1;

// Blocks of kThreads threads for `count` of them.
dim3 blocks_for(int64_t count) noexcept { return dim3(static_cast<unsigned>((count + kThreads - 1) / kThreads)); }

// Rows have their channels in groups of this many, which are one block of Philox.
int64_t groups_of(int64_t channels) noexcept { return (channels + kNoiseChannels - 1) / kNoiseChannels; }

__device__ __forceinline__ int64_t thread_of_grid() {
  return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}

// target [1]. One thread.
__global__ void write_parameters_kernel(ChainParameters* target, ChainParameters values) { *target = values; }

// slots [count] become 0. One thread per slot.
__global__ void __launch_bounds__(kThreads)
    clear_places_kernel(int32_t* slots, int64_t count, const int32_t* cancelled) {
  const int64_t i = thread_of_grid();
  if (load_relaxed(cancelled) == 0 && i < count) slots[i] = 0;
}

// False if the place was taken before.
__device__ __forceinline__ bool take_place(const ChainRows& chain, int32_t place) {
  const int32_t key = place + 1;  // 0 is an empty slot
  const auto mask = static_cast<uint32_t>(chain.place_slots - 1);
  for (uint32_t slot = static_cast<uint32_t>(place) * 0x9E3779B9u;; ++slot) {
    const int32_t found = atomic_compare_swap(chain.places_taken + (slot & mask), 0, key);
    if (found == 0) return true;
    if (found == key) return false;
  }
}

// Reports a factor that is not finite or negative.
__device__ __forceinline__ bool check_factor(DeviceErrors* errors, Checked array, int32_t place, float value) {
  if (value >= 0.0f && value < float_infinity()) return true;
  report(errors, array, place, value, 0, 0);
  return false;
}

// One thread per row of the groups, which lie one after the other.
__global__ void __launch_bounds__(kThreads) fill_rows_kernel(ChainRows chain, PlannedGroups planned) {
  if (load_relaxed(chain.cancelled) != 0) return;
  const int64_t r = planned.groups[0].first_row + thread_of_grid();
  int g = 0;
  while (g < planned.count && r >= planned.groups[g].first_row + planned.groups[g].rows) ++g;
  if (g == planned.count) return;
  const PlannedGroup& group = planned.groups[g];
  const ChainParameters& given = *chain.parameters;

  ChainRow row = {};
  row.steps = group.steps;
  row.table = group.table;
  row.half = kLeftOut;
  row.cfg = 1.0f;
  if (group.first_half >= 0) {
    row.half = group.first_half + static_cast<int32_t>(r) - group.first_row;
    chain.guided_rows[row.half] = static_cast<int32_t>(r);
  }

  row.place = static_cast<int32_t>(r);
  if (given.place.data != nullptr) {
    row.place = given.place[r];
    if (row.place < 0 || row.place >= given.places) {
      report(chain.errors, Checked::kChainPlace, r, row.place, 0, given.places - 1);
      row.place = kLeftOut;
    } else if (!take_place(chain, row.place)) {
      report(chain.errors, Checked::kChainPlaceTwice, r, row.place, 0, given.places - 1);
      row.place = kLeftOut;
    }
  }
  if (row.place != kLeftOut) {
    const int32_t place = row.place;
    row.seed = given.seed[place];
    row.image = given.image[place];
    row.cell = given.cell[place];
    row.temperature = given.temperature[place];
    if (!check_factor(chain.errors, Checked::kChainTemperature, place, row.temperature)) row.place = kLeftOut;
    if (group.first_half >= 0) {
      row.cfg = given.cfg[place];
      if (!check_factor(chain.errors, Checked::kChainCfg, place, row.cfg)) row.place = kLeftOut;
    }
  }
  chain.rows[r] = row;
}

// One thread per row and four channels. A row that is left out has zeros.
__global__ void __launch_bounds__(kThreads)
    load_x_kernel(ChainRows chain, int64_t rows, int32_t groups, int32_t from_noise) {
  if (load_relaxed(chain.cancelled) != 0) return;
  const int64_t r = thread_of_grid() / groups;
  if (r >= rows) return;
  const auto group = static_cast<uint32_t>(thread_of_grid() % groups);
  const ChainRow row = chain.rows[r];
  const PlaceArray<float> x = chain.parameters->x;
  float start[kNoiseChannels] = {};
  if (row.place != kLeftOut && from_noise != 0) noise_block(row.seed, row.image, row.cell, 0, group, start);
#pragma unroll
  for (int i = 0; i < kNoiseChannels; ++i) {
    const int64_t channel = static_cast<int64_t>(group) * kNoiseChannels + i;
    if (channel >= chain.channels) break;
    if (row.place != kLeftOut && from_noise == 0) start[i] = (&x[row.place])[channel];
    chain.x[r * chain.channels + channel] = start[i];
  }
}

// One thread per row and channel.
__global__ void __launch_bounds__(kThreads) store_x_kernel(ChainRows chain, int64_t rows) {
  if (load_relaxed(chain.cancelled) != 0) return;
  const int64_t r = thread_of_grid() / chain.channels;
  if (r >= rows) return;
  const int64_t channel = thread_of_grid() % chain.channels;
  const int32_t place = chain.rows[r].place;
  if (place != kLeftOut) (&chain.parameters->x[place])[channel] = chain.x[r * chain.channels + channel];
}

// z [rows + halves, dim]; zeros for a row that is left out. One block per row of z.
__global__ void __launch_bounds__(kThreads) gather_z_kernel(ChainRows chain, int64_t rows, int64_t dim, float* z) {
  if (load_relaxed(chain.cancelled) != 0) return;
  const int64_t to = blockIdx.x;
  const bool conditional = to < rows;
  const int64_t r = conditional ? to : chain.guided_rows[to - rows];
  const int32_t place = chain.rows[r].place;
  const PlaceArray<const float> from = conditional ? chain.parameters->z : chain.parameters->z_unconditional;
  for (int64_t i = threadIdx.x; i < dim; i += kThreads) {
    z[to * dim + i] = place == kLeftOut ? 0.0f : (&from[place])[i];
  }
}

// time_row, condition_row [count]. One thread per element.
__global__ void __launch_bounds__(kThreads)
    modulation_rows_kernel(ChainRows chain, int32_t high, int32_t low, int64_t count, int32_t first_half,
                           int32_t* time_row, int32_t* condition_row) {
  if (load_relaxed(chain.cancelled) != 0) return;
  const int64_t at = thread_of_grid();
  if (at >= count) return;
  // The lowest index whose batch begins at or before `at`: the lower the index, the later it begins.
  int32_t index = high;
  for (int32_t below = low; below < index;) {
    const int32_t middle = (below + index) / 2;
    if (chain.batches[middle].first_modulation <= at) {
      index = middle;
    } else {
      below = middle + 1;
    }
  }
  const Batch batch = chain.batches[index];
  const auto batch_row = static_cast<int32_t>(at - batch.first_modulation);
  const bool conditional = batch_row < batch.rows;
  const int32_t half = batch_row - batch.rows;
  const int32_t r = conditional ? batch_row : chain.guided_rows[half];
  time_row[at] = chain.coefficients[chain.rows[r].table + index].time_row;
  condition_row[at] = conditional ? r : first_half + half;
}

}  // namespace

void write_parameters(Queue& queue, ChainParameters* target, const ChainParameters& values) noexcept {
  launch<write_parameters_kernel>(queue, dim3(1), 1, 0, target, values);
}

void clear_places(Queue& queue, const ChainRows& chain) noexcept {
  launch<clear_places_kernel>(queue, blocks_for(chain.place_slots), kThreads, 0, chain.places_taken, chain.place_slots,
                              chain.cancelled);
}

void fill_rows(Queue& queue, const ChainRows& chain, const PlannedGroups& groups) noexcept {
  const PlannedGroup& last = groups.groups[groups.count - 1];
  const int64_t rows = int64_t{last.first_row} + last.rows - groups.groups[0].first_row;
  launch<fill_rows_kernel>(queue, blocks_for(rows), kThreads, 0, chain, groups);
}

void load_x(Queue& queue, const ChainRows& chain, int64_t rows, bool from_noise) noexcept {
  const int64_t groups = groups_of(chain.channels);
  launch<load_x_kernel>(queue, blocks_for(rows * groups), kThreads, 0, chain, rows, static_cast<int32_t>(groups),
                        from_noise ? 1 : 0);
}

void store_x(Queue& queue, const ChainRows& chain, int64_t rows) noexcept {
  launch<store_x_kernel>(queue, blocks_for(rows * chain.channels), kThreads, 0, chain, rows);
}

void gather_z(Queue& queue, const ChainRows& chain, int64_t rows, int64_t halves, int64_t dim, float* z) noexcept {
  launch<gather_z_kernel>(queue, dim3(static_cast<unsigned>(rows + halves)), kThreads, 0, chain, rows, dim, z);
}

void fill_modulation_rows(Queue& queue, const ChainRows& chain, int32_t high, int32_t low, int64_t count,
                          int32_t first_half, int32_t* time_row, int32_t* condition_row) noexcept {
  launch<modulation_rows_kernel>(queue, blocks_for(count), kThreads, 0, chain, high, low, count, first_half, time_row,
                                 condition_row);
}

}  // namespace gtr::cuda
