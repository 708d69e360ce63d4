package io.github.gtr4j.bench.cpu;

/** An operation as one implementation computes it, with its operands at hand. For one thread. */
interface Contender extends AutoCloseable {
  /** Computes it once. */
  void run();

  /** What the last {@link #run} computed, row by row. */
  float[] output();

  /** Frees its operands. */
  @Override
  void close();
}
