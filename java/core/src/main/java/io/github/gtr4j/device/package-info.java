/**
 * Devices, streams, memory and tensors.
 *
 * <p>A {@link io.github.gtr4j.device.Device} owns threads and counts memory; a {@link
 * io.github.gtr4j.device.Stream} orders calls; a {@link io.github.gtr4j.device.DeviceBuffer} is
 * memory from the device; a {@link io.github.gtr4j.device.Tensor} is a view of such memory, or of
 * memory that another library owns, without a copy. What holds native memory is {@link
 * java.lang.AutoCloseable}, refuses use after close, and cannot be closed while in use.
 */
package io.github.gtr4j.device;
