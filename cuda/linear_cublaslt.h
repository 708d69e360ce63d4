// Tall products by cuBLASLt, on request: the environment variable GTR_GEMM is "cublaslt" (or "own", the default). The
// library is looked for at run time and needed by nothing else. What it sums in which order is its own business and
// depends on the number of rows, so a row's bits then depend on the other rows of a call: gemm_note() says so.
//
// Products of few rows stay ours, and so do those of a graph that is being built of explicit nodes.
#pragma once

#include "linear_epilogue.h"
#include "linear_weights.h"

namespace gtr::cuda {

// For whoever opens a device, which is the current one: reads GTR_GEMM and finds the library if it is asked for; from
// then on it serves the whole process. A failure has called fail() with the operation: another value of GTR_GEMM, or no
// such library.
gtr_status gemm_prepare(const char* operation) noexcept;

// A half sentence for gtr_device_info.reason after gemm_prepare; "" without cuBLASLt.
const char* gemm_note() noexcept;

bool gemm_is_cublaslt() noexcept;

// What it uses of the caller's scratch: what cuBLAS recommends for its newest devices. (Tests on the emulator would
// spend their time on filling it.)
#if defined(GTR_CUDA_EMU)
constexpr int64_t kCublasLtWorkspace = int64_t{4} << 10;
#else
constexpr int64_t kCublasLtWorkspace = int64_t{32} << 20;
#endif

// x [rows, inputs] as it lies in memory, f32 or bf16 as the precision of the weights.
struct PlainRows {
  const void* x;
  int64_t stride;  // elements, at least the inputs
  int64_t rows;
};

// Enqueues y = epilogue(rows W^T) with linear.plain. sums: room for [rows, outputs rounded up to 4] floats, which is
// not touched where cuBLASLt writes y itself. workspace: kCublasLtWorkspace bytes.
void launch_linear_cublaslt(Queue& queue, const Linear& linear, const PlainRows& rows, const LinearEpilogue& epilogue,
                            float* sums, void* workspace) noexcept;

}  // namespace gtr::cuda
