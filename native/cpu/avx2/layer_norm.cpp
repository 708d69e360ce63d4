#include "simd/avx2.h"

#include "layer_norm_rows.h"
#include "layer_norm_rows.inl"
