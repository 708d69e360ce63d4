/**
 * Draws images: runs plans on a model, many requests in one batch, with progress, cancellation and
 * a trace of how each image came about. Nothing here knows files.
 *
 * <p>A {@link io.github.gtr4j.sampling.Sampler} takes {@link
 * io.github.gtr4j.sampling.SamplingRequest}s at any time; each gives a {@link
 * io.github.gtr4j.sampling.SamplingJob} to wait for or to cancel, and in the end a {@link
 * io.github.gtr4j.sampling.SamplingResult}.
 */
package io.github.gtr4j.sampling;
