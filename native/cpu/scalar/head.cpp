#include "head_kernels.h"
#include "simd/scalar.h"

namespace gtr::cpu::scalar {

#include "head_kernels.inl"

}  // namespace gtr::cpu::scalar
