/*
 * gtr.h - the C ABI of gtr4j: kernels for masked-autoregressive (MAR) image models.
 *
 * Conventions, true for every function unless its comment says otherwise:
 *
 * - Status. Every function that can fail returns a gtr_status. A status other than GTR_OK leaves a message for
 *   the calling thread (gtr_last_error) that names the operation, the argument, the value found and what is
 *   allowed. Nothing exits, aborts or throws across this boundary.
 * - Memory. The caller owns tensor memory and scratch; nothing is kept after a call on a CPU stream returns, or
 *   after a CUDA stream has passed the call. Scratch sizes are asked for before with the *_scratch_size functions;
 *   scratch must be aligned to GTR_ALIGNMENT bytes. Raw addresses that the library did not allocate are accepted
 *   everywhere.
 * - Asynchrony. CPU calls return when done. CUDA calls return when enqueued on the stream; what goes wrong when they
 *   run comes out of gtr_stream_synchronize, which names the calls since the last one. So do values inside arrays that
 *   are not allowed (indices, lengths, factors), which the CPU refuses at the call: the row is left out, and the first
 *   such value reported. The environment variable GTR_SYNC=1 makes every CUDA call wait and report its own. Arrays
 *   documented as "host" are read before the call returns, on every backend; all others lie where the device reads
 *   them: in device memory, or on CUDA in host memory that is pinned.
 * - Threads. A device, and the weight handles created on it (gtr_linear, gtr_head), may be used by any number of
 *   threads at once, except while weights are being set or the handle is destroyed. A stream belongs to one
 *   thread at a time; only gtr_stream_cancel may be called on it from others.
 * - Aliasing. An output must not overlap itself (no two elements at one address) and must not overlap any input or the
 *   scratch, unless the function says "may be the same tensor as". Views whose address ranges overlap count as apart
 *   only if they are columns of one matrix, such as q, k and v; an output whose strides do not nest (each reaching over
 *   all that the smaller ones span) counts as overlapping itself. Stride 0 is fine on inputs.
 * - Determinism. For one backend, tier and precision a row's result has the same bits for any number of threads
 *   and any other rows in the call.
 */
#ifndef GTR_GTR_H
#define GTR_GTR_H

#include <stdint.h>

#if defined(GTR_BUILD)
#define GTR_API __attribute__((visibility("default")))
#else
#define GTR_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- versions ------------------------------------------------------------------------------------------------ */

/* Changes whenever a declaration in this header changes meaning or layout. */
#define GTR_ABI_VERSION 1

/* Number of dimensions that a gtr_tensor can have at most. */
#define GTR_MAX_RANK 4

/* Alignment in bytes of memory from gtr_allocate, and required of scratch. */
#define GTR_ALIGNMENT 64

/* GTR_ABI_VERSION of the loaded library. A caller compares it with its own and refuses to go on if they differ. */
GTR_API uint32_t gtr_abi_version(void);

/* Version of the library, such as "0.1.0+1a2b3c4". Static storage. */
GTR_API const char* gtr_version(void);

/* ---- status and errors --------------------------------------------------------------------------------------- */

typedef enum gtr_status {
  GTR_OK = 0,
  GTR_ERROR_INVALID_ARGUMENT = 1, /* the caller's mistake; gtr_last_error_argument names the argument */
  GTR_ERROR_OUT_OF_MEMORY = 2,    /* an allocation failed; nothing was changed */
  GTR_ERROR_NO_DEVICE = 3,        /* the device asked for does not exist here or cannot be used */
  GTR_ERROR_UNSUPPORTED = 4,      /* valid, but this backend cannot do it */
  GTR_ERROR_CANCELLED = 5,        /* gtr_stream_cancel was called; outputs are undefined */
  GTR_ERROR_BUSY = 6,             /* the handle is in use, or owns live handles */
  GTR_ERROR_DEVICE_LOST = 7,      /* an asynchronous failure; nothing but gtr_free, *_destroy and close works now */
  GTR_ERROR_INTERNAL = 8          /* a defect of the library; the message says where */
} gtr_status;

