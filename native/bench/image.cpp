// Whole guided images: everything that the sampler enqueues for a plan, in one go. What it adds on top are copies of
// indices and tokens and three waits per decode step.
#include <memory>
#include <string>
#include <vector>

#include "image_model.h"
#include "image_run.h"
#include "models.h"
#include "plan.h"
#include "runner.h"

namespace gtr::bench {
namespace {

// A part of the work, measured on its own.
struct Part {
  const char* suffix;
  bool backbone;
  bool head;
};
const std::vector<Part> kWhole = {{"", true, true}};
const std::vector<Part> kWholeAndParts = {{"", true, true}, {", backbone", true, false}, {", head", false, true}};

class ImageBench {
 public:
  ImageBench(Runner& runner, const Model& model, gtr_precision precision)
      : runner_(runner), model_(model), precision_(precision) {}

  void measure(const Plan& plan, int32_t images, const std::vector<Part>& parts = kWholeAndParts) {
    std::unique_ptr<ImageRun> run;
    const ImageFlops flops = image_flops(model_, plan);
    for (const Part& part : parts) {
      const double counted = images * ((part.backbone ? flops.backbone : 0) + (part.head ? flops.head : 0));
      const Case c{"image",
                   std::string(model_.name) + " " + plan.name + ", " + std::to_string(images) +
                       (images == 1 ? " image" : " images") + part.suffix,
                   precision_,
                   counted,
                   0,
                   "images=" + std::to_string(images) + " steps=" + std::to_string(plan.steps.size()) +
                       " gflop=" + std::to_string(static_cast<int64_t>(counted / 1e9)),
                   false};
      if (!runner_.wants(c)) {
        continue;
      }
      if (weights_ == nullptr) {
        weights_ = std::make_unique<ImageModel>(runner_, model_, precision_);
      }
      if (run == nullptr) {
        run = std::make_unique<ImageRun>(runner_, *weights_, plan, images);
      }
      runner_.measure(c, [&](int64_t) {
        for (size_t step = 0; step < run->steps(); ++step) {
          if (part.backbone) {
            run->enqueue_backbone(step);
          }
          if (part.head) {
            run->enqueue_head(step);
          }
        }
      });
    }
  }

 private:
  Runner& runner_;
  Model model_;
  gtr_precision precision_;
  std::unique_ptr<ImageModel> weights_;
};

}  // namespace

void bench_image(Runner& runner) {
  if (!runner.has_images()) {
    return;
  }
  for (const Model& model : runner.models()) {
    if (runner.is_small()) {
      for (const gtr_precision precision : {GTR_PRECISION_F32, GTR_PRECISION_BF16}) {
        ImageBench small(runner, model, precision);
        small.measure(small_gtr_plan(model.grid), 2);
        small.measure(mar_plan(model.grid, 3, 4), 1);
      }
      continue;
    }
    if (!runner.is_of_card()) {
      for (const gtr_precision precision : {GTR_PRECISION_F32, GTR_PRECISION_BF16}) {
        ImageBench cpu(runner, model, precision);
        cpu.measure(default_gtr_plan(model.grid), 1);
        cpu.measure(default_gtr_plan(model.grid), 8);
      }
      continue;
    }
    ImageBench bf16(runner, model, GTR_PRECISION_BF16);
    for (const int32_t images : {1, 8, 32}) {
      bf16.measure(default_gtr_plan(model.grid), images);
    }
    // They take seconds, and their parts tell nothing new.
    bf16.measure(default_gtr_plan(model.grid), 64, kWhole);
    bf16.measure(mar_plan(model.grid, 64, 100), 1, kWhole);
  }
}

}  // namespace gtr::bench
