package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.kernel.Precision;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Whole guided reverse chains of the diffusion head.
 *
 * @param channels of a token, C
 * @param condition width of a condition vector, D
 * @param width of the head, w
 * @param blocks residual blocks
 * @param groups tokens with as many reverse steps; most steps first
 * @param temperature factor of the noise that the steps add
 */
record HeadWorkload(
    int channels, int condition, int width, int blocks, List<Group> groups, float temperature)
    implements Workload {
  static final int TIME_FEATURES = 256;
  static final float GUIDANCE = 3;

  /**
   * Tokens of a chain.
   *
   * @param rows tokens, each with both halves of guidance
   * @param steps reverse steps
   */
  record Group(int rows, int steps) {}

  /**
   * A tensor of the head.
   *
   * @param shape of it
   * @param values row by row
   */
  record Weight(long[] shape, float[] values) {}

  int rows() {
    return groups.stream().mapToInt(Group::rows).sum();
  }

  /**
   * As executed with what can be shared computed once: the input's projection per token, the
   * condition's embedding per row, the time's per step of a group. The peer computes more.
   */
  @Override
  public double flops() {
    double w = width;
    double tokenStep = channels * w;
    double rowStep = 2.0 * channels * w + (5.0 * blocks + 2) * w * w;
    double products = 0;
    for (Group group : groups) {
      double halves = 2.0 * group.rows();
      products += group.rows() * group.steps() * tokenStep;
      products += halves * group.steps() * rowStep + halves * condition * w;
      products += group.steps() * (TIME_FEATURES * w + w * w);
    }
    return 2 * products;
  }

  /**
   * The two square matrices of each block, once per pass. They fit some last-level caches, so this
   * can be above what is read from memory.
   */
  @Override
  public double memoryBytes(Precision precision) {
    double passes = groups.get(0).steps();
    return passes * 2 * blocks * width * (double) width * Cpu.activation(precision).bytes();
  }

  /** The square matrices come from whichever cache holds them. */
  @Override
  public double leastSeconds(Precision precision, Peaks peaks) {
    double passBytes = memoryBytes(precision) / groups.get(0).steps();
    double reading = passBytes >= Peaks.HEAD ? memoryBytes(precision) / peaks.headBytes() : 0;
    return Math.max(flops() / peaks.cachedFlops(precision), reading);
  }

  /** Every tensor by its name in checkpoints. */
  Map<String, Weight> weights() {
    Map<String, Weight> weights = new LinkedHashMap<>();
    linear(weights, "time_embed.mlp.0", width, TIME_FEATURES);
    linear(weights, "time_embed.mlp.2", width, width);
    linear(weights, "cond_embed", width, condition);
    linear(weights, "input_proj", width, channels);
    for (int block = 0; block < blocks; block++) {
      String name = "res_blocks." + block;
      vector(weights, name + ".in_ln.weight", 1, width);
      vector(weights, name + ".in_ln.bias", 0, width);
      linear(weights, name + ".mlp.0", width, width);
      linear(weights, name + ".mlp.2", width, width);
      linear(weights, name + ".adaLN_modulation.1", 3 * width, width);
    }
    linear(weights, "final_layer.adaLN_modulation.1", 2 * width, width);
    linear(weights, "final_layer.linear", 2 * channels, width);
    return weights;
  }

  private static void linear(Map<String, Weight> weights, String name, int outputs, int inputs) {
    float[] values = Numbers.of(0.02, (long) outputs * inputs, name.hashCode());
    weights.put(name + ".weight", new Weight(new long[] {outputs, inputs}, values));
    vector(weights, name + ".bias", 0, outputs);
  }

  private static void vector(Map<String, Weight> weights, String name, float centre, int size) {
    float[] values = Numbers.around(centre, 0.02, size, name.hashCode());
    weights.put(name, new Weight(new long[] {size}, values));
  }

  /** [rows, D]: condition vectors. */
  float[] z() {
    return Numbers.of(1, (long) rows() * condition, 16);
  }

  /** [rows, D]: those of the unconditional halves. */
  float[] zUnconditional() {
    return Numbers.of(1, (long) rows() * condition, 17);
  }

  @Override
  public Contender open(Implementation implementation, Precision precision, int threads) {
    return implementation == Implementation.GTR4J
        ? new GtrHead(this, precision, threads)
        : new TorchHead(this, precision, threads);
  }
}
