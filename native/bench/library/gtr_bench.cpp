#include "gtr_bench.h"

#include <chrono>
#include <cstring>
#include <exception>
#include <memory>
#include <string>

#include "image_model.h"
#include "image_run.h"
#include "models.h"
#include "peak.h"
#include "plan.h"
#include "session.h"

using gtr::bench::Failure;

namespace {

using Clock = std::chrono::steady_clock;

thread_local std::string last_error;

template <typename Body>
int32_t guarded(const Body& body) noexcept {
  try {
    body();
    return 0;
  } catch (const std::exception& e) {
    last_error = e.what();
    return -1;
  }
}

const gtr::bench::Model& model_of(const char* name) {
  for (const auto& model : gtr::bench::kModels) {
    if (std::strcmp(model.name, name) == 0) {
      return model;
    }
  }
  for (const auto& model : gtr::bench::kSmallModels) {
    if (std::strcmp(model.name, name) == 0) {
      return model;
    }
  }
  throw Failure("model '" + std::string(name) + "' is not MAR-B, MAR-L, MAR-H or small");
}

gtr_device_options cpu_with(int32_t threads) {
  gtr_device_options options{};
  options.backend = GTR_BACKEND_CPU;
  options.threads = threads;
  return options;
}

double seconds_between(Clock::time_point start, Clock::time_point end) {
  return std::chrono::duration<double>(end - start).count();
}

}  // namespace

struct gtr_bench_images {
  gtr_bench_images(const gtr::bench::Model& shape, gtr_precision precision, int32_t images, int32_t threads)
      : session(cpu_with(threads)),
        model(session, shape, precision),
        plan(&shape == gtr::bench::kSmallModels ? gtr::bench::small_gtr_plan(shape.grid)
                                                : gtr::bench::default_gtr_plan(shape.grid)),
        run(session, model, plan, images) {}

  gtr::bench::Session session;
  gtr::bench::ImageModel model;
  gtr::bench::Plan plan;
  gtr::bench::ImageRun run;
};

extern "C" {

const char* gtr_bench_last_error() { return last_error.c_str(); }

int32_t gtr_bench_measure_peak(int32_t tier, int32_t threads, gtr_bench_peak* out) {
  return guarded([&] {
    int32_t available = 0;
    gtr::bench::check(gtr_cpu_tier_available(tier, &available));
    if (available == 0 || threads < 1) {
      throw Failure("this machine has no tier " + std::to_string(tier) + ", or " + std::to_string(threads) +
                    " threads are not 1 or more");
    }
    const gtr::bench::Peak peak = gtr::bench::measure_peak(tier, threads);
    *out = {peak.f32_flops,          peak.bf16_flops,
            peak.read_bytes,         peak.cached_bf16_flops > 0 ? peak.cached_bf16_flops : peak.bf16_flops,
            peak.matrix_bytes,       peak.head_bytes,
            peak.attention_64_flops, peak.attention_80_flops};
  });
}

int32_t gtr_bench_images_create(const char* model, int32_t precision, int32_t images, int32_t threads,
                                gtr_bench_images** out) {
  return guarded([&] {
    if (images < 1) {
      throw Failure("images is " + std::to_string(images) + "; allowed from 1 on");
    }
    *out = std::make_unique<gtr_bench_images>(model_of(model), static_cast<gtr_precision>(precision), images, threads)
               .release();
  });
}

int32_t gtr_bench_images_run(gtr_bench_images* images, double out[3]) {
  return guarded([&] {
    out[0] = out[1] = out[2] = 0;
    for (size_t step = 0; step < images->run.steps(); ++step) {
      const auto start = Clock::now();
      images->run.enqueue_backbone(step);
      const auto middle = Clock::now();
      images->run.enqueue_head(step);
      const auto end = Clock::now();
      out[0] += seconds_between(start, end);
      out[1] += seconds_between(start, middle);
      out[2] += seconds_between(middle, end);
    }
  });
}

int32_t gtr_bench_images_destroy(gtr_bench_images* images) {
  return guarded([&] { delete images; });
}

}  // extern "C"
