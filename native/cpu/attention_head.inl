// Attention over one head, written once over a tier's vector and micro-kernel. A tier's attention.cpp includes this
// inside its namespace and an anonymous one, after its vectors,
//   kTileRows, kTileVectors         size of the micro-kernel's tile; kTileVectors is 2 to 4
//   kAlternate                      whether weights are found while a product is, for attention_vectors.inl; otherwise
//                                   they take the place of their scores
//   broadcast_unit(p)               the 4-byte unit at p in all lanes, for attention_vectors.inl
//   split_exponent(x), kFineExponential, kCoarseExponential   see attention_exponent.inl
// and a micro-kernel: attention_vectors.inl or attention_tiles.inl.
//
// It instantiates kernels_with<Arithmetic>() with one or more of these:
//   struct Arithmetic {
//     kElements                     elements per unit, 1 or 2
//     kStepUnits                    units that the micro-kernel takes at once
//     kExponential                  coefficients for powers_of_two
//     multiply_add(x, w, sum)       sum + the product of units
//     round(v)                      floats as products see them
//     load_units(p, n)              n units of kElements neighbours in a row
//     load_step(p, next, n)         n units, each the elements of kElements rows; next is null behind the last row
//     store_weights(row, i, v)      weights i.. of a row of units
//     store_weights(row, i, v, w)   two vectors of them
//   };
// Nothing from std, here and in what follows: the linker might keep this tier's copy for all.

// Queries that share a block of keys before the next one comes, so that blocks stay in the second-level cache.
constexpr int64_t kQueryBlock = kTileRows < 16 ? 48 : 64;
static_assert(kQueryBlock % kTileRows == 0);
// Queries of a block where one block of keys is all: those of the stages that are under way at once.
constexpr int64_t kFewestQueries = kAlternate ? 2 * kTileRows : kTileRows;

// Memory of attend.
struct Work {
  alignas(64) float queries[kQueryBlock * kHeadStride];  // units
  alignas(64) float sums[kQueryBlock * kHeadStride];     // of weights times values
  alignas(64) SoftmaxState states[kQueryBlock];
  Scores scores[kAlternate ? 2 : 1];  // of a stage, and of the one after it
  // Of a stage, in units; not used where they take the place of their scores.
  alignas(64) float weights[kAlternate ? kTileRows * kScoreStride : 16];
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
  const int64_t key_units = round_up(keys, kLanes) * units_of<Arithmetic>(head_dim);
  const int64_t value_units = units_of<Arithmetic>(keys) * round_up(head_dim, kLanes);
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
  return packed.keys + first * units_of<Arithmetic>(head_dim);
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

// kTileRows queries and a block of keys.
struct Stage {
  int64_t query;  // the first, of the call's
  int64_t key;    // the first
};

// A call of attend.
struct Pass {
  const AttentionCall& call;
  const AttentionHead& head;
  int64_t first_query;
  int64_t queries;
  int64_t head_dim;
  int64_t query_block;
  Packed packed;
  Work& work;
  const AttentionHead* next;

  int64_t rows(const Stage& stage) const { return smaller(kTileRows, queries - stage.query); }
  int64_t keys(const Stage& stage) const { return smaller(kAttentionKeys, head.keys - stage.key); }
  int64_t key_vectors(const Stage& stage) const { return round_up(keys(stage), kLanes) / kLanes; }
  float* sums(const Stage& stage) const { return work.sums + stage.query % query_block * kHeadStride; }
  float* query_units(const Stage& stage) const { return work.queries + stage.query % query_block * kHeadStride; }
  SoftmaxState* states(const Stage& stage) const { return work.states + stage.query % query_block; }
  bool is_first(const Stage& stage) const { return stage.key == 0; }
  bool is_last(const Stage& stage) const { return stage.key + kAttentionKeys >= head.keys; }

  const uint8_t* visible_to(const Stage& stage, int64_t row) const {
    return row_of<uint8_t>(*call.mask, head.batch, head.head, first_query + stage.query + row) + stage.key;
  }

  // Blocks of queries, of each the blocks of keys, and of each the queries. False after the last stage.
  bool advance(Stage& stage) const {
    const int64_t block = stage.query / query_block * query_block;
    stage.query += kTileRows;
    if (stage.query < smaller(block + query_block, queries)) return true;
    stage.key += kAttentionKeys;
    if (stage.key < head.keys) {
      stage.query = block;
      return true;
    }
    stage.key = 0;
    stage.query = block + query_block;
    return stage.query < queries;
  }
};

// One head's elements of some tokens, to be fetched.
struct Lines {
  const char* first = nullptr;
  int64_t stride = 0;  // from token to token, in bytes
  int64_t bytes = 0;
  int64_t tokens = 0;

