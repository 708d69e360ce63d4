package io.github.gtr4j.sampling;

import io.github.gtr4j.schedule.FlopFormula.Flops;

/** A finished image. Immutable. */
public final class SamplingResult {
  private final SamplingRequest request;
  private final int channels;
  private final int height;
  private final int width;
  private final float[] latents;
  private final SamplingTrace trace;
  private final Flops flops;
  private final long nanos;

  SamplingResult(
      SamplingRequest request,
      int channels,
      float[] latents,
      SamplingTrace trace,
      Flops flops,
      long nanos) {
    this.request = request;
    this.channels = channels;
    this.height = request.plan().grid().height();
    this.width = request.plan().grid().width();
    this.latents = latents;
    this.trace = trace;
    this.flops = flops;
    this.nanos = nanos;
  }

  /** What was asked for. */
  public SamplingRequest request() {
    return request;
  }

  /** Values of a token. */
  public int channels() {
    return channels;
  }

  /** Rows of the token grid. */
  public int height() {
    return height;
  }

  /** Columns of the token grid. */
  public int width() {
    return width;
  }

  /** The tokens as [channels, height, width]. */
  public float[] latents() {
    return latents.clone();
  }

  /** How the image came about. */
  public SamplingTrace trace() {
    return trace;
  }

  /** Floating-point operations: 2 per multiply-add, no savings counted. */
  public Flops flops() {
    return flops;
  }

  /** Nanoseconds from the first decode step to the last, shared with the batch's other images. */
  public long nanos() {
    return nanos;
  }
}
