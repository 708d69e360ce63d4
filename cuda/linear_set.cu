// Packing of weights and bias on the device, from float, half or bfloat16 of the host.
#include <algorithm>
#include <cstring>

#include "errors.h"
#include "launch_shape.h"
#include "linear_weights.h"

namespace gtr::cuda {
namespace {

constexpr int kPackThreads = 256;
constexpr int64_t kPieceBytes = int64_t{16} << 20;  // of the host's rows that are on the device at a time

int64_t element_bytes(const gtr_tensor& tensor) { return tensor.dtype == GTR_F32 ? 4 : 2; }

// An element of the host's array: F32 bits, or F16 or BF16 in the lower half.
struct HostFloat {
  using Element = float;
  static __device__ __forceinline__ float to_float(float value) { return value; }
};
struct HostBf16 {
  using Element = uint16_t;
  static __device__ __forceinline__ float to_float(uint16_t value) { return cuda::to_float(Bf16{value}); }
};
struct HostHalf {
  using Element = uint16_t;
  // Every half is a float: IEEE 754 binary16 to binary32, subnormals by a product that is exact.
  static __device__ __forceinline__ float to_float(uint16_t value) {
    const uint32_t sign = (value & 0x8000u) << 16;
    const uint32_t rest = value & 0x7fffu;
    uint32_t bits;
    if (rest >= 0x7c00u) {  // infinity, NaN
      bits = 0x7f800000u | (rest & 0x3ffu) << 13;
    } else if (rest >= 0x400u) {
      bits = (rest << 13) + (112u << 23);
    } else {
      const float subnormal = static_cast<float>(rest) * 0x1p-24f;
      uint32_t exact;
      memcpy(&exact, &subnormal, sizeof exact);
      bits = exact;
    }
    bits |= sign;
    float result;
    memcpy(&result, &bits, sizeof result);
    return result;
  }
};

}  // namespace

// Packs raw [rows, inputs] of From::Element as rows first_row .. of W into `packed`, bf16 or f32 as linear_weights.h
// describes; one thread for each 16 bytes of each step of the tiles that the rows lie in. Launch: enough blocks of 256
// threads.
template <typename From, bool kBf16>
__global__ void __launch_bounds__(kPackThreads)
    pack_weights_kernel(const typename From::Element* raw, int64_t first_row, int64_t rows, int64_t inputs,
                        int64_t steps, uint4* packed) {
  constexpr int kElements = kBf16 ? 8 : 4;  // of a chunk
  const int64_t first_tile = first_row / kTileColumns;
  const int64_t i = int64_t{blockIdx.x} * kPackThreads + threadIdx.x;
  const int64_t tile = first_tile + i / (steps * kStepChunks);
  const int64_t step = i / kStepChunks % steps;
  const int chunk = static_cast<int>(i % kStepChunks);
  const int64_t row = tile * kTileColumns + (kBf16 ? chunk / 4 : chunk % 8);
  const int64_t input = step * kElements * (kStepChunks / kTileColumns) + (kBf16 ? chunk % 4 : chunk / 8) * kElements;
  if (row < first_row || row >= first_row + rows) return;
  const typename From::Element* from = raw + (row - first_row) * inputs + input;
  float values[kElements];
#pragma unroll
  for (int e = 0; e < kElements; ++e) values[e] = input + e < inputs ? From::to_float(from[e]) : 0.0f;
  uint4 result;
  if constexpr (kBf16) {
    result = make_uint4(pack_bf16(values[0], values[1]), pack_bf16(values[2], values[3]),
                        pack_bf16(values[4], values[5]), pack_bf16(values[6], values[7]));
  } else {
    memcpy(&result, values, sizeof result);
  }
  packed[(tile * steps + step) * kStepChunks + chunk] = result;
}

// The same rows, as they are: plain [rows, plain_stride], bf16 or f32, zeros beyond the inputs. One thread per element
// of plain; launch: enough blocks of 256 threads.
template <typename From, bool kBf16>
__global__ void __launch_bounds__(kPackThreads) copy_weights_kernel(const typename From::Element* raw, int64_t rows,
                                                                    int64_t inputs, int64_t plain_stride, void* plain) {
  const int64_t i = int64_t{blockIdx.x} * kPackThreads + threadIdx.x;
  const int64_t row = i / plain_stride;
  const int64_t input = i % plain_stride;
  if (row >= rows) return;
  const float value = input < inputs ? From::to_float(raw[row * inputs + input]) : 0.0f;
  if constexpr (kBf16) {
    static_cast<Bf16*>(plain)[i] = to_bf16(value);
  } else {
    static_cast<float*>(plain)[i] = value;
  }
}

// bias[i] = raw[i] for `count` elements. Launch: enough blocks of 256 threads.
template <typename From>
__global__ void __launch_bounds__(kPackThreads)
    set_bias_kernel(const typename From::Element* raw, int64_t count, float* bias) {
  const int64_t i = int64_t{blockIdx.x} * kPackThreads + threadIdx.x;
  if (i < count) bias[i] = From::to_float(raw[i]);
}

namespace {

template <typename From>
void copy_rows(Queue& queue, const Linear& linear, const void* raw, int64_t first_row, int64_t rows) noexcept {
  const auto* elements = static_cast<const typename From::Element*>(raw);
  const int64_t stride = plain_stride(linear);
  const bool bf16 = linear.precision == GTR_PRECISION_BF16;
  const dim3 grid(static_cast<unsigned>(divide_up(rows * stride, kPackThreads)));
  void* plain = static_cast<char*>(linear.plain) + first_row * stride * (bf16 ? 2 : 4);
  const auto copy =
      bf16 ? launch<copy_weights_kernel<From, true>, const typename From::Element*, int64_t, int64_t, int64_t, void*>
           : launch<copy_weights_kernel<From, false>, const typename From::Element*, int64_t, int64_t, int64_t, void*>;
  copy(queue, grid, kPackThreads, 0, elements, rows, linear.inputs, stride, plain);
}

template <typename From>
void pack_rows(Queue& queue, const Linear& linear, const void* raw, int64_t first_row, int64_t rows) noexcept {
  const auto* elements = static_cast<const typename From::Element*>(raw);
  const int64_t tiles = divide_up(first_row + rows, kTileColumns) - first_row / kTileColumns;
  const int64_t steps = linear.steps;
  const dim3 grid(static_cast<unsigned>(divide_up(tiles * steps * kStepChunks, kPackThreads)));
  auto* packed = static_cast<uint4*>(linear.weights);
  if (linear.plain != nullptr) copy_rows<From>(queue, linear, raw, first_row, rows);
  if (linear.precision == GTR_PRECISION_BF16) {
    launch<pack_weights_kernel<From, true>>(queue, grid, kPackThreads, 0, elements, first_row, rows, linear.inputs,
                                            steps, packed);
  } else {
    launch<pack_weights_kernel<From, false>>(queue, grid, kPackThreads, 0, elements, first_row, rows, linear.inputs,
                                             steps, packed);
  }
}

template <typename From>
void set_bias(Queue& queue, const Linear& linear, const void* raw, int64_t first_row, int64_t rows) noexcept {
  const dim3 grid(static_cast<unsigned>(divide_up(rows, kPackThreads)));
  launch<set_bias_kernel<From>>(queue, grid, kPackThreads, 0, static_cast<const typename From::Element*>(raw), rows,
                                linear.bias + first_row);
}

// Rows of the host, `stride` elements apart, close together on the device.
void upload(Queue& queue, const gtr_tensor& tensor, int64_t first, int64_t rows, int64_t width, void* raw) noexcept {
  const int64_t size = element_bytes(tensor);
  const char* from = static_cast<const char*>(tensor.data) + first * tensor.stride[0] * size;
  const int64_t apart = rows == 1 ? width : tensor.stride[0];
  const int64_t at_once = apart == width ? rows : 1;
  for (int64_t row = 0; row < rows; row += at_once) {
    queue.note(cudaMemcpyAsync(static_cast<char*>(raw) + row * width * size, from + row * apart * size,
                               static_cast<size_t>(at_once * width * size), cudaMemcpyHostToDevice, queue.stream));
  }
}

// Whatever of the tensor fits at a time; use(first, rows) enqueues what is done with rows first .. that lie in `raw`.
template <typename Use>
void in_pieces(Queue& queue, const gtr_tensor& tensor, int64_t width, void* raw, int64_t raw_bytes,
               const Use& use) noexcept {
  const int64_t most = std::max<int64_t>(1, raw_bytes / (width * element_bytes(tensor)));
  for (int64_t first = 0; first < tensor.shape[0]; first += most) {
    const int64_t rows = std::min(most, tensor.shape[0] - first);
    upload(queue, tensor, first, rows, width, raw);
    use(first, rows);
  }
}

int64_t raw_bytes_of(const gtr_tensor* tensor, int64_t width) noexcept {
  if (tensor == nullptr) return 0;
  const int64_t row = width * element_bytes(*tensor);
  return std::max(row, std::min(kPieceBytes, tensor->shape[0] * row));
}

}  // namespace

gtr_status linear_set(Linear& linear, int64_t first_row, const gtr_tensor* weight, const gtr_tensor* bias) noexcept {
  constexpr const char* kOperation = "gtr_linear_set";
  const int64_t raw_bytes = std::max(raw_bytes_of(weight, linear.inputs), raw_bytes_of(bias, 1));
  if (raw_bytes == 0) return GTR_OK;
  void* raw = device_allocate(*linear.device, raw_bytes);
  if (raw == nullptr) {
    return fail(GTR_ERROR_OUT_OF_MEMORY, kOperation, "",
                "no memory for %lld bytes of weights on their way to the device", static_cast<long long>(raw_bytes));
  }
  Queue queue = begin_setup(*linear.device);
  if (weight != nullptr) {
    in_pieces(queue, *weight, linear.inputs, raw, raw_bytes, [&](int64_t first, int64_t rows) {
      const auto pack = weight->dtype == GTR_F32   ? pack_rows<HostFloat>
                        : weight->dtype == GTR_F16 ? pack_rows<HostHalf>
                                                   : pack_rows<HostBf16>;
      pack(queue, linear, raw, first_row + first, rows);
    });
  }
  if (bias != nullptr) {
    in_pieces(queue, *bias, 1, raw, raw_bytes, [&](int64_t first, int64_t rows) {
      const auto set = bias->dtype == GTR_F32   ? set_bias<HostFloat>
                       : bias->dtype == GTR_F16 ? set_bias<HostHalf>
                                                : set_bias<HostBf16>;
      set(queue, linear, raw, first_row + first, rows);
    });
  }
  const gtr_status status = end_setup(*linear.device, queue, kOperation);
  device_release(*linear.device, raw, raw_bytes);
  return status;
}

}  // namespace gtr::cuda
