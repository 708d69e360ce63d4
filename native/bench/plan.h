// Which tokens of an image are decoded when, and with how many diffusion steps: the numbers of the design's schedules,
// without their random order within a stage, which costs no time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models.h"

namespace gtr::bench {

struct DecodeStep {
  std::vector<int32_t> known;  // cells decoded before, ascending
  std::vector<int32_t> cells;  // decoded in this one
  int32_t diffusion_steps;
  int32_t detail_tokens;  // of the cells, chosen by their frequency energy; 0: no choice
  int32_t detail_diffusion_steps;
};

struct Plan {
  std::string name;  // "GtR 12,3,1"
  std::vector<DecodeStep> steps;
};

struct GtrNumbers {
  std::vector<int32_t> steps;  // of each stage
  int32_t most_diffusion_steps;
  int32_t least_diffusion_steps;
  int32_t reconstruction_diffusion_steps;
  int32_t detail_diffusion_steps;
  double detail_fraction;
};

Plan gtr_plan(int64_t grid, const GtrNumbers& numbers);
Plan default_gtr_plan(int64_t grid);  // the library's defaults
Plan small_gtr_plan(int64_t grid);    // for a grid of a few tokens
Plan mar_plan(int64_t grid, int32_t steps, int32_t diffusion_steps);

// Floating-point operations of one guided image, as the design counts them: 2 per multiply-add, no savings.
struct ImageFlops {
  double backbone;
  double head;
};
ImageFlops image_flops(const Model& model, const Plan& plan);

}  // namespace gtr::bench
