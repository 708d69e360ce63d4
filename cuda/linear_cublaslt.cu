#include "linear_cublaslt.h"

#include <cstdlib>
#include <cstring>
#include <mutex>

#include "errors.h"
#include "mutex.h"

#if !defined(GTR_CUDA_EMU)
#include <dlfcn.h>
#endif

namespace gtr::cuda {

constexpr int kFinishThreads = 256;

// y = epilogue(sums), sums [rows, stride] f32 with stride a multiple of 4 and at least columns. Launch: enough blocks
// of 256 threads for one thread per 4 columns of each row.
__global__ void __launch_bounds__(kFinishThreads)
    linear_finish_kernel(const float* sums, int64_t stride, int64_t rows, int64_t columns, LinearEpilogue epilogue) {
  const int64_t i = int64_t{blockIdx.x} * kFinishThreads + threadIdx.x;
  const int64_t groups = stride / 4;
  const int64_t row = i / groups;
  const int64_t column = i % groups * 4;
  const int64_t left = columns - column;
  if (row >= rows || left <= 0) return;
  const float4 four = *reinterpret_cast<const float4*>(sums + row * stride + column);
  epilogue.store(row, column, four, static_cast<int>(left < 4 ? left : 4));
}

#if !defined(GTR_CUDA_EMU)

namespace {

// What we use of cublasLt.h, which is not part of every toolkit. Names and values are those of versions 11 to 13.
enum : int { CUBLAS_OP_T = 1 };
enum : int { CUDA_R_32F = 0, CUDA_R_16BF = 14 };
enum : int { CUBLAS_COMPUTE_32F = 68, CUBLAS_COMPUTE_32F_PEDANTIC = 69 };
enum : int {
  CUBLASLT_MATMUL_DESC_TRANSA = 3,
  CUBLASLT_MATMUL_DESC_EPILOGUE = 7,
  CUBLASLT_MATMUL_DESC_BIAS_POINTER = 8
};
enum : int { CUBLASLT_EPILOGUE_BIAS = 4 };
enum : int {
  CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES = 1,
  CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES = 5,
  CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES = 6,
  CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES = 7,
  CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES = 8
};
struct cublasLtMatmulAlgo_t {
  uint64_t data[8];
};
struct cublasLtMatmulHeuristicResult_t {
  cublasLtMatmulAlgo_t algo;
  size_t workspaceSize;
  int state;
  float wavesCount;
  int reserved[4];
};

struct Functions {
  int (*create)(void** handle);
  int (*desc_create)(void** desc, int compute_type, int scale_type);
  int (*desc_destroy)(void* desc);
  int (*desc_set)(void* desc, int attribute, const void* value, size_t bytes);
  int (*layout_create)(void** layout, int type, uint64_t rows, uint64_t columns, int64_t ld);
  int (*layout_destroy)(void* layout);
  int (*preference_create)(void** preference);
  int (*preference_destroy)(void* preference);
  int (*preference_set)(void* preference, int attribute, const void* value, size_t bytes);
  int (*heuristic)(void* handle, void* desc, void* a, void* b, void* c, void* d, void* preference, int requested,
                   cublasLtMatmulHeuristicResult_t* results, int* found);
  int (*matmul)(void* handle, void* desc, const void* alpha, const void* a, void* a_layout, const void* b,
                void* b_layout, const void* beta, const void* c, void* c_layout, void* d, void* d_layout,
                const cublasLtMatmulAlgo_t* algo, void* workspace, size_t workspace_bytes, cudaStream_t stream);
};

constexpr int kMostDevices = 64;

// Of the process: the library stays loaded, and each device's handle lives on, as the runtime's own context does.
struct Gemm {
  Mutex lock;
  bool is_cublaslt = false;
  Functions functions = {};
  void* handles[kMostDevices] = {};
};
Gemm gemm;

template <typename Function>
bool find(void* library, const char* name, Function* function) noexcept {
  *function = reinterpret_cast<Function>(dlsym(library, name));
  return *function != nullptr;
}

bool find_all(void* library, Functions* f) noexcept {
  return find(library, "cublasLtCreate", &f->create) && find(library, "cublasLtMatmulDescCreate", &f->desc_create) &&
         find(library, "cublasLtMatmulDescDestroy", &f->desc_destroy) &&
         find(library, "cublasLtMatmulDescSetAttribute", &f->desc_set) &&
         find(library, "cublasLtMatrixLayoutCreate", &f->layout_create) &&
         find(library, "cublasLtMatrixLayoutDestroy", &f->layout_destroy) &&
         find(library, "cublasLtMatmulPreferenceCreate", &f->preference_create) &&
         find(library, "cublasLtMatmulPreferenceDestroy", &f->preference_destroy) &&
         find(library, "cublasLtMatmulPreferenceSetAttribute", &f->preference_set) &&
         find(library, "cublasLtMatmulAlgoGetHeuristic", &f->heuristic) && find(library, "cublasLtMatmul", &f->matmul);
}

gtr_status load(const char* operation) noexcept {
  char reason[256] = "";
  for (const char* name : {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so"}) {
    void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library != nullptr) {
      if (find_all(library, &gemm.functions)) return GTR_OK;
      dlclose(library);
      return fail(GTR_ERROR_UNSUPPORTED, operation, "", "GTR_GEMM is cublaslt, but %s lacks functions of cuBLASLt",
                  name);
    }
    const char* said = dlerror();
    if (reason[0] == '\0' && said != nullptr) std::strncpy(reason, said, sizeof reason - 1);
  }
  return fail(GTR_ERROR_UNSUPPORTED, operation, "",
              "GTR_GEMM is cublaslt, but none of libcublasLt.so.13, libcublasLt.so.12 and libcublasLt.so can be loaded "
              "(%s); put its folder into LD_LIBRARY_PATH, or unset GTR_GEMM for gtr4j's own products",
              reason);
}

gtr_status open_handle(const char* operation) noexcept {
  int device = 0;
  const cudaError_t found = cudaGetDevice(&device);
  if (found != cudaSuccess || device < 0 || device >= kMostDevices) {
    return fail(GTR_ERROR_UNSUPPORTED, operation, "", "GTR_GEMM is cublaslt, which is for the first %d devices",
                kMostDevices);
  }
  if (gemm.handles[device] != nullptr) return GTR_OK;
  const int status = gemm.functions.create(&gemm.handles[device]);
  if (status == 0) return GTR_OK;
  gemm.handles[device] = nullptr;
  return fail(GTR_ERROR_INTERNAL, operation, "", "cublasLtCreate failed with status %d", status);
}

// The descriptors of one product, which end with it. cuBLAS knows columns only: y^T [outputs, rows] = W x^T, for which
// row-major W [outputs, inputs] is a transposed matrix and everything else lies as it should.
class Product {
 public:
  static constexpr int kNotSupported = 15;  // CUBLAS_STATUS_NOT_SUPPORTED

