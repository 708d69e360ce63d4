// Between the part that any processor runs and the part that is compiled for one tier.
#pragma once

namespace gtr::test {

// Prints what is wrong; returns the number of failures.
int check_simd();

}  // namespace gtr::test
