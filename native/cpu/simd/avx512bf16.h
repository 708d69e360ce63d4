// The vectors of the AVX-512 BF16 tier: those of AVX-512. Its kernels call the bfloat16 dot product themselves.
#pragma once

#define GTR_TIER avx512bf16
#include "simd/avx512.h"
