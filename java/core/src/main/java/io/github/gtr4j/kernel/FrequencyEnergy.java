package io.github.gtr4j.kernel;

import io.github.gtr4j.binding.Call;
import io.github.gtr4j.binding.Gtr;
import io.github.gtr4j.binding.Status;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.Stream;
import io.github.gtr4j.device.Tensor;

/**
 * The high-frequency energy by which frequency-weighted token selection (FTS) ranks condition
 * vectors.
 */
public final class FrequencyEnergy {
  private static final String OPERATION = "frequency_energy";

  private FrequencyEnergy() {}

  /** Bytes of scratch that {@link #run} needs for up to that many rows of dim numbers; may be 0. */
  public static long scratchBytes(Device device, long rows, long dim) {
    String operation = "frequency_energy_scratch_size";
    Arguments.notNull(operation, "device", device);
    long[] bytes = new long[1];
    device.acquire(operation);
    try {
      Status.check(Gtr.gtr_frequency_energy_scratch_size(device.handle(), rows, dim, bytes));
    } finally {
      device.release();
    }
    return bytes[0];
  }

  /**
   * score[r] = Σ over k = 1…⌊D/2⌋ of |DFT(z[r])ₖ| · (1 + k/⌊D/2⌋).
   *
   * @param stream where it runs
   * @param z [R, D] float, D from 2 to 65536
   * @param score [R] float
   * @param scratch at least {@link #scratchBytes} bytes; may be null if that is 0
   */
  public static void run(Stream stream, Tensor z, Tensor score, Tensor scratch) {
    Arguments.notNull(OPERATION, "stream", stream);
    Arguments.matrix(OPERATION, "z", z, Arguments.F32, Arguments.ANY, Arguments.ANY);
    Arguments.within(OPERATION, "z", z.shape(1), 2, 65536);
    long rows = z.shape(0);
    Arguments.vector(OPERATION, "score", score, Arguments.F32, rows);
    Arguments.writable(OPERATION, "score", score);
    long start = Timing.start(stream);
    Call call = stream.begin(OPERATION);
    try {
      call.check(
          Gtr.gtr_frequency_energy(
              call.stream(),
              call.tensor("z", z),
              call.tensor("score", score),
              call.scratch(scratch),
              scratch == null ? 0 : scratch.size()));
    } finally {
      call.end();
    }
    if (Timing.isOn(stream)) {
      Timing.end(
          stream,
          Operation.FREQUENCY_ENERGY,
          start,
          rows,
          0,
          Timing.bytes(z) + Timing.bytes(score));
    }
  }
}
