// The diffusion head (MAR's SimpleMLPAdaLN) and its reverse chains in double, row by row.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "gtr/gtr.h"

namespace gtr::test::reference {

using Values = std::vector<double>;

struct Head {
  int64_t channels;
  int64_t condition;
  int64_t width;
  int64_t blocks;
  gtr_precision precision;
  std::map<std::string, Values> tensors;  // by their names in gtr_head_set
};

// Name and shape of every tensor.
std::vector<std::pair<std::string, std::vector<int64_t>>> head_tensors(int64_t channels, int64_t condition,
                                                                       int64_t width, int64_t blocks);

// cos then sin of t f, 256 wide; f and t f rounded to float.
Values timestep_embedding(int base_step);

// x [C], z [D] -> [2C].
Values head_forward(const Head& head, const Values& x, int base_step, const Values& z);

// One row of a chain.
struct ChainRow {
  int steps;
  bool guided;
  uint64_t seed;
  uint32_t image;
  uint32_t cell;
  double cfg;
  double temperature;
  Values z;
  Values z_unconditional;
};

// x_index from x_(index+1): the reverse step with this table index. epsilon_error: a relative error put into epsilon,
// with signs in turn, which shows what an imprecise head makes of the result.
Values head_step(const Head& head, const ChainRow& row, double x0_clip, int index, const Values& x,
                 double epsilon_error = 0);

// x0, from noise draw 0.
Values head_chain(const Head& head, const ChainRow& row, double x0_clip, double epsilon_error = 0);

}  // namespace gtr::test::reference
