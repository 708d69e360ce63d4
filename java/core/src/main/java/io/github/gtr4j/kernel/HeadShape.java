package io.github.gtr4j.kernel;

/**
 * Sizes of a diffusion head.
 *
 * @param channels of a token, C: 1 to 4096
 * @param condition width of the condition vector, D: 1 to 65536
 * @param width of the residual stream, w: 1 to 65536
 * @param blocks residual blocks, 0 to 1024
 */
public record HeadShape(int channels, int condition, int width, int blocks) {}
