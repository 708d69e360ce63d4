package io.github.gtr4j.device;

/**
 * Native memory of one device.
 *
 * @param liveBytes allocated and not freed, packed weights and the library's own handles included
 * @param peakBytes highest liveBytes since the device was opened
 * @param allocations open {@link DeviceBuffer}s
 * @param handles open streams, linears and heads
 */
public record MemoryStats(long liveBytes, long peakBytes, long allocations, long handles) {}