/* Message, operation ("gtr_attention") and argument ("key_lengths", or "") of the calling thread's last failure;
 * never NULL. Valid until the thread's next failing call. */
GTR_API const char* gtr_last_error(void);
GTR_API const char* gtr_last_error_operation(void);
GTR_API const char* gtr_last_error_argument(void);

/* "GTR_ERROR_BUSY" and so on; "unknown status" for other values. Static storage. */
GTR_API const char* gtr_status_name(gtr_status status);

/* ---- tensors ------------------------------------------------------------------------------------------------- */

typedef enum gtr_dtype {
  GTR_F32 = 0,
  GTR_F16 = 1, /* weights only: accepted by the *_set functions */
  GTR_BF16 = 2,
  GTR_I32 = 3,
  GTR_U32 = 4,
  GTR_U64 = 5,
  GTR_U8 = 6
} gtr_dtype;

/* A view of memory. Element (i0, i1, ...) lies at data + (i0*stride[0] + i1*stride[1] + ...) * element size.
 * data must be aligned to the element size. Strides are in elements and not negative. All elements must lie within
 * the first `size` bytes at data; every function checks this. Functions that take matrices require stride 1 in the
 * last dimension. A tensor with a zero in its shape is valid and never dereferenced; a call whose output has one is a
 * no-op. */
typedef struct gtr_tensor {
  void* data;
  int64_t size;  /* bytes at data that belong to the tensor */
  int32_t dtype; /* a gtr_dtype */
  int32_t rank;  /* 1 to GTR_MAX_RANK */
  int64_t shape[GTR_MAX_RANK];
  int64_t stride[GTR_MAX_RANK];
} gtr_tensor;

/* Arithmetic of matrix products. GTR_PRECISION_F32: float throughout. GTR_PRECISION_BF16: both inputs rounded to
 * bfloat16 (nearest even), products accumulated in float. */
typedef enum gtr_precision { GTR_PRECISION_F32 = 0, GTR_PRECISION_BF16 = 1 } gtr_precision;

/* ---- devices ------------------------------------------------------------------------------------------------- */

typedef struct gtr_device gtr_device;
typedef struct gtr_stream gtr_stream;
typedef struct gtr_linear_weights gtr_linear_weights;
typedef struct gtr_head gtr_head;

typedef enum gtr_backend {
  GTR_BACKEND_AUTO = 0, /* the best backend that works; gtr_device_info.reason says which and why */
  GTR_BACKEND_CPU = 1,
  GTR_BACKEND_CUDA = 2
} gtr_backend;

/* Instruction-set tier of the CPU backend. A tier is available if the processor has its instructions and the
 * operating system saves its registers. */
typedef enum gtr_cpu_tier {
  GTR_TIER_AUTO = 0, /* the environment variable GTR_CPU_TIER (scalar, avx2, avx512, avx512bf16, amxbf16) or else
                        the best */
  GTR_TIER_SCALAR = 1,
  GTR_TIER_AVX2 = 2,        /* AVX2, FMA, F16C */
  GTR_TIER_AVX512 = 3,      /* AVX-512 F, BW, DQ, VL */
  GTR_TIER_AVX512_BF16 = 4, /* and AVX-512 BF16 */
  GTR_TIER_AMX_BF16 = 5     /* and AMX with bfloat16 products, in multiplications of matrices */
} gtr_cpu_tier;

typedef struct gtr_device_options {
  int32_t backend; /* a gtr_backend */
  int32_t index;   /* which device of the backend: the CPU has only 0, CUDA counts the cards that it can use */
  int32_t threads; /* CPU: threads that work on one call, the caller's included, 1 to 1024; 0: the environment
                      variable GTR_THREADS, or else as many as affinity and the container's CPU quota allow */
  int32_t tier;    /* CPU: a gtr_cpu_tier */
} gtr_device_options;

