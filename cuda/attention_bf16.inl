// Attention with bf16 tensor cores: one pass over the keys with an online softmax, after Dao, "FlashAttention-2: Faster
// Attention with Better Parallelism and Work Partitioning" (2023).
//
//   out[b, i, h, :] = sum over j of softmax_j(scale q[b, i, h, :] . k[b, j, h, :]) v[b, j, h, :]
//
// A block has 64 or 128 queries of one head and walks over the keys in tiles; a warp has 16 or 32 of the queries for
// itself, so that softmax needs nobody else. Everything of a row happens in the same order whatever rows are around it:
// q . k over ascending columns, keys in ascending tiles from 0. So its bits do not depend on the number of queries per
// block, nor on the position in the block.

namespace gtr::cuda {

constexpr int kAttentionThreads = 128;

}  // namespace gtr::cuda

#include "attention_block.inl"
#include "attention_tile_bf16.inl"

namespace gtr::cuda {

// The sizes of a kernel for up to kDim columns and kRowTiles times 16 queries per warp.
//
// Queries. With 16 per warp an ldmatrix.x4 of keys or values (4 cycles of shared memory for a multiprocessor) feeds two
// mma (16 cycles of one of four tensor cores on sm_80, half that on sm_90): four warps together keep shared memory as
// busy as the tensor cores on sm_80, and twice as busy on sm_90. With 32 per warp each fragment is used twice, and a
// block reads every key and value from L2 for twice as many queries. The price is registers, S and O per thread:
// 64 + 64 floats at 64 columns, 64 + 80 at 80, and Q in 32 or 40 more; that leaves 50 of 255 for addresses and P, and
// two blocks (8 warps) on a multiprocessor, which hide each other's softmax. More columns would not fit, and small
// grids have more use for more blocks: these have 16 queries per warp.
//
// Keys. Tiles of 64: lengths of 64 to 1100 fill them well (320 = 5 tiles), and an online softmax step (two shuffles per
// row, one vote, one barrier) is paid once per 64 keys. 32 at 256 columns, to stay within 99 KiB.
//
// Shared memory. Two stages of a tile of keys and a tile of values; the next pair is under way while this one is used.
// Q passes through the second stage, which is as large, into registers; at 256 columns it stays in memory of its own.
// 64 columns: 32 KiB, 80: 40 KiB, 128: 64 KiB, 256: 96 KiB. Two blocks of the kernels for 64 and 80 fit even where a
// multiprocessor has 100 KiB (sm_86, 89, 120).
template <int kDim, int kRowTiles>
struct AttentionSizes {
  static constexpr int kRows = 64 * kRowTiles;
  static constexpr int kKeys = kDim <= 128 ? 64 : 32;
  static constexpr bool kQueriesInRegisters = kDim <= 128;

