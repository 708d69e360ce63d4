/**
 * What the kernels did: counts, rates and their share of what the machine can do. Everything here
 * listens through {@link io.github.gtr4j.kernel.KernelListener}; without a listener nothing is
 * measured.
 */
package io.github.gtr4j.profile;
