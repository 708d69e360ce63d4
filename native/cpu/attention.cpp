// Attention: heads, and blocks of queries where there are few heads, in parallel.
#include "attention_kernels.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "operations.h"
#include "pool.h"

namespace gtr::cpu {
namespace {

// So that threads end at about the same time. More items per thread would pack keys more often.
constexpr int64_t kItemsPerThread = 4;

constexpr double kLog2E = 1.4426950408889634;

const AttentionKernels& kernels_of(Tier tier, gtr_precision precision) noexcept {
  const bool f32 = precision == GTR_PRECISION_F32;
  switch (tier) {
#if defined(GTR_HAS_TIER_AMXBF16)
    case Tier::kAmxBf16:
      return f32 ? avx512::kAttentionF32 : amxbf16::kAttentionBf16;
#endif
#if defined(GTR_HAS_TIER_AVX512BF16)
    case Tier::kAvx512Bf16:
      return f32 ? avx512::kAttentionF32 : avx512bf16::kAttentionBf16;
#endif
#if defined(GTR_HAS_TIER_AVX512)
    case Tier::kAvx512:
      return f32 ? avx512::kAttentionF32 : avx512::kAttentionBf16;
#endif
#if defined(GTR_HAS_TIER_AVX2)
    case Tier::kAvx2:
      return f32 ? avx2::kAttentionF32 : avx2::kAttentionBf16;
#endif
    default:
      return f32 ? scalar::kAttentionF32 : scalar::kAttentionBf16;
  }
}

// An item of work is a range of the queries of one head of one batch entry.
struct Items {
  int64_t heads;    // of all batch entries
  int64_t ranges;   // per head
  int64_t queries;  // per range
  int64_t slots;    // items in work at the same time
  int64_t count() const noexcept { return heads * ranges; }
};

Items split(const AttentionKernels& kernels, int threads, int64_t batch, int64_t query_length, int64_t heads) noexcept {
  Items items{batch * heads, 0, 0, 0};
  if (items.heads == 0 || query_length == 0) return items;
  const int64_t wanted = (kItemsPerThread * threads + items.heads - 1) / items.heads;
  const int64_t blocks = (query_length + kernels.query_block - 1) / kernels.query_block;
  const int64_t blocks_per_range = threads == 1 ? blocks : (blocks + wanted - 1) / wanted;
  items.queries = blocks_per_range * kernels.query_block;
  items.ranges = (query_length + items.queries - 1) / items.queries;
  items.slots = std::min<int64_t>(threads, items.count());
  return items;
}

// Hands out the items, neighbours together as long as many are left: a thread then knows which head comes next.
class Shares {
 public:
  explicit Shares(const Items& items) noexcept : items_(items) {}

  // Returns the first of some items and sets the end of them; the same as the end if none is left.
  int64_t take(int64_t* end) noexcept {
    int64_t first = next_.load(std::memory_order_relaxed);
    int64_t after = first;
    do {
      const int64_t left = items_.count() - first;
      after = first + std::min(left, std::max<int64_t>(1, left / (2 * items_.slots)));
    } while (!next_.compare_exchange_weak(first, after, std::memory_order_relaxed));
    *end = after;
    return first;
  }

 private:
  const Items& items_;
  std::atomic<int64_t> next_{0};
};

AttentionCall call_of(double scale, const gtr_tensor& q, const gtr_tensor& k, const gtr_tensor& v,
                      const gtr_tensor* mask, const gtr_tensor& out) noexcept {
  const double factor = std::fabs(scale) * kLog2E;
  // A scale that float cannot tell from 0 makes all weights equal; the factor must not be 0 or infinite itself, since
  // it meets differences that are.
  if (factor < std::numeric_limits<float>::min()) return {&q, &k, &v, mask, &out, 0.0f, 1.0f};
  const double highest = std::numeric_limits<float>::max();
  return {&q, &k, &v, mask, &out, scale < 0 ? -1.0f : 1.0f, static_cast<float>(std::min(factor, highest))};
}

int64_t length_at(const gtr_tensor* lengths, int64_t batch, int64_t otherwise) noexcept {
  if (lengths == nullptr) return otherwise;
  return static_cast<const int32_t*>(lengths->data)[batch * lengths->stride[0]];
}

}  // namespace

int64_t attention_scratch_size(Tier tier, int threads, gtr_precision precision, int64_t batch, int64_t query_length,
                               int64_t key_length, int64_t heads, int64_t head_dim) noexcept {
  const AttentionKernels& kernels = kernels_of(tier, precision);
  const Items items = split(kernels, threads, batch, query_length, heads);
  return items.slots * (kernels.packed_bytes(key_length, head_dim) + kernels.work_bytes);
}

gtr_status attention(const Context& context, gtr_precision precision, double scale, const gtr_tensor& q,
                     const gtr_tensor& k, const gtr_tensor& v, const gtr_tensor* query_lengths,
                     const gtr_tensor* key_lengths, const gtr_tensor* mask, const gtr_tensor& out,
                     void* scratch) noexcept {
  const AttentionKernels& kernels = kernels_of(context.tier, precision);
  const int64_t query_length = q.shape[1];
  const int64_t heads = q.shape[2];
  const int64_t packed_bytes = kernels.packed_bytes(k.shape[1], q.shape[3]);
  const Items items = split(kernels, context.pool->threads(), q.shape[0], query_length, heads);
  const AttentionCall call = call_of(scale, q, k, v, mask, out);

  // A slot is a piece of scratch with a thread that takes items until none is left, so scratch grows with the threads
  // and not with the items.
  Shares shares(items);
  context.pool->parallel_for(items.slots, [&](int64_t slot) {
    char* const packed = static_cast<char*>(scratch) + slot * (packed_bytes + kernels.work_bytes);
    char* const work = packed + packed_bytes;
    const auto head_of = [&](int64_t item) {
      const int64_t batch = item / items.ranges / heads;
      return AttentionHead{batch, item / items.ranges % heads, length_at(key_lengths, batch, k.shape[1])};
    };
    int64_t packed_head = -1;
    int64_t end_item = 0;
    for (int64_t item = 0; (item = shares.take(&end_item)) < end_item;) {
      for (; item < end_item; ++item) {
        const AttentionHead head = head_of(item);
        const int64_t first = item % items.ranges * items.queries;
        const int64_t end = std::min(first + items.queries, length_at(query_lengths, head.batch, query_length));
        if (first >= end) continue;
        if (packed_head != item / items.ranges) {
          kernels.pack(call, head, packed);
          packed_head = item / items.ranges;
        }
        const bool last_of_head = item + 1 < end_item && (item + 1) % items.ranges == 0;
        const AttentionHead next = last_of_head ? head_of(item + 1) : head;
        kernels.attend(call, head, first, end - first, packed, work, last_of_head ? &next : nullptr);
      }
    }
  });
  return GTR_OK;
}

}  // namespace gtr::cpu
