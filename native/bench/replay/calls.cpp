// libgtr's functions that sampling on the CPU calls: each passes its call on, and those on a stream are added to a
// recording that is on.
#include <dlfcn.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <tuple>

#include "gtr/gtr.h"
#include "recording.h"

namespace gtr::bench {
namespace {

// libgtr may have been loaded for one caller alone, where the next definition of a symbol is not looked for.
void* find(const char* name) {
  void* const library = dlopen(GTR_LIBRARY_NAME, RTLD_LAZY | RTLD_NOLOAD);
  void* const symbol = library == nullptr ? nullptr : dlsym(library, name);
  if (symbol == nullptr) {
    std::fprintf(stderr, "libgtr_replay: " GTR_LIBRARY_NAME " is not loaded, or lacks %s\n", name);
    std::abort();
  }
  return symbol;
}

// An argument with what it points to.
template <typename T>
class Kept {
 public:
  explicit Kept(T value) : value_(value) {}
  T get() const { return value_; }

 private:
  T value_;
};

template <>
class Kept<const gtr_tensor*> {
 public:
  explicit Kept(const gtr_tensor* tensor) {
    if (tensor != nullptr) {
      tensor_ = *tensor;
    }
  }
  const gtr_tensor* get() const { return tensor_ ? &*tensor_ : nullptr; }

 private:
  std::optional<gtr_tensor> tensor_;
};

template <>
class Kept<const gtr_chain*> {
 public:
  explicit Kept(const gtr_chain* chain)
      : chain_(*chain),
        groups_(chain->groups, chain->groups + chain->group_count),
        place_(chain->place),
        z_(chain->z),
        z_unconditional_(chain->z_unconditional),
        seed_(chain->seed),
        image_(chain->image),
        cell_(chain->cell),
        cfg_(chain->cfg),
        temperature_(chain->temperature) {}

  // Valid while this object stays where it is.
  const gtr_chain* get() const {
    chain_.groups = groups_.data();
    chain_.place = place_.get();
    chain_.z = z_.get();
    chain_.z_unconditional = z_unconditional_.get();
    chain_.seed = seed_.get();
    chain_.image = image_.get();
    chain_.cell = cell_.get();
    chain_.cfg = cfg_.get();
    chain_.temperature = temperature_.get();
    return &chain_;
  }

 private:
  using Tensor = Kept<const gtr_tensor*>;

  mutable gtr_chain chain_;
  std::vector<gtr_chain_group> groups_;
  Tensor place_, z_, z_unconditional_, seed_, image_, cell_, cfg_, temperature_;
};

template <typename... Args>
void record(gtr_status (*function)(gtr_stream*, Args...), gtr_stream* stream, Args... args) {
  if (Recording::instance().is_on()) {
    Recording::instance().add(
        stream, [function, kept = std::tuple<Kept<Args>...>(Kept<Args>(args)...)](gtr_stream* other) {
          return std::apply([&](const auto&... arg) { return function(other, arg.get()...); }, kept);
        });
  }
}

// Makes a call, whose time counts as the library's.
template <typename... Args>
gtr_status timed(gtr_status (*function)(Args...), Args... args) {
  const auto start = std::chrono::steady_clock::now();
  const gtr_status status = function(args...);
  Recording::instance().spent(std::chrono::steady_clock::now() - start);
  return status;
}

void record_copy_from_host(decltype(&gtr_copy) copy, gtr_stream* stream, void* target, const void* source,
                           int64_t bytes) {
  const char* const from = static_cast<const char*>(source);
  Recording::instance().add(stream, [copy, target, kept = std::vector<char>(from, from + bytes)](gtr_stream* other) {
    return copy(other, target, kept.data(), static_cast<int64_t>(kept.size()));
  });
}

void record_copy_to_host(decltype(&gtr_copy) copy, gtr_stream* stream, const void* target, const void* source,
                         int64_t bytes) {
  const char* const brought = static_cast<const char*>(target);
  auto fetch = std::make_shared<Fetch>();
  fetch->expected.assign(brought, brought + bytes);
  fetch->fetched.resize(fetch->expected.size());
  Recording::instance().add(
      stream,
      [copy, fetch, source, bytes](gtr_stream* other) { return copy(other, fetch->fetched.data(), source, bytes); },
      fetch);
}

}  // namespace
}  // namespace gtr::bench

using gtr::bench::Recording;

// libgtr's function of this name, found at its first call.
#define NEXT(name) static const auto next = reinterpret_cast<decltype(&(name))>(gtr::bench::find(#name))

#define PASS(name, ...)                  \
  NEXT(name);                            \
  gtr::bench::record(next, __VA_ARGS__); \
  return gtr::bench::timed(next, __VA_ARGS__)

