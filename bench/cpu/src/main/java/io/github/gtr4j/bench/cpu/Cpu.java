package io.github.gtr4j.bench.cpu;

import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.DeviceBuffer;
import io.github.gtr4j.device.DeviceOptions;
import io.github.gtr4j.device.Stream;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.kernel.Precision;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;

/** Our device with the memory of one contender, which closes it. */
final class Cpu implements AutoCloseable {
  private final Device device;
  private final Stream stream;
  private final Deque<AutoCloseable> owned = new ArrayDeque<>();

  Cpu(int threads) {
    device = Device.open(DeviceOptions.cpu().withThreads(threads));
    stream = device.newStream();
  }

  Device device() {
    return device;
  }

  Stream stream() {
    return stream;
  }

  /** Keeps something until the device is closed, and closes it before. */
  <T extends AutoCloseable> T own(T resource) {
    owned.push(resource);
    return resource;
  }

  /** What a model of a precision keeps activations in. */
  static DType activation(Precision precision) {
    return precision == Precision.BF16 ? DType.BF16 : DType.F32;
  }

  Tensor empty(DType dtype, long... shape) {
    long bytes = dtype.bytes();
    for (long extent : shape) {
      bytes *= extent;
    }
    DeviceBuffer buffer = own(device.allocate(Math.max(bytes, 1)));
    return buffer.tensor(dtype, shape);
  }

  /** Scratch of at least so many bytes. */
  Tensor scratch(long bytes) {
    return empty(DType.U8, Math.max(bytes, 1));
  }

  /** Numbers as F32 or BF16, rounded to even. */
  Tensor tensor(float[] values, DType dtype, long... shape) {
    Tensor tensor = empty(dtype, shape);
    ByteBuffer memory = tensor.asByteBuffer();
    for (int i = 0; i < values.length; i++) {
      if (dtype == DType.F32) {
        memory.putFloat(i * Float.BYTES, values[i]);
      } else {
        int bits = Float.floatToRawIntBits(values[i]);
        memory.putShort(i * Short.BYTES, (short) ((bits + 0x7fff + (bits >>> 16 & 1)) >>> 16));
      }
    }
    return tensor;
  }

  /** Indices and the like: I32 or U32. */
  Tensor tensor(int[] values, DType dtype) {
    Tensor tensor = empty(dtype, values.length);
    tensor.asByteBuffer().asIntBuffer().put(values);
    return tensor;
  }

  /** The elements of a contiguous F32 or BF16 tensor. */
  static float[] values(Tensor tensor) {
    ByteBuffer memory = tensor.asByteBuffer();
    float[] values = new float[Math.toIntExact(tensor.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          tensor.dtype() == DType.F32
              ? memory.getFloat(i * Float.BYTES)
              : Float.intBitsToFloat(memory.getShort(i * Short.BYTES) << 16);
    }
    return values;
  }

  @Override
  public void close() {
    stream.close();
    for (AutoCloseable resource : owned) {
      try {
        resource.close();
      } catch (RuntimeException e) {
        throw e;
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
    device.close();
  }
}
