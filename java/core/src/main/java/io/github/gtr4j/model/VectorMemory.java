package io.github.gtr4j.model;

import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.DeviceBuffer;
import io.github.gtr4j.device.Stream;
import io.github.gtr4j.device.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * One device buffer for all of a model's weights that no matrix product packs: norms and
 * embeddings, in float.
 */
final class VectorMemory {
  private static final long ALIGNMENT = 64;

  private final Stream stream;
  private final DeviceBuffer buffer;
  private long end;

  VectorMemory(Device device, Stream stream, long bytes) {
    this.stream = stream;
    this.buffer = device.allocate(bytes);
  }

  /** Bytes that a tensor of so many elements takes. */
  static long bytes(long elements) {
    return (elements * Float.BYTES + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  DeviceBuffer buffer() {
    return buffer;
  }

  /** Copies values into the buffer, one array after the other, as one tensor. */
  Tensor put(float[][] values, long... shape) {
    Tensor tensor = Tensor.of(buffer, end, DType.F32, shape);
    ByteBuffer host =
        ByteBuffer.allocateDirect(Math.toIntExact(tensor.elements() * Float.BYTES))
            .order(ByteOrder.nativeOrder());
    for (float[] part : values) {
      host.asFloatBuffer().put(part);
      host.position(host.position() + part.length * Float.BYTES);
    }
    host.flip();
    stream.copy(tensor, Tensor.wrap(host, DType.F32, shape));
    stream.synchronize();
    end += bytes(tensor.elements());
    return tensor;
  }
}
