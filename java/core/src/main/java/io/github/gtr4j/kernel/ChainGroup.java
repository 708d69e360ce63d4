package io.github.gtr4j.kernel;

/**
 * Rows of a chain that have the same number of reverse steps.
 *
 * @param rows 1 or more
 * @param steps reverse steps, 1 to 1000
 * @param guided whether the unconditional half runs too
 */
public record ChainGroup(int rows, int steps, boolean guided) {}
