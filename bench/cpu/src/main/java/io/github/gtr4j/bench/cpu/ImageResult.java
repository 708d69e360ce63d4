package io.github.gtr4j.bench.cpu;

import java.util.List;
import java.util.function.ToDoubleFunction;
import org.openjdk.jmh.util.ListStatistics;
import org.openjdk.jmh.util.Statistics;

/**
 * What the sides took for one case.
 *
 * @param images the case
 * @param flops of the batch, executed
 * @param peaks of the machine around our turns, their median
 * @param shareOfPeak FLOPs over our time as a share of the peak, the median of the rounds
 * @param rounds how many there were
 * @param javaOverLibrary time through Java over that in its calls of libgtr, the median of the
 *     rounds
 * @param javaOverReplay time through Java over that of the same calls from C++, likewise
 * @param java gtr4j through its sampler
 * @param replay the same calls from C++
 * @param peer PyTorch; null if there is none
 */
record ImageResult(
    ImageCase images,
    ImageFlops flops,
    Peaks peaks,
    double shareOfPeak,
    int rounds,
    double javaOverLibrary,
    double javaOverReplay,
    Side java,
    Side replay,
    Side peer) {

  /**
   * Compares within each round, since the machine's speed changes from one to the next.
   *
   * @param peaks of each round
   * @param javaTimes of each round
   * @param replayTimes of each round
   */
  static ImageResult of(
      ImageCase images,
      ImageFlops flops,
      List<Peaks> peaks,
      List<ImageTime> javaTimes,
      List<ImageTime> replayTimes,
      Side java,
      Side replay,
      Side peer) {
    double[] shares = new double[javaTimes.size()];
    double[] overLibrary = new double[shares.length];
    double[] overReplay = new double[shares.length];
    for (int round = 0; round < shares.length; round++) {
      double seconds = javaTimes.get(round).seconds();
      shares[round] = flops.total() / seconds / peaks.get(round).flops(images.precision());
      overLibrary[round] = seconds / javaTimes.get(round).librarySeconds();
      overReplay[round] = seconds / replayTimes.get(round).seconds();
    }
    return new ImageResult(
        images,
        flops,
        Peaks.median(peaks),
        median(shares),
        shares.length,
        median(overLibrary),
        median(overReplay),
        java,
        replay,
        peer);
  }

  private static double median(double[] values) {
    return new ListStatistics(values).getPercentile(50);
  }

  /**
   * One side's medians over the rounds; seconds per image.
   *
   * @param name whose
   * @param seconds of everything
   * @param spread half the distance between the quartiles of these
   * @param backboneSeconds in encoder and decoder; 0 of a replay
   * @param headSeconds in selection and diffusion head; 0 of a replay
   * @param plannedBytes of weights, activations and scratch; 0 if there is no plan
   * @param residentPeakBytes most that its process had in memory
   */
  record Side(
      String name,
      double seconds,
      double spread,
      double backboneSeconds,
      double headSeconds,
      long plannedBytes,
      long residentPeakBytes) {
    static Side of(ImageSide.Ready ready, List<ImageTime> times, int images) {
      Statistics total = statistics(times, ImageTime::seconds);
      return new Side(
          ready.name(),
          total.getPercentile(50) / images,
          (total.getPercentile(75) - total.getPercentile(25)) / 2 / images,
          statistics(times, ImageTime::backboneSeconds).getPercentile(50) / images,
          statistics(times, ImageTime::headSeconds).getPercentile(50) / images,
          ready.plannedBytes(),
          times.stream().mapToLong(ImageTime::residentPeakBytes).max().orElse(0));
    }

    private static Statistics statistics(List<ImageTime> times, ToDoubleFunction<ImageTime> value) {
      return new ListStatistics(times.stream().mapToDouble(value).toArray());
    }
  }

  /** Our time over the peer's; NaN without a peer, as the next ones. */
  double ratio() {
    return peer == null ? Double.NaN : java.seconds() / peer.seconds();
  }

  double backboneRatio() {
    return peer == null ? Double.NaN : java.backboneSeconds() / peer.backboneSeconds();
  }

  double headRatio() {
    return peer == null ? Double.NaN : java.headSeconds() / peer.headSeconds();
  }

  /** The least time that the peaks allow, over ours. */
  double shareOfRoofline() {
    return images.leastSeconds(peaks) / java.seconds();
  }

  double flopsPerSecond() {
    return flops.total() / images.images() / java.seconds();
  }

  /** Resident peak over what was planned. */
  double memoryOverPlan() {
    return (double) java.residentPeakBytes() / java.plannedBytes();
  }
}
