package io.github.gtr4j.device;

/**
 * What an open device is.
 *
 * @param backend never {@link Backend#AUTO}
 * @param index which device of the backend
 * @param threads CPU: threads that work on one call; 0 elsewhere
 * @param tier CPU: its instruction set, never {@link CpuTier#AUTO}; AUTO elsewhere
 * @param memoryBytes memory of the device in bytes
 * @param name such as "AMD EPYC 9654"
 * @param reason one sentence: what was chosen and why
 */
public record DeviceInfo(
    Backend backend,
    int index,
    int threads,
    CpuTier tier,
    long memoryBytes,
    String name,
    String reason) {}
