// Attention over one head, written once over a tier's vector and micro-kernel. A tier's attention.cpp includes this
// inside its namespace and an anonymous one, after its vectors and
//   kTileRows, kTileVectors         size of the micro-kernel's tile; kTileVectors is 2 to 4
//   broadcast_unit(p)               the 4-byte unit at p in all lanes
//   transpose(square)               of kLanes vectors of units
//   split_exponent(x), kFineExponential, kCoarseExponential   see attention_exponent.inl
// It instantiates kernels_with<Arithmetic>() with one or more of these:
//   struct Arithmetic {
//     kElements                     elements per unit, 1 or 2
//     kExponential                  coefficients for powers_of_two
//     multiply_add(x, w, sum)       sum + the product of units
//     round(v)                      floats as products see them
//     load_units(p, n)              n units of kElements neighbours in a row
//     load_step(p, next, n)         n units, each the elements of kElements rows; next is null behind the last row
//     store_weights(row, i, v)      weights i.. of a row of units, in place of scores i.. in it
//     store_weights(row, i, v, w)   two vectors of them
//   };
// Nothing from std, here and in what follows: the linker might keep this tier's copy for all.

#include "attention_multiply.inl"
#include "attention_pack.inl"
#include "attention_softmax.inl"

// Queries of a block: their scores for a block of keys stay in the second-level cache.
constexpr int64_t kQueryBlock = 48;
static_assert(kQueryBlock % kTileRows == 0);
// Strides of the blocks in units; not a multiple of 4 KiB, where rows would compete for cache sets.
constexpr int64_t kHeadStride = 256 + 16;
constexpr int64_t kScoreStride = kAttentionKeys + 16;

// Memory of one block of queries.
struct Work {
  alignas(64) float queries[kQueryBlock * kHeadStride];  // units
  alignas(64) float scores[kQueryBlock * kScoreStride];  // then weights, in units
  alignas(64) float sums[kQueryBlock * kHeadStride];     // of weights times values
  alignas(64) SoftmaxState states[kQueryBlock];
};
static_assert(sizeof(Work) % GTR_ALIGNMENT == 0);

// A head's packed keys, then its values block by block, then a byte per block: whether values in it are not finite.
struct Packed {
  float* keys;
  float* values;
  uint8_t* non_finite;
  int64_t bytes;
};

template <typename Arithmetic>
Packed packed_at(void* memory, int64_t keys, int64_t head_dim) {
  const int64_t key_units = round_up(keys, kLanes) * (head_dim / Arithmetic::kElements);
  const int64_t value_units =
      round_up(keys, Arithmetic::kElements) / Arithmetic::kElements * round_up(head_dim, kLanes);
  Packed packed;
  packed.keys = static_cast<float*>(memory);
  packed.values = packed.keys + round_up(key_units, 16);
  packed.non_finite = reinterpret_cast<uint8_t*>(packed.values + round_up(value_units, 16));
  const int64_t blocks = round_up(keys, kAttentionKeys) / kAttentionKeys;
  packed.bytes = (round_up(key_units, 16) + round_up(value_units, 16)) * 4 + round_up(blocks, GTR_ALIGNMENT);
  return packed;
}

template <typename Arithmetic>
int64_t packed_bytes(int64_t keys, int64_t head_dim) {
  return packed_at<Arithmetic>(nullptr, keys, head_dim).bytes;
}

template <typename Arithmetic>
GTR_SIMD_INLINE float* key_block(const Packed& packed, int64_t first, int64_t head_dim) {
  return packed.keys + first * (head_dim / Arithmetic::kElements);
}
template <typename Arithmetic>
GTR_SIMD_INLINE float* value_block(const Packed& packed, int64_t first, int64_t head_dim) {
  return packed.values + first / Arithmetic::kElements * round_up(head_dim, kLanes);
}

template <typename Arithmetic>
void pack(const AttentionCall& call, const AttentionHead& head, void* memory) {
  const int64_t head_dim = call.k->shape[3];
  const Packed packed = packed_at<Arithmetic>(memory, head.keys, head_dim);
  const bool narrow_keys = call.k->dtype == GTR_BF16;
  const bool narrow_values = call.v->dtype == GTR_BF16;
  for (int64_t first = 0; first < head.keys; first += kAttentionKeys) {
    const int64_t keys = smaller(kAttentionKeys, head.keys - first);
    const auto key_packer = narrow_keys ? pack_keys<Arithmetic, Bfloat16> : pack_keys<Arithmetic, float>;
    key_packer(*call.k, head, first, keys, head_dim, key_block<Arithmetic>(packed, first, head_dim));
    const auto value_packer = narrow_values ? pack_values<Arithmetic, Bfloat16> : pack_values<Arithmetic, float>;
    value_packer(*call.v, head, first, keys, head_dim, value_block<Arithmetic>(packed, first, head_dim));
    // Without a mask every query attends to every key.
    const auto look = narrow_values ? has_non_finite<Arithmetic, Bfloat16> : has_non_finite<Arithmetic, float>;
    packed.non_finite[first / kAttentionKeys] = call.mask != nullptr && look(*call.v, head, first, keys, head_dim);
  }
}

