package io.github.gtr4j.kernel;

import io.github.gtr4j.binding.Call;
import io.github.gtr4j.binding.Gtr;
import io.github.gtr4j.binding.Status;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.Stream;
import io.github.gtr4j.device.Tensor;

/** Bidirectional attention with a length per sequence and an optional mask. */
public final class Attention {
  private static final String OPERATION = "attention";

  private Attention() {}

  /**
   * Bytes of scratch that {@link #run} needs; may be 0.
   *
   * @param device where it will run
   * @param precision of the products
   * @param batch B
   * @param queryLength Lq
   * @param keyLength Lk
   * @param heads H
   * @param headDim D
   */
  public static long scratchBytes(
      Device device,
      Precision precision,
      long batch,
      long queryLength,
      long keyLength,
      long heads,
      long headDim) {
    String operation = "attention_scratch_size";
    Arguments.notNull(operation, "device", device);
    Arguments.notNull(operation, "precision", precision);
    long[] bytes = new long[1];
    device.acquire(operation);
    try {
      Status.check(
          Gtr.gtr_attention_scratch_size(
              device.handle(),
              precision.code(),
              batch,
              queryLength,
              keyLength,
              heads,
              headDim,
              bytes));
    } finally {
      device.release();
    }
    return bytes[0];
  }

  /**
   * out = softmax(scale · q kᵀ) v per batch entry and head. A query that may attend to no key gives
   * 0.
   *
   * @param stream where it runs
   * @param precision of the products
   * @param scale finite, usually 1/√D
   * @param q [B, Lq, H, D] float, or bfloat16 if the precision is; D a multiple of 8 from 8 to 256;
   *     stride 1 in D, the others free, so that q, k and v can be views of one matrix
   * @param k [B, Lk, H, D] likewise
   * @param v [B, Lk, H, D] likewise
   * @param queryLengths I32 [B], only that many rows of out are written; null: Lq
   * @param keyLengths I32 [B], only that many keys are attended to; null: Lk
   * @param mask U8 [B, H, Lq, Lk], 0 = do not attend, stride 0 broadcasts over B, H or Lq; null:
   *     all 1
   * @param out [B, Lq, H, D] as q
   * @param scratch at least {@link #scratchBytes} bytes; may be null if that is 0
   */
  public static void run(
      Stream stream,
      Precision precision,
      double scale,
      Tensor q,
      Tensor k,
      Tensor v,
      Tensor queryLengths,
      Tensor keyLengths,
      Tensor mask,
      Tensor out,
      Tensor scratch) {
    Arguments.notNull(OPERATION, "stream", stream);
    Arguments.notNull(OPERATION, "precision", precision);
    if (!Double.isFinite(scale)) {
      throw Arguments.refuse(
          OPERATION, "scale", "scale is " + scale + "; allowed are finite numbers");
    }
    int types = precision == Precision.BF16 ? Arguments.FLOATS : Arguments.F32;
    Arguments.rank4(
        OPERATION, "q", q, types, Arguments.ANY, Arguments.ANY, Arguments.ANY, Arguments.ANY);
    long batch = q.shape(0);
    long queries = q.shape(1);
    long heads = q.shape(2);
    long dim = q.shape(3);
    if (dim < 8 || dim > 256 || dim % 8 != 0) {
      throw Arguments.refuse(
          OPERATION,
          "q",
          "q has head dimension " + dim + "; allowed are multiples of 8 from 8 to 256");
    }
    Arguments.rank4(OPERATION, "k", k, types, batch, Arguments.ANY, heads, dim);
    long keys = k.shape(1);
    Arguments.rank4(OPERATION, "v", v, types, batch, keys, heads, dim);
    if (queryLengths != null) {
      Arguments.vector(OPERATION, "query_lengths", queryLengths, Arguments.I32, batch);
    }
    if (keyLengths != null) {
      Arguments.vector(OPERATION, "key_lengths", keyLengths, Arguments.I32, batch);
    }
    if (mask != null) {
      Arguments.rank4(OPERATION, "mask", mask, Arguments.U8, batch, heads, queries, keys);
    }
    Arguments.rank4(OPERATION, "out", out, types, batch, queries, heads, dim);
    Arguments.writable(OPERATION, "out", out);
    long start = Timing.start(stream);
    Call call = stream.begin(OPERATION);
    try {
      call.check(
          Gtr.gtr_attention(
              call.stream(),
              precision.code(),
              scale,
              call.tensor("q", q),
              call.tensor("k", k),
              call.tensor("v", v),
              call.tensor("query_lengths", queryLengths),
              call.tensor("key_lengths", keyLengths),
              call.tensor("mask", mask),
              call.tensor("out", out),
              call.scratch(scratch),
              scratch == null ? 0 : scratch.size()));
    } finally {
      call.end();
    }
    if (Timing.isOn(stream)) {
      long bytes =
          Timing.bytes(q)
              + Timing.bytes(k)
              + Timing.bytes(v)
              + Timing.bytes(mask)
              + Timing.bytes(out);
      long flops = 4 * batch * heads * queries * keys * dim;
      Timing.end(stream, Operation.ATTENTION, start, batch * queries, flops, bytes);
    }
  }
}