typedef struct gtr_device_info {
  int32_t backend; /* a gtr_backend, never AUTO */
  int32_t index;
  int32_t threads;      /* CPU; 0 elsewhere */
  int32_t tier;         /* CPU: a gtr_cpu_tier, never AUTO; 0 elsewhere */
  int64_t memory_total; /* bytes */
  char name[128];       /* such as "AMD EPYC 9654" */
  char reason[256];     /* one sentence: what was chosen and why */
} gtr_device_info;

/* Number of devices of a backend that could be opened, and one sentence about what was found or is missing, into
 * detail (may be NULL) of detail_size bytes. A backend whose library is absent has 0 devices; that is no error. The
 * CUDA backend's is libgtr_cuda.so.0 in the folder of libgtr itself, or the file that the environment variable
 * GTR_CUDA_LIBRARY names; it is looked for once in a process. */
GTR_API gtr_status gtr_device_count(int32_t backend, int32_t* count, char* detail, int64_t detail_size);

/* Sets *available to 1 if this machine can run the tier, else to 0. */
GTR_API gtr_status gtr_cpu_tier_available(int32_t tier, int32_t* available);

/* Opens a device; *device is NULL after a failure. Every open has its own threads, so two opens with different
 * tiers or thread counts can be used side by side. The caller closes it. CUDA devices use the primary context of their
 * card, and each call leaves the thread's current device as it was. */
GTR_API gtr_status gtr_device_open(const gtr_device_options* options, gtr_device** device);

/* Closes it; NULL is a no-op. GTR_ERROR_BUSY while streams, allocations or weight handles of it are alive. */
GTR_API gtr_status gtr_device_close(gtr_device* device);

GTR_API gtr_status gtr_device_get_info(const gtr_device* device, gtr_device_info* info);

/* A stream orders calls. external: NULL to create one, or a stream that another library owns (CUDA: a cudaStream_t of
 * the device's primary context, 1 and 2 being CUDA's default streams; the CPU has none, so not NULL is an error). The
 * caller destroys it, which waits for the calls on it; an external one is left alone. */
GTR_API gtr_status gtr_stream_create(gtr_device* device, void* external, gtr_stream** stream);
GTR_API gtr_status gtr_stream_destroy(gtr_stream* stream);

/* Waits for everything enqueued, and reports what went wrong since the last time, or that it is cancelled. */
GTR_API gtr_status gtr_stream_synchronize(gtr_stream* stream);

/* Makes the call that runs on the stream, and later ones, return GTR_ERROR_CANCELLED soon (a chain looks at every
 * reverse step and block, other operations before they start) until gtr_stream_reset, which waits for the calls that
 * are enqueued. gtr_stream_cancel: from any thread. */
GTR_API gtr_status gtr_stream_cancel(gtr_stream* stream);
GTR_API gtr_status gtr_stream_reset(gtr_stream* stream);

/* ---- memory -------------------------------------------------------------------------------------------------- */

typedef enum gtr_memory_space {
  GTR_MEMORY_DEVICE = 0, /* where the kernels read fastest; on the CPU ordinary memory */
  GTR_MEMORY_HOST = 1    /* readable by the host; pinned where that helps copies */
} gtr_memory_space;

typedef struct gtr_memory_stats {
  int64_t live_bytes;  /* allocated and not freed, packed weights and the library's own handles included */
  int64_t peak_bytes;  /* highest live_bytes since the device was opened */
  int64_t allocations; /* live results of gtr_allocate */
  int64_t handles;     /* live streams, linears and heads */
} gtr_memory_stats;

/* bytes > 0; aligned to GTR_ALIGNMENT; contents undefined. *data is NULL after a failure. */
GTR_API gtr_status gtr_allocate(gtr_device* device, int32_t space, int64_t bytes, void** data);

/* Frees what gtr_allocate of the same device returned; NULL is a no-op, another address an error. Not before streams
 * have passed the calls that use it. */
GTR_API gtr_status gtr_free(gtr_device* device, void* data);

/* Copies bytes between any two addresses (host, device). The ranges must not overlap. On CUDA in the order of the
 * stream; with host memory that is not pinned the call may wait. */
GTR_API gtr_status gtr_copy(gtr_stream* stream, void* target, const void* source, int64_t bytes);

