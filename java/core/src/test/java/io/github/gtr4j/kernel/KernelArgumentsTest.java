package io.github.gtr4j.kernel;

import static io.github.gtr4j.device.TestMemory.bfloats;
import static io.github.gtr4j.device.TestMemory.floats;
import static io.github.gtr4j.device.TestMemory.ints;
import static io.github.gtr4j.device.TestMemory.longs;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.InvalidArgumentException;
import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.DeviceOptions;
import io.github.gtr4j.device.Stream;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.device.TestMemory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Every bad argument of every kernel is an exception that names the operation and the argument. */
class KernelArgumentsTest {
  private Device device;
  private Stream stream;

  @BeforeEach
  void open() {
    device = Device.open(DeviceOptions.cpu().withThreads(1));
    stream = device.newStream();
  }

  @AfterEach
  void close() {
    stream.close();
    assertEquals(0, device.memoryStats().handles());
    device.close();
  }

  private static void assertRefused(String operation, String argument, Executable call) {
    InvalidArgumentException e = assertThrows(InvalidArgumentException.class, call);
    assertEquals(operation, e.operation(), e.getMessage());
    assertEquals(argument, e.argument(), e.getMessage());
    assertTrue(e.getMessage().startsWith(operation + ": "), e.getMessage());
    assertEquals(1, e.getMessage().lines().count(), e.getMessage());
  }

  private static Tensor matrix(long rows, long columns) {
    return floats(new float[Math.toIntExact(rows * columns)], rows, columns);
  }

  private static Tensor vector(int n) {
    return floats(new float[n], n);
  }

  @Test
  void linearCreation() {
    String op = "linear_create";
    assertRefused(op, "device", () -> Linear.create(null, 4, 4, Precision.F32));
    assertRefused(op, "outputs", () -> Linear.create(device, 0, 4, Precision.F32));
    assertRefused(op, "outputs", () -> Linear.create(device, (1 << 24) + 1, 4, Precision.F32));
    assertRefused(op, "inputs", () -> Linear.create(device, 4, -1, Precision.F32));
    assertRefused(op, "precision", () -> Linear.create(device, 4, 4, null));
  }

  @Test
  void linearRows() {
    try (Linear linear = Linear.create(device, 3, 4, Precision.F32)) {
      String op = "linear_set";
      assertRefused(op, "weight", () -> linear.set(0, null, null));
      assertRefused(op, "weight", () -> linear.set(0, matrix(1, 5), null));
      assertRefused(op, "weight", () -> linear.set(0, vector(4), null));
      assertRefused(op, "weight", () -> linear.set(0, matrix(4, 4), null));
      assertRefused(op, "weight", () -> linear.set(2, matrix(2, 4), null));
      assertRefused(op, "weight", () -> linear.set(0, ints(DType.I32, 0).reshape(1, 1), null));
      assertRefused(op, "weight", () -> linear.set(0, matrix(4, 3).permute(1, 0), null));
      assertRefused(op, "first_row", () -> linear.set(-1, matrix(1, 4), null));
      assertRefused(op, "first_row", () -> linear.set(4, matrix(1, 4), null));
      assertRefused(op, "bias", () -> linear.set(0, matrix(2, 4), vector(3)));
      assertRefused(op, "bias", () -> linear.set(0, matrix(2, 4), matrix(1, 2)));
      assertRefused("linear_scratch_size", "rows", () -> linear.scratchBytes(-1));
    }
  }

