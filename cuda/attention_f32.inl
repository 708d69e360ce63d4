// Attention in float: one pass over the keys with an online softmax, all products as fmaf, no tensor cores.
//
//   out[b, i, h, :] = sum over j of softmax_j(scale q[b, i, h, :] . k[b, j, h, :]) v[b, j, h, :]
//
// A block has kRows queries of one head and walks over the keys in tiles of kKeys. A row's sums run over ascending
// columns and ascending keys, whatever rows are around it.
#include "attention_block.inl"

namespace gtr::cuda {

// 128 threads, 16 along keys and columns ("across") by 8 along rows ("down"). A thread has rows down + 8 r; of S the
// keys across + 16 j, of O the columns across + 16 c.
//
// With 8 rows by 4 keys per thread, 4 columns of S need 8 + 4 loads of 16 bytes, of which those of Q are the same for
// 16 lanes, for 128 fmaf: arithmetic is the limit. O has as many columns per thread as kDim / 16: 8 x 8 floats at 128;
// at 256 columns 4 rows by 16.
//
// Rows in shared memory are 4 floats longer than they need be, an odd number of 16-byte units: 8 lanes that read 16
// bytes each of neighbouring rows meet no bank twice. Keys and values take turns in one tile, so that the kernel for 64
// columns has 51 KiB and two or more blocks share a multiprocessor: 80: 59, 128: 83, 256: 70 KiB.
template <int kDim>
struct AttentionF32Sizes {
  static constexpr int kThreads = 128;
  static constexpr int kAcross = 16;
  static constexpr int kDown = kThreads / kAcross;
  static constexpr int kRowsEach = kDim <= 128 ? 8 : 4;
  static constexpr int kKeys = kDim <= 128 ? 64 : 32;
  static constexpr int kKeysEach = kKeys / kAcross;
  static constexpr int kColumnsEach = kDim / kAcross;
  static constexpr int kRows = kDown * kRowsEach;
  static constexpr int kPitch = kDim + 4;         // of Q, and of keys and values
  static constexpr int kWeightPitch = kKeys + 4;  // of P
  static constexpr int kSharedBytes = 4 * (kRows * kPitch + kKeys * kPitch + kRows * kWeightPitch);
  static_assert(kSharedBytes <= 99 << 10, "what a block can have on sm_86, 89 and 120");
};

// Fills kRows rows of a tile from global memory, of which `rows` exist; what does not, and the columns from head_dim
// on, become zeros. Returns whether one of the thread's elements is infinite or NaN, if kLook.
template <int kDim, int kRows, bool kLook>
__device__ __forceinline__ bool load_tile_f32(float* tile, const char* first, int64_t row_stride, int rows,
                                              int head_dim, uint32_t keep, uint32_t flip) {
  using Sizes = AttentionF32Sizes<kDim>;
  constexpr int kQuarters = kDim / 4;
  static_assert(kRows * kQuarters % Sizes::kThreads == 0, "every thread has as many loads");
  bool non_finite = false;
  for (int i = 0; i < kRows * kQuarters / Sizes::kThreads; ++i) {
    const int index = i * Sizes::kThreads + static_cast<int>(threadIdx.x);
    const int row = index / kQuarters;
    const int column = index % kQuarters * 4;
    uint4 bits = make_uint4(0, 0, 0, 0);
    if (row < rows && column < head_dim) {
      const auto* source = reinterpret_cast<const uint32_t*>(first) + row * row_stride + column;
      if (reinterpret_cast<uintptr_t>(source) % 16 == 0) {
        bits = load_16(source);
      } else {
        bits = make_uint4(source[0], source[1], source[2], source[3]);
      }
    }
    if (kLook) {
      const auto bad = [](uint32_t element) { return (element & 0x7f800000u) == 0x7f800000u; };
      non_finite = non_finite || bad(bits.x) || bad(bits.y) || bad(bits.z) || bad(bits.w);
    }
    bits.x = (bits.x & keep) ^ flip;
    bits.y = (bits.y & keep) ^ flip;
    bits.z = (bits.z & keep) ^ flip;
    bits.w = (bits.w & keep) ^ flip;
    store_16(tile + row * Sizes::kPitch + column, bits);
  }
  return non_finite;
}

// Grid: (ceil(Lq / kRows), heads, batch entries). 128 threads, AttentionF32Sizes::kSharedBytes of dynamic shared
// memory. p.head_dim is up to kDim; q, k, v and out are f32. kMasked: there is a mask.
template <int kDim, bool kMasked>
__global__ void __launch_bounds__(128, 2) attention_f32(AttentionParameters p) {
  using Sizes = AttentionF32Sizes<kDim>;
  constexpr int kRowsEach = Sizes::kRowsEach;
  constexpr int kKeysEach = Sizes::kKeysEach;
  constexpr int kColumnsEach = Sizes::kColumnsEach;
  // Marks the weight of a hidden key: adds nothing, as 0 does, and is told from a weight that has become 0.
  constexpr float kHidden = -0.0f;
  GTR_SHARED(int32_t, warp_found, Sizes::kThreads / kWarp);

  const AttentionBlock block = attention_block<Sizes::kRows>(p);
  if (block.rows == 0) return;
  const int across = static_cast<int>(threadIdx.x) % Sizes::kAcross;
  const int down = static_cast<int>(threadIdx.x) / Sizes::kAcross;

  float* const queries = dynamic_shared<float>();
  float* const tile = queries + Sizes::kRows * Sizes::kPitch;  // of keys, then of values
  float* const weights = tile + Sizes::kKeys * Sizes::kPitch;

  load_tile_f32<kDim, Sizes::kRows, false>(queries, attention_row(p.q, block, block.first_row), p.q.row_stride,
                                           block.rows, p.head_dim, p.query_keep * 0x00010001u,
                                           static_cast<uint32_t>(p.query_flip) << 16);

  float o[kRowsEach][kColumnsEach];
  float reference[kRowsEach];  // highest score so far
  float sum[kRowsEach];        // of the thread's own keys' weights
#pragma unroll
  for (int r = 0; r < kRowsEach; ++r) {
    reference[r] = -float_infinity();
    sum[r] = 0.0f;
#pragma unroll
    for (int c = 0; c < kColumnsEach; ++c) o[r][c] = 0.0f;
  }

  for (int64_t first = 0; first < block.keys; first += Sizes::kKeys) {
    const int keys = block.keys - first < Sizes::kKeys ? static_cast<int>(block.keys - first) : Sizes::kKeys;
    block_sync();  // the values before are no longer needed
    load_tile_f32<kDim, Sizes::kKeys, false>(tile, attention_row(p.k, block, first), p.k.row_stride, keys, p.head_dim,
                                             ~0u, 0);
    block_sync();

    float s[kRowsEach][kKeysEach];
#pragma unroll
    for (int r = 0; r < kRowsEach; ++r) {
#pragma unroll
      for (int j = 0; j < kKeysEach; ++j) s[r][j] = 0.0f;
    }
    const float* const query = queries + down * Sizes::kPitch;
    const float* const key = tile + across * Sizes::kPitch;
#pragma unroll 1
    for (int d = 0; d < p.head_dim; d += 4) {
      float4 k[kKeysEach];
#pragma unroll
      for (int j = 0; j < kKeysEach; ++j) {
        k[j] = *reinterpret_cast<const float4*>(key + j * Sizes::kAcross * Sizes::kPitch + d);
      }
#pragma unroll
      for (int r = 0; r < kRowsEach; ++r) {
        const float4 q = *reinterpret_cast<const float4*>(query + r * Sizes::kDown * Sizes::kPitch + d);
#pragma unroll
        for (int j = 0; j < kKeysEach; ++j) {
          s[r][j] = fmaf(q.x, k[j].x, s[r][j]);
          s[r][j] = fmaf(q.y, k[j].y, s[r][j]);
          s[r][j] = fmaf(q.z, k[j].z, s[r][j]);
          s[r][j] = fmaf(q.w, k[j].w, s[r][j]);
        }
      }
    }

#pragma unroll
    for (int r = 0; r < kRowsEach; ++r) {
      const int row = down + r * Sizes::kDown;
      bool visible[kKeysEach];
      float highest = -float_infinity();
#pragma unroll
      for (int j = 0; j < kKeysEach; ++j) {
        const int at = across + j * Sizes::kAcross;
        visible[j] = at < keys;
        if (kMasked) {
          visible[j] = visible[j] && row < block.rows &&
                       attention_mask_row(p, block, block.first_row + static_cast<int64_t>(row))[first + at] != 0;
        }
        if (!visible[j]) s[r][j] = -float_infinity();
        highest = fmaxf(highest, s[r][j]);
      }
      for (int lanes = Sizes::kAcross / 2; lanes > 0; lanes /= 2) highest = fmaxf(highest, shuffle_xor(highest, lanes));
      highest = fmaxf(highest, reference[r]);
      // Where nothing can be attended to yet, all scores are minus infinity, and so must be the differences.
      const float base = highest == -float_infinity() ? 0.0f : highest;
      const float rescale = expf((reference[r] - base) * p.factor);
      reference[r] = highest;
      sum[r] *= rescale;
#pragma unroll
      for (int c = 0; c < kColumnsEach; ++c) o[r][c] *= rescale;
#pragma unroll
      for (int j = 0; j < kKeysEach; ++j) {
        const float weight = expf((s[r][j] - base) * p.factor);
        sum[r] += weight;
        weights[row * Sizes::kWeightPitch + across + j * Sizes::kAcross] = visible[j] ? weight : kHidden;
      }
    }

    block_sync();  // the keys are no longer needed; a row's weights are its own warp's business, and covered too
    const bool found = load_tile_f32<kDim, Sizes::kKeys, kMasked>(tile, attention_row(p.v, block, first),
                                                                  p.v.row_stride, keys, p.head_dim, ~0u, 0);
    if (kMasked) {
      const uint32_t lanes = ballot(found);
      if (lane_id() == 0) warp_found[warp_id()] = lanes != 0;
    }
    block_sync();

    bool non_finite = false;
    if (kMasked) {
      for (int w = 0; w < Sizes::kThreads / kWarp; ++w) non_finite = non_finite || warp_found[w] != 0;
    }
    const float* const weight = weights + down * Sizes::kWeightPitch;
    const float* const value = tile + across;
    if (!non_finite) {
#pragma unroll 1
      for (int j = 0; j < keys; j += 4) {  // behind the last key weights and values are 0
        float4 w[kRowsEach];
#pragma unroll
        for (int r = 0; r < kRowsEach; ++r) {
          w[r] = *reinterpret_cast<const float4*>(weight + r * Sizes::kDown * Sizes::kWeightPitch + j);
        }
#pragma unroll
        for (int c = 0; c < kColumnsEach; ++c) {
          const float* const column = value + j * Sizes::kPitch + c * Sizes::kAcross;
          const float4 v =
              make_float4(column[0], column[Sizes::kPitch], column[2 * Sizes::kPitch], column[3 * Sizes::kPitch]);
#pragma unroll
          for (int r = 0; r < kRowsEach; ++r) {
            o[r][c] = fmaf(w[r].x, v.x, o[r][c]);
            o[r][c] = fmaf(w[r].y, v.y, o[r][c]);
            o[r][c] = fmaf(w[r].z, v.z, o[r][c]);
            o[r][c] = fmaf(w[r].w, v.w, o[r][c]);
          }
        }
      }
    } else {
      // A weight of 0 does not silence an infinity or a NaN of a hidden key; leaving it out does.
#pragma unroll 1
      for (int j = 0; j < keys; ++j) {
#pragma unroll
        for (int r = 0; r < kRowsEach; ++r) {
          const float w = weight[r * Sizes::kDown * Sizes::kWeightPitch + j];
          if (w == 0.0f && 1.0f / w < 0.0f) continue;
#pragma unroll
          for (int c = 0; c < kColumnsEach; ++c) {
            o[r][c] = fmaf(w, value[j * Sizes::kPitch + c * Sizes::kAcross], o[r][c]);
          }
        }
      }
    }
  }

#pragma unroll
  for (int r = 0; r < kRowsEach; ++r) {
    for (int lanes = Sizes::kAcross / 2; lanes > 0; lanes /= 2) sum[r] += shuffle_xor(sum[r], lanes);
    // No weight at all: O is 0 too.
    const float factor = sum[r] == 0.0f ? 0.0f : 1.0f / sum[r];
    const int row = down + r * Sizes::kDown;
    if (row >= block.rows) continue;
    auto* const target =
        reinterpret_cast<float*>(attention_row(p.out, block, block.first_row + static_cast<int64_t>(row)));
#pragma unroll
    for (int c = 0; c < kColumnsEach; ++c) {
      const int column = across + c * Sizes::kAcross;
      if (column < p.head_dim) target[column] = o[r][c] * factor;
    }
  }
}

}  // namespace gtr::cuda
