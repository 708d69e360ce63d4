// The vectors of the AMX tier: those of AVX-512. Its kernels multiply in the tiles of simd/tiles.h.
#pragma once

#define GTR_TIER amxbf16
#include "simd/avx512.h"