  @Test
  void linearRun() {
    Tensor x = matrix(2, 4);
    Tensor y = matrix(2, 3);
    Tensor scratch = TestMemory.scratch(1 << 20);
    Activation none = Activation.NONE;
    String op = "linear";
    try (Linear linear = Linear.create(device, 3, 4, Precision.F32);
        Linear other = Linear.create(device, 3, 4, Precision.BF16);
        Device second = Device.open(DeviceOptions.cpu().withThreads(1));
        Stream foreign = second.newStream()) {
      assertRefused(op, "stream", () -> linear.run(null, none, x, null, null, y, scratch));
      assertRefused(op, "stream", () -> linear.run(foreign, none, x, null, null, y, scratch));
      assertRefused(op, "activation", () -> linear.run(stream, null, x, null, null, y, scratch));
      assertRefused(op, "x", () -> linear.run(stream, none, null, null, null, y, scratch));
      assertRefused(op, "x", () -> linear.run(stream, none, matrix(2, 5), null, null, y, scratch));
      assertRefused(
          op,
          "x",
          () -> linear.run(stream, none, bfloats(new float[8], 2, 4), null, null, y, scratch));
      assertRefused(op, "y", () -> linear.run(stream, none, x, null, null, matrix(3, 3), scratch));
      assertRefused(op, "y", () -> linear.run(stream, none, x, null, null, null, scratch));
      assertRefused(op, "gate", () -> linear.run(stream, none, x, matrix(1, 3), null, y, scratch));
      assertRefused(
          op,
          "residual",
          () -> linear.run(stream, none, x, null, bfloats(new float[6], 2, 3), y, scratch));
      // What only the native side sees: overlaps, and outputs that overlap themselves.
      Tensor shared = vector(16);
      Tensor in = shared.withLayout(new long[] {2, 4}, new long[] {4, 1});
      Tensor out = shared.rows(4, 12).withLayout(new long[] {2, 3}, new long[] {3, 1});
      assertRefused(op, "y", () -> linear.run(stream, none, in, null, null, out, scratch));
      Tensor repeated = vector(3).broadcast(2, 3);
      assertRefused(op, "y", () -> linear.run(stream, none, x, null, null, repeated, scratch));
      Tensor readOnly = Tensor.wrap(TestMemory.bytes(24).asReadOnlyBuffer(), DType.F32, 2, 3);
      assertRefused(op, "y", () -> linear.run(stream, none, x, null, null, readOnly, scratch));
      if (other.scratchBytes(2) > 0) {
        assertRefused(op, "scratch", () -> other.run(stream, none, x, null, null, y, null));
      }
      linear.run(stream, none, matrix(2, 4).rows(0, 0), null, null, y.rows(0, 0), scratch);
    }
  }

  @Test
  void layerNorm() {
    Tensor x = matrix(2, 4);
    Tensor y = matrix(2, 4);
    String op = "layer_norm";
    assertRefused(op, "stream", () -> LayerNorm.run(null, x, null, null, null, null, 1e-6, y));
    assertRefused(op, "x", () -> LayerNorm.run(stream, null, null, null, null, null, 1e-6, y));
    assertRefused(op, "x", () -> LayerNorm.run(stream, vector(4), null, null, null, null, 1e-6, y));
    assertRefused(
        op, "weight", () -> LayerNorm.run(stream, x, vector(3), null, null, null, 1e-6, y));
    assertRefused(
        op, "bias", () -> LayerNorm.run(stream, x, null, matrix(1, 4), null, null, 1e-6, y));
    assertRefused(
        op, "shift", () -> LayerNorm.run(stream, x, null, null, matrix(2, 4), null, 1e-6, y));
    assertRefused(
        op, "scale", () -> LayerNorm.run(stream, x, null, null, null, matrix(2, 4), 1e-6, y));
    assertRefused(
        op,
        "scale",
        () -> LayerNorm.run(stream, x, null, null, matrix(1, 4), matrix(2, 4), 1e-6, y));
    for (double epsilon : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertRefused(
          op, "epsilon", () -> LayerNorm.run(stream, x, null, null, null, null, epsilon, y));
    }
    assertRefused(
        op, "y", () -> LayerNorm.run(stream, x, null, null, null, null, 1e-6, matrix(2, 3)));
    assertRefused(
        op,
        "y",
        () -> LayerNorm.run(stream, matrix(3, 4).rows(0, 2), null, null, null, null, 1e-6, null));
    Tensor three = matrix(3, 4);
    assertRefused(
        op,
        "y",
        () ->
            LayerNorm.run(
                stream, three.rows(0, 2), null, null, null, null, 1e-6, three.rows(1, 2)));
  }

