// n(x) * weight + bias, then * (1 + scale) + shift, in double.
#pragma once

#include <cstdint>
#include <vector>

namespace gtr::test::reference {

using Values = std::vector<double>;

// x, scale, shift [rows, width]; weight, bias [width]; empty: absent.
Values layer_norm(const Values& x, int64_t width, double epsilon, const Values& weight, const Values& bias,
                  const Values& scale, const Values& shift);

}  // namespace gtr::test::reference
