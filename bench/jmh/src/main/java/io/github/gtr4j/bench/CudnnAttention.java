package io.github.gtr4j.bench;

import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_ENGINEHEUR_MODE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_ENGINEHEUR_RESULTS;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_EXECUTION_PLAN_HANDLE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATIONGRAPH_HANDLE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATIONGRAPH_OPS;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_TENSOR_DATA_TYPE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_TENSOR_DIMENSIONS;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_TENSOR_IS_BY_VALUE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_TENSOR_STRIDES;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_TENSOR_UNIQUE_ID;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_VARIANT_PACK_WORKSPACE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_BACKEND_ENGINECFG_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_BACKEND_TENSOR_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_DATA_BFLOAT16;
import static org.bytedeco.cuda.global.cudnn.CUDNN_DATA_FLOAT;
import static org.bytedeco.cuda.global.cudnn.CUDNN_HEUR_MODE_A;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TYPE_BACKEND_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TYPE_BOOLEAN;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TYPE_DATA_TYPE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TYPE_HANDLE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TYPE_HEUR_MODE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TYPE_INT64;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TYPE_VOID_PTR;

import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Tensor;
import java.util.ArrayDeque;
import java.util.Deque;
import org.bytedeco.cuda.cudnn.cudnnBackendDescriptor_t;
import org.bytedeco.cuda.cudnn.cudnnContext;
import org.bytedeco.cuda.global.cudnn;
import org.bytedeco.javacpp.BoolPointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * cuDNN's fused scaled-dot-product attention as a graph of one operation, which its C interface has
 * since version 9.13, planned once with the engine that cuDNN's heuristics put first.
 */
final class CudnnAttention implements AutoCloseable {
  private static final long Q = 1;
  private static final long K = 2;
  private static final long V = 3;
  private static final long O = 4;
  private static final long SCALE = 5;
  private static final int MOST_ENGINES = 16;
  private static final int ALIGNMENT = 16;

  private final cudnnContext handle = new cudnnContext();
  private final Deque<cudnnBackendDescriptor_t> descriptors = new ArrayDeque<>();
  private final cudnnBackendDescriptor_t plan;
  private final cudnnBackendDescriptor_t arguments;
  private final FloatPointer scale;

