#include "simd/scalar.h"

#include "layer_norm_rows.h"
#include "layer_norm_rows.inl"
