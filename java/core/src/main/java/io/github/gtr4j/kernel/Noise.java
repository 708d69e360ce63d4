package io.github.gtr4j.kernel;

import io.github.gtr4j.binding.Call;
import io.github.gtr4j.binding.Gtr;
import io.github.gtr4j.binding.Natives;
import io.github.gtr4j.binding.Status;
import io.github.gtr4j.device.Stream;
import io.github.gtr4j.device.Tensor;

/**
 * Counter-based noise: Philox4x32-10 and Box–Muller. A number depends on its key and counter, on
 * nothing else.
 */
public final class Noise {
  private static final String OPERATION = "noise";

  private Noise() {}

  /**
   * Standard normal numbers: y[r][c] has the key seed[r] and the counter (c / 4, draw[r], cell[r],
   * image[r]).
   *
   * @param stream where it runs
   * @param seed U64 [R], stride 0 broadcasts; likewise the next three
   * @param image U32 [R]
   * @param cell U32 [R]
   * @param draw U32 [R]
   * @param y [R, C] float
   */
  public static void fill(
      Stream stream, Tensor seed, Tensor image, Tensor cell, Tensor draw, Tensor y) {
    Arguments.notNull(OPERATION, "stream", stream);
    Arguments.matrix(OPERATION, "y", y, Arguments.F32, Arguments.ANY, Arguments.ANY);
    long rows = y.shape(0);
    Arguments.vector(OPERATION, "seed", seed, Arguments.U64, rows);
    Arguments.vector(OPERATION, "image", image, Arguments.U32, rows);
    Arguments.vector(OPERATION, "cell", cell, Arguments.U32, rows);
    Arguments.vector(OPERATION, "draw", draw, Arguments.U32, rows);
    Arguments.writable(OPERATION, "y", y);
    long start = Timing.start(stream);
    Call call = stream.begin(OPERATION);
    try {
      call.check(
          Gtr.gtr_noise(
              call.stream(),
              call.tensor("seed", seed),
              call.tensor("image", image),
              call.tensor("cell", cell),
              call.tensor("draw", draw),
              call.tensor("y", y)));
    } finally {
      call.end();
    }
    if (Timing.isOn(stream)) {
      Timing.end(stream, Operation.NOISE, start, rows, 0, Timing.bytes(y));
    }
  }

  /** The four words of one Philox4x32-10 block. */
  public static int[] philox(long seed, int counter0, int counter1, int counter2, int counter3) {
    Natives.load();
    int[] words = new int[4];
    Status.check(Gtr.gtr_philox(seed, counter0, counter1, counter2, counter3, words));
    return words;
  }
}
