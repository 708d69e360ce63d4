package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.kernel.Precision;

/**
 * What the machine reaches at most, measured in the run whose shares it is the whole of.
 *
 * @param f32Flops floating-point operations per second in float
 * @param bf16Flops floating-point operations per second of bfloat16 products
 * @param readBytes bytes read from memory per second
 */
public record Peaks(double f32Flops, double bf16Flops, double readBytes) {
  /** Floating-point operations per second at a precision. */
  public double flops(Precision precision) {
    return precision == Precision.BF16 ? bf16Flops : f32Flops;
  }
}
