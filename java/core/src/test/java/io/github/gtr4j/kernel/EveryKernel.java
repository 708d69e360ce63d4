package io.github.gtr4j.kernel;

import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.DeviceBuffer;
import io.github.gtr4j.device.DeviceOptions;
import io.github.gtr4j.device.Stream;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.device.TestMemory;

/** Calls every kernel on small tensors that were made before. */
final class EveryKernel implements AutoCloseable {
  final Device device = Device.open(DeviceOptions.cpu().withThreads(1));
  final Stream stream = device.newStream();
  private final Linear linear = Linear.create(device, 8, 8, Precision.F32);
  private final DiffusionHead head =
      DiffusionHead.create(device, new HeadShape(16, 64, 64, 2), Precision.F32);
  private final DeviceBuffer scratchMemory = device.allocate(1 << 22);
  private final DeviceBuffer xMemory = device.allocate(4 * 8 * 8);
  private final Tensor scratch = scratchMemory.tensor(DType.U8, scratchMemory.size());
  private final Tensor x = xMemory.tensor(DType.F32, 8, 8);
  private final Tensor y = TestMemory.floats(new float[64], 8, 8);
  private final Tensor index = TestMemory.ints(DType.I32, 7, 6, 5, 4, 3, 2, 1, 0);
  private final Tensor places = TestMemory.ints(DType.I32, new int[8]);
  private final Tensor cells = TestMemory.ints(DType.U32, 7, 6, 5, 4, 3, 2, 1, 0);
  private final Tensor seed = TestMemory.longs(1).broadcast(8);
  private final Tensor score = TestMemory.floats(new float[8], 8);
  private final Tensor q = TestMemory.floats(new float[64], 1, 8, 1, 8);
  private final Tensor out = TestMemory.floats(new float[64], 1, 8, 1, 8);
  private final Tensor z = TestMemory.floats(new float[64], 1, 64);
  private final Tensor token = TestMemory.floats(new float[16], 1, 16);
  private final Tensor time = TestMemory.ints(DType.I32, 500);
  private final Tensor headOut = TestMemory.floats(new float[32], 1, 32);
  private final Segments segments = new Segments(1);
  private final ChainArguments chain =
      new ChainArguments(1)
          .z(z)
          .seed(TestMemory.longs(1))
          .image(TestMemory.ints(DType.U32, 1))
          .cell(TestMemory.ints(DType.U32, 1))
          .temperature(TestMemory.floats(new float[] {1}, 1))
          .modulationBytes(1 << 16);

  EveryKernel() {
    try (Vectors model = new Vectors("tiny")) {
      Vectors.setHead(head, model.file());
    }
  }

  void run() {
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
    head.chain(stream, chain, token, scratch);
    head.step(stream, chain, 0, token, scratch);
    stream.synchronize();
  }

  @Override
  public void close() {
    xMemory.close();
    scratchMemory.close();
    head.close();
    linear.close();
    stream.close();
    device.close();
  }
}
