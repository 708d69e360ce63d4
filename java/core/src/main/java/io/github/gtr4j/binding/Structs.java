package io.github.gtr4j.binding;

import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;

/**
 * Makes the structs of the C ABI in {@link StructMemory}, zeroed. They keep their memory reachable.
 */
public final class Structs {
  private Structs() {}

  private static Pointer memory(Class<? extends Pointer> type, long count) {
    Natives.load();
    return StructMemory.pointer(StructMemory.allocate(Loader.sizeof(type) * count));
  }

  /** One {@code gtr_device_options}. */
  public static gtr_device_options deviceOptions() {
    return new gtr_device_options(memory(gtr_device_options.class, 1));
  }

  /** One {@code gtr_device_info}. */
  public static gtr_device_info deviceInfo() {
    return new gtr_device_info(memory(gtr_device_info.class, 1));
  }

  /** One {@code gtr_memory_stats}. */
  public static gtr_memory_stats memoryStats() {
    return new gtr_memory_stats(memory(gtr_memory_stats.class, 1));
  }

  /** One {@code gtr_tensor}. */
  public static gtr_tensor tensor() {
    return new gtr_tensor(memory(gtr_tensor.class, 1));
  }

  /** One {@code gtr_head_shape}. */
  public static gtr_head_shape headShape() {
    return new gtr_head_shape(memory(gtr_head_shape.class, 1));
  }

  /** One {@code gtr_chain}. */
  public static gtr_chain chain() {
    return new gtr_chain(memory(gtr_chain.class, 1));
  }

  /** An array of {@code gtr_chain_group}; reach its elements with {@code position}. */
  public static gtr_chain_group chainGroups(long count) {
    return new gtr_chain_group(memory(gtr_chain_group.class, count));
  }

  /** An array of {@code gtr_segment}; reach its elements with {@code position}. */
  public static gtr_segment segments(long count) {
    return new gtr_segment(memory(gtr_segment.class, count));
  }

  /** An array of {@code gtr_diffusion_step}; reach its elements with {@code position}. */
  public static gtr_diffusion_step diffusionSteps(long count) {
    return new gtr_diffusion_step(memory(gtr_diffusion_step.class, count));
  }
}
