/**
 * Which tokens are decoded when, and with how many diffusion steps: token grids, decode orders,
 * stages, plans and guidance. Pure Java; nothing here needs native code or a model.
 *
 * <p>A {@link io.github.gtr4j.schedule.Schedule} is a recipe that knows no grid; applied to a grid
 * it gives a {@link io.github.gtr4j.schedule.Plan}: how many tokens each decode step decodes and
 * with how many diffusion steps. A plan, a seed and an image index give a {@link
 * io.github.gtr4j.schedule.DecodeOrder}: which cells those are.
 */
package io.github.gtr4j.schedule;