  Product(const Linear& linear, const PlainRows& rows) noexcept : f_(gemm.functions), linear_(linear), rows_(rows) {
    const bool bf16 = linear.precision == GTR_PRECISION_BF16;
    const int type = bf16 ? CUDA_R_16BF : CUDA_R_32F;
    const int transposed = CUBLAS_OP_T;
    const auto inputs = static_cast<uint64_t>(linear.inputs);
    check(f_.desc_create(&desc_, bf16 ? CUBLAS_COMPUTE_32F : CUBLAS_COMPUTE_32F_PEDANTIC, CUDA_R_32F));
    check(f_.desc_set(desc_, CUBLASLT_MATMUL_DESC_TRANSA, &transposed, sizeof transposed));
    check(f_.layout_create(&w_, type, inputs, static_cast<uint64_t>(linear.outputs), plain_stride(linear)));
    check(f_.layout_create(&x_, type, inputs, static_cast<uint64_t>(rows.rows), rows.stride));
    check(f_.preference_create(&preference_));
    const uint64_t workspace = kCublasLtWorkspace;
    prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, workspace);
    const int size = bf16 ? 2 : 4;
    prefer_alignment(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, linear.plain, plain_stride(linear) * size);
    prefer_alignment(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, rows.x, rows.stride * size);
  }

  ~Product() {
    if (preference_ != nullptr) f_.preference_destroy(preference_);
    for (void* layout : {w_, x_, c_, d_}) {
      if (layout != nullptr) f_.layout_destroy(layout);
    }
    if (desc_ != nullptr) f_.desc_destroy(desc_);
  }