  @Test
  void attention() {
    Tensor q = floats(new float[2 * 3 * 8], 1, 3, 2, 8);
    Tensor k = floats(new float[2 * 5 * 8], 1, 5, 2, 8);
    Tensor out = floats(new float[2 * 3 * 8], 1, 3, 2, 8);
    Tensor mask = TestMemory.bytes(new byte[30], 1, 2, 3, 5);
    Tensor scratch = TestMemory.scratch(1 << 20);
    String op = "attention";
    Precision f32 = Precision.F32;
    assertRefused(
        op, "stream", () -> Attention.run(null, f32, 1, q, k, k, null, null, null, out, scratch));
    assertRefused(
        op,
        "precision",
        () -> Attention.run(stream, null, 1, q, k, k, null, null, null, out, scratch));
    for (double scale : new double[] {Double.NaN, Double.NEGATIVE_INFINITY}) {
      assertRefused(
          op,
          "scale",
          () -> Attention.run(stream, f32, scale, q, k, k, null, null, null, out, scratch));
    }
    assertRefused(
        op, "q", () -> Attention.run(stream, f32, 1, null, k, k, null, null, null, out, scratch));
    Tensor narrow = floats(new float[12], 1, 3, 1, 4);
    assertRefused(
        op, "q", () -> Attention.run(stream, f32, 1, narrow, k, k, null, null, null, out, scratch));
    assertRefused(
        op,
        "q",
        () ->
            Attention.run(
                stream, f32, 1, q.permute(0, 1, 3, 2), k, k, null, null, null, out, scratch));
    assertRefused(
        op, "k", () -> Attention.run(stream, f32, 1, q, narrow, k, null, null, null, out, scratch));
    assertRefused(
        op, "v", () -> Attention.run(stream, f32, 1, q, k, q, null, null, null, out, scratch));
    assertRefused(
        op,
        "query_lengths",
        () ->
            Attention.run(
                stream, f32, 1, q, k, k, ints(DType.I32, 1, 1), null, null, out, scratch));
    assertRefused(
        op,
        "key_lengths",
        () -> Attention.run(stream, f32, 1, q, k, k, null, ints(DType.U32, 1), null, out, scratch));
    for (int length : new int[] {-1, 6}) { // values are the native side's to check
      assertRefused(
          op,
          "key_lengths",
          () ->
              Attention.run(
                  stream, f32, 1, q, k, k, null, ints(DType.I32, length), null, out, scratch));
    }
    assertRefused(
        op,
        "query_lengths",
        () -> Attention.run(stream, f32, 1, q, k, k, ints(DType.I32, 4), null, null, out, scratch));
    assertRefused(
        op,
        "mask",
        () ->
            Attention.run(stream, f32, 1, q, k, k, null, null, mask.slice(3, 0, 4), out, scratch));
    assertRefused(
        op, "out", () -> Attention.run(stream, f32, 1, q, k, k, null, null, null, k, scratch));
    assertRefused(
        op, "out", () -> Attention.run(stream, f32, 1, q, k, k, null, null, null, q, scratch));
    String size = "attention_scratch_size";
    assertRefused(size, "device", () -> Attention.scratchBytes(null, Precision.F32, 1, 1, 1, 1, 8));
    assertRefused(size, "precision", () -> Attention.scratchBytes(device, null, 1, 1, 1, 1, 8));
    assertRefused(
        size, "head_dim", () -> Attention.scratchBytes(device, Precision.F32, 1, 1, 1, 1, 12));
    assertRefused(
        size, "batch", () -> Attention.scratchBytes(device, Precision.F32, -1, 1, 1, 1, 8));
  }

  @Test
  void rows() {
    Tensor x = matrix(3, 2);
    Tensor y = matrix(2, 2);
    Tensor index = ints(DType.I32, 0, 2);
    assertRefused("embed", "stream", () -> Rows.embed(null, x, null, index, null, null, y));
    assertRefused("embed", "first", () -> Rows.embed(stream, null, null, index, null, null, y));
    assertRefused(
        "embed", "second", () -> Rows.embed(stream, x, matrix(1, 3), index, null, null, y));
    assertRefused("embed", "index", () -> Rows.embed(stream, x, null, vector(2), null, null, y));
    assertRefused("embed", "position_index", () -> Rows.embed(stream, x, null, index, x, null, y));
    assertRefused("embed", "position", () -> Rows.embed(stream, x, null, index, null, index, y));
    assertRefused(
        "embed",
        "position_index",
        () -> Rows.embed(stream, x, null, index, x, ints(DType.I32, 0), y));
    assertRefused("embed", "y", () -> Rows.embed(stream, x, null, index, null, null, x));
    for (int bad : new int[] {3, -1}) { // -1 needs a second table
      assertRefused(
          "embed",
          "index",
          () -> Rows.embed(stream, x, null, ints(DType.I32, 0, bad), null, null, y));
      assertRefused("gather", "index", () -> Rows.gather(stream, x, ints(DType.I32, 0, bad), y));
      assertRefused(
          "scatter", "index", () -> Rows.scatter(stream, y, ints(DType.I32, 0, bad), matrix(3, 2)));
    }
    assertRefused("gather", "stream", () -> Rows.gather(null, x, index, y));
    assertRefused("gather", "x", () -> Rows.gather(stream, vector(2), index, y));
    assertRefused("gather", "index", () -> Rows.gather(stream, x, null, y));
    assertRefused("gather", "y", () -> Rows.gather(stream, x, index, bfloats(new float[4], 2, 2)));
    assertRefused("scatter", "stream", () -> Rows.scatter(null, y, index, x));
    assertRefused("scatter", "index", () -> Rows.scatter(stream, y, ints(DType.I32, 1), x));
    assertRefused("scatter", "y", () -> Rows.scatter(stream, y, index, matrix(3, 3)));
    Tensor both = matrix(4, 2);
    assertRefused(
        "gather", "y", () -> Rows.gather(stream, both.rows(0, 3), index, both.rows(2, 2)));
  }

