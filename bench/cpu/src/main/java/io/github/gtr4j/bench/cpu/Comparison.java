package io.github.gtr4j.bench.cpu;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One case as we and a peer computed it.
 *
 * @param ours what gtr4j took
 * @param peer what libtorch took; null if it was not measured
 * @param pytorch what Python's PyTorch took, whose build is another; null if it was not measured
 * @param peaks of the machine meanwhile; null if they were not measured
 * @param leastSeconds that the peaks allow; NaN if that is not known
 */
public record Comparison(
    Result ours, Result peer, Result pytorch, Peaks peaks, double leastSeconds) {
  /** Of two results alone. */
  public Comparison(Result ours, Result peer) {
    this(ours, peer, null, null, Double.NaN);
  }

  Comparison with(Result pytorch) {
    return new Comparison(ours, peer, pytorch, peaks, leastSeconds);
  }

  Comparison with(Peaks peaks, Workload workload) {
    return new Comparison(
        ours, peer, pytorch, peaks, workload.leastSeconds(ours.precision(), peaks));
  }

  private record Case(String operation, String shape, Object precision) {}

  /**
   * Pairs results, in the order in which our own come. Results of peers without one of ours are
   * left out.
   */
  public static List<Comparison> of(List<Result> results) {
    Map<Case, Result> peers = new LinkedHashMap<>();
    for (Result result : results) {
      if (result.implementation() != Implementation.GTR4J) {
        peers.put(caseOf(result), result);
      }
    }
    List<Comparison> comparisons = new ArrayList<>();
    for (Result result : results) {
      if (result.implementation() == Implementation.GTR4J) {
        comparisons.add(new Comparison(result, peers.get(caseOf(result))));
      }
    }
    return List.copyOf(comparisons);
  }

  private static Case caseOf(Result result) {
    return new Case(result.operation(), result.shape(), result.precision());
  }

  /** Our FLOP/s as a share of the peak; NaN without peaks or FLOPs, as the next ones. */
  double shareOfPeak() {
    return peaks == null || ours.flops() == 0
        ? Double.NaN
        : ours.flopsPerSecond() / peaks.flops(ours.precision());
  }

  /** Our bytes per second as a share of those read from memory. */
  double shareOfBandwidth() {
    return peaks == null || ours.bytes() == 0
        ? Double.NaN
        : ours.bytesPerSecond() / peaks.readBytes();
  }

  /** The least time that the peaks allow, over ours. */
  double shareOfRoofline() {
    return leastSeconds / ours.seconds();
  }

  /** Our time over the peer's; NaN without a peer. */
  public double ratio() {
    return peer == null ? Double.NaN : ours.seconds() / peer.seconds();
  }
}