  static constexpr int kSteps = kDim / 16;       // of the product with the keys
  static constexpr int kKeyTiles = kKeys / 8;    // columns of S, in tiles of an mma
  static constexpr int kColumnTiles = kDim / 8;  // columns of O, likewise
  static constexpr int kTileBytes = kKeys * kDim * 2;
  static constexpr int kStageBytes = 2 * kTileBytes;  // keys, then values
  static constexpr int kQueryBytes = kRows * kDim * 2;
  static constexpr int kSharedBytes = 2 * kStageBytes + (kQueriesInRegisters ? 0 : kQueryBytes);
  static_assert(!kQueriesInRegisters || kQueryBytes <= kStageBytes, "queries pass through a stage");
  static_assert(kSharedBytes <= 99 << 10, "what a block can have on sm_86, 89 and 120");
};

// Once a row's highest score exceeds its reference by this much (in powers of two), the reference follows and the sums
// so far are rescaled; until then weights are up to 2^8, of which bf16 and float keep as many bits as of those up to 1.
// The decision is the row's own. Without the slack nearly every tile has a row of the warp that asks for a rescaling.
constexpr float kRescaleAbove = 8.0f;
// Up to here the rounding of (reference factor) shifts weights by no more than 2^(2^-13), which is a sixtieth of bf16's
// precision, and alike for all weights of a row that have the same reference. See weights_of_row.
constexpr float kSmallReference = 4096.0f;

// One row's part of the online softmax. A row lies in the four lanes of a quad; `sum` is of the lane's own columns.
struct SoftmaxRow {
  float reference;  // score that has weight 1; minus infinity before the first one
  float sum;        // of weights
};

// Scores to weights 2^(factor (s - reference)), in place, for row half `half` (0: g, 1: g + 8) of a fragment row.
template <int kKeyTiles>
__device__ __forceinline__ void weights_of_row(float (&s)[kKeyTiles][4], int half, float factor, SoftmaxRow& row) {
  // Where nothing can be attended to yet, all scores are minus infinity, and so must be the differences.
  const float reference = row.reference == -float_infinity() ? 0.0f : row.reference;
  const float scaled = reference * factor;
  if (fabsf(scaled) < kSmallReference) {
#pragma unroll
    for (int n = 0; n < kKeyTiles; ++n) {
#pragma unroll
      for (int i = 2 * half; i < 2 * half + 2; ++i) s[n][i] = exp2_fast(fmaf(s[n][i], factor, -scaled));
    }
  } else {
    // Huge or not finite: the difference first, which is exact for scores near the reference.
#pragma unroll
    for (int n = 0; n < kKeyTiles; ++n) {
#pragma unroll
      for (int i = 2 * half; i < 2 * half + 2; ++i) s[n][i] = exp2_fast((s[n][i] - reference) * factor);
    }
  }
}

// Adds to o the products of the weights p (A fragment, 16 rows by 16 keys) with those of the values v (B fragments of
// two neighbouring column tiles) that are infinite or NaN, where the row may attend to the key. A hidden key's weight
// is -0; a weight that has merely become 0 makes such a value NaN, as it should. Rare, so short rather than fast.
__device__ __forceinline__ void add_non_finite(float (&left)[4], float (&right)[4], const Bf16x2 (&p)[4],
                                               const Bf16x2 (&v)[4]) {
  constexpr uint32_t kHidden = 0x8000;
  const int quad = lane_id() & ~3;
  const int column = 2 * (lane_id() & 3);
#pragma unroll 1
  for (int key = 0; key < 16; ++key) {
    const int holder = key % 8 / 2;  // of the key in its quad
    const int shift = 16 * (key % 2);
    const auto half_of = [&](uint32_t low_keys, uint32_t high_keys, int lane) {
      return shuffle(key < 8 ? low_keys : high_keys, lane) >> shift & 0xffffu;
    };
    const uint32_t upper = half_of(p[0], p[2], quad + holder);
    const uint32_t lower = half_of(p[1], p[3], quad + holder);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int lane = (column + i % 2) * 4 + holder;
      const uint32_t value = i < 2 ? half_of(v[0], v[1], lane) : half_of(v[2], v[3], lane);
      if (non_finite_halves(value) == 0) continue;
      float(&o)[4] = i < 2 ? left : right;
      const float number = to_float(Bf16{static_cast<uint16_t>(value)});
      if (upper != kHidden) o[i % 2] = fmaf(to_float(Bf16{static_cast<uint16_t>(upper)}), number, o[i % 2]);
      if (lower != kHidden) o[2 + i % 2] = fmaf(to_float(Bf16{static_cast<uint16_t>(lower)}), number, o[2 + i % 2]);
    }
  }
}

// A warp's 16 kRowTiles queries. In fragments, lane 4 g + t holds of row tile m the rows 16 m + g and 16 m + g + 8; of
// S, O and P the columns 8 n + 2 t and 8 n + 2 t + 1.
template <int kDim, int kRowTiles, bool kMasked>
struct AttentionWarp {
  using Sizes = AttentionSizes<kDim, kRowTiles>;
  using Tile = Bf16Tile<kDim>;
  static constexpr int kHeldSteps = Sizes::kQueriesInRegisters ? Sizes::kSteps : 1;

  Bf16x2 q[kRowTiles][kHeldSteps][4];
  float o[kRowTiles][Sizes::kColumnTiles][4];
  SoftmaxRow rows[kRowTiles][2];
  const char* queries;  // the warp's first row in shared memory
  int query_offset;     // of the lane's row and chunk for ldmatrix, for these three
  int key_offset;
  int value_offset;

