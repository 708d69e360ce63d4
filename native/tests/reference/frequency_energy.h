// Sum over k = 1..floor(D/2) of |DFT(z)_k| (1 + k / floor(D/2)), by the definition and in double.
#pragma once

#include <cstdint>
#include <vector>

namespace gtr::test::reference {

using Values = std::vector<double>;

// z [rows, dim]; one score a row.
Values frequency_energy(const Values& z, int64_t dim);

}  // namespace gtr::test::reference
