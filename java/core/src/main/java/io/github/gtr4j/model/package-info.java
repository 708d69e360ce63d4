/**
 * Masked-autoregressive (MAR) models: configuration, weights, and the encoder and decoder that
 * compute condition vectors, built out of kernels. Nothing here knows which token is decoded when.
 *
 * <p>A {@link io.github.gtr4j.model.MarModel} is immutable and shared. A {@link
 * io.github.gtr4j.model.MarWorkspace} is one job's memory; it computes the condition vectors of a
 * {@link io.github.gtr4j.model.ConditionBatch}, whose sequences may be at different decode steps.
 */
package io.github.gtr4j.model;
