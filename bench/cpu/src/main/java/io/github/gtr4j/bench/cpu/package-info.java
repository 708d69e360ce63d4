/**
 * Benchmarks on the CPU: our kernels beside libtorch's, called through JavaCPP's PyTorch preset, at
 * the shapes that MAR models have under their schedules, and a report with what of it was hoped
 * for.
 */
package io.github.gtr4j.bench.cpu;