  __device__ __forceinline__ explicit AttentionWarp(const char* query_tile) {
    const int lane = lane_id();
    // Matrices of Q for an A fragment: rows 0..7, 8..15 of chunk 0, then of chunk 1.
    query_offset = Tile::offset(lane % 16, lane / 16);
    // Of K, two B fragments: chunks 0, 1 of keys 0..7, then of keys 8..15.
    key_offset = Tile::offset(lane % 8 + lane / 16 * 8, lane / 8 % 2);
    // Of V, transposed, two B fragments: keys 0..7, 8..15 of chunk 0, then of chunk 1.
    value_offset = Tile::offset(lane % 16, lane / 16);
    queries = query_tile + warp_id() * 16 * kRowTiles * Tile::kRowBytes;
#pragma unroll
    for (int m = 0; m < kRowTiles; ++m) {
#pragma unroll
      for (int n = 0; n < Sizes::kColumnTiles; ++n) {
        for (int i = 0; i < 4; ++i) o[m][n][i] = 0.0f;
      }
      for (int half = 0; half < 2; ++half) rows[m][half] = {-float_infinity(), 0.0f};
    }
  }

  __device__ __forceinline__ void load_queries(Bf16x2 (&fragment)[4], int m, int step, uint32_t keep,
                                               uint32_t flip) const {
    load_matrix_x4(fragment, queries + m * 16 * Tile::kRowBytes + Tile::advance(query_offset, step));
    for (int i = 0; i < 4; ++i) fragment[i] = (fragment[i] & keep) ^ flip;
  }
  __device__ __forceinline__ void hold_queries(uint32_t keep, uint32_t flip) {
#pragma unroll
    for (int m = 0; m < kRowTiles; ++m) {
#pragma unroll
      for (int step = 0; step < kHeldSteps; ++step) load_queries(q[m][step], m, step, keep, flip);
    }
  }

  // S = Q K^T
  __device__ __forceinline__ void score(float (&s)[kRowTiles][Sizes::kKeyTiles][4], const char* keys, uint32_t keep,
                                        uint32_t flip) const {
#pragma unroll
    for (int m = 0; m < kRowTiles; ++m) {
#pragma unroll
      for (int n = 0; n < Sizes::kKeyTiles; ++n) {
        for (int i = 0; i < 4; ++i) s[m][n][i] = 0.0f;
      }
    }
#pragma unroll
    for (int step = 0; step < Sizes::kSteps; ++step) {
      Bf16x2 here[kRowTiles][4];
#pragma unroll
      for (int m = 0; m < kRowTiles; ++m) {
        if (Sizes::kQueriesInRegisters) {
          for (int i = 0; i < 4; ++i) here[m][i] = q[m][step % kHeldSteps][i];
        } else {
          load_queries(here[m], m, step, keep, flip);
        }
      }
#pragma unroll
      for (int n = 0; n < Sizes::kKeyTiles; n += 2) {
        Bf16x2 pair[4];
        load_matrix_x4(pair, keys + n * 8 * Tile::kRowBytes + Tile::advance(key_offset, step));
        const Bf16x2 left[2] = {pair[0], pair[1]};
        const Bf16x2 right[2] = {pair[2], pair[3]};
#pragma unroll
        for (int m = 0; m < kRowTiles; ++m) {
          multiply_bf16(s[m][n], here[m], left);
          multiply_bf16(s[m][n + 1], here[m], right);
        }
      }
    }
  }

  // The softmax of S, in place, with what it does to the rows' sums and to O.
  __device__ __forceinline__ void weigh(float (&s)[kRowTiles][Sizes::kKeyTiles][4], float factor) {
    float highest[kRowTiles][2];
    bool any_grows = false;
#pragma unroll
    for (int m = 0; m < kRowTiles; ++m) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        float here = -float_infinity();
#pragma unroll
        for (int n = 0; n < Sizes::kKeyTiles; ++n) here = fmaxf(here, fmaxf(s[m][n][2 * half], s[m][n][2 * half + 1]));
        here = fmaxf(here, shuffle_xor(here, 1));
        here = fmaxf(here, shuffle_xor(here, 2));
        highest[m][half] = here;
        any_grows |= (here - rows[m][half].reference) * factor > kRescaleAbove;
      }
    }
    if (ballot(any_grows) != 0) {
#pragma unroll
      for (int m = 0; m < kRowTiles; ++m) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          SoftmaxRow& row = rows[m][half];
          const bool grows = (highest[m][half] - row.reference) * factor > kRescaleAbove;
          const float rescale = grows ? exp2_fast((row.reference - highest[m][half]) * factor) : 1.0f;
          if (grows) row.reference = highest[m][half];
          row.sum *= rescale;
#pragma unroll
          for (int n = 0; n < Sizes::kColumnTiles; ++n) {
            o[m][n][2 * half] *= rescale;
            o[m][n][2 * half + 1] *= rescale;
          }
        }
      }
    }