GTR_API gtr_status gtr_memory_get_stats(const gtr_device* device, gtr_memory_stats* stats);

/* For tests: the nth allocation from now (1 = the next one) that the library makes in this process, of any kind,
 * fails once as if memory had run out. 0 switches it off. */
GTR_API void gtr_test_fail_allocation(int64_t nth);

/* ---- linear -------------------------------------------------------------------------------------------------- */

typedef enum gtr_activation {
  GTR_ACTIVATION_NONE = 0,
  GTR_ACTIVATION_GELU = 1, /* x/2 (1 + erf(x/sqrt 2)) */
  GTR_ACTIVATION_SILU = 2  /* x / (1 + exp -x) */
} gtr_activation;          /* a few units in the last place of f32; 2^-15 before a bf16 y is rounded */

/* Creates packed weights of y = x W^T + b for W [outputs, inputs] (the layout of torch.nn.Linear), all zero until
 * set. 1 <= inputs, outputs <= 2^24. The caller destroys them. */
GTR_API gtr_status gtr_linear_create(gtr_device* device, int64_t outputs, int64_t inputs, int32_t precision,
                                     gtr_linear_weights** linear);

/* Packs rows first_row .. first_row + n - 1. weight: host, [n, inputs], f32, f16 or bf16. bias: host, [n], same
 * dtypes, or NULL to leave the bias. Not while another thread uses or sets the same handle, nor, as with gtr_head_set
 * and the *_destroy functions, before streams have passed the calls that use it. */
GTR_API gtr_status gtr_linear_set(gtr_linear_weights* linear, int64_t first_row, const gtr_tensor* weight,
                                  const gtr_tensor* bias);

/* NULL is a no-op. */
GTR_API gtr_status gtr_linear_destroy(gtr_linear_weights* linear);

/* Bytes of scratch that gtr_linear needs for up to `rows` rows; may be 0. */
GTR_API gtr_status gtr_linear_scratch_size(const gtr_linear_weights* linear, int64_t rows, int64_t* bytes);

/* y = residual + gate * activation(x W^T + b).
 * x [R, inputs] f32, or bf16 if the precision is bf16. gate [R, outputs] f32 or bf16, residual [R, outputs] f32; NULL:
 * no factor, no term.
 * y [R, outputs] f32 or bf16; residual may be the same tensor as y. scratch: host or device memory as the backend's,
 * at least gtr_linear_scratch_size(R); may be NULL if that is 0. */
GTR_API gtr_status gtr_linear(gtr_stream* stream, const gtr_linear_weights* linear, int32_t activation,
                              const gtr_tensor* x, const gtr_tensor* gate, const gtr_tensor* residual,
                              const gtr_tensor* y, void* scratch, int64_t scratch_size);

/* ---- layer norm ---------------------------------------------------------------------------------------------- */

/* y = n(x) * weight + bias, then * (1 + scale) + shift, n(x) = (x - mean) / sqrt(variance + epsilon) over the last
 * dimension with the biased variance. x [R, W] f32; weight, bias [W] f32 or NULL (1, 0); scale, shift [R, W] f32 or
 * bf16 (row stride 0 broadcasts), both or neither NULL; y [R, W] f32 or bf16, may be the same tensor as x.
 * epsilon > 0. */
GTR_API gtr_status gtr_layer_norm(gtr_stream* stream, const gtr_tensor* x, const gtr_tensor* weight,
                                  const gtr_tensor* bias, const gtr_tensor* scale, const gtr_tensor* shift,
                                  double epsilon, const gtr_tensor* y);

/* ---- attention ----------------------------------------------------------------------------------------------- */

/* out = softmax(scale * q k^T) v, bidirectional, per batch entry and head.
 * q, out [B, Lq, H, D]; k, v [B, Lk, H, D]; f32, or bf16 with GTR_PRECISION_BF16 (all four independently). D a
 * multiple of 8 from 8 to 256; stride 1 in D, the others free, so that q, k and v can be views of one qkv matrix.
 * query_lengths, key_lengths: i32 [B] or NULL. Only the first key_lengths[b] keys (0..Lk) are attended to; only the
 * first query_lengths[b] rows (0..Lq) of out are written, the others are left alone.
 * mask: u8 [B, H, Lq, Lk] or NULL, 0 = do not attend; stride 0 broadcasts over B, H or Lq.
 * A query that may attend to no key gives 0. scale: finite, usually 1/sqrt(D). */
