/**
 * Benchmarks on a card: our kernels beside NVIDIA's libraries, called through JavaCPP's CUDA preset
 * on the same stream and, but for packed weights, the same memory. Each compares the results of
 * both sides before it measures.
 */
package io.github.gtr4j.bench;