#pragma unroll
    for (int m = 0; m < kRowTiles; ++m) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        weights_of_row(s[m], half, factor, rows[m][half]);
#pragma unroll
        for (int n = 0; n < Sizes::kKeyTiles; ++n) rows[m][half].sum += s[m][n][2 * half] + s[m][n][2 * half + 1];
      }
    }
  }

  // O += P V, P the weights rounded to bf16. Accumulators of S are laid out as A fragments of P.
  __device__ __forceinline__ void add_values(const float (&s)[kRowTiles][Sizes::kKeyTiles][4], const char* values) {
#pragma unroll
    for (int step = 0; step < Sizes::kKeys / 16; ++step) {
      Bf16x2 p[kRowTiles][4];
#pragma unroll
      for (int m = 0; m < kRowTiles; ++m) {
        p[m][0] = pack_bf16(s[m][2 * step][0], s[m][2 * step][1]);
        p[m][1] = pack_bf16(s[m][2 * step][2], s[m][2 * step][3]);
        p[m][2] = pack_bf16(s[m][2 * step + 1][0], s[m][2 * step + 1][1]);
        p[m][3] = pack_bf16(s[m][2 * step + 1][2], s[m][2 * step + 1][3]);
      }
#pragma unroll
      for (int n = 0; n < Sizes::kColumnTiles; n += 2) {
        Bf16x2 pair[4];
        load_matrix_x4_transposed(pair, values + step * 16 * Tile::kRowBytes + Tile::advance(value_offset, n / 2));
        if (kMasked) {
          // A weight of 0 does not silence an infinity or a NaN of a key that only some rows may attend to.
          uint32_t bad = 0;
          for (int i = 0; i < 4; ++i) bad |= non_finite_halves(pair[i]);
          if (ballot(bad != 0) != 0) {
#pragma unroll
            for (int m = 0; m < kRowTiles; ++m) add_non_finite(o[m][n], o[m][n + 1], p[m], pair);
            for (int i = 0; i < 4; ++i) pair[i] &= ~((non_finite_halves(pair[i]) >> 15) * 0xffffu);
          }
        }
        const Bf16x2 left[2] = {pair[0], pair[1]};
        const Bf16x2 right[2] = {pair[2], pair[3]};
#pragma unroll
        for (int m = 0; m < kRowTiles; ++m) {
          multiply_bf16(o[m][n], p[m], left);
          multiply_bf16(o[m][n + 1], p[m], right);
        }
      }
    }
  }

  // Bit 4 n + i: may the lane's row attend to key S[n][i] of the tile? mask: of the tile's first key for rows g and
  // g + 8, null if all may, or if there is no such row.
  __device__ __forceinline__ static uint32_t visible_bits(const uint8_t* const (&mask)[2], int keys) {
    static_assert(!kMasked || 4 * Sizes::kKeyTiles <= 32, "one register");
    uint32_t bits = 0;
#pragma unroll
    for (int n = 0; n < Sizes::kKeyTiles; ++n) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int key = 8 * n + 2 * (lane_id() & 3) + i % 2;
        const uint8_t* const row = mask[i / 2];
        if (key < keys && (row == nullptr || row[key] != 0)) bits |= 1u << (4 * n + i);
      }
    }
    return bits;
  }

  // One tile of keys and values, of which `keys` exist.
  __device__ __forceinline__ void attend(const char* key_tile, const char* value_tile, int keys,
                                         const uint8_t* const (&mask)[2], const AttentionParameters& p) {
    float s[kRowTiles][Sizes::kKeyTiles][4];
    uint32_t visible = 0;
    if (kMasked) visible = visible_bits(mask, keys);  // early: the loads take their time
    score(s, key_tile, keep_both(p), flip_both(p));
    if (kMasked) {
#pragma unroll
      for (int n = 0; n < Sizes::kKeyTiles; ++n) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          if ((visible >> (4 * n + i) & 1) == 0) s[0][n][i] = -float_infinity();
        }
      }
    } else if (keys < Sizes::kKeys) {
#pragma unroll
      for (int n = 0; n < Sizes::kKeyTiles; ++n) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          if (8 * n + 2 * (lane_id() & 3) + i % 2 < keys) continue;
#pragma unroll
          for (int m = 0; m < kRowTiles; ++m) s[m][n][i] = -float_infinity();
        }
      }
    }
    weigh(s, p.factor);
    if (kMasked) {
      // Adds nothing, as 0 does, and tells a hidden key from one whose weight has become 0.
#pragma unroll
      for (int n = 0; n < Sizes::kKeyTiles; ++n) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          if ((visible >> (4 * n + i) & 1) == 0) s[0][n][i] = -0.0f;
        }
      }
    }
    add_values(s, value_tile);
  }

  __device__ __forceinline__ static uint32_t keep_both(const AttentionParameters& p) {
    return p.query_keep * 0x00010001u;
  }
  __device__ __forceinline__ static uint32_t flip_both(const AttentionParameters& p) {
    return p.query_flip * 0x00010001u;
  }

  // out = O / sums. `first_row` is the warp's first row in the block.
  __device__ __forceinline__ void finish(const AttentionParameters& p, const AttentionBlock& block, int first_row) {
    const bool odd = (lane_id() & 1) != 0;
#pragma unroll
    for (int m = 0; m < kRowTiles; ++m) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        float sum = rows[m][half].sum;
        sum += shuffle_xor(sum, 1);
        sum += shuffle_xor(sum, 2);
        // No weight at all: O is 0 too.
        const float factor = sum == 0.0f ? 0.0f : 1.0f / sum;
        const int row = first_row + 16 * m + 8 * half + lane_id() / 4;
        char* const target = attention_row(p.out, block, block.first_row + static_cast<int64_t>(row));
#pragma unroll
        for (int n = 0; n < Sizes::kColumnTiles; n += 2) {
          // Neighbouring lanes swap halves of two column tiles, so that each stores 4 neighbours of one of them: a quad
          // writes 32 bytes of bf16, which is a whole sector.
          const float2 left = make_float2(o[m][n][2 * half] * factor, o[m][n][2 * half + 1] * factor);
          const float2 right = make_float2(o[m][n + 1][2 * half] * factor, o[m][n + 1][2 * half + 1] * factor);
          const float2 mine = odd ? right : left;
          const float2 sent = odd ? left : right;
          const float2 got = make_float2(shuffle_xor(sent.x, 1), shuffle_xor(sent.y, 1));
          const float2 low = odd ? got : mine;
          const float2 high = odd ? mine : got;
          const int column = 8 * (n + odd) + 2 * ((lane_id() & 3) - odd);
          if (row >= block.rows || column >= p.head_dim) continue;
          if (p.out.is_bf16) {
            store_4(target + 2 * column, make_uint2(pack_bf16(low.x, low.y), pack_bf16(high.x, high.y)), p.out_aligned);
          } else {
            store_4(target + 4 * column, make_float4(low.x, low.y, high.x, high.y), p.out_aligned);
          }
        }
      }
    }
  }

  __device__ __forceinline__ static void store_4(char* target, uint2 value, bool aligned) {
    if (aligned) {
      *reinterpret_cast<uint2*>(target) = value;
      return;
    }
    auto* const elements = reinterpret_cast<uint16_t*>(target);
    elements[0] = static_cast<uint16_t>(value.x);
    elements[1] = static_cast<uint16_t>(value.x >> 16);
    elements[2] = static_cast<uint16_t>(value.y);
    elements[3] = static_cast<uint16_t>(value.y >> 16);
  }
  __device__ __forceinline__ static void store_4(char* target, float4 value, bool aligned) {
    if (aligned) {
      *reinterpret_cast<float4*>(target) = value;
      return;
    }
    auto* const elements = reinterpret_cast<float*>(target);
    elements[0] = value.x;
    elements[1] = value.y;
    elements[2] = value.z;
    elements[3] = value.w;
  }
};