GTR_API gtr_status gtr_attention_scratch_size(gtr_device* device, int32_t precision, int64_t batch,
                                              int64_t query_length, int64_t key_length, int64_t heads, int64_t head_dim,
                                              int64_t* bytes);
GTR_API gtr_status gtr_attention(gtr_stream* stream, int32_t precision, double scale, const gtr_tensor* q,
                                 const gtr_tensor* k, const gtr_tensor* v, const gtr_tensor* query_lengths,
                                 const gtr_tensor* key_lengths, const gtr_tensor* mask, const gtr_tensor* out,
                                 void* scratch, int64_t scratch_size);

/* ---- token bookkeeping --------------------------------------------------------------------------------------- */

/* y[r] = source(index[r]) + position[position_index[r]], source(i) = first[i] for i >= 0, second[-1 - i] for i < 0.
 * first [N1, W], second [N2, W] or NULL, position [P, W] or NULL (no term): f32. index [R], position_index [R]
 * (NULL exactly if position is): i32. y [R, W] f32. */
GTR_API gtr_status gtr_embed(gtr_stream* stream, const gtr_tensor* first, const gtr_tensor* second,
                             const gtr_tensor* index, const gtr_tensor* position, const gtr_tensor* position_index,
                             const gtr_tensor* y);

/* y[r] = x[index[r]]. x [N, W], y [R, W]: both f32 or both bf16; index [R] i32. */
GTR_API gtr_status gtr_gather(gtr_stream* stream, const gtr_tensor* x, const gtr_tensor* index, const gtr_tensor* y);

/* y[index[r]] = x[r]; other rows of y keep their values. x [R, W], y [N, W]; the indices must be distinct (the CPU
 * backend lets the last one win). */
GTR_API gtr_status gtr_scatter(gtr_stream* stream, const gtr_tensor* x, const gtr_tensor* index, const gtr_tensor* y);

/* ---- noise --------------------------------------------------------------------------------------------------- */

/* Standard normal numbers from Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 * y[r][c]: key = (seed low, seed high), counter = (c / 4, draw, cell, image), Box-Muller on the four words: channels
 * 4b, 4b+1 are sqrt(-2 ln u0) (cos, sin)(2 pi u1), 4b+2, 4b+3 likewise from u2, u3, u = (word + 1/2) 2^-32; in
 * double, rounded once. seed u64 [R], image, cell, draw u32 [R] (stride 0 broadcasts); y f32 [R, C]. */
GTR_API gtr_status gtr_noise(gtr_stream* stream, const gtr_tensor* seed, const gtr_tensor* image,
                             const gtr_tensor* cell, const gtr_tensor* draw, const gtr_tensor* y);

/* The four words of one Philox4x32-10 block. words: host, 4 values. */
GTR_API gtr_status gtr_philox(uint64_t seed, uint32_t counter0, uint32_t counter1, uint32_t counter2, uint32_t counter3,
                              uint32_t* words);

/* ---- frequency energy (FTS) ---------------------------------------------------------------------------------- */

/* score[r] = sum over k = 1..floor(D/2) of |DFT(z_r)_k| (1 + k / floor(D/2)): the high-frequency energy by which
 * frequency-weighted token selection ranks condition vectors (GtR, section on FTS). z [R, D] f32, D from 2 to 65536;
 * score f32 [R]. */
GTR_API gtr_status gtr_frequency_energy_scratch_size(gtr_device* device, int64_t rows, int64_t dim, int64_t* bytes);
GTR_API gtr_status gtr_frequency_energy(gtr_stream* stream, const gtr_tensor* z, const gtr_tensor* score, void* scratch,
                                        int64_t scratch_size);