  Lines() = default;
  Lines(const gtr_tensor& tensor, const AttentionHead& head, int64_t token, int64_t count) {
    const int64_t size = tensor.dtype == GTR_BF16 ? sizeof(Bfloat16) : sizeof(float);
    first = static_cast<const char*>(tensor.data) +
            (head.batch * tensor.stride[0] + token * tensor.stride[1] + head.head * tensor.stride[2]) * size;
    stride = tensor.stride[1] * size;
    bytes = tensor.shape[3] * size;
    tokens = count;
  }

  template <PrefetchFor kUse>
  GTR_SIMD_INLINE void prefetch(int64_t token) const {
    if (token < tokens) prefetch_lines<kUse>(first + token * stride, bytes);
  }
};

// What is fetched in the course of a stage, with each row of it some: what the last block of keys writes out, which
// another core may have used last; the queries that are packed next; and in the course of the first block of keys a
// share of the keys and values of the head that follows.
class FetchAhead {
 public:
  FetchAhead(const Pass& pass, const Stage& stage) {
    const AttentionCall& call = pass.call;
    if (pass.is_last(stage)) {
      out_ = Lines(*call.out, pass.head, pass.first_query + stage.query, pass.rows(stage));
    }
    Stage next = stage;
    if (pass.advance(next)) {
      if (pass.is_first(next)) queries_ = Lines(*call.q, pass.head, pass.first_query + next.query, pass.rows(next));
    } else if (pass.next != nullptr) {  // its queries begin at the first
      queries_ = Lines(*call.q, *pass.next, 0, smaller(kTileRows, call.q->shape[1]));
    }
    if (pass.next != nullptr && pass.is_first(stage)) {
      const int64_t stages = (pass.queries + kTileRows - 1) / kTileRows;
      const int64_t share = (pass.next->keys + stages - 1) / stages;
      const int64_t first = stage.query / kTileRows * share;
      const int64_t count = smaller(share, pass.next->keys - first);
      keys_ = Lines(*call.k, *pass.next, first, count);
      values_ = Lines(*call.v, *pass.next, first, count);
    }
  }

  GTR_SIMD_INLINE void out(int64_t row) const { out_.prefetch<PrefetchFor::kWriting>(row); }
  template <PrefetchFor kUse>
  GTR_SIMD_INLINE void query(int64_t row) const {
    queries_.prefetch<kUse>(row);
  }
  GTR_SIMD_INLINE void next_head(int64_t row) const {
    for (int64_t key = row; key < keys_.tokens; key += kTileRows) {
      keys_.prefetch<PrefetchFor::kLater>(key);
      values_.prefetch<PrefetchFor::kLater>(key);
    }
  }