// Grid: (ceil(Lq / (64 kRowTiles)), heads, batch entries), blocks of a head next to each other, so that they meet its
// keys and values in L2. 128 threads, AttentionSizes::kSharedBytes of dynamic shared memory. p.head_dim is up to kDim.
// kMasked: there may be a mask; without one the kernel has no test for it.
template <int kDim, int kRowTiles, bool kMasked, AttentionLoad kLoad>
__global__ void __launch_bounds__(kAttentionThreads, kRowTiles == 1 && kDim <= 80 ? 3 : 2)
    attention_bf16(AttentionParameters p) {
  using Sizes = AttentionSizes<kDim, kRowTiles>;
  constexpr bool kAsync = kLoad == AttentionLoad::kAsync;
  static_assert(!kMasked || kRowTiles == 1, "visible bits are those of one row tile");
  const AttentionBlock block = attention_block<Sizes::kRows>(p);
  if (block.rows == 0) return;

  char* const shared = dynamic_shared<char>();
  char* const query_tile = shared + (Sizes::kQueriesInRegisters ? 1 : 2) * Sizes::kStageBytes;
  const int tiles = block.keys / Sizes::kKeys + (block.keys % Sizes::kKeys != 0);
  TileLoader<kDim, kLoad> keys(p.k, attention_row(p.k, block, 0));
  TileLoader<kDim, kLoad> values(p.v, attention_row(p.v, block, 0));
  const auto load_stage = [&](int tile) {  // one after the other
    char* const stage = shared + tile % 2 * Sizes::kStageBytes;
    const int left = block.keys - tile * Sizes::kKeys;
    keys.template load<Sizes::kKeys>(stage, left, p.head_dim, p.k.data);
    values.template load<Sizes::kKeys>(stage + Sizes::kTileBytes, left, p.head_dim, p.v.data);
  };

  // Rows of a warp. Without any it has but its share of the loads.
  const int first_row = warp_id() * 16 * kRowTiles;
  const bool has_rows = first_row < block.rows;
  AttentionWarp<kDim, kRowTiles, kMasked> warp(query_tile);

  if (tiles > 0) {
    TileLoader<kDim, kLoad>(p.q, attention_row(p.q, block, block.first_row))
        .template load<Sizes::kRows>(query_tile, block.rows, p.head_dim, p.q.data);
    if (kAsync && Sizes::kQueriesInRegisters) copy_async_commit();
    load_stage(0);
    if (kAsync) copy_async_commit();
    if (Sizes::kQueriesInRegisters) {  // others arrive with the first tile
      if (kAsync) copy_async_wait<1>();
      block_sync();
      if (has_rows) warp.hold_queries(warp.keep_both(p), warp.flip_both(p));
    }
  }

  const uint8_t* mask[2] = {nullptr, nullptr};
  if (kMasked && p.mask != nullptr) {
    for (int half = 0; half < 2; ++half) {
      const int row = first_row + lane_id() / 4 + 8 * half;
      if (row < block.rows) mask[half] = attention_mask_row(p, block, block.first_row + static_cast<int64_t>(row));
    }
  }

  for (int tile = 0; tile < tiles; ++tile) {
    // One barrier per tile says both that this one has arrived for all, and that all have done with the one before,
    // whose place the next one takes.
    if (kAsync) copy_async_wait<0>();
    block_sync();
    if (tile + 1 < tiles) {
      load_stage(tile + 1);
      if (kAsync) copy_async_commit();
    }
    if (has_rows) {
      const char* const stage = shared + tile % 2 * Sizes::kStageBytes;
      warp.attend(stage, stage + Sizes::kTileBytes, block.keys - tile * Sizes::kKeys, mask, p);
      for (int half = 0; half < 2; ++half) {
        if (mask[half] != nullptr) mask[half] += Sizes::kKeys;
      }
    }
  }
  if (has_rows) warp.finish(p, block, first_row);
}

