// The operations of the CPU backend, one .cpp each. Arguments were checked by native/src before they come here: shapes,
// dtypes, alignment, extents, aliasing. What is left to a backend are values inside arrays (indices out of range).
#pragma once

#include <atomic>
#include <cstdint>

#include "gtr/gtr.h"

namespace gtr {
class DeviceMemory;  // native/src/memory.h: counted, aligned allocation
}

namespace gtr::cpu {

class Pool;

enum class Tier : int32_t {
  kScalar = GTR_TIER_SCALAR,
  kAvx2 = GTR_TIER_AVX2,
  kAvx512 = GTR_TIER_AVX512,
  kAvx512Bf16 = GTR_TIER_AVX512_BF16,
  kAmxBf16 = GTR_TIER_AMX_BF16
};

// What a call runs on.
struct Context {
  Tier tier;
  Pool* pool;
  const std::atomic<bool>* cancelled;  // never null

  bool is_cancelled() const noexcept { return cancelled->load(std::memory_order_relaxed); }
};

// linear.cpp
struct Linear;  // packed weights
gtr_status linear_create(DeviceMemory& memory, Tier tier, int64_t outputs, int64_t inputs, gtr_precision precision,
                         Linear** linear) noexcept;
void linear_destroy(Linear* linear) noexcept;
void linear_set(Linear& linear, int64_t first_row, const gtr_tensor* weight, const gtr_tensor* bias) noexcept;
int64_t linear_scratch_size(const Linear& linear, int64_t rows) noexcept;
gtr_status linear(const Context& context, const Linear& linear, gtr_activation activation, const gtr_tensor& x,
                  const gtr_tensor* gate, const gtr_tensor* residual, const gtr_tensor& y, void* scratch) noexcept;

// layer_norm.cpp
gtr_status layer_norm(const Context& context, const gtr_tensor& x, const gtr_tensor* weight, const gtr_tensor* bias,
                      const gtr_tensor* scale, const gtr_tensor* shift, double epsilon, const gtr_tensor& y) noexcept;

// attention.cpp
int64_t attention_scratch_size(Tier tier, int threads, gtr_precision precision, int64_t batch, int64_t query_length,
                               int64_t key_length, int64_t heads, int64_t head_dim) noexcept;
gtr_status attention(const Context& context, gtr_precision precision, double scale, const gtr_tensor& q,
                     const gtr_tensor& k, const gtr_tensor& v, const gtr_tensor* query_lengths,
                     const gtr_tensor* key_lengths, const gtr_tensor* mask, const gtr_tensor& out,
                     void* scratch) noexcept;

// rows.cpp
gtr_status embed(const Context& context, const gtr_tensor& first, const gtr_tensor* second, const gtr_tensor& index,
                 const gtr_tensor* position, const gtr_tensor* position_index, const gtr_tensor& y) noexcept;
gtr_status gather(const Context& context, const gtr_tensor& x, const gtr_tensor& index, const gtr_tensor& y) noexcept;
gtr_status scatter(const Context& context, const gtr_tensor& x, const gtr_tensor& index, const gtr_tensor& y) noexcept;

// noise.cpp
gtr_status noise(const Context& context, const gtr_tensor& seed, const gtr_tensor& image, const gtr_tensor& cell,
                 const gtr_tensor& draw, const gtr_tensor& y) noexcept;

// frequency_energy.cpp
int64_t frequency_energy_scratch_size(Tier tier, int threads, int64_t rows, int64_t dim) noexcept;
gtr_status frequency_energy(const Context& context, const gtr_tensor& z, const gtr_tensor& score,
                            void* scratch) noexcept;

// top_fraction.cpp
int64_t top_fraction_scratch_size(int64_t rows) noexcept;
gtr_status top_fraction(const Context& context, const gtr_tensor& score, const gtr_tensor& cell,
                        const gtr_segment* segments, int64_t segment_count, const gtr_tensor& place,
                        void* scratch) noexcept;

// head.cpp, head_chain.cpp
struct Head;
gtr_status head_create(DeviceMemory& memory, Tier tier, const gtr_head_shape& shape, gtr_precision precision,
                       Head** head) noexcept;
void head_destroy(Head* head) noexcept;
// Rows are checked by native/src with head_tensor_shape; every tensor must be complete before the first use, which
// head_missing tells.
void head_set(Head& head, const char* name, int64_t first_row, const gtr_tensor& value) noexcept;
// Name of a tensor that has rows never set, or null.
const char* head_missing(const Head& head) noexcept;
int64_t head_forward_scratch_size(const Head& head, int64_t rows) noexcept;
gtr_status head_forward(const Context& context, const Head& head, const gtr_tensor& x, const gtr_tensor& t,
                        const gtr_tensor& z, const gtr_tensor& out, void* scratch) noexcept;
int64_t head_chain_scratch_size(const Head& head, const gtr_chain& chain) noexcept;
gtr_status head_chain(const Context& context, const Head& head, const gtr_chain& chain, const gtr_tensor& x,
                      void* scratch) noexcept;
gtr_status head_step(const Context& context, const Head& head, const gtr_chain& chain, int32_t index,
                     const gtr_tensor& x, void* scratch) noexcept;

}  // namespace gtr::cpu