 private:
  Lines out_, queries_, keys_, values_;
};

template <typename Arithmetic, typename Element>
void pack_queries(const Pass& pass, const Stage& stage) {
  const int64_t rows = pass.rows(stage);
  float* units = pass.query_units(stage);
  for (int64_t row = 0; row < kTileRows; ++row, units += kHeadStride) {
    pass.states(stage)[row] = {kMinusInfinity, 0.0f};
    if (row < rows) {
      const int64_t query = pass.first_query + stage.query + row;
      pack_query<Arithmetic>(row_of<Element>(*pass.call.q, pass.head.batch, query, pass.head.head), pass.head_dim,
                             pass.call.sign, units);
    } else {  // fills the last tile
      for (int64_t i = 0; i < round_up(pass.head_dim, kLanes); i += kLanes) store(units + i, broadcast(0.0f));
    }
  }
}

// Scores of a stage; unless `before` is null, the weights of an earlier stage of as many keys as well.
template <typename Arithmetic>
void score(const Pass& pass, const Stage& stage, Scores& scores, Scores* before) {
  if (pass.is_first(stage)) {
    const auto pack =
        pass.call.q->dtype == GTR_BF16 ? pack_queries<Arithmetic, Bfloat16> : pack_queries<Arithmetic, float>;
    pack(pass, stage);
  }
  const float* const keys = key_block<Arithmetic>(pass.packed, stage.key, pass.head_dim);
  const int64_t steps = units_of<Arithmetic>(pass.head_dim);
  if (before == nullptr) {
    score_rows<Arithmetic, false>(pass.query_units(stage), keys, pass.key_vectors(stage), steps, pass.rows(stage),
                                  scores);
  } else {
    score_rows<Arithmetic, kAlternate>(pass.query_units(stage), keys, pass.key_vectors(stage), steps, pass.rows(stage),
                                       scores, before, pass.work.weights);
  }
}

// From scores to all that weights need.
template <typename Arithmetic>
void prepare_weights(const Pass& pass, const Stage& stage, Scores& scores) {
  const int64_t keys = pass.keys(stage);
  for (int64_t row = 0; row < worked_rows(pass.rows(stage)); ++row) {
    float* const values = scores.values + row * kScoreStride;
    hide_tail(values, keys);
    if (pass.call.mask != nullptr && row < pass.rows(stage)) {
      hide(values, scores.highest + row * kLanes, keys, pass.visible_to(stage, row));
    }
    raise<Arithmetic>(row, scores, pass.states(stage)[row]);
  }
}

template <typename Arithmetic>
void add_values(const Pass& pass, const Stage& stage, const Scores& scores) {
  const float* const weights = kAlternate ? pass.work.weights : scores.values;
  const int64_t keys = pass.keys(stage);
  const int64_t vectors = round_up(pass.head_dim, kLanes) / kLanes;
  const int64_t steps = units_of<Arithmetic>(keys);
  const int64_t rows = pass.rows(stage);
  const float* const values = value_block<Arithmetic>(pass.packed, stage.key, pass.head_dim);
  float* const sums = pass.sums(stage);
  for (int64_t row = 0; !pass.is_first(stage) && row < worked_rows(rows); ++row) {
    float* const row_sums = sums + row * kHeadStride;
    const Vec rescale = broadcast(scores.rescale[row]);
    for (int64_t i = 0; i < vectors * kLanes; i += kLanes) store(row_sums + i, load(row_sums + i) * rescale);
  }
  if (pass.call.mask != nullptr && pass.packed.non_finite[stage.key / kAttentionKeys] != 0) {
    for (int64_t row = 0; row < rows; ++row) {
      float* const row_sums = sums + row * kHeadStride;
      for (int64_t i = 0; pass.is_first(stage) && i < vectors * kLanes; i += kLanes) {
        store(row_sums + i, broadcast(0.0f));
      }
      add_visible<Arithmetic>(weights + row * kScoreStride, values, pass.visible_to(stage, row), keys, pass.head_dim,
                              row_sums);
    }
  } else if (pass.is_first(stage)) {
    multiply_rows<Arithmetic, kScoreStride, kHeadStride, false>(weights, values, vectors, steps, rows, sums);
  } else {
    multiply_rows<Arithmetic, kScoreStride, kHeadStride, true>(weights, values, vectors, steps, rows, sums);
  }
}

template <typename Element>
GTR_SIMD_INLINE Element* out_row(const Pass& pass, const Stage& stage) {
  const gtr_tensor& out = *pass.call.out;
  return static_cast<Element*>(out.data) + pass.head.batch * out.stride[0] +
         (pass.first_query + stage.query) * out.stride[1] + pass.head.head * out.stride[2];
}

// Calls done(row) after each row.
template <typename Element, typename Done>
void write_out(const Pass& pass, const Stage& stage, const Done& done) {
  Element* to = out_row<Element>(pass, stage);
  for (int64_t row = 0; row < pass.rows(stage); ++row, to += pass.call.out->stride[1]) {
    finish_row(pass.sums(stage) + row * kHeadStride, pass.states(stage)[row].sum, pass.head_dim, to);
    done(row);
  }
}

// Ends a stage whose weights are found. Calls done(row) after each row that is written out.
template <typename Arithmetic, typename Done>
void finish_stage(const Pass& pass, const Stage& stage, const Scores& scores, const Done& done) {
  add_values<Arithmetic>(pass, stage, scores);
  if (pass.is_last(stage)) {
    const auto write = pass.call.out->dtype == GTR_BF16 ? write_out<Bfloat16, Done> : write_out<float, Done>;
    write(pass, stage, done);
  }
}

// One stage after the other, weights where their scores were. Lines are fetched a few at a time, while weights are
// found, which waits for no memory: many at once wait for one another and hold up what comes after them. The lambdas
// are inlined by attribute, since GCC drops calls that only fetch (see prefetch_lines).
template <typename Arithmetic>
void attend_in_order(const Pass& pass) {
  Scores& scores = pass.work.scores[0];
  Stage stage{0, 0};
  for (bool more = true; more; more = pass.advance(stage)) {
    const FetchAhead ahead(pass, stage);
    score<Arithmetic>(pass, stage, scores, nullptr);
    prepare_weights<Arithmetic>(pass, stage, scores);
    weigh_rows<Arithmetic>(
        scores, pass.key_vectors(stage), pass.rows(stage),
        scores.values, [&](int64_t row) __attribute__((always_inline)) {
          ahead.out(row);
          ahead.query<PrefetchFor::kLater>(row);
          ahead.next_head(row);
        });
    for (int64_t row = 0; row < worked_rows(pass.rows(stage)); ++row) add_total(row, scores, pass.states(stage)[row]);
    finish_stage<Arithmetic>(
        pass, stage, scores, [&](int64_t row) __attribute__((always_inline)) { ahead.query<PrefetchFor::kSoon>(row); });
  }
}

// Weights of a stage are found while the next one's scores are.
template <typename Arithmetic>
void attend_alternating(const Pass& pass) {
  const auto score_stage = [&](const Stage& stage, Scores& scores, Scores* before) {
    const FetchAhead ahead(pass, stage);
    for (int64_t row = 0; row < kTileRows; ++row) ahead.out(row);
    for (int64_t row = 0; row < kTileRows; ++row) ahead.query<PrefetchFor::kSoon>(row);
    score<Arithmetic>(pass, stage, scores, before);
  };
  Scores* scores = &pass.work.scores[0];
  Scores* next_scores = &pass.work.scores[1];
  Stage stage{0, 0};
  score_stage(stage, *scores, nullptr);
  prepare_weights<Arithmetic>(pass, stage, *scores);
  for (bool more = true; more;) {
    Stage next = stage;
    more = pass.advance(next);
    const bool alternate = more && can_alternate(pass.head_dim / Arithmetic::kElements) &&
                           pass.key_vectors(next) == pass.key_vectors(stage);
    if (!alternate) {
      weigh_rows<Arithmetic>(*scores, pass.key_vectors(stage), pass.rows(stage), pass.work.weights, [](int64_t) {});
    }
    if (more) score_stage(next, *next_scores, alternate ? scores : nullptr);
    for (int64_t row = 0; row < worked_rows(pass.rows(stage)); ++row) add_total(row, *scores, pass.states(stage)[row]);
    // Here, where the products that follow hide the latencies.
    if (more) prepare_weights<Arithmetic>(pass, next, *next_scores);
    const FetchAhead ahead(pass, stage);
    for (int64_t row = 0; row < kTileRows; ++row) ahead.next_head(row);
    finish_stage<Arithmetic>(pass, stage, *scores, [](int64_t) {});
    stage = next;
    Scores* const free_scores = scores;
    scores = next_scores;
    next_scores = free_scores;
  }
}

template <typename Arithmetic>
void attend(const AttentionCall& call, const AttentionHead& head, int64_t first_query, int64_t queries,
            const void* memory, void* work_memory, const AttentionHead* next_head) {
  Work& work = *static_cast<Work*>(work_memory);
  const int64_t head_dim = call.q->shape[3];
  for (Scores& scores : work.scores) scores.factor = call.factor;
  const Pass pass{call,
                  head,
                  first_query,
                  queries,
                  head_dim,
                  head.keys <= kAttentionKeys ? kFewestQueries : kQueryBlock,
                  packed_at<Arithmetic>(const_cast<void*>(memory), head.keys, head_dim),
                  work,
                  next_head};
  if constexpr (kAlternate) {
    attend_alternating<Arithmetic>(pass);
  } else {
    attend_in_order<Arithmetic>(pass);
  }
}

template <typename Arithmetic>
constexpr AttentionKernels kernels_with() {
  return {kQueryBlock, sizeof(Work), packed_bytes<Arithmetic>, pack<Arithmetic>, attend<Arithmetic>};
}

// Products of floats.
struct FloatProducts {
  static constexpr int kElements = 1;
  static constexpr int kStepUnits = 1;
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
  static constexpr int kStepUnits = 1;
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
