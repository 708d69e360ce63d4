#include "simd/avx512.h"

#include "layer_norm_rows.h"
#include "layer_norm_rows.inl"
