package io.github.gtr4j.bench.cpu;

/** One side's batch of images, which it can sample again and again. */
interface ImageSampler extends AutoCloseable {
  /** Whose, with its version. */
  String name();

  /** Bytes of weights, activations and scratch as planned before; 0 if there is no plan. */
  long plannedBytes();

  /** Samples the batch; the resident peak is left at 0. */
  ImageTime run();

  @Override
  void close();
}
