// Every allocation of the library fails in turn: the call reports it, nothing leaks, nothing changes, and the next
// attempt works.
#include <cmath>
#include <cstring>
#include <functional>

#include "small_head.h"

namespace gtr::test {
namespace {

constexpr gtr_head_shape kShape = {4, 6, 8, 2};

// create must succeed in the end; returns how many allocations could fail before.
int fail_each_allocation(const char* operation, const std::function<gtr_status()>& create) {
  for (int nth = 1;; ++nth) {
    gtr_test_fail_allocation(nth);
    const gtr_status status = create();
    gtr_test_fail_allocation(0);
    if (status == GTR_OK) return nth - 1;
    EXPECT_STATUS(status, GTR_ERROR_OUT_OF_MEMORY);
    EXPECT(std::strcmp(gtr_last_error_operation(), operation) == 0);
    EXPECT(std::strstr(gtr_last_error(), "no memory") != nullptr);
    if (nth > 1000 || status != GTR_ERROR_OUT_OF_MEMORY) return -1;
  }
}

void devices() {
  gtr_device_options options = {};
  options.backend = GTR_BACKEND_CPU;
  options.threads = 3;
  gtr_device* device = nullptr;
  const int failed = fail_each_allocation("gtr_device_open", [&] {
    const gtr_status status = gtr_device_open(&options, &device);
    EXPECT((device == nullptr) == (status != GTR_OK));
    return status;
  });
  EXPECT(failed >= 6);  // the device twice, the pool, its state, two threads
  EXPECT_OK(gtr_device_close(device));
}

// Creates something on a device again and again; live bytes and handles come back after each failure and after its end.
template <typename Handle>
void handles(const Fixture& f, const char* operation, int at_least, const std::function<gtr_status(Handle**)>& create,
             const std::function<gtr_status(Handle*)>& destroy) {
  const gtr_memory_stats before = f.stats();
  Handle* handle = nullptr;
  const int failed = fail_each_allocation(operation, [&] {
    const gtr_status status = create(&handle);
    EXPECT((handle == nullptr) == (status != GTR_OK));
    if (status != GTR_OK) {
      const gtr_memory_stats now = f.stats();
      EXPECT(now.live_bytes == before.live_bytes && now.handles == before.handles &&
             now.allocations == before.allocations);
    }
    return status;
  });
  EXPECT(failed >= at_least);
  EXPECT(f.stats().live_bytes > before.live_bytes);
  EXPECT_OK(destroy(handle));
  const gtr_memory_stats after = f.stats();
  EXPECT(after.live_bytes == before.live_bytes && after.handles == before.handles &&
         after.allocations == before.allocations);
}

// Calls that compute allocate nothing: an allocation that is set to fail stays set.
void the_steady_path_allocates_nothing(const Fixture& f) {
  gtr_linear_weights* linear = nullptr;
  gtr_head* head = nullptr;
  EXPECT_OK(gtr_linear_create(f.device, 8, 8, GTR_PRECISION_BF16, &linear));
  EXPECT_OK(gtr_head_create(f.device, &kShape, GTR_PRECISION_F32, &head));
  Array<float> square({8, 8}, 0.5f), row({8}, 0.5f), y({8, 8});
  const Array<float> q({2, 4, 2, 8}, 0.5f), out({2, 4, 2, 8}), score({8});
  const Array<int32_t> index({8}), place({8});
  const Array<uint32_t> words({8});
  const Array<uint64_t> seed({8});
  const gtr_segment segments[] = {{0, 8, 3, 0, 3}};
  SmallChain c(kShape);
  int64_t linear_bytes, attention_bytes, energy_bytes, top_bytes, forward_bytes, chain_bytes;
  EXPECT_OK(gtr_linear_scratch_size(linear, 8, &linear_bytes));
  EXPECT_OK(gtr_attention_scratch_size(f.device, 0, 2, 4, 4, 2, 8, &attention_bytes));
  EXPECT_OK(gtr_frequency_energy_scratch_size(f.device, 8, 8, &energy_bytes));
  EXPECT_OK(gtr_top_fraction_scratch_size(f.device, 8, &top_bytes));
  EXPECT_OK(gtr_head_forward_scratch_size(head, 6, &forward_bytes));
  EXPECT_OK(gtr_head_chain_scratch_size(head, &c.chain, &chain_bytes));
  const Scratch scratch(linear_bytes + attention_bytes + energy_bytes + top_bytes + forward_bytes + chain_bytes);
  const Array<int32_t> t({6});
  const Array<float> head_out({6, 8});

  gtr_test_fail_allocation(1);
  EXPECT_OK(gtr_linear_set(linear, 0, &square, &row));
  EXPECT_OK(set_head(head, kShape));
  EXPECT_OK(gtr_linear(f.stream, linear, 1, &square, nullptr, nullptr, &y, scratch.data, linear_bytes));
  EXPECT_OK(gtr_layer_norm(f.stream, &square, &row, &row, nullptr, nullptr, 1e-6, &y));
  EXPECT_OK(gtr_attention(f.stream, 0, 1, &q, &q, &q, nullptr, nullptr, nullptr, &out, scratch.data, attention_bytes));
  EXPECT_OK(gtr_embed(f.stream, &square, nullptr, &index, nullptr, nullptr, &y));
  EXPECT_OK(gtr_gather(f.stream, &square, &index, &y));
  EXPECT_OK(gtr_scatter(f.stream, &square, &index, &y));
  EXPECT_OK(gtr_noise(f.stream, &seed, &words, &words, &words, &y));
  EXPECT_OK(gtr_frequency_energy(f.stream, &square, &score, scratch.data, energy_bytes));
  EXPECT_OK(gtr_top_fraction(f.stream, &score, &words, segments, 1, &place, scratch.data, top_bytes));
  EXPECT_OK(gtr_head_forward(f.stream, head, &c.x, &t, &c.z, &head_out, scratch.data, forward_bytes));
  EXPECT_OK(gtr_head_chain(f.stream, head, &c.chain, &c.x, scratch.data, chain_bytes));
  EXPECT_OK(gtr_head_chain_prepare(f.stream, head, &c.chain, scratch.data, chain_bytes));
  EXPECT_OK(gtr_head_step(f.stream, head, &c.chain, 0, &c.x, scratch.data, chain_bytes));
  EXPECT_OK(gtr_copy(f.stream, y.values.data(), square.values.data(), 64));
  void* data = nullptr;
  EXPECT_STATUS(gtr_allocate(f.device, 0, 64, &data), GTR_ERROR_OUT_OF_MEMORY);  // it was still set
  EXPECT_OK(gtr_allocate(f.device, 0, 64, &data));
  EXPECT_OK(gtr_free(f.device, data));
  EXPECT_OK(gtr_linear_destroy(linear));
  EXPECT_OK(gtr_head_destroy(head));
}

}  // namespace
}  // namespace gtr::test

int main() {
  using namespace gtr::test;
  devices();
  {
    const Fixture f;
    handles<gtr_stream>(
        f, "gtr_stream_create", 2, [&](gtr_stream** s) { return gtr_stream_create(f.device, nullptr, s); },
        gtr_stream_destroy);
    for (const int32_t precision : {GTR_PRECISION_F32, GTR_PRECISION_BF16}) {
      handles<gtr_linear_weights>(
          f, "gtr_linear_create", 2,
          [&](gtr_linear_weights** l) { return gtr_linear_create(f.device, 33, 17, precision, l); },
          gtr_linear_destroy);
      handles<gtr_head>(
          f, "gtr_head_create", 14, [&](gtr_head** h) { return gtr_head_create(f.device, &kShape, precision, h); },
          gtr_head_destroy);
    }
    handles<void>(
        f, "gtr_allocate", 2, [&](void** d) { return gtr_allocate(f.device, GTR_MEMORY_HOST, 1000, d); },
        [&](void* d) { return gtr_free(f.device, d); });
    the_steady_path_allocates_nothing(f);
  }
  return result();
}
