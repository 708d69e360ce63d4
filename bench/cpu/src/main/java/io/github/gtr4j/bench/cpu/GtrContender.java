package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.device.Tensor;

/** An operation of ours, on a device of its own that holds the operands. */
abstract class GtrContender implements Contender {
  final Cpu cpu;

  GtrContender(int threads) {
    cpu = new Cpu(threads);
  }

  /** Where {@link #run} leaves what it computes. */
  abstract Tensor result();

  @Override
  public float[] output() {
    return Cpu.values(result());
  }

  @Override
  public final void close() {
    cpu.close();
  }
}
