// The rows of a chain on the device. What the caller gives (tensors, clipping) is read through a parameter block in
// device memory, and what the host plans (groups, steps, batches) travels as arguments of kernels: neither is baked
// into anything but the launches themselves, and nothing needs memory of the host until the device gets to it.
//
// A batch row is one half of a chain's row. At table index i the batch holds the rows with more than i steps, then the
// unconditional halves of those that are guided. Groups have their steps in descending order, so the rows under way are
// always the first ones of either kind.
#pragma once

#include <cstdint>

#include "device_errors.h"
#include "queue.h"

namespace gtr::cuda {

// An array of the caller's with one element, or row, per place; elements `stride` apart.
template <typename T>
struct PlaceArray {
  T* data;
  int64_t stride;
  __device__ __forceinline__ T& operator[](int64_t place) const { return data[place * stride]; }
};

struct ChainParameters {
  PlaceArray<const int32_t> place;  // by row; data null: the row itself
  PlaceArray<const float> z;        // rows
  PlaceArray<const float> z_unconditional;
  PlaceArray<const uint64_t> seed;
  PlaceArray<const uint32_t> image;
  PlaceArray<const uint32_t> cell;
  PlaceArray<const float> cfg;
  PlaceArray<const float> temperature;
  PlaceArray<float> x;  // rows
  int64_t places;
  float x0_clip;  // 0: none
};

// What the arithmetic of one reverse step needs of gtr_diffusion_step, rounded to float.
struct StepCoefficients {
  float min_log_variance;
  float max_log_variance;
  float x0_coefficient;
  float x_coefficient;
  float reciprocal_root;
  float reciprocal_root_minus_1;
  int32_t time_row;  // of its base step, among the embedded times
  int32_t reserved;
};

// Consecutive rows of one group, as planned on the host.
struct PlannedGroup {
  int32_t first_row;
  int32_t rows;
  int32_t steps;
  int32_t table;       // where its coefficients begin
  int32_t first_half;  // number of its first unconditional half, -1 if it is not guided
};
struct PlannedGroups {
  static constexpr int kMost = 128;  // 2.5 KiB of the 4 KiB that a kernel's arguments may have
  int32_t count;
  PlannedGroup groups[kMost];
};

struct ChainRow {
  int32_t place;  // -1: left out, since a value of it is not allowed
  int32_t steps;
  int32_t table;
  int32_t half;  // -1 if it is not guided
  uint64_t seed;
  uint32_t image;
  uint32_t cell;
  float cfg;
  float temperature;
};

// The batch at a table index, and where its modulations begin among those computed together.
struct Batch {
  int32_t rows;
  int32_t halves;
  int32_t first_modulation;
  int32_t reserved;
  __host__ __device__ __forceinline__ int64_t all() const { return int64_t{rows} + halves; }
};

// All arrays of a chain's rows, on the device. R rows, H unconditional halves, C channels.
struct ChainRows {
  ChainParameters* parameters;
  ChainRow* rows;         // [R]
  int32_t* guided_rows;   // [H], the row of each half
  int32_t* places_taken;  // [place_slots], a hash set of places
  int64_t place_slots;    // a power of 2 above R
  StepCoefficients* coefficients;
  Batch* batches;  // [most steps], by table index
  float* x;        // [R, C]
  int32_t channels;
  const int32_t* cancelled;
  DeviceErrors* errors;
};

void write_parameters(Queue& queue, ChainParameters* target, const ChainParameters& values) noexcept;

// Fills rows and guided_rows, and reports what is not allowed. The first call for a chain is preceded by clear_places.
void clear_places(Queue& queue, const ChainRows& chain) noexcept;
void fill_rows(Queue& queue, const ChainRows& chain, const PlannedGroups& groups) noexcept;

// x of `rows` rows, from the caller's x or from noise draw 0, and back.
void load_x(Queue& queue, const ChainRows& chain, int64_t rows, bool from_noise) noexcept;
void store_x(Queue& queue, const ChainRows& chain, int64_t rows) noexcept;

// z [rows + halves, dim] of the first `rows` rows and `halves` halves.
void gather_z(Queue& queue, const ChainRows& chain, int64_t rows, int64_t halves, int64_t dim, float* z) noexcept;

// Of the batches of indices high down to low, `count` batch rows together: whose time and whose condition each has.
// Conditions lie as gather_z gives them, the halves' from row first_half on.
void fill_modulation_rows(Queue& queue, const ChainRows& chain, int32_t high, int32_t low, int64_t count,
                          int32_t first_half, int32_t* time_row, int32_t* condition_row) noexcept;

}  // namespace gtr::cuda
