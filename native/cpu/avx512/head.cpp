#include "head_kernels.h"
#include "simd/avx512.h"

namespace gtr::cpu::avx512 {

#include "head_kernels.inl"

}  // namespace gtr::cpu::avx512