template <typename Arithmetic, typename Element>
void pack_query(const Element* query, int64_t head_dim, float sign, float* units) {
  if (sign == 1.0f) {
    const int64_t count = head_dim / Arithmetic::kElements;
    for (int64_t unit = 0; unit < count; unit += kLanes) {
      const int n = static_cast<int>(smaller(kLanes, count - unit));
      store(units + unit, Arithmetic::load_units(query + unit * Arithmetic::kElements, n));
    }
    return;
  }
  float signed_query[256];
  for (int64_t i = 0; i < head_dim; i += kLanes) {
    const int n = static_cast<int>(smaller(kLanes, head_dim - i));
    store(signed_query + i, broadcast(sign) * (n == kLanes ? load(query + i) : load(query + i, n)), n);
  }
  pack_query<Arithmetic, float>(signed_query, head_dim, 1.0f, units);
}

// sums += weights times values for one row, without the values of hidden keys: a weight of 0 does not silence an
// infinity or a NaN. Same operations in the same order as the micro-kernel's.
template <typename Arithmetic>
void add_visible(const float* weights, const float* values, const uint8_t* visible, int64_t keys, int64_t head_dim,
                 float* sums) {
  const int64_t vectors = round_up(head_dim, kLanes) / kLanes;
  for (int64_t vector = 0; vector < vectors;) {
    const int64_t panel = panel_vectors(vector, vectors);
    for (int64_t key = 0; key < keys; key += Arithmetic::kElements) {
      const Vec weight = broadcast_unit(weights + key / Arithmetic::kElements);
      // The first of two elements is the lower half.
      uint32_t keep_bits = visible[key] != 0 ? ~0u : 0u;
      if (Arithmetic::kElements == 2) {
        const bool next = key + 1 < keys && visible[key + 1] != 0;
        keep_bits = (keep_bits & 0xffffu) | (next ? 0xffff0000u : 0u);
      }
      for (int64_t n = 0; n < panel; ++n, values += kLanes) {
        uint32_t units[kLanes];
        __builtin_memcpy(units, values, sizeof units);
        for (uint32_t& unit : units) unit &= keep_bits;
        float kept[kLanes];
        __builtin_memcpy(kept, units, sizeof kept);
        float* const target = sums + (vector + n) * kLanes;
        store(target, Arithmetic::multiply_add(weight, load(kept), load(target)));
      }
    }
    vector += panel;
  }
}

template <typename Element>
void finish_row(const float* sums, float divisor, int64_t head_dim, Element* out) {
  // No weight at all: the sums are 0 too.
  const Vec factor = broadcast(divisor == 0.0f ? 0.0f : 1.0f / divisor);
  for (int64_t i = 0; i < head_dim; i += kLanes) {
    const int n = static_cast<int>(smaller(kLanes, head_dim - i));
    const Vec value = load(sums + i) * factor;
    if (n == kLanes) {
      store(out + i, value);
    } else {
      store(out + i, value, n);
    }
  }
}

// One block of keys for all rows of the block of queries.
template <typename Arithmetic>
void attend_keys(const AttentionCall& call, const AttentionHead& head, int64_t first_query, int64_t queries,
                 int64_t first, const Packed& packed, Work& work) {
  const int64_t head_dim = call.q->shape[3];
  const int64_t rows = round_up(queries, kTileRows);
  const int64_t keys = smaller(kAttentionKeys, head.keys - first);
  multiply_matrix<Arithmetic, kHeadStride, kScoreStride, false>(
      rows, work.queries, key_block<Arithmetic>(packed, first, head_dim), round_up(keys, kLanes) / kLanes,
      head_dim / Arithmetic::kElements, work.scores);

  const auto visible_to = [&](int64_t row) -> const uint8_t* {
    if (call.mask == nullptr) return nullptr;
    return row_of<uint8_t>(*call.mask, head.batch, head.head, first_query + row) + first;
  };
  // In a loop of its own: the weights of a row wait for the row's maximum, so the maxima of all rows come first.
  const int64_t key_vectors = round_up(keys, kLanes) / kLanes;
  float highest[kQueryBlock];
  for (int64_t row = 0; row < queries; ++row) {
    float* const scores = work.scores + row * kScoreStride;
    hide(scores, keys, visible_to(row));
    highest[row] = highest_score(scores, key_vectors);
  }
  const int64_t columns = round_up(head_dim, kLanes);
  for (int64_t row = 0; row < queries; ++row) {
    const float rescale =
        softmax_block<Arithmetic>(call, work.scores + row * kScoreStride, key_vectors, highest[row], work.states[row]);
    if (first == 0) continue;
    float* const sums = work.sums + row * kHeadStride;
    for (int64_t i = 0; i < columns; i += kLanes) store(sums + i, load(sums + i) * broadcast(rescale));
  }

  const float* const values = value_block<Arithmetic>(packed, first, head_dim);
  const int64_t steps = round_up(keys, Arithmetic::kElements) / Arithmetic::kElements;
  if (call.mask == nullptr || packed.non_finite[first / kAttentionKeys] == 0) {
    multiply_matrix<Arithmetic, kScoreStride, kHeadStride, true>(rows, work.scores, values, columns / kLanes, steps,
                                                                 work.sums);
    return;
  }
  for (int64_t row = 0; row < queries; ++row) {
    add_visible<Arithmetic>(work.scores + row * kScoreStride, values, visible_to(row), keys, head_dim,
                            work.sums + row * kHeadStride);
  }
}

