package io.github.gtr4j.binding;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bytedeco.javacpp.Pointer;

/**
 * Memory of the small structs that Java hands to native code ({@code gtr_tensor} and so on). They
 * are carved out of direct buffers of a few KiB, which the garbage collector frees when the last
 * struct of a buffer is gone; so a tensor view needs no close, and costs no native allocation of
 * its own.
 */
public final class StructMemory {
  private static final int CHUNK_BYTES = 8192;
  private static final int ALIGNMENT = 16;

  private static ByteBuffer chunk = ByteBuffer.allocateDirect(0);

  private StructMemory() {}

  /**
   * Zeroed memory, aligned to 16 bytes. The caller keeps the buffer reachable as long as native
   * code may look at the memory.
   */
  public static synchronized ByteBuffer allocate(long bytes) {
    int size = Math.toIntExact((bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    if (size > chunk.remaining()) {
      ByteBuffer fresh = ByteBuffer.allocateDirect(Math.max(CHUNK_BYTES, size) + ALIGNMENT);
      chunk = fresh.alignedSlice(ALIGNMENT);
    }
    ByteBuffer memory = chunk.slice(chunk.position(), size).order(ByteOrder.nativeOrder());
    chunk.position(chunk.position() + size);
    return memory;
  }

  /** The address of a direct buffer's position, as a pointer that keeps the buffer reachable. */
  public static Pointer pointer(ByteBuffer direct) {
    return new Pointer(direct);
  }
}