  @Test
  void noise() {
    Tensor y = matrix(2, 4);
    Tensor seed = longs(1, 2);
    Tensor u = ints(DType.U32, 1, 2);
    assertRefused("noise", "stream", () -> Noise.fill(null, seed, u, u, u, y));
    assertRefused("noise", "seed", () -> Noise.fill(stream, u, u, u, u, y));
    assertRefused("noise", "image", () -> Noise.fill(stream, seed, seed, u, u, y));
    assertRefused("noise", "cell", () -> Noise.fill(stream, seed, u, ints(DType.U32, 1), u, y));
    assertRefused("noise", "draw", () -> Noise.fill(stream, seed, u, u, null, y));
    assertRefused("noise", "y", () -> Noise.fill(stream, seed, u, u, u, vector(2)));
  }

  @Test
  void frequencyEnergyAndTopFraction() {
    Tensor z = matrix(2, 4);
    Tensor scratch = TestMemory.scratch(1 << 16);
    String energy = "frequency_energy";
    assertRefused(energy, "stream", () -> FrequencyEnergy.run(null, z, vector(2), scratch));
    assertRefused(energy, "z", () -> FrequencyEnergy.run(stream, matrix(2, 1), vector(2), scratch));
    assertRefused(energy, "score", () -> FrequencyEnergy.run(stream, z, vector(3), scratch));
    assertRefused(
        "frequency_energy_scratch_size", "dim", () -> FrequencyEnergy.scratchBytes(device, 1, 1));
    String top = "top_fraction";
    Tensor score = vector(4);
    Tensor cell = ints(DType.U32, 0, 1, 2, 3);
    Tensor place = ints(DType.I32, 0, 0, 0, 0);
    Segments good = new Segments(1);
    good.add(0, 4, 1, 0, 1);
    assertRefused(top, "stream", () -> TopFraction.run(null, score, cell, good, place, scratch));
    assertRefused(top, "score", () -> TopFraction.run(stream, z, cell, good, place, scratch));
    assertRefused(top, "cell", () -> TopFraction.run(stream, score, place, good, place, scratch));
    assertRefused(
        top, "segments", () -> TopFraction.run(stream, score, cell, null, place, scratch));
    assertRefused(top, "place", () -> TopFraction.run(stream, score, cell, good, cell, scratch));
    int[][] bad = {
      {0, 5, 1, 0, 1},
      {-1, 4, 1, 0, 1},
      {0, 4, 5, 0, 1},
      {0, 4, 1, 4, 1},
      {0, 4, 1, 0, 2},
      {0, 4, 2, 0, 1}
    };
    for (int[] b : bad) {
      Segments segments = new Segments(1);
      segments.add(b[0], b[1], b[2], b[3], b[4]);
      assertRefused(
          top, "segments", () -> TopFraction.run(stream, score, cell, segments, place, scratch));
    }
    assertRefused("segments", "segments", () -> good.add(0, 1, 0, 0, 0));
    assertRefused("segments", "capacity", () -> new Segments(0));
    for (double fraction : new double[] {-0.1, 1.1, Double.NaN}) {
      assertRefused("top_fraction_count", "fraction", () -> TopFraction.count(fraction, 3));
    }
    assertRefused("top_fraction_count", "n", () -> TopFraction.count(0.5, -1));
  }

