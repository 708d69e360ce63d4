// Token bookkeeping: rows picked, placed and summed by index. A warp moves a row, 16 bytes a lane where every row is
// aligned to them, else an element a lane. It looks at the row's index itself: a wrong one is reported, and the row
// left out.
#include <cstdint>

#include "device.h"
#include "launch_shape.h"
#include "operations.h"

namespace gtr::cuda {
namespace {

constexpr int kWarps = 4;  // rows that a block moves at once
constexpr int kThreads = kWarps * kWarp;
constexpr int kVectorBytes = 16;

// A vector of indices, with a stride that may be 0, and what they may be.
struct Indices {
  const int32_t* data;
  int64_t stride;
  int64_t lowest;
  int64_t highest;
  Checked array;
};

// The index of a row in *index. False if it is not allowed, after one lane has reported it. (Of a vector with stride 0
// element 0 is to blame.)
__device__ __forceinline__ bool look_up(const Indices& indices, int64_t row, DeviceErrors* errors, int64_t* index) {
  *index = indices.data[row * indices.stride];
  const bool allowed = indices.lowest <= *index && *index <= indices.highest;
  if (!allowed && lane_id() == 0) {
    report(errors, indices.array, indices.stride == 0 ? 0 : row, static_cast<double>(*index), indices.lowest,
           indices.highest);
  }
  return allowed;
}

__device__ __forceinline__ int64_t first_row() { return static_cast<int64_t>(blockIdx.x) * kWarps + warp_id(); }
__device__ __forceinline__ int64_t row_step() { return static_cast<int64_t>(gridDim.x) * kWarps; }

// Warp. target[0 .. count-1] = source[0 .. count-1] for T of 2, 4 or 16 bytes.
template <typename T>
__device__ __forceinline__ void copy_row(T* __restrict__ target, const T* __restrict__ source, int64_t count) {
#pragma unroll 4
  for (int64_t i = lane_id(); i < count; i += kWarp) target[i] = source[i];
}

// A matrix whose rows are moved as they are, strides in bytes.
struct ByteRows {
  char* data;
  int64_t stride;
};

// kScatter: target row index[r] = source row r; else target row r = source row index[r]. r = 0 .. rows-1.
// `row_bytes` of each are copied: in units of 16 if vector, a tail and all else in units of Element.
// Launch: kThreads threads a block, any number of blocks.
template <typename Element, bool kScatter>
__global__ void __launch_bounds__(kThreads) move_rows(ByteRows source, ByteRows target, Indices indices, int64_t rows,
                                                      int64_t row_bytes, bool vector, DeviceErrors* errors) {
  const int64_t head = vector ? row_bytes / kVectorBytes * kVectorBytes : 0;
  for (int64_t row = first_row(); row < rows; row += row_step()) {
    int64_t index;
    if (!look_up(indices, row, errors, &index)) continue;
    const char* const from = source.data + (kScatter ? row : index) * source.stride;
    char* const to = target.data + (kScatter ? index : row) * target.stride;
    copy_row(reinterpret_cast<uint4*>(to), reinterpret_cast<const uint4*>(from), head / kVectorBytes);
    copy_row(reinterpret_cast<Element*>(to + head), reinterpret_cast<const Element*>(from + head),
             (row_bytes - head) / static_cast<int64_t>(sizeof(Element)));
  }
}

struct FloatRows {
  const float* data;
  int64_t stride;  // in elements
};

struct Embed {
  FloatRows first;         // [N1, width], the rows of indices from 0
  FloatRows second;        // [N2, width], that of index i < 0 is -1 - i
  FloatRows position;      // [P, width]
  Indices index;           // [rows], -N2 .. N1-1
  Indices position_index;  // [rows], 0 .. P-1
  float* y;                // [rows, width]
  int64_t y_stride;
  int64_t rows;
  int64_t width;
  bool vector;  // every row is aligned to 16 bytes
};

__device__ __forceinline__ void add_rows(float* __restrict__ y, const float* __restrict__ a,
                                         const float* __restrict__ b, int64_t first, int64_t width) {
#pragma unroll 4
  for (int64_t i = first + lane_id(); i < width; i += kWarp) y[i] = a[i] + b[i];
}

// y[r] = source(index[r]) + position[position_index[r]]; kPosition: there is such a term.
// Launch: kThreads threads a block, any number of blocks.
template <bool kPosition>
__global__ void __launch_bounds__(kThreads) embed_rows(Embed p, DeviceErrors* errors) {
  const int64_t quads = p.vector ? p.width / 4 : 0;
  for (int64_t row = first_row(); row < p.rows; row += row_step()) {
    int64_t i;
    if (!look_up(p.index, row, errors, &i)) continue;
    const float* const source = i >= 0 ? p.first.data + i * p.first.stride : p.second.data + (-1 - i) * p.second.stride;
    float* const y = p.y + row * p.y_stride;
    if constexpr (kPosition) {
      int64_t place;
      if (!look_up(p.position_index, row, errors, &place)) continue;
      const float* const term = p.position.data + place * p.position.stride;
#pragma unroll 4
      for (int64_t quad = lane_id(); quad < quads; quad += kWarp) {
        const float4 a = reinterpret_cast<const float4*>(source)[quad];
        const float4 b = reinterpret_cast<const float4*>(term)[quad];
        reinterpret_cast<float4*>(y)[quad] = make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w);
      }
      add_rows(y, source, term, quads * 4, p.width);
    } else {
      copy_row(reinterpret_cast<float4*>(y), reinterpret_cast<const float4*>(source), quads);
      copy_row(y + quads * 4, source + quads * 4, p.width - quads * 4);
    }
  }
}

Indices indices_of(const gtr_tensor& tensor, int64_t lowest, int64_t highest, Checked array) noexcept {
  return {static_cast<const int32_t*>(tensor.data), tensor.stride[0], lowest, highest, array};
}

FloatRows float_rows(const gtr_tensor& tensor) noexcept {
  return {static_cast<const float*>(tensor.data), tensor.stride[0]};
}

ByteRows byte_rows(const gtr_tensor& tensor) noexcept {
  return {static_cast<char*>(tensor.data), tensor.stride[0] * element_size(tensor.dtype)};
}

bool rows_are_vectors(const gtr_tensor& tensor) noexcept {
  return rows_aligned(tensor, kVectorBytes / element_size(tensor.dtype));
}

dim3 grid_of_rows(int64_t rows) noexcept { return grid_of((rows + kWarps - 1) / kWarps); }

template <bool kScatter>
void move(Context& context, const gtr_tensor& x, const Indices& indices, const gtr_tensor& y, int64_t rows) noexcept {
  const int64_t row_bytes = x.shape[1] * element_size(x.dtype);
  const bool vector = rows_are_vectors(x) && rows_are_vectors(y);
  const dim3 grid = grid_of_rows(rows);
  if (x.dtype == GTR_BF16) {
    launch<move_rows<uint16_t, kScatter>>(context.queue, grid, kThreads, 0, byte_rows(x), byte_rows(y), indices, rows,
                                          row_bytes, vector, context.errors);
  } else {
    launch<move_rows<uint32_t, kScatter>>(context.queue, grid, kThreads, 0, byte_rows(x), byte_rows(y), indices, rows,
                                          row_bytes, vector, context.errors);
  }
}

}  // namespace