extern "C" {

gtr_status gtr_allocate(gtr_device* device, int32_t space, int64_t bytes, void** data) {
  NEXT(gtr_allocate);
  const gtr_status status = next(device, space, bytes, data);
  if (status == GTR_OK) {
    Recording::instance().allocated(*data, space, bytes);
  }
  return status;
}

gtr_status gtr_free(gtr_device* device, void* data) {
  NEXT(gtr_free);
  Recording::instance().freed(data);
  return next(device, data);
}

gtr_status gtr_copy(gtr_stream* stream, void* target, const void* source, int64_t bytes) {
  NEXT(gtr_copy);
  Recording& recording = Recording::instance();
  const bool is_fetch = recording.is_on() && !recording.is_host(source) && recording.is_host(target);
  if (recording.is_on() && recording.is_host(source)) {
    gtr::bench::record_copy_from_host(next, stream, target, source, bytes);
  } else if (!is_fetch) {
    gtr::bench::record(next, stream, target, source, bytes);
  }
  const gtr_status status = gtr::bench::timed(next, stream, target, source, bytes);
  if (is_fetch) {
    gtr::bench::record_copy_to_host(next, stream, target, source, bytes);
  }
  return status;
}

gtr_status gtr_stream_create(gtr_device* device, void* external, gtr_stream** stream) {
  NEXT(gtr_stream_create);
  const gtr_status status = next(device, external, stream);
  if (status == GTR_OK) {
    Recording::instance().created(*stream, device);
  }
  return status;
}

gtr_status gtr_stream_destroy(gtr_stream* stream) {
  NEXT(gtr_stream_destroy);
  Recording::instance().destroyed(stream);
  return next(stream);
}

gtr_status gtr_stream_synchronize(gtr_stream* stream) { PASS(gtr_stream_synchronize, stream); }

gtr_status gtr_linear(gtr_stream* stream, const gtr_linear_weights* linear, int32_t activation, const gtr_tensor* x,
                      const gtr_tensor* gate, const gtr_tensor* residual, const gtr_tensor* y, void* scratch,
                      int64_t scratch_size) {
  PASS(gtr_linear, stream, linear, activation, x, gate, residual, y, scratch, scratch_size);
}

gtr_status gtr_layer_norm(gtr_stream* stream, const gtr_tensor* x, const gtr_tensor* weight, const gtr_tensor* bias,
                          const gtr_tensor* scale, const gtr_tensor* shift, double epsilon, const gtr_tensor* y) {
  PASS(gtr_layer_norm, stream, x, weight, bias, scale, shift, epsilon, y);
}

gtr_status gtr_attention(gtr_stream* stream, int32_t precision, double scale, const gtr_tensor* q, const gtr_tensor* k,
                         const gtr_tensor* v, const gtr_tensor* query_lengths, const gtr_tensor* key_lengths,
                         const gtr_tensor* mask, const gtr_tensor* out, void* scratch, int64_t scratch_size) {
  PASS(gtr_attention, stream, precision, scale, q, k, v, query_lengths, key_lengths, mask, out, scratch, scratch_size);
}

gtr_status gtr_embed(gtr_stream* stream, const gtr_tensor* first, const gtr_tensor* second, const gtr_tensor* index,
                     const gtr_tensor* position, const gtr_tensor* position_index, const gtr_tensor* y) {
  PASS(gtr_embed, stream, first, second, index, position, position_index, y);
}

gtr_status gtr_gather(gtr_stream* stream, const gtr_tensor* x, const gtr_tensor* index, const gtr_tensor* y) {
  PASS(gtr_gather, stream, x, index, y);
}

gtr_status gtr_scatter(gtr_stream* stream, const gtr_tensor* x, const gtr_tensor* index, const gtr_tensor* y) {
  PASS(gtr_scatter, stream, x, index, y);
}

gtr_status gtr_frequency_energy(gtr_stream* stream, const gtr_tensor* z, const gtr_tensor* score, void* scratch,
                                int64_t scratch_size) {
  PASS(gtr_frequency_energy, stream, z, score, scratch, scratch_size);
}

gtr_status gtr_top_fraction(gtr_stream* stream, const gtr_tensor* score, const gtr_tensor* cell,
                            const gtr_segment* segments, int64_t segment_count, const gtr_tensor* place, void* scratch,
                            int64_t scratch_size) {
  NEXT(gtr_top_fraction);
  using Tensor = gtr::bench::Kept<const gtr_tensor*>;
  if (Recording::instance().is_on()) {
    Recording::instance().add(stream, [score = Tensor(score), cell = Tensor(cell),
                                       segments = std::vector<gtr_segment>(segments, segments + segment_count),
                                       place = Tensor(place), scratch, scratch_size](gtr_stream* other) {
      return next(other, score.get(), cell.get(), segments.data(), static_cast<int64_t>(segments.size()), place.get(),
                  scratch, scratch_size);
    });
  }
  return gtr::bench::timed(next, stream, score, cell, segments, segment_count, place, scratch, scratch_size);
}

gtr_status gtr_head_chain(gtr_stream* stream, const gtr_head* head, const gtr_chain* chain, const gtr_tensor* x,
                          void* scratch, int64_t scratch_size) {
  PASS(gtr_head_chain, stream, head, chain, x, scratch, scratch_size);
}

}  // extern "C"