  @Test
  void tables() {
    for (int steps : new int[] {0, -1, 1001}) {
      assertRefused("diffusion_table", "steps", () -> DiffusionTable.of(steps));
    }
  }

  @Test
  void headCreationAndTensors() {
    String op = "head_create";
    HeadShape good = new HeadShape(4, 8, 16, 1);
    assertRefused(op, "device", () -> DiffusionHead.create(null, good, Precision.F32));
    assertRefused(op, "shape", () -> DiffusionHead.create(device, null, Precision.F32));
    assertRefused(op, "precision", () -> DiffusionHead.create(device, good, null));
    assertRefused(op, "channels", () -> head(new HeadShape(0, 8, 16, 1)));
    assertRefused(op, "condition", () -> head(new HeadShape(4, 65537, 16, 1)));
    assertRefused(op, "width", () -> head(new HeadShape(4, 8, -16, 1)));
    assertRefused(op, "blocks", () -> head(new HeadShape(4, 8, 16, 1025)));
    try (DiffusionHead head = head(good)) {
      String set = "head_set";
      assertRefused(set, "name", () -> head.set(null, 0, vector(16)));
      assertRefused(set, "value", () -> head.set("cond_embed.bias", 0, null));
      assertRefused(set, "name", () -> head.set("res_blocks.1.in_ln.weight", 0, vector(16)));
      assertRefused(set, "name", () -> head.set("nonsense\nname", 0, vector(16)));
      assertRefused(set, "value", () -> head.set("cond_embed.bias", 0, vector(17)));
      assertRefused(set, "value", () -> head.set("cond_embed.weight", 0, matrix(16, 7)));
      assertRefused(set, "value", () -> head.set("cond_embed.bias", 0, ints(DType.I32, 1)));
      assertRefused(set, "first_row", () -> head.set("cond_embed.bias", -1, vector(1)));
      // Every tensor must be there before the first use; the message names the one that is not.
      Tensor scratch = TestMemory.scratch(1 << 20);
      InvalidArgumentException e =
          assertThrows(
              InvalidArgumentException.class,
              () ->
                  head.forward(
                      stream,
                      matrix(1, 4),
                      ints(DType.I32, 1),
                      matrix(1, 8),
                      matrix(1, 8),
                      scratch));
      assertEquals("head", e.argument());
      assertTrue(e.getMessage().contains("time_embed.mlp.0.weight"), e.getMessage());
    }
  }

  private DiffusionHead head(HeadShape shape) {
    return DiffusionHead.create(device, shape, Precision.F32);
  }

  @Test
  void headRun() {
    try (DiffusionHead head = head(new HeadShape(16, 64, 64, 2));
        Vectors model = new Vectors("tiny")) {
      Vectors.setHead(head, model.file());
      Tensor x = matrix(2, 16);
      Tensor t = ints(DType.I32, 0, 999);
      Tensor z = matrix(2, 64);
      Tensor out = matrix(2, 32);
      Tensor scratch = TestMemory.scratch(1 << 22);
      String op = "head_forward";
      assertRefused(op, "stream", () -> head.forward(null, x, t, z, out, scratch));
      assertRefused(op, "x", () -> head.forward(stream, matrix(2, 15), t, z, out, scratch));
      assertRefused(op, "t", () -> head.forward(stream, x, ints(DType.I32, 1), z, out, scratch));
      assertRefused(op, "z", () -> head.forward(stream, x, t, matrix(2, 63), out, scratch));
      assertRefused(op, "out", () -> head.forward(stream, x, t, z, matrix(2, 16), scratch));
      assertRefused(op, "scratch", () -> head.forward(stream, x, t, z, out, null));
      for (int bad : new int[] {-1, 1000}) {
        assertRefused(
            op, "t", () -> head.forward(stream, x, ints(DType.I32, 0, bad), z, out, scratch));
      }
      assertRefused("head_forward_scratch_size", "rows", () -> head.forwardScratchBytes(-1));
    }
  }

