package io.github.gtr4j.bench;

import io.github.gtr4j.device.Backend;
import io.github.gtr4j.device.BackendReport;
import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.DeviceBuffer;
import io.github.gtr4j.device.MemorySpace;
import io.github.gtr4j.device.Stream;
import io.github.gtr4j.device.Tensor;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Random;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.javacpp.Pointer;

/**
 * The first card, as both sides use it: a stream that the preset made and that our kernels run on
 * too, and memory that our allocator made and whose addresses the preset's functions take.
 */
final class Card implements AutoCloseable {
  private static final int NON_BLOCKING = 1;

  private final Device device;
  private final CUstream_st external = new CUstream_st();
  private final Stream stream;
  private final Deque<DeviceBuffer> buffers = new ArrayDeque<>();

  Card() {
    device = Device.cuda(0);
    check("cudaStreamCreateWithFlags", cudart.cudaStreamCreateWithFlags(external, NON_BLOCKING));
    stream = device.wrapStream(external);
  }

  /** Why nothing can be measured here, in one line; null if it can. */
  static String missing() {
    for (BackendReport report : Device.list()) {
      if (report.backend() == Backend.CUDA && report.devices() == 0) {
        return "nothing to measure on: " + report.detail();
      }
    }
    try {
      Class.forName(cudart.class.getName());
      return null;
    } catch (ClassNotFoundException | LinkageError e) {
      return "the natives of JavaCPP's CUDA preset cannot be loaded ("
          + String.valueOf(e.getMessage()).lines().findFirst().orElse("")
          + "); build with -Pcuda-natives, and -Pcuda-redist where CUDA and cuDNN are not installed";
    }
  }

  /** Throws unless a function of NVIDIA's libraries returned success, which is 0 in all of them. */
  static void check(String function, int status) {
    if (status != 0) {
      throw new IllegalStateException(function + " returned " + status);
    }
  }

  Device device() {
    return device;
  }

  Stream stream() {
    return stream;
  }

  CUstream_st external() {
    return external;
  }

  /** Enqueues a call many times and waits once, so that what the wait costs is shared. */
  void repeat(int calls, Runnable call) {
    for (int i = 0; i < calls; i++) {
      call.run();
    }
    stream.synchronize();
  }

  /** Memory until the card is closed. */
  DeviceBuffer allocate(long bytes) {
    DeviceBuffer buffer = device.allocate(Math.max(bytes, 1));
    buffers.push(buffer);
    return buffer;
  }

  Tensor empty(DType dtype, long... shape) {
    long bytes = dtype.bytes();
    for (long extent : shape) {
      bytes *= extent;
    }
    return allocate(bytes).tensor(dtype, shape);
  }

  /** The values on the card, as F32 or BF16. */
  Tensor upload(float[] values, DType dtype, long... shape) {
    Tensor tensor = empty(dtype, shape);
    try (DeviceBuffer host =
        device.allocate(MemorySpace.HOST, (long) values.length * dtype.bytes())) {
      fill(host.asByteBuffer(), values, dtype);
      stream.copy(tensor, host.tensor(dtype, shape));
      stream.synchronize();
    }
    return tensor;
  }

  /** The values in host memory, as F32 or BF16. */
  static Tensor onHost(float[] values, DType dtype, long... shape) {
    ByteBuffer memory =
        ByteBuffer.allocateDirect(values.length * dtype.bytes())
            .order(java.nio.ByteOrder.nativeOrder());
    fill(memory, values, dtype);
    return Tensor.wrap(memory, dtype, shape);
  }

  private static void fill(ByteBuffer memory, float[] values, DType dtype) {
    for (int i = 0; i < values.length; i++) {
      if (dtype == DType.F32) {
        memory.putFloat(i * Float.BYTES, values[i]);
      } else {
        memory.putShort(i * Short.BYTES, bfloat16(values[i]));
      }
    }
  }

  /** Rounds a finite number to the nearest bfloat16, to even. */
  private static short bfloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    return (short) ((bits + 0x7fff + (bits >>> 16 & 1)) >>> 16);
  }

  /** The elements of an F32 or BF16 tensor on the card. */
  float[] download(Tensor tensor) {
    float[] values = new float[Math.toIntExact(tensor.elements())];
    boolean isFloat = tensor.dtype() == DType.F32;
    try (DeviceBuffer host =
        device.allocate(MemorySpace.HOST, (long) values.length * tensor.dtype().bytes())) {
      stream.copy(host.tensor(tensor.dtype(), tensor.shape()), tensor);
      stream.synchronize();
      ByteBuffer memory = host.asByteBuffer();
      for (int i = 0; i < values.length; i++) {
        values[i] =
            isFloat
                ? memory.getFloat(i * Float.BYTES)
                : Float.intBitsToFloat(memory.getShort(i * Short.BYTES) << 16);
      }
    }
    return values;
  }

  /** Reproducible normal numbers. */
  static float[] normal(int count, double deviation, long seed) {
    Random random = new Random(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (deviation * random.nextGaussian());
    }
    return values;
  }

  /** Throws unless two results agree: to compare the times of different things is no comparison. */
  static void requireClose(String what, float[] ours, float[] theirs, double tolerance) {
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < ours.length; i++) {
      difference += Math.pow((double) ours[i] - theirs[i], 2);
      norm += Math.pow(theirs[i], 2);
    }
    double error = Math.sqrt(difference / norm);
    if (!(error <= tolerance)) {
      throw new IllegalStateException(
          what + ": the results differ by " + error + "; allowed are " + tolerance);
    }
  }

  /** A device address as the preset's functions take it. */
  static Pointer pointer(Tensor tensor) {
    return new Raw(tensor.address());
  }

  /** An address that nobody frees. */
  private static final class Raw extends Pointer {
    Raw(long address) {
      super((Pointer) null);
      this.address = address;
    }
  }

  @Override
  public void close() {
    stream.close();
    buffers.forEach(DeviceBuffer::close);
    check("cudaStreamDestroy", cudart.cudaStreamDestroy(external));
    device.close();
  }
}
