package io.github.gtr4j.kernel;

import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.DeviceBuffer;
import io.github.gtr4j.device.DeviceOptions;
import io.github.gtr4j.device.Stream;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.device.TestMemory;
import java.util.ArrayList;
import java.util.List;

/** Calls every kernel on small tensors that were made before. */
final class EveryKernel implements AutoCloseable {
  final Device device;
  final Stream stream;
  final Linear linear;
  final DiffusionHead head;
  private final List<DeviceBuffer> memory = new ArrayList<>();
  private final Tensor scratch;
  private final Tensor x;
  private final Tensor y;
  private final Tensor index;
  private final Tensor places;
  private final Tensor cells;
  private final Tensor seed;
  private final Tensor score;
  private final Tensor q;
  private final Tensor out;
  private final Tensor z;
  private final Tensor token;
  private final Tensor time;
  private final Tensor headOut;
  private final Segments segments;
  private final ChainArguments chain;

  /** On one thread of the CPU. */
  EveryKernel() {
    this(DeviceOptions.cpu().withThreads(1));
  }

  EveryKernel(DeviceOptions options) {
    device = Device.open(options);
    stream = device.newStream();
    linear = Linear.create(device, 8, 8, Precision.F32);
    head = DiffusionHead.create(device, new HeadShape(16, 64, 64, 2), Precision.F32);
    linear.set(0, TestMemory.floats(cosines(64), 8, 8), null);
    scratch = allocate(1 << 22).tensor(DType.U8, 1 << 22);
    x = allocate(4 * 8 * 8).tensor(DType.F32, 8, 8);
    y = on(TestMemory.floats(new float[64], 8, 8));
    index = on(TestMemory.ints(DType.I32, 7, 6, 5, 4, 3, 2, 1, 0));
    places = on(TestMemory.ints(DType.I32, new int[8]));
    cells = on(TestMemory.ints(DType.U32, 7, 6, 5, 4, 3, 2, 1, 0));
    seed = on(TestMemory.longs(1)).broadcast(8);
    score = on(TestMemory.floats(new float[8], 8));
    q = on(TestMemory.floats(cosines(64), 1, 8, 1, 8));
    out = on(TestMemory.floats(new float[64], 1, 8, 1, 8));
    z = on(TestMemory.floats(new float[64], 1, 64));
    token = on(TestMemory.floats(new float[16], 1, 16));
    time = on(TestMemory.ints(DType.I32, 500));
    headOut = on(TestMemory.floats(new float[32], 1, 32));
    segments = new Segments(1);
    chain =
        new ChainArguments(1)
            .z(z)
            .seed(on(TestMemory.longs(1)))
            .image(on(TestMemory.ints(DType.U32, 1)))
            .cell(on(TestMemory.ints(DType.U32, 1)))
            .temperature(on(TestMemory.floats(new float[] {1}, 1)))
            .modulationBytes(1 << 16);
    try (Vectors model = new Vectors("tiny")) {
      Vectors.setHead(head, model.file());
    }
  }

  private static float[] cosines(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) Math.cos(i);
    }
    return values;
  }

  private DeviceBuffer allocate(long bytes) {
    DeviceBuffer buffer = device.allocate(bytes);
    memory.add(buffer);
    return buffer;
  }

  /** A host tensor where the device's kernels reach it. */
  private Tensor on(Tensor host) {
    if (!device.isAsynchronous()) {
      return host;
    }
    long bytes = host.elements() * host.dtype().bytes();
    Tensor tensor = allocate(bytes).tensor(host.dtype(), host.shape());
    stream.copy(tensor, host);
    stream.synchronize();
    return tensor;
  }

  /** What the last run left in a tensor. */
  private Tensor onHost(Tensor tensor) {
    Tensor host =
        Tensor.wrap(
            TestMemory.bytes(tensor.elements() * tensor.dtype().bytes()),
            tensor.dtype(),
            tensor.shape());
    stream.copy(host, tensor);
    stream.synchronize();
    return host;
  }

  /** Everything that a run writes, but for the places. */
  List<float[]> results() {
    List<float[]> results = new ArrayList<>();
    for (Tensor tensor : new Tensor[] {x, y, out, score, headOut, token}) {
      results.add(TestMemory.floats(onHost(tensor)));
    }
    return results;
  }

  /** The places that a run writes. */
  int[] places() {
    return TestMemory.ints(onHost(places));
  }

  /** Gathers with an index that does not exist. */
  void gatherOutOfRange() {
    Rows.gather(stream, x, on(TestMemory.ints(DType.I32, 0, 8)), y.rows(0, 2));
  }

  /** A chain of many steps. */
  void enqueueLongChain() {
    chain.clearGroups().addGroup(1, 1000, false);
    head.chain(stream, chain, token, scratch);
  }

  void run() {
    enqueue();
    stream.synchronize();
  }

  /** A run, without the wait for its end. */
  void enqueue() {
    Noise.fill(stream, seed, cells, cells, cells, x);
    linear.run(stream, Activation.GELU, x, null, null, y, scratch);
    LayerNorm.run(stream, y, null, null, null, null, 1e-6, y);
    Rows.embed(stream, y, null, index, null, null, x);
    Rows.gather(stream, x, index, y);
    Rows.scatter(stream, x, index, y);
    Attention.run(stream, Precision.F32, 1, q, q, q, null, null, null, out, scratch);
    FrequencyEnergy.run(stream, y, score, scratch);
    segments.clear();
    segments.add(0, 8, 2, 0, 2);
    TopFraction.run(stream, score, cells, segments, places, scratch);
    head.forward(stream, token, time, z, headOut, scratch);
    chain.clearGroups().addGroup(1, 2, false);
    head.prepareChain(stream, chain, scratch);
    head.chain(stream, chain, token, scratch);
    head.step(stream, chain, 0, token, scratch);
  }

  @Override
  public void close() {
    if (!stream.isClosed()) {
      stream.synchronize();
    }
    memory.forEach(DeviceBuffer::close);
    head.close();
    linear.close();
    stream.close();
    device.close();
  }
}
