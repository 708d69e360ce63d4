package io.github.gtr4j.sampling;

/**
 * How far a request has come.
 *
 * @param phase what begins now, or {@link SamplingPhase#DECODED} at the end of a decode step
 * @param step the decode step, from 0
 * @param steps decode steps of the request's plan
 * @param decoded tokens decoded so far
 * @param tokens tokens that the plan decodes in all
 */
public record SamplingProgress(SamplingPhase phase, int step, int steps, int decoded, int tokens) {}
