package io.github.gtr4j.bench.cpu;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.gtr4j.kernel.Precision;

/** An operation with its sizes: what both implementations compute, from the same random numbers. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "operation")
@JsonSubTypes({
  @JsonSubTypes.Type(value = LinearWorkload.class, name = "linear"),
  @JsonSubTypes.Type(value = AttentionWorkload.class, name = "attention"),
  @JsonSubTypes.Type(value = FrequencyEnergyWorkload.class, name = "frequency energy"),
  @JsonSubTypes.Type(value = LayerNormWorkload.class, name = "layer norm"),
  @JsonSubTypes.Type(value = RowsWorkload.class, name = "rows"),
  @JsonSubTypes.Type(value = NoiseWorkload.class, name = "noise"),
  @JsonSubTypes.Type(value = TopFractionWorkload.class, name = "top fraction"),
  @JsonSubTypes.Type(value = HeadWorkload.class, name = "head chain")
})
sealed interface Workload
    permits LinearWorkload,
        AttentionWorkload,
        FrequencyEnergyWorkload,
        LayerNormWorkload,
        RowsWorkload,
        NoiseWorkload,
        TopFractionWorkload,
        HeadWorkload {

  /** Floating-point operations, 2 per multiply-add of the matrix products; 0: not counted. */
  default double flops() {
    return 0;
  }

  /** Least bytes between memory and caches; 0 if what it reads can be in a cache. */
  default double memoryBytes(Precision precision) {
    return 0;
  }

  /**
   * The least time that the peaks allow: the longest of what the operation cannot do without, all
   * else beside it. NaN if nothing of it is counted.
   */
  default double leastSeconds(Precision precision, Peaks peaks) {
    double seconds =
        Math.max(flops() / peaks.flops(precision), memoryBytes(precision) / peaks.readBytes());
    return seconds > 0 ? seconds : Double.NaN;
  }

  /**
   * Makes the operands.
   *
   * @param implementation {@link Implementation#GTR4J} or {@link Implementation#LIBTORCH}
   * @param threads that work on a call
   */
  Contender open(Implementation implementation, Precision precision, int threads);

  /** As a parameter of JMH. */
  default String toJson() {
    try {
      return new ObjectMapper().writeValueAsString(this);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What {@link #toJson} was called on. */
  static Workload ofJson(String json) {
    try {
      return new ObjectMapper().readValue(json, Workload.class);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("no workload: " + json, e);
    }
  }
}
