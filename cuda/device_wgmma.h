// group_multiply on a GPU, compute capability 9.0: wgmma.mma_async of two tiles in shared memory (PTX ISA,
// "Asynchronous Warpgroup Level Matrix Multiply-Accumulate Instructions"). Part of device.h; see there for what it
// means.
#pragma once

namespace gtr::cuda {

// PTX ISA, "Matrix descriptor", for tiles whose rows are 128 bytes of inputs, swizzled by 128 bytes: the address in
// units of 16 bytes; from 8 rows to the next 8 are 1024 bytes, 64 such units; layout type 1. The offset between
// repeating patterns along the inputs (bits 16 to 29) is not used with this swizzle.
__device__ __forceinline__ uint64_t tile_descriptor(const void* tile, int k) {
  constexpr uint64_t kEightRows = uint64_t{64} << 32;
  constexpr uint64_t kSwizzle128 = uint64_t{1} << 62;
  const uint32_t address = shared_address(tile) + 32u * static_cast<uint32_t>(k);
  return (address & 0x3ffffu) >> 4 | uint64_t{1} << 16 | kEightRows | kSwizzle128;
}

template <int kColumns>
__device__ __forceinline__ void group_multiply(float (&d)[kColumns / 2], const void* a, const void* b, int k);

#define GTR_SUMS_8(d, i)                                                                                      \
  "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), "+f"(d[i + 6]), \
      "+f"(d[i + 7])

template <>
__device__ __forceinline__ void group_multiply<32>(float (&d)[16], const void* a, const void* b, int k) {
  asm volatile(
      "{\n.reg .pred add;\nsetp.eq.u32 add, 1, 1;\n"
      "wgmma.mma_async.sync.aligned.m64n32k16.f32.bf16.bf16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15"
      "}, %16, %17, add, 1, 1, 0, 0;\n}\n"
      : GTR_SUMS_8(d, 0), GTR_SUMS_8(d, 8)
      : "l"(tile_descriptor(a, k)), "l"(tile_descriptor(b, k)));
}

template <>
__device__ __forceinline__ void group_multiply<64>(float (&d)[32], const void* a, const void* b, int k) {
  asm volatile(
      "{\n.reg .pred add;\nsetp.eq.u32 add, 1, 1;\n"
      "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
      "}, %32, %33, add, 1, 1, 0, 0;\n}\n"
      : GTR_SUMS_8(d, 0), GTR_SUMS_8(d, 8), GTR_SUMS_8(d, 16), GTR_SUMS_8(d, 24)
      : "l"(tile_descriptor(a, k)), "l"(tile_descriptor(b, k)));
}

template <>
__device__ __forceinline__ void group_multiply<128>(float (&d)[64], const void* a, const void* b, int k) {
  asm volatile(
      "{\n.reg .pred add;\nsetp.eq.u32 add, 1, 1;\n"
      "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
      "}, %64, %65, add, 1, 1, 0, 0;\n}\n"
      : GTR_SUMS_8(d, 0), GTR_SUMS_8(d, 8), GTR_SUMS_8(d, 16), GTR_SUMS_8(d, 24), GTR_SUMS_8(d, 32), GTR_SUMS_8(d, 40),
        GTR_SUMS_8(d, 48), GTR_SUMS_8(d, 56)
      : "l"(tile_descriptor(a, k)), "l"(tile_descriptor(b, k)));
}

template <>
__device__ __forceinline__ void group_multiply<192>(float (&d)[96], const void* a, const void* b, int k) {
  asm volatile(
      "{\n.reg .pred add;\nsetp.eq.u32 add, 1, 1;\n"
      "wgmma.mma_async.sync.aligned.m64n192k16.f32.bf16.bf16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "
      "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "
      "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95"
      "}, %96, %97, add, 1, 1, 0, 0;\n}\n"
      : GTR_SUMS_8(d, 0), GTR_SUMS_8(d, 8), GTR_SUMS_8(d, 16), GTR_SUMS_8(d, 24), GTR_SUMS_8(d, 32), GTR_SUMS_8(d, 40),
        GTR_SUMS_8(d, 48), GTR_SUMS_8(d, 56), GTR_SUMS_8(d, 64), GTR_SUMS_8(d, 72), GTR_SUMS_8(d, 80), GTR_SUMS_8(d, 88)
      : "l"(tile_descriptor(a, k)), "l"(tile_descriptor(b, k)));
}

#undef GTR_SUMS_8

}  // namespace gtr::cuda