// Launches for up to kDim columns; rows 128 where kMostRowTiles is 2.
template <int kDim, int kMostRowTiles>
void launch_attention_bf16(Queue& queue, AttentionVariant variant, const AttentionParameters& p, dim3 grid) noexcept {
  constexpr int64_t kShared = AttentionSizes<kDim, 1>::kSharedBytes;
  constexpr int64_t kSharedMost = AttentionSizes<kDim, kMostRowTiles>::kSharedBytes;
  if (variant.load == AttentionLoad::kConvert) {
    launch<attention_bf16<kDim, 1, true, AttentionLoad::kConvert>>(queue, grid, kAttentionThreads, kShared, p);
  } else if (p.mask != nullptr) {
    launch<attention_bf16<kDim, 1, true, AttentionLoad::kAsync>>(queue, grid, kAttentionThreads, kShared, p);
  } else if (variant.rows == AttentionSizes<kDim, 1>::kRows) {
    launch<attention_bf16<kDim, 1, false, AttentionLoad::kAsync>>(queue, grid, kAttentionThreads, kShared, p);
  } else {
    launch<attention_bf16<kDim, kMostRowTiles, false, AttentionLoad::kAsync>>(queue, grid, kAttentionThreads,
                                                                              kSharedMost, p);
  }
}

}  // namespace gtr::cuda
