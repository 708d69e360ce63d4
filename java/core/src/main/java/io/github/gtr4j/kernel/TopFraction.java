package io.github.gtr4j.kernel;

import io.github.gtr4j.binding.Call;
import io.github.gtr4j.binding.Gtr;
import io.github.gtr4j.binding.Natives;
import io.github.gtr4j.binding.Status;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.Stream;
import io.github.gtr4j.device.Tensor;
import java.lang.ref.Reference;

/** Chooses the rows with the highest scores, image by image. */
public final class TopFraction {
  private static final String OPERATION = "top_fraction";

  private TopFraction() {}

  /** How many of n tokens a fraction selects: 0 if either is 0, else max(1, ⌊fraction · n + ½⌋). */
  public static long count(double fraction, long n) {
    Natives.load();
    long[] selected = new long[1];
    Status.check(Gtr.gtr_top_fraction_count(fraction, n, selected));
    return selected[0];
  }

  /** Bytes of scratch that {@link #run} needs for up to that many rows; may be 0. */
  public static long scratchBytes(Device device, long rows) {
    String operation = "top_fraction_scratch_size";
    Arguments.notNull(operation, "device", device);
    long[] bytes = new long[1];
    device.acquire(operation);
    try {
      Status.check(Gtr.gtr_top_fraction_scratch_size(device.handle(), rows, bytes));
    } finally {
      device.release();
    }
    return bytes[0];
  }

  /**
   * Writes the rows of each segment to place, those with the highest scores apart from the others.
   * Equal scores: the lower cell first; NaN ranks lowest.
   *
   * @param stream where it runs
   * @param score [R] float
   * @param cell U32 [R]
   * @param segments whose row ranges do not overlap, nor do the ranges in place
   * @param place I32 [P]
   * @param scratch at least {@link #scratchBytes} bytes; may be null if that is 0
   */
  public static void run(
      Stream stream, Tensor score, Tensor cell, Segments segments, Tensor place, Tensor scratch) {
    Arguments.notNull(OPERATION, "stream", stream);
    Arguments.vector(OPERATION, "score", score, Arguments.F32, Arguments.ANY);
    long rows = score.shape(0);
    Arguments.vector(OPERATION, "cell", cell, Arguments.U32, rows);
    Arguments.notNull(OPERATION, "segments", segments);
    Arguments.vector(OPERATION, "place", place, Arguments.I32, Arguments.ANY);
    Arguments.writable(OPERATION, "place", place);
    long start = Timing.start(stream);
    Call call = stream.begin(OPERATION);
    try {
      call.check(
          Gtr.gtr_top_fraction(
              call.stream(),
              call.tensor("score", score),
              call.tensor("cell", cell),
              segments.handle(),
              segments.size(),
              call.tensor("place", place),
              call.scratch(scratch),
              scratch == null ? 0 : scratch.size()));
    } finally {
      call.end();
      Reference.reachabilityFence(segments);
    }
    if (Timing.isOn(stream)) {
      long bytes = Timing.bytes(score) + Timing.bytes(cell) + 4 * rows;
      Timing.end(stream, Operation.TOP_FRACTION, start, rows, 0, bytes);
    }
  }
}
