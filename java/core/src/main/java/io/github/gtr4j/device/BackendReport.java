package io.github.gtr4j.device;

import java.util.Set;

/**
 * What was found of a backend on this machine.
 *
 * @param backend the backend
 * @param devices how many devices of it could be opened
 * @param detail one sentence about what was found or is missing
 * @param tiers CPU: the available instruction sets; empty elsewhere
 */
public record BackendReport(Backend backend, int devices, String detail, Set<CpuTier> tiers) {}