void embed(Context& context, const gtr_tensor& first, const gtr_tensor* second, const gtr_tensor& index,
           const gtr_tensor* position, const gtr_tensor* position_index, const gtr_tensor& y) noexcept {
  Embed p{};
  p.first = float_rows(first);
  p.index = indices_of(index, second == nullptr ? 0 : -second->shape[0], first.shape[0] - 1, Checked::kEmbedIndex);
  p.y = static_cast<float*>(y.data);
  p.y_stride = y.stride[0];
  p.rows = y.shape[0];
  p.width = y.shape[1];
  p.vector = rows_are_vectors(first) && rows_are_vectors(y);
  if (second != nullptr) {
    p.second = float_rows(*second);
    p.vector = p.vector && rows_are_vectors(*second);
  }
  if (position == nullptr) {
    launch<embed_rows<false>>(context.queue, grid_of_rows(p.rows), kThreads, 0, p, context.errors);
    return;
  }
  p.position = float_rows(*position);
  p.position_index = indices_of(*position_index, 0, position->shape[0] - 1, Checked::kEmbedPositionIndex);
  p.vector = p.vector && rows_are_vectors(*position);
  launch<embed_rows<true>>(context.queue, grid_of_rows(p.rows), kThreads, 0, p, context.errors);
}

void gather(Context& context, const gtr_tensor& x, const gtr_tensor& index, const gtr_tensor& y) noexcept {
  move<false>(context, x, indices_of(index, 0, x.shape[0] - 1, Checked::kGatherIndex), y, y.shape[0]);
}

void scatter(Context& context, const gtr_tensor& x, const gtr_tensor& index, const gtr_tensor& y) noexcept {
  move<true>(context, x, indices_of(index, 0, y.shape[0] - 1, Checked::kScatterIndex), y, x.shape[0]);
}

}  // namespace gtr::cuda
