// Tiles of rows in shared memory, as bf16, for the kernels of attention_bf16.inl.

namespace gtr::cuda {

// Rows of kDim elements without padding, in chunks of 16 bytes. ldmatrix reads one chunk of 8 neighbouring rows at a
// time, cp.async writes 8 neighbouring chunks of a row, or 2 of 4 rows; all are free of bank conflicts if these lie at
// different places modulo 128 bytes, that is, modulo 8 chunks.
//
// kDim = 64, 128, 256: a row is a multiple of 8 chunks, so without a swizzle all 8 would collide. The chunk's index is
//   xored with the row modulo 8.
// kDim = 80: a row is 10 chunks, so row r starts at 2 r modulo 8, and rows r and r + 4 collide. The lowest bit of the
//   chunk's index is flipped in every other group of 4 rows: even places become odd ones.
template <int kDim>
struct Bf16Tile {
  static constexpr int kChunks = kDim / 8;
  static constexpr int kRowBytes = kDim * 2;
  static constexpr bool kWholeLines = kChunks % 8 == 0;
  static_assert(kWholeLines || kDim == 80, "a swizzle for every number of columns");

  __device__ __forceinline__ static int offset(int row, int chunk) {
    return row * kRowBytes + 16 * (kWholeLines ? chunk ^ (row & 7) : chunk ^ ((row >> 2) & 1));
  }
  // Of the chunk `pairs` pairs of chunks further along the row, from the offset of chunk 0 or 1: no carries, since the
  // swizzle moves a chunk within a power of two of chunks. 80 columns: a constant in ldmatrix' address.
  __device__ __forceinline__ static int advance(int offset, int pairs) {
    return kWholeLines ? offset ^ (32 * pairs) : offset + 32 * pairs;
  }
};

// 8 neighbours of a row, converted to bf16 if they are not.
__device__ __forceinline__ uint4 load_8_as_bf16(const char* source, bool is_bf16) {
  const bool aligned = reinterpret_cast<uintptr_t>(source) % 16 == 0;
  uint4 result;
  if (is_bf16) {
    if (aligned) return load_16(source);
    const auto* elements = reinterpret_cast<const uint16_t*>(source);
    result.x = elements[0] | static_cast<uint32_t>(elements[1]) << 16;
    result.y = elements[2] | static_cast<uint32_t>(elements[3]) << 16;
    result.z = elements[4] | static_cast<uint32_t>(elements[5]) << 16;
    result.w = elements[6] | static_cast<uint32_t>(elements[7]) << 16;
    return result;
  }
  float elements[8];
  if (aligned) {
    const auto* quarters = reinterpret_cast<const float4*>(source);
    const float4 low = quarters[0];
    const float4 high = quarters[1];
    elements[0] = low.x, elements[1] = low.y, elements[2] = low.z, elements[3] = low.w;
    elements[4] = high.x, elements[5] = high.y, elements[6] = high.z, elements[7] = high.w;
  } else {
    for (int i = 0; i < 8; ++i) elements[i] = reinterpret_cast<const float*>(source)[i];
  }
  result.x = pack_bf16(elements[0], elements[1]);
  result.y = pack_bf16(elements[2], elements[3]);
  result.z = pack_bf16(elements[4], elements[5]);
  result.w = pack_bf16(elements[6], elements[7]);
  return result;
}

// How a block's threads fill tiles: 8 of them take 8 chunks of a row, 128 neighbouring bytes, and the same of every
// 16th row. So a thread's addresses differ by constants in shared memory and by a multiple of the pitch in global
// memory, which keeps few registers. With 80 columns 2 of the 8 threads take what is left of the row.
template <int kDim, AttentionLoad kLoad>
struct TileLoader {
  using Tile = Bf16Tile<kDim>;
  static constexpr int kWide = 8;
  static constexpr int kPass = kAttentionThreads / kWide;

  const char* source;  // the thread's chunk of the next tile's row 0, 1, ...
  int64_t row_bytes;
  bool is_bf16;

  // first: row 0 of the block's head.
  __device__ __forceinline__ TileLoader(const AttentionView& view, const char* first)
      : row_bytes(view.row_stride * (kLoad == AttentionLoad::kAsync || view.is_bf16 ? 2 : 4)), is_bf16(view.is_bf16) {
    source = first + row() * row_bytes + chunk() * 8 * element();
  }

  __device__ __forceinline__ static int row() { return static_cast<int>(threadIdx.x) / kWide; }
  __device__ __forceinline__ static int chunk() { return static_cast<int>(threadIdx.x) % kWide; }
  __device__ __forceinline__ int element() const { return kLoad == AttentionLoad::kAsync || is_bf16 ? 2 : 4; }

  // Starts filling a tile with the next kRows rows, of which `rows` exist. What does not exist, and the columns from
  // head_dim on, become zeros: in a product with them nothing is added, whatever lies behind the length in memory.
  // anywhere: a valid address, named where there is nothing to read.
  template <int kRows>
  __device__ __forceinline__ void load(char* tile, int rows, int head_dim, const void* anywhere) {
    static_assert(kRows % kPass == 0 && kPass % 8 == 0, "whole passes, of rows with one swizzle");
    char* const target = tile + Tile::offset(row(), chunk());
    // What is converted passes through registers: a chunk at a time.
    [[maybe_unused]] constexpr int kUnroll = kLoad == AttentionLoad::kAsync ? kRows / kPass : 1;
#pragma unroll(kUnroll)
    for (int i = 0; i < kRows; i += kPass) {
#pragma unroll(kUnroll)
      for (int c = 0; c < Tile::kChunks; c += kWide) {
        if (c + kWide > Tile::kChunks && chunk() >= Tile::kChunks - c) continue;
        const bool valid = row() + i < rows && (chunk() + c) * 8 < head_dim;
        char* const to = target + i * Tile::kRowBytes + c * 16;
        if (kLoad == AttentionLoad::kAsync) {
          copy_async_16(to, valid ? source + c * 16 : anywhere, valid);
        } else {
          uint4 value = make_uint4(0, 0, 0, 0);
          if (valid) value = load_8_as_bf16(source + c * 8 * element(), is_bf16);
          store_16(to, value);
        }
      }
      source += kPass * row_bytes;
    }
  }
};

// Bits 15 and 31 of those halves that are infinite or NaN.
__device__ __forceinline__ uint32_t non_finite_halves(Bf16x2 pair) {
  return ((pair & 0x7f807f80u) + 0x00800080u) & 0x80008000u;
}

}  // namespace gtr::cuda