  /** Plans attention on bfloat16 tensors [B, L, H, D]. */
  CudnnAttention(Card card, double scale, Tensor q, Tensor k, Tensor v, Tensor out) {
    this.scale = new FloatPointer((float) scale);
    Card.check("cudnnCreate", cudnn.cudnnCreate(handle));
    Card.check("cudnnSetStream", cudnn.cudnnSetStream(handle, card.external()));
    cudnnBackendDescriptor_t attention = create(CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR);
    set(attention, CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC, describe(Q, q));
    set(attention, CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC, describe(K, k));
    set(attention, CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC, describe(V, v));
    set(attention, CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC, describe(O, out));
    set(attention, CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC, describeScale());
    finish(attention);
    cudnnBackendDescriptor_t graph = create(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    setHandle(graph, CUDNN_ATTR_OPERATIONGRAPH_HANDLE);
    set(graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, attention);
    finish(graph);
    plan = planOf(graph);

    LongPointer bytes = new LongPointer(1);
    Card.check(
        "cudnnBackendGetAttribute",
        cudnn.cudnnBackendGetAttribute(
            plan,
            CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
            CUDNN_TYPE_INT64,
            1,
            new LongPointer(1),
            bytes));
    Tensor workspace = card.empty(DType.U8, Math.max(1, bytes.get()));
    arguments = create(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    set(arguments, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, Q, K, V, O, SCALE);
    setPointers(
        CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS,
        Card.pointer(q),
        Card.pointer(k),
        Card.pointer(v),
        Card.pointer(out),
        this.scale);
    setPointers(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, Card.pointer(workspace));
    finish(arguments);
  }

  /** Enqueues it. */
  void run() {
    Card.check("cudnnBackendExecute", cudnn.cudnnBackendExecute(handle, plan, arguments));
  }

  /** cuDNN's order of dimensions is [B, H, L, D]. */
  private cudnnBackendDescriptor_t describe(long id, Tensor tensor) {
    Tensor t = tensor.permute(0, 2, 1, 3);
    return describe(id, CUDNN_DATA_BFLOAT16, t.shape(), t.strides(), false);
  }

  private cudnnBackendDescriptor_t describeScale() {
    long[] ones = {1, 1, 1, 1};
    return describe(SCALE, CUDNN_DATA_FLOAT, ones, ones, true);
  }

  private cudnnBackendDescriptor_t describe(
      long id, int type, long[] shape, long[] strides, boolean byValue) {
    cudnnBackendDescriptor_t tensor = create(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    set(tensor, CUDNN_ATTR_TENSOR_UNIQUE_ID, id);
    setChoice(tensor, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, type);
    set(tensor, CUDNN_ATTR_TENSOR_DIMENSIONS, shape);
    set(tensor, CUDNN_ATTR_TENSOR_STRIDES, strides);
    set(tensor, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, byValue ? Float.BYTES : ALIGNMENT);
    if (byValue) {
      set(
          tensor,
          CUDNN_ATTR_TENSOR_IS_BY_VALUE,
          CUDNN_TYPE_BOOLEAN,
          1,
          new BoolPointer(1).put(true));
    }
    finish(tensor);
    return tensor;
  }

  /** The first engine that the heuristics name and that can be planned. */
  private cudnnBackendDescriptor_t planOf(cudnnBackendDescriptor_t graph) {
    cudnnBackendDescriptor_t heuristics = create(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    set(heuristics, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
    setChoice(heuristics, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, CUDNN_HEUR_MODE_A);
    finish(heuristics);
    cudnnBackendDescriptor_t[] engines = new cudnnBackendDescriptor_t[MOST_ENGINES];
    for (int i = 0; i < MOST_ENGINES; i++) {
      engines[i] = create(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    }
    LongPointer found = new LongPointer(1);
    Card.check(
        "cudnnBackendGetAttribute",
        cudnn.cudnnBackendGetAttribute(
            heuristics,
            CUDNN_ATTR_ENGINEHEUR_RESULTS,
            CUDNN_TYPE_BACKEND_DESCRIPTOR,
            MOST_ENGINES,
            found,
            new PointerPointer<>(engines)));
    int last = 0;
    for (int i = 0; i < Math.min(found.get(), MOST_ENGINES); i++) {
      cudnnBackendDescriptor_t candidate = create(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
      setHandle(candidate, CUDNN_ATTR_EXECUTION_PLAN_HANDLE);
      set(candidate, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, engines[i]);
      last = cudnn.cudnnBackendFinalize(candidate);
      if (last == 0) {
        return candidate;
      }
    }
    throw new IllegalStateException(
        "cuDNN has no engine for this attention: " + found.get() + " found, the last gave " + last);
  }

  // ---- descriptors and their attributes ----

  private cudnnBackendDescriptor_t create(int kind) {
    cudnnBackendDescriptor_t descriptor = new cudnnBackendDescriptor_t();
    Card.check(
        "cudnnBackendCreateDescriptor", cudnn.cudnnBackendCreateDescriptor(kind, descriptor));
    descriptors.push(descriptor);
    return descriptor;
  }

  private static void finish(cudnnBackendDescriptor_t descriptor) {
    Card.check("cudnnBackendFinalize", cudnn.cudnnBackendFinalize(descriptor));
  }

  private static void set(
      cudnnBackendDescriptor_t descriptor, int attribute, int type, long count, Pointer values) {
    Card.check(
        "cudnnBackendSetAttribute(" + attribute + ")",
        cudnn.cudnnBackendSetAttribute(descriptor, attribute, type, count, values));
  }

  private static void set(cudnnBackendDescriptor_t descriptor, int attribute, long... values) {
    set(descriptor, attribute, CUDNN_TYPE_INT64, values.length, new LongPointer(values));
  }

  private static void set(
      cudnnBackendDescriptor_t descriptor, int attribute, cudnnBackendDescriptor_t value) {
    set(
        descriptor,
        attribute,
        CUDNN_TYPE_BACKEND_DESCRIPTOR,
        1,
        new PointerPointer<>(new Pointer[] {value}));
  }

  private static void setChoice(
      cudnnBackendDescriptor_t descriptor, int attribute, int type, int value) {
    set(descriptor, attribute, type, 1, new IntPointer(new int[] {value}));
  }

  private void setHandle(cudnnBackendDescriptor_t descriptor, int attribute) {
    set(descriptor, attribute, CUDNN_TYPE_HANDLE, 1, new PointerPointer<>(new Pointer[] {handle}));
  }

  private void setPointers(int attribute, Pointer... values) {
    set(arguments, attribute, CUDNN_TYPE_VOID_PTR, values.length, new PointerPointer<>(values));
  }

  @Override
  public void close() {
    for (cudnnBackendDescriptor_t descriptor : descriptors) {
      cudnn.cudnnBackendDestroyDescriptor(descriptor);
    }
    Card.check("cudnnDestroy", cudnn.cudnnDestroy(handle));
  }
}