template <typename Arithmetic>
void attend(const AttentionCall& call, const AttentionHead& head, int64_t first_query, int64_t queries,
            const void* memory, void* work_memory) {
  Work& work = *static_cast<Work*>(work_memory);
  const int64_t head_dim = call.q->shape[3];
  const int64_t columns = round_up(head_dim, kLanes);
  const Packed packed = packed_at<Arithmetic>(const_cast<void*>(memory), head.keys, head_dim);

  for (int64_t row = 0; row < round_up(queries, kTileRows); ++row) {
    float* const units = work.queries + row * kHeadStride;
    float* const sums = work.sums + row * kHeadStride;
    for (int64_t i = 0; i < columns; i += kLanes) store(sums + i, broadcast(0.0f));
    work.states[row] = {kMinusInfinity, 0.0f};
    if (row >= queries) {  // fills the last tile
      for (int64_t i = 0; i < columns; i += kLanes) store(units + i, broadcast(0.0f));
    } else if (call.q->dtype == GTR_BF16) {
      pack_query<Arithmetic>(row_of<Bfloat16>(*call.q, head.batch, first_query + row, head.head), head_dim, call.sign,
                             units);
    } else {
      pack_query<Arithmetic>(row_of<float>(*call.q, head.batch, first_query + row, head.head), head_dim, call.sign,
                             units);
    }
  }
  for (int64_t first = 0; first < head.keys; first += kAttentionKeys) {
    attend_keys<Arithmetic>(call, head, first_query, queries, first, packed, work);
  }
  for (int64_t row = 0; row < queries; ++row) {
    const float* const sums = work.sums + row * kHeadStride;
    const gtr_tensor& out = *call.out;
    const int64_t at = head.batch * out.stride[0] + (first_query + row) * out.stride[1] + head.head * out.stride[2];
    if (out.dtype == GTR_BF16) {
      finish_row(sums, work.states[row].sum, head_dim, static_cast<Bfloat16*>(out.data) + at);
    } else {
      finish_row(sums, work.states[row].sum, head_dim, static_cast<float*>(out.data) + at);
    }
  }
}

template <typename Arithmetic>
constexpr AttentionKernels kernels_with() {
  return {kQueryBlock, sizeof(Work), packed_bytes<Arithmetic>, pack<Arithmetic>, attend<Arithmetic>};
}

// Products of floats.
struct FloatProducts {
  static constexpr int kElements = 1;
  static constexpr const auto& kExponential = kFineExponential;
  GTR_SIMD_INLINE static Vec multiply_add(Vec x, Vec w, Vec sum) { return fma(x, w, sum); }
  GTR_SIMD_INLINE static Vec round(Vec v) { return v; }
  template <typename Element>
  GTR_SIMD_INLINE static Vec load_units(const Element* p, int n) {
    return n == kLanes ? load(p) : load(p, n);
  }
  template <typename Element>
  GTR_SIMD_INLINE static Vec load_step(const Element* p, const Element*, int n) {
    return load_units(p, n);
  }
  GTR_SIMD_INLINE static void store_weights(float* row, int64_t i, Vec weights) { store(row + i, weights); }
  GTR_SIMD_INLINE static void store_weights(float* row, int64_t i, Vec weights, Vec next) {
    store_weights(row, i, weights);
    store_weights(row, i + kLanes, next);
  }
};

// Products of bfloat16 where the processor has none: rounded once, then kept as floats, whose products are exact.
struct RoundedProducts {
  static constexpr int kElements = 1;
  static constexpr const auto& kExponential = kCoarseExponential;
  GTR_SIMD_INLINE static Vec multiply_add(Vec x, Vec w, Vec sum) { return fma(x, w, sum); }
  GTR_SIMD_INLINE static Vec round(Vec v) { return widen(narrow(v)); }
  template <typename Element>
  GTR_SIMD_INLINE static Vec load_units(const Element* p, int n) {
    return round(n == kLanes ? load(p) : load(p, n));
  }
  template <typename Element>
  GTR_SIMD_INLINE static Vec load_step(const Element* p, const Element*, int n) {
    return load_units(p, n);
  }
  GTR_SIMD_INLINE static void store_weights(float* row, int64_t i, Vec weights) { store(row + i, round(weights)); }
  GTR_SIMD_INLINE static void store_weights(float* row, int64_t i, Vec weights, Vec next) {
    store_weights(row, i, weights);
    store_weights(row, i + kLanes, next);
  }
};