/* One image's rows in a top-fraction call. */
typedef struct gtr_segment {
  int32_t first; /* its rows are first .. first + count - 1 */
  int32_t count;
  int32_t selected;    /* how many to select, 0..count */
  int32_t selected_at; /* the selected rows go to place[selected_at ..], in ascending order of row */
  int32_t rest_at;     /* the others to place[rest_at ..], likewise */
} gtr_segment;

/* How many of n tokens a fraction selects: 0 if fraction is 0 or n is 0, else max(1, floor(fraction n + 1/2)).
 * fraction in 0..1. */
GTR_API gtr_status gtr_top_fraction_count(double fraction, int64_t n, int64_t* selected);

/* Per segment the rows with the highest scores; equal scores: the lower cell first; NaN ranks lowest. score f32 [R];
 * cell u32 [R]; segments: host array whose row ranges do not overlap; place: i32 [P]. The target ranges must lie in
 * place and not overlap. */
GTR_API gtr_status gtr_top_fraction_scratch_size(gtr_device* device, int64_t rows, int64_t* bytes);
GTR_API gtr_status gtr_top_fraction(gtr_stream* stream, const gtr_tensor* score, const gtr_tensor* cell,
                                    const gtr_segment* segments, int64_t segment_count, const gtr_tensor* place,
                                    void* scratch, int64_t scratch_size);

/* ---- diffusion head ------------------------------------------------------------------------------------------ */

/* One reverse step of a respaced diffusion (Nichol and Dhariwal, "Improved denoising diffusion", section 3.3 on
 * respacing): MAR's 1000 base steps with the cosine schedule. */
typedef struct gtr_diffusion_step {
  int32_t base_step; /* of the 1000 */
  int32_t reserved;
  double beta;
  double alpha_bar;
  double min_log_variance; /* log of the posterior variance, the one of step 0 replaced by that of step 1 */
  double max_log_variance; /* log beta */
  double x0_coefficient;   /* posterior mean = x0_coefficient x0 + x_coefficient x */
  double x_coefficient;
  double reciprocal_root;         /* 1 / sqrt(alpha_bar) */
  double reciprocal_root_minus_1; /* sqrt(1 / alpha_bar - 1) */
} gtr_diffusion_step;

/* The table of a chain of `steps` (1..1000) sampling steps; index 0 is the one with the least noise, which runs last.
 * table: host, `steps` entries. */
GTR_API gtr_status gtr_diffusion_table(int32_t steps, gtr_diffusion_step* table);

typedef struct gtr_head_shape {
  int32_t channels;  /* of a token, C: 1..4096 */
  int32_t condition; /* width of the condition vector z, D: 1..65536 */
  int32_t width;     /* of the residual stream, w: 1..65536 */
  int32_t blocks;    /* 0..1024 */
} gtr_head_shape;

/* Creates a diffusion head (MAR's SimpleMLPAdaLN). The caller sets every tensor before the first use and destroys the
 * head. precision as in the numerics chapter: with GTR_PRECISION_BF16 the block MLPs and every adaLN modulation
 * are bfloat16 products, everything else stays float. */
GTR_API gtr_status gtr_head_create(gtr_device* device, const gtr_head_shape* shape, int32_t precision, gtr_head** head);

/* Sets rows first_row.. of a tensor by its name in MAR checkpoints without "diffloss.net.": "time_embed.mlp.0.weight"
 * [w, 256], "time_embed.mlp.2.weight" [w, w], "cond_embed.weight" [w, D], "input_proj.weight" [w, C],
 * "res_blocks.N.in_ln.weight" [w], "res_blocks.N.mlp.0.weight" and ".mlp.2.weight" [w, w],
 * "res_blocks.N.adaLN_modulation.1.weight" [3w, w], "final_layer.adaLN_modulation.1.weight" [2w, w],
 * "final_layer.linear.weight" [2C, w], and ".bias" of each. value: host, f32, f16 or bf16, [n, ...]. */
GTR_API gtr_status gtr_head_set(gtr_head* head, const char* name, int64_t first_row, const gtr_tensor* value);

