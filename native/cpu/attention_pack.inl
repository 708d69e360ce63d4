// Packing keys and values for the micro-kernel. Arithmetic says what a unit holds; see a tier's attention.cpp.

template <typename Element>
GTR_SIMD_INLINE const Element* row_of(const gtr_tensor& tensor, int64_t batch, int64_t token, int64_t head) {
  return static_cast<const Element*>(tensor.data) + batch * tensor.stride[0] + token * tensor.stride[1] +
         head * tensor.stride[2];
}

GTR_SIMD_INLINE int64_t round_up(int64_t x, int64_t multiple) { return (x + multiple - 1) / multiple * multiple; }

GTR_SIMD_INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

// Into the first-level cache, into the second, or into the first as the only core that has it.
enum class PrefetchFor { kSoon, kLater, kWriting };

// The lines of cache that bytes from p on lie in. What calls this and does nothing else must be inlined, too: GCC drops
// calls of functions without effect, and takes prefetching for none.
template <PrefetchFor kUse>
GTR_SIMD_INLINE void prefetch_lines(const void* p, int64_t bytes) {
  constexpr int kWrites = kUse == PrefetchFor::kWriting ? 1 : 0;
  constexpr int kLocality = kUse == PrefetchFor::kLater ? 2 : 3;
  const char* const end = static_cast<const char*>(p) + bytes;
  const char* line = static_cast<const char*>(p) - reinterpret_cast<uintptr_t>(p) % 64;
  for (; line < end; line += 64) __builtin_prefetch(line, kWrites, kLocality);
}

// How many rows ahead of their use keys and values are prefetched. Heads lie side by side in a row of memory, so those
// of one head are too far apart for the processor to do it.
constexpr int64_t kRowsAhead = 32;

// Units that so many elements take, filled up with zeros to the steps that the micro-kernel takes at once.
template <typename Arithmetic>
GTR_SIMD_INLINE int64_t units_of(int64_t elements) {
  return round_up(elements, Arithmetic::kElements * Arithmetic::kStepUnits) / Arithmetic::kElements;
}

// A step is what one 4-byte unit of the left matrix meets: a float, or two bfloat16 where the tier multiplies pairs.
//
// Columns of packed matrices lie in panels of at most kTileVectors vectors; all steps of a panel follow one another.
// This many vectors from `vector` on make the panel that starts there, so that panels are about equally wide.
GTR_SIMD_INLINE int64_t panel_vectors(int64_t vector, int64_t vectors) {
  const int64_t left = vectors - vector;
  const int64_t panels = (left + kTileVectors - 1) / kTileVectors;
  return (left + panels - 1) / panels;
}

// Keys first .. first + keys - 1 as columns, units_of(head_dim) steps: the transpose of what is in memory. The
// last vector is filled up with the last key, which changes nothing about a row's highest score.
template <typename Arithmetic, typename Element>
void pack_keys(const gtr_tensor& k, const AttentionHead& head, int64_t first, int64_t keys, int64_t head_dim,
               float* packed) {
  const int64_t units = head_dim / Arithmetic::kElements;
  const int64_t steps = units_of<Arithmetic>(head_dim);
  const int64_t vectors = round_up(keys, kLanes) / kLanes;
  const int64_t stride = k.stride[1];
  for (int64_t vector = 0; vector < vectors;) {
    const int64_t panel = panel_vectors(vector, vectors);
    for (int64_t n = 0; n < panel; ++n) {
      const int64_t key = first + (vector + n) * kLanes;
      const int64_t present = smaller(kLanes, first + keys - key);
      const Element* const first_row = row_of<Element>(k, head.batch, key, head.head);
      const int64_t ahead_end = smaller(key + kRowsAhead + kLanes, first + keys);
      for (int64_t ahead = key + kRowsAhead; ahead < ahead_end; ++ahead) {
        prefetch_lines<PrefetchFor::kSoon>(row_of<Element>(k, head.batch, ahead, head.head),
                                           head_dim * sizeof(Element));
      }
      for (int64_t unit = 0; unit < units; unit += kLanes) {
        const int count = static_cast<int>(smaller(kLanes, units - unit));
        Vec square[kLanes];
        for (int i = 0; i < kLanes; ++i) {
          const Element* const row = first_row + smaller(i, present - 1) * stride;
          square[i] = Arithmetic::load_units(row + unit * Arithmetic::kElements, count);
        }
        transpose(square);
        const int64_t filled = smaller(kLanes, steps - unit);
        for (int i = 0; i < filled; ++i) store(packed + ((unit + i) * panel + n) * kLanes, square[i]);
      }
    }
    packed += panel * kLanes * steps;
    vector += panel;
  }
}

// Values first .. first + keys - 1 as units_of(keys) steps of kElements keys each, head_dim columns padded to whole
// vectors.
template <typename Arithmetic, typename Element>
void pack_values(const gtr_tensor& v, const AttentionHead& head, int64_t first, int64_t keys, int64_t head_dim,
                 float* packed) {
  const int64_t vectors = round_up(head_dim, kLanes) / kLanes;
  const int64_t stride = v.stride[1];
  for (int64_t vector = 0; vector < vectors;) {
    const int64_t panel = panel_vectors(vector, vectors);
    const Element* row = row_of<Element>(v, head.batch, first, head.head);
    for (int64_t key = first; key < first + keys; key += Arithmetic::kElements, row += Arithmetic::kElements * stride) {
      const Element* const next = Arithmetic::kElements == 2 && key + 1 < first + keys ? row + stride : nullptr;
      const int64_t ahead_end = smaller(key + kRowsAhead + Arithmetic::kElements, first + keys);
      for (int64_t ahead = key + kRowsAhead; vector == 0 && ahead < ahead_end; ++ahead) {
        prefetch_lines<PrefetchFor::kSoon>(row_of<Element>(v, head.batch, ahead, head.head),
                                           head_dim * sizeof(Element));
      }
      for (int64_t n = 0; n < panel; ++n, packed += kLanes) {
        const int64_t column = (vector + n) * kLanes;
        const int count = static_cast<int>(smaller(kLanes, head_dim - column));
        store(packed, Arithmetic::load_step(row + column, next != nullptr ? next + column : nullptr, count));
      }
    }
    const int64_t used = round_up(keys, Arithmetic::kElements) / Arithmetic::kElements;
    for (int64_t step = used; step < units_of<Arithmetic>(keys); ++step) {
      for (int64_t n = 0; n < panel; ++n, packed += kLanes) store(packed, broadcast(0.0f));
    }
    vector += panel;
  }
}

// Is there an infinity or NaN among the values as they are packed?
template <typename Arithmetic, typename Element>
bool has_non_finite(const gtr_tensor& v, const AttentionHead& head, int64_t first, int64_t keys, int64_t head_dim) {
  Vec zeros = broadcast(0.0f);
  for (int64_t key = first; key < first + keys; ++key) {
    const Element* row = row_of<Element>(v, head.batch, key, head.head);
    for (int64_t column = 0; column < head_dim; column += kLanes) {
      const int count = static_cast<int>(smaller(kLanes, head_dim - column));
      const Vec value = Arithmetic::round(count == kLanes ? load(row + column) : load(row + column, count));
      zeros = fma(value, broadcast(0.0f), zeros);
    }
  }
  const float total = sum(zeros);
  return total != total;
}