  Product(const Product&) = delete;
  Product& operator=(const Product&) = delete;

  // d [rows, outputs] f32 = c + x W^T + bias; c and bias may be null. Returns cuBLAS's status.
  int run(const float* bias, const float* c, int64_t c_stride, float* d, int64_t d_stride, void* workspace,
          cudaStream_t stream) noexcept {
    const auto outputs = static_cast<uint64_t>(linear_.outputs);
    const auto row_count = static_cast<uint64_t>(rows_.rows);
    if (bias != nullptr) {
      const int epilogue = CUBLASLT_EPILOGUE_BIAS;
      check(f_.desc_set(desc_, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof epilogue));
      check(f_.desc_set(desc_, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof bias));
    }
    const float beta = c != nullptr ? 1.0f : 0.0f;
    if (c == nullptr) {
      c = d;
      c_stride = d_stride;
    }
    check(f_.layout_create(&c_, CUDA_R_32F, outputs, row_count, c_stride));
    check(f_.layout_create(&d_, CUDA_R_32F, outputs, row_count, d_stride));
    prefer_alignment(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, c, c_stride * 4);
    prefer_alignment(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, d, d_stride * 4);
    int device = 0;
    if (cudaGetDevice(&device) != cudaSuccess || device < 0 || device >= kMostDevices) return kInvalidValue;
    void* const handle = gemm.handles[device];
    cublasLtMatmulHeuristicResult_t best = {};
    int found = 0;
    if (status_ == 0) check(f_.heuristic(handle, desc_, w_, x_, c_, d_, preference_, 1, &best, &found));
    if (status_ == 0 && found == 0) status_ = kNotSupported;
    if (status_ != 0) return status_;
    const float one = 1.0f;
    return f_.matmul(handle, desc_, &one, linear_.plain, w_, rows_.x, x_, &beta, c, c_, d, d_, &best.algo, workspace,
                     kCublasLtWorkspace, stream);
  }

 private:
  static constexpr int kInvalidValue = 7;

  void check(int status) noexcept {
    if (status_ == 0) status_ = status;
  }
  template <typename T>
  void prefer(int attribute, T value) noexcept {
    if (status_ == 0) check(f_.preference_set(preference_, attribute, &value, sizeof value));
  }
  // The largest power of two up to 256 that divides the address and the distance between rows.
  void prefer_alignment(int attribute, const void* data, int64_t row_bytes) noexcept {
    const uint64_t bits = reinterpret_cast<uintptr_t>(data) | static_cast<uint64_t>(row_bytes) | 256;
    prefer(attribute, static_cast<uint32_t>(bits & (~bits + 1)));
  }

  const Functions& f_;
  const Linear& linear_;
  const PlainRows& rows_;
  int status_ = 0;
  void* desc_ = nullptr;
  void* w_ = nullptr;
  void* x_ = nullptr;
  void* c_ = nullptr;
  void* d_ = nullptr;
  void* preference_ = nullptr;
};

// d [rows, outputs] f32 = c + x W^T + bias; c and bias may be null.
void multiply(Queue& queue, const Linear& linear, const PlainRows& rows, const float* bias, const float* c,
              int64_t c_stride, float* d, int64_t d_stride, void* workspace) noexcept {
  Product product(linear, rows);
  const int status = product.run(bias, c, c_stride, d, d_stride, workspace, queue.stream);
  if (status != 0) queue.note(status == Product::kNotSupported ? cudaErrorNotSupported : cudaErrorUnknown);
}

}  // namespace

#else

// The emulator's stand-in, so that all around the product is tested: the same in double, a thread for each element of
// d. Launch: rows blocks of 64 threads.
template <typename T>
__global__ void plain_product_kernel(const T* w, int64_t w_stride, const T* x, int64_t x_stride, int64_t inputs,
                                     int64_t outputs, const float* bias, const float* c, int64_t c_stride, float* d,
                                     int64_t d_stride) {
  const int64_t row = blockIdx.x;
  for (int64_t n = threadIdx.x; n < outputs; n += 64) {
    double sum = 0;
    for (int64_t k = 0; k < inputs; ++k) {
      if constexpr (sizeof(T) == 2) {
        sum += static_cast<double>(to_float(x[row * x_stride + k])) * to_float(w[n * w_stride + k]);
      } else {
        sum += static_cast<double>(x[row * x_stride + k]) * w[n * w_stride + k];
      }
    }
    if (bias != nullptr) sum += bias[n];
    if (c != nullptr) sum += c[row * c_stride + n];
    d[row * d_stride + n] = static_cast<float>(sum);
  }
}