  @Test
  void chains() {
    try (DiffusionHead head = head(new HeadShape(16, 64, 64, 2));
        Vectors model = new Vectors("tiny")) {
      Vectors.setHead(head, model.file());
      Tensor scratch = TestMemory.scratch(1 << 24);
      Tensor x = matrix(3, 16);
      String prepare = "head_chain_prepare";
      assertRefused(prepare, "stream", () -> head.prepareChain(null, chain(), scratch));
      assertRefused(prepare, "arguments", () -> head.prepareChain(stream, null, scratch));
      assertRefused(
          prepare, "groups", () -> head.prepareChain(stream, chain().clearGroups(), scratch));
      assertRefused(prepare, "scratch", () -> head.prepareChain(stream, chain(), null));
      assertRefused(
          prepare,
          "scratch_size",
          () -> head.prepareChain(stream, chain(), TestMemory.scratch(256)));
      String op = "head_chain";
      assertRefused(op, "stream", () -> head.chain(null, chain(), x, scratch));
      assertRefused(op, "arguments", () -> head.chain(stream, null, x, scratch));
      assertRefused(op, "groups", () -> head.chain(stream, chain().clearGroups(), x, scratch));
      assertRefused(op, "x", () -> head.chain(stream, chain(), matrix(2, 16), scratch));
      assertRefused(op, "x", () -> head.chain(stream, chain(), null, scratch));
      assertRefused(op, "z", () -> head.chain(stream, chain().z(null), x, scratch));
      assertRefused(op, "z", () -> head.chain(stream, chain().z(matrix(2, 64)), x, scratch));
      assertRefused(
          op,
          "z_unconditional",
          () -> head.chain(stream, chain().zUnconditional(null), x, scratch));
      assertRefused(op, "cfg", () -> head.chain(stream, chain().cfg(null), x, scratch));
      assertRefused(op, "seed", () -> head.chain(stream, chain().seed(vector(3)), x, scratch));
      assertRefused(op, "image", () -> head.chain(stream, chain().image(null), x, scratch));
      assertRefused(
          op, "cell", () -> head.chain(stream, chain().cell(ints(DType.U32, 1)), x, scratch));
      assertRefused(
          op, "temperature", () -> head.chain(stream, chain().temperature(null), x, scratch));
      assertRefused(
          op, "place", () -> head.chain(stream, chain().place(ints(DType.I32, 1)), x, scratch));
      // Values are the native side's to check.
      for (int[] places : new int[][] {{0, 1, 3}, {0, 1, -1}, {0, 1, 1}}) {
        assertRefused(
            op,
            "chain.place",
            () -> head.chain(stream, chain().place(ints(DType.I32, places)), x, scratch));
      }
      for (float bad : new float[] {-1, Float.NaN, Float.POSITIVE_INFINITY}) {
        Tensor values = floats(new float[] {1, bad, 1}, 3);
        assertRefused(op, "chain.cfg", () -> head.chain(stream, chain().cfg(values), x, scratch));
        assertRefused(
            op,
            "chain.temperature",
            () -> head.chain(stream, chain().temperature(values), x, scratch));
      }
      assertRefused(op, "scratch", () -> head.chain(stream, chain(), x, null));
      assertRefused("head_step", "index", () -> head.step(stream, chain(), 5, x, scratch));
      assertRefused("head_step", "index", () -> head.step(stream, chain(), -1, x, scratch));
      head.chain(stream, chain(), x, scratch);
    }
  }

  private static ChainArguments chain() {
    return new ChainArguments(2)
        .addGroup(1, 5, true)
        .addGroup(2, 2, true)
        .z(matrix(3, 64))
        .zUnconditional(matrix(3, 64))
        .seed(longs(1).broadcast(3))
        .image(ints(DType.U32, 1, 2, 3))
        .cell(ints(DType.U32, 1, 2, 3))
        .cfg(vector(3))
        .temperature(vector(3));
  }

  @Test
  void chainArguments() {
    String op = "chain_arguments";
    assertRefused(op, "group_capacity", () -> new ChainArguments(0));
    ChainArguments arguments = new ChainArguments(2).addGroup(1, 5, false);
    assertRefused(op, "rows", () -> arguments.addGroup(0, 5, false));
    assertRefused(op, "steps", () -> arguments.addGroup(1, 0, false));
    assertRefused(op, "steps", () -> arguments.addGroup(1, 6, false));
    assertRefused(op, "steps", () -> new ChainArguments(1).addGroup(1, 1001, false));
    arguments.addGroup(1, 5, false);
    assertRefused(op, "groups", () -> arguments.addGroup(1, 5, false));
    for (double clip : new double[] {-1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertRefused(op, "x0_clip", () -> arguments.x0Clip(clip));
    }
    assertRefused(op, "modulation_bytes", () -> arguments.modulationBytes(-1));
  }
}