/* NULL is a no-op. */
GTR_API gtr_status gtr_head_destroy(gtr_head* head);

/* out = head(x, t, z): epsilon in columns 0..C-1, v in C..2C-1. x [R, C], z [R, D] f32; t i32 [R] base steps 0..999;
 * out [R, 2C] f32. */
GTR_API gtr_status gtr_head_forward_scratch_size(const gtr_head* head, int64_t rows, int64_t* bytes);
GTR_API gtr_status gtr_head_forward(gtr_stream* stream, const gtr_head* head, const gtr_tensor* x, const gtr_tensor* t,
                                    const gtr_tensor* z, const gtr_tensor* out, void* scratch, int64_t scratch_size);

/* Rows of a chain that have the same number of reverse steps. */
typedef struct gtr_chain_group {
  int32_t rows;   /* 1 or more */
  int32_t steps;  /* reverse steps, 1..1000 */
  int32_t guided; /* 1: also run the unconditional half; 0: z_unconditional and cfg of these rows are not read */
} gtr_chain_group;

/* Ragged reverse chains: every row has its own number of diffusion steps, rows are aligned at their last step, so rows
 * with fewer steps join later and one pass over the weights serves all. Row r of the groups, counted through, is the
 * token at place[r]; the arrays below have one entry per place (P >= number of rows). */
typedef struct gtr_chain {
  const gtr_chain_group* groups; /* host, steps not ascending */
  int64_t group_count;
  const gtr_tensor* place;           /* i32 [rows], distinct, or NULL: r itself */
  const gtr_tensor* z;               /* f32 [P, D] */
  const gtr_tensor* z_unconditional; /* f32 [P, D]; NULL if no group is guided */
  const gtr_tensor* seed;            /* u64 [P] or stride 0 */
  const gtr_tensor* image;           /* u32 [P], likewise the next three */
  const gtr_tensor* cell;            /* u32 [P] */
  const gtr_tensor* cfg;             /* f32 [P], finite, >= 0: epsilon = u + cfg (c - u); NULL if no group is guided */
  const gtr_tensor* temperature;     /* f32 [P], finite, >= 0: factor of the noise of reverse steps */
  double x0_clip;                    /* x0 is clipped to +-x0_clip; 0: no clipping */
  int64_t modulation_bytes;          /* most memory for adaLN modulations computed ahead; 0: 256 MiB. Changes no bit */
} gtr_chain;

/* Whole chains: x[place[r]] starts as noise draw 0 and ends as x0; other rows of x keep their values. x f32 [P, C]. */
GTR_API gtr_status gtr_head_chain_scratch_size(const gtr_head* head, const gtr_chain* chain, int64_t* bytes);
GTR_API gtr_status gtr_head_chain(gtr_stream* stream, const gtr_head* head, const gtr_chain* chain, const gtr_tensor* x,
                                  void* scratch, int64_t scratch_size);

/* Readies the stream for calls of gtr_head_chain with this head, these groups, this modulation_bytes and this scratch:
 * on CUDA the chain becomes a graph, which otherwise the first such call builds. Nothing else of the chain is read, and
 * scratch keeps its contents. A stream keeps the graphs of the 32 chains last used; to forget an older one it waits for
 * the stream. Nothing to do on the CPU. */
GTR_API gtr_status gtr_head_chain_prepare(gtr_stream* stream, const gtr_head* head, const gtr_chain* chain,
                                          void* scratch, int64_t scratch_size);

/* The reverse step with table index `index` (0 = last) of every row that has more than `index` steps; x[place[r]] goes
 * from x_(index+1) to x_index, and is the caller's noise draw 0 in a row that has index+1 steps. Calling it for index =
 * most steps - 1 .. 0 gives the bits of gtr_head_chain. Scratch as for the chain. */
GTR_API gtr_status gtr_head_step(gtr_stream* stream, const gtr_head* head, const gtr_chain* chain, int32_t index,
                                 const gtr_tensor* x, void* scratch, int64_t scratch_size);

#ifdef __cplusplus
}
#endif

#endif
