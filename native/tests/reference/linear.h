// y = residual + gate * activation(x W^T + b), in double.
#pragma once

#include <cstdint>
#include <vector>

#include "gtr/gtr.h"

namespace gtr::test::reference {

using Values = std::vector<double>;

double activate(gtr_activation activation, double x);

// x [rows, inputs], weight [outputs, inputs], bias [outputs], gate and residual [rows, outputs]; empty: absent. With
// GTR_PRECISION_BF16 x and weight are rounded to bfloat16 first.
Values linear(const Values& x, const Values& weight, const Values& bias, int64_t inputs, int64_t outputs,
              gtr_precision precision = GTR_PRECISION_F32, gtr_activation activation = GTR_ACTIVATION_NONE,
              const Values& gate = {}, const Values& residual = {});

}  // namespace gtr::test::reference
