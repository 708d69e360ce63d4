#include "head_kernels.h"
#include "simd/avx2.h"

namespace gtr::cpu::avx2 {

#include "head_kernels.inl"

}  // namespace gtr::cpu::avx2
