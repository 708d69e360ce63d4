// Rows of x as the bf16 kernels of `linear` want them.
#pragma once

#include "device.h"
#include "gtr/gtr.h"

namespace gtr::cuda {

// Enqueues: rows first_row .. first_row + rows - 1 of x, f32 or bf16, to `rounded` [rows, stride], aligned to 16 bytes,
// stride a multiple of 8 that is at least the width of x: rounded to nearest even, zeros beyond the width.
void round_rows(Queue& queue, const gtr_tensor& x, int64_t first_row, int64_t rows, Bf16* rounded,
                int64_t stride) noexcept;

}  // namespace gtr::cuda