namespace {

struct Gemm {
  Mutex lock;
  bool is_cublaslt = false;
};
Gemm gemm;

gtr_status load(const char*) noexcept { return GTR_OK; }
gtr_status open_handle(const char*) noexcept { return GTR_OK; }

template <typename T>
void multiply_as(Queue& queue, const Linear& linear, const PlainRows& rows, const float* bias, const float* c,
                 int64_t c_stride, float* d, int64_t d_stride) noexcept {
  launch<plain_product_kernel<T> >(
      queue, dim3(static_cast<unsigned>(rows.rows)), 64, 0, static_cast<const T*>(linear.plain), plain_stride(linear),
      static_cast<const T*>(rows.x), rows.stride, linear.inputs, linear.outputs, bias, c, c_stride, d, d_stride);
}

void multiply(Queue& queue, const Linear& linear, const PlainRows& rows, const float* bias, const float* c,
              int64_t c_stride, float* d, int64_t d_stride, void* workspace) noexcept {
  queue.note(cudaMemsetAsync(workspace, 0xFF, kCublasLtWorkspace, queue.stream));
  const auto as = linear.precision == GTR_PRECISION_BF16 ? multiply_as<Bf16> : multiply_as<float>;
  as(queue, linear, rows, bias, c, c_stride, d, d_stride);
}

}  // namespace

#endif

gtr_status gemm_prepare(const char* operation) noexcept {
  const char* text = std::getenv("GTR_GEMM");
  const bool wanted = text != nullptr && std::strcmp(text, "cublaslt") == 0;
  if (!wanted && text != nullptr && text[0] != '\0' && std::strcmp(text, "own") != 0) {
    return fail(GTR_ERROR_INVALID_ARGUMENT, operation, "", "GTR_GEMM is \"%.64s\"; allowed are own and cublaslt", text);
  }
  const std::lock_guard<Mutex> lock(gemm.lock);
  if (!wanted && !gemm.is_cublaslt) return GTR_OK;
  if (!gemm.is_cublaslt) {
    const gtr_status status = load(operation);
    if (status != GTR_OK) return status;
    gemm.is_cublaslt = true;
  }
  return open_handle(operation);
}

bool gemm_is_cublaslt() noexcept {
  const std::lock_guard<Mutex> lock(gemm.lock);
  return gemm.is_cublaslt;
}

const char* gemm_note() noexcept {
  return gemm_is_cublaslt() ? ", tall products by cuBLASLt (GTR_GEMM): rows may depend on their batch" : "";
}

void launch_linear_cublaslt(Queue& queue, const Linear& linear, const PlainRows& rows, const LinearEpilogue& epilogue,
                            float* sums, void* workspace) noexcept {
  // With nothing between the sum and y but bias and residual, y needs no second pass. (Bias and residual of a bf16 y
  // would have to be bf16, too.)
  const EpilogueMatrix& term = epilogue.residual;
  const bool direct = epilogue.activation == GTR_ACTIVATION_NONE && epilogue.gate.data == nullptr && !epilogue.y.bf16 &&
                      (term.data == nullptr || term.stride >= linear.outputs);
  const int64_t stride = (linear.outputs + 3) / 4 * 4;
  if (direct) {
    multiply(queue, linear, rows, epilogue.bias, static_cast<const float*>(term.data), term.stride,
             static_cast<float*>(epilogue.y.data), epilogue.y.stride, workspace);
    return;
  }
  multiply(queue, linear, rows, nullptr, nullptr, 0, sums, stride, workspace);
  const int64_t threads = rows.rows * (stride / 4);
  const dim3 grid(static_cast<unsigned>((threads + kFinishThreads - 1) / kFinishThreads));
  launch<linear_finish_kernel>(queue, grid, kFinishThreads, 0, static_cast<const float*>(sums), stride, rows.rows,
                               linear.outputs, epilogue);
}

}  // namespace gtr::cuda
