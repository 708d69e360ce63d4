package io.github.gtr4j.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.checkpoint.SafetensorsFile;
import io.github.gtr4j.device.CpuTier;
import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.DeviceBuffer;
import io.github.gtr4j.device.DeviceOptions;
import io.github.gtr4j.device.Stream;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.device.TestMemory;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every kernel that has golden vectors, called from Java, on every tier that this machine has. */
class GoldenKernelTest {
  private static Vectors tiny;

  @BeforeAll
  static void open() {
    tiny = new Vectors("tiny_cases");
  }

  @AfterAll
  static void close() {
    tiny.close();
  }

  static List<CpuTier> tiers() {
    return Arrays.stream(CpuTier.values())
        .filter(t -> t != CpuTier.AUTO && t.isAvailable())
        .toList();
  }

  /** A body that runs on one device and its stream; afterwards the device must be clean. */
  private interface Body {
    void run(Device device, Stream stream);
  }

  private static void on(CpuTier tier, Body body) {
    try (Device device = Device.open(DeviceOptions.cpu().withTier(tier).withThreads(2))) {
      long before = device.memoryStats().liveBytes();
      try (Stream stream = device.newStream()) {
        body.run(device, stream);
      }
      assertEquals(before, device.memoryStats().liveBytes(), "native memory is given back");
    }
  }

  private static DeviceBuffer scratch(Device device, long bytes) {
    return device.allocate(Math.max(1, bytes));
  }

  private static Tensor all(DeviceBuffer buffer) {
    return buffer.tensor(DType.U8, buffer.size());
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void attentionWithLengths(CpuTier tier) {
    for (int dim : new int[] {16, 64, 80}) {
      String name = "attention.d" + dim + ".";
      Tensor q = tiny.floats(name + "q");
      Tensor k = tiny.floats(name + "k");
      Tensor v = tiny.floats(name + "v");
      Tensor lengths = tiny.ints(name + "key_lengths", DType.I32);
      Tensor out = TestMemory.poisoned(q.shape());
      attend(tier, q, k, v, lengths, null, out);
      Vectors.assertClose(
          tiny.file().readFloats(name + "out_lengths"), TestMemory.floats(out), 1e-5);
    }
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void attentionWithAMaskThatIsSharedByHeads(CpuTier tier) {
    for (int dim : new int[] {16, 64, 80}) {
      String name = "attention.d" + dim + ".";
      Tensor q = tiny.floats(name + "q");
      Tensor k = tiny.floats(name + "k");
      Tensor v = tiny.floats(name + "v");
      byte[] mask = new byte[(int) (q.shape(0) * q.shape(1) * k.shape(1))];
      tiny.file()
          .read(
              tiny.file().tensor(name + "mask"),
              (first, count, window) ->
                  window.get(mask, (int) (first * window.remaining() / count), window.remaining()));
      Tensor shared =
          TestMemory.bytes(mask, q.shape(0), 1, q.shape(1), k.shape(1))
              .broadcast(q.shape(0), q.shape(2), q.shape(1), k.shape(1));
      Tensor out = TestMemory.poisoned(q.shape());
      attend(tier, q, k, v, null, shared, out);
      float[] values = TestMemory.floats(out);
      Vectors.assertClose(tiny.file().readFloats(name + "out_mask"), values, 1e-5);
    }
  }

  private static void attend(
      CpuTier tier, Tensor q, Tensor k, Tensor v, Tensor lengths, Tensor mask, Tensor out) {
    on(
        tier,
        (device, stream) -> {
          long bytes =
              Attention.scratchBytes(
                  device,
                  Precision.F32,
                  q.shape(0),
                  q.shape(1),
                  k.shape(1),
                  q.shape(2),
                  q.shape(3));
          try (DeviceBuffer scratch = scratch(device, bytes)) {
            Attention.run(
                stream,
                Precision.F32,
                1 / Math.sqrt(q.shape(3)),
                q,
                k,
                v,
                null,
                lengths,
                mask,
                out,
                all(scratch));
          }
        });
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void frequencyEnergy(CpuTier tier) {
    on(
        tier,
        (device, stream) -> {
          for (int dim : new int[] {5, 64, 192, 768, 1024, 1280, 1536}) {
            Tensor z = tiny.floats("frequency.d" + dim + ".z");
            Tensor score = TestMemory.poisoned(z.shape(0));
            try (DeviceBuffer scratch =
                scratch(device, FrequencyEnergy.scratchBytes(device, z.shape(0), dim))) {
              FrequencyEnergy.run(stream, z, score, all(scratch));
            }
            float[] expected = tiny.file().readFloats("frequency.d" + dim + ".score");
            Vectors.assertClose(expected, TestMemory.floats(score), 1e-5);
          }
        });
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 100})
  void noise(int draw) {
    Tensor image = tiny.ints("noise.image", DType.U32);
    Tensor cell = tiny.ints("noise.cell", DType.U32);
    long rows = image.shape(0);
    Tensor seed = TestMemory.longs(tiny.file().readLongs("noise.seed")).broadcast(rows);
    Tensor draws = TestMemory.ints(DType.U32, draw).broadcast(rows);
    Tensor y = TestMemory.poisoned(rows, 18);
    on(CpuTier.AUTO, (device, stream) -> Noise.fill(stream, seed, image, cell, draws, y));
    assertArrayEquals(tiny.file().readFloats("noise.draw" + draw), TestMemory.floats(y));
  }

  @Test
  void philoxWords() {
    long[] expected = tiny.file().readLongs("noise.raw_words_draw0_block0");
    long[] image = tiny.file().readLongs("noise.image");
    long[] cell = tiny.file().readLongs("noise.cell");
    long seed = tiny.file().readLongs("noise.seed")[0];
    for (int i = 0; i < image.length; i++) {
      int[] words = Noise.philox(seed, 0, 0, (int) cell[i], (int) image[i]);
      for (int w = 0; w < 4; w++) {
        assertEquals(expected[4 * i + w], Integer.toUnsignedLong(words[w]));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 20, 21, 23, 27, 31, 35, 39, 50, 100})
  void diffusionTables(int steps) {
    List<DiffusionStep> table = DiffusionTable.of(steps);
    String name = "diffusion" + steps + ".";
    long[] timestep = tiny.file().readLongs(name + "timestep");
    assertEquals(steps, table.size());
    for (int i = 0; i < steps; i++) {
      DiffusionStep s = table.get(i);
      assertEquals(timestep[i], s.baseStep());
      assertNear(name + "beta", i, s.beta());
      assertNear(name + "acp", i, s.alphaBar());
      assertNear(name + "minlog", i, s.minLogVariance());
      assertNear(name + "maxlog", i, s.maxLogVariance());
      assertNear(name + "c1", i, s.x0Coefficient());
      assertNear(name + "c2", i, s.xCoefficient());
      assertNear(name + "r", i, s.reciprocalRoot());
      assertNear(name + "rm1", i, s.reciprocalRootMinus1());
    }
  }

  private static void assertNear(String name, int i, double actual) {
    double expected = tiny.file().readDoubles(name)[i];
    assertTrue(
        Math.abs(actual - expected) <= 1e-12 + 1e-9 * Math.abs(expected),
        name + "[" + i + "] is " + actual + ", not " + expected);
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void headForward(CpuTier tier) {
    headForward(tier, Precision.F32, 1e-4);
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void headForwardInBfloat16(CpuTier tier) {
    headForward(tier, Precision.BF16, 3e-2);
  }

  private static void headForward(CpuTier tier, Precision precision, double limit) {
    on(
        tier,
        (device, stream) -> {
          Tensor x = tiny.floats("head.x");
          Tensor out = TestMemory.poisoned(x.shape(0), 2 * x.shape(1));
          try (DiffusionHead head = tinyHead(device, precision);
              DeviceBuffer scratch = scratch(device, head.forwardScratchBytes(x.shape(0)))) {
            head.forward(
                stream,
                x,
                tiny.ints("head.t", DType.I32),
                tiny.floats("head.z"),
                out,
                all(scratch));
          }
          Vectors.assertClose(tiny.file().readFloats("head.out"), TestMemory.floats(out), limit);
        });
  }

  private static DiffusionHead tinyHead(Device device, Precision precision) {
    DiffusionHead head = DiffusionHead.create(device, new HeadShape(16, 64, 64, 2), precision);
    try (Vectors model = new Vectors("tiny")) {
      Vectors.setHead(head, model.file());
    }
    return head;
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void chainOfOneStep(CpuTier tier) {
    on(tier, (device, stream) -> chain(device, stream, false, 5));
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void guidedChainOfOneStep(CpuTier tier) {
    on(tier, (device, stream) -> chain(device, stream, true, 5));
  }

  private static void chain(Device device, Stream stream, boolean guided, int rows) {
    String name = guided ? "chain_guided." : "chain.";
    Tensor z = tiny.floats(name + "z");
    ChainArguments arguments =
        new ChainArguments(2)
            .addGroup(new ChainGroup(rows, 1, guided))
            .z(z.rows(0, rows))
            .zUnconditional(guided ? z.rows(rows, rows) : null)
            .seed(TestMemory.longs(tiny.file().readLongs("chain.seed")).broadcast(rows))
            .image(tiny.ints(name + "image", DType.U32))
            .cell(tiny.ints(name + "cell", DType.U32))
            .cfg(guided ? tiny.floats("chain_guided.cfg").broadcast(rows) : null)
            .temperature(tiny.floats("chain.temperature").broadcast(rows));
    Tensor x = TestMemory.poisoned(rows, 16);
    try (DiffusionHead head = tinyHead(device, Precision.F32);
        DeviceBuffer scratch = scratch(device, head.chainScratchBytes(arguments))) {
      head.chain(stream, arguments, x, all(scratch));
    }
    Vectors.assertClose(tiny.file().readFloats(name + "x0_T1"), TestMemory.floats(x), 1e-4);
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void aChainEqualsItsStepsBitForBit(Precision precision) {
    int rows = 5;
    on(
        CpuTier.AUTO,
        (device, stream) -> {
          Tensor image = tiny.ints("chain.image", DType.U32);
          Tensor cell = tiny.ints("chain.cell", DType.U32);
          Tensor seed = TestMemory.longs(77).broadcast(rows);
          ChainArguments arguments =
              new ChainArguments(3)
                  .addGroup(2, 7, true)
                  .addGroup(1, 7, false)
                  .addGroup(2, 3, true)
                  .place(TestMemory.ints(DType.I32, 4, 0, 2, 1, 3))
                  .z(tiny.floats("chain_guided.z").rows(0, rows))
                  .zUnconditional(tiny.floats("chain_guided.z").rows(rows, rows))
                  .seed(seed)
                  .image(image)
                  .cell(cell)
                  .cfg(TestMemory.floats(new float[] {2, 1, 3, 0.5f, 4}, rows))
                  .temperature(TestMemory.floats(new float[] {1, 0, 0.9f, 1, 1}, rows))
                  .x0Clip(2)
                  .modulationBytes(1 << 20);
          assertEquals(5, arguments.rows());
          Tensor whole = TestMemory.poisoned(rows, 16);
          Tensor stepped = TestMemory.poisoned(rows, 16);
          Tensor zero = TestMemory.ints(DType.U32, 0).broadcast(rows);
          try (DiffusionHead head = tinyHead(device, precision);
              DeviceBuffer scratch = scratch(device, head.chainScratchBytes(arguments))) {
            head.chain(stream, arguments, whole, all(scratch));
            Noise.fill(stream, seed, image, cell, zero, stepped);
            for (int index = 6; index >= 0; index--) {
              head.step(stream, arguments, index, stepped, all(scratch));
            }
          }
          assertArrayEquals(TestMemory.floats(whole), TestMemory.floats(stepped));
          for (float value : TestMemory.floats(whole)) {
            assertTrue(Math.abs(value) < 100, "finite: " + value);
          }
        });
  }

  @Test
  void topFractionTakesTheHighestScoresOfEachSegment() {
    Tensor score = TestMemory.floats(new float[] {1, 5, 3, Float.NaN, 7, 7, 2, 7}, 8);
    Tensor cell = TestMemory.ints(DType.U32, 0, 1, 2, 3, 9, 4, 5, 8);
    Tensor place = TestMemory.ints(DType.I32, -1, -1, -1, -1, -1, -1, -1, -1);
    on(
        CpuTier.AUTO,
        (device, stream) -> {
          Segments segments = new Segments(2);
          segments.add(0, 4, 2, 0, 4);
          segments.add(4, 4, 2, 2, 6);
          try (DeviceBuffer scratch = scratch(device, TopFraction.scratchBytes(device, 8))) {
            TopFraction.run(stream, score, cell, segments, place, all(scratch));
          }
        });
    assertArrayEquals(new int[] {1, 2, 5, 7, 0, 3, 4, 6}, TestMemory.ints(place));
    assertEquals(3, TopFraction.count(0.1, 25));
    assertEquals(1, TopFraction.count(0.01, 25));
    assertEquals(0, TopFraction.count(0, 25));
  }

  @Test
  void rowsAreEmbeddedGatheredAndScattered() {
    Tensor first = TestMemory.floats(new float[] {1, 2, 3, 4, 5, 6}, 3, 2);
    Tensor second = TestMemory.floats(new float[] {10, 20}, 1, 2);
    Tensor position = TestMemory.floats(new float[] {.5f, .25f, 100, 200}, 2, 2);
    on(
        CpuTier.AUTO,
        (device, stream) -> {
          Tensor y = TestMemory.poisoned(3, 2);
          Rows.embed(
              stream,
              first,
              second,
              TestMemory.ints(DType.I32, 2, -1, 0),
              position,
              TestMemory.ints(DType.I32, 1, 0, 1),
              y);
          assertArrayEquals(new float[] {105, 206, 10.5f, 20.25f, 101, 202}, TestMemory.floats(y));
          Tensor gathered = TestMemory.poisoned(2, 2);
          Rows.gather(stream, first, TestMemory.ints(DType.I32, 2, 0), gathered);
          assertArrayEquals(new float[] {5, 6, 1, 2}, TestMemory.floats(gathered));
          Tensor target = TestMemory.floats(new float[6], 3, 2);
          Rows.scatter(stream, gathered, TestMemory.ints(DType.I32, 1, 2), target);
          assertArrayEquals(new float[] {0, 0, 5, 6, 1, 2}, TestMemory.floats(target));
        });
  }

  @Test
  void linearAndLayerNormOfKnownNumbers() {
    on(
        CpuTier.AUTO,
        (device, stream) -> {
          Tensor x = TestMemory.floats(new float[] {1, 2, 3, -1, 0, 1}, 2, 3);
          Tensor y = TestMemory.poisoned(2, 2);
          try (Linear linear = Linear.create(device, 2, 3, Precision.F32);
              DeviceBuffer scratch = scratch(device, linear.scratchBytes(2))) {
            // Set row by row, the second one first.
            linear.set(1, TestMemory.floats(new float[] {0, 0, 2}, 1, 3), null);
            linear.set(
                0,
                TestMemory.floats(new float[] {1, 1, 1}, 1, 3),
                TestMemory.floats(new float[] {.5f}, 1));
            linear.run(stream, Activation.NONE, x, null, null, y, all(scratch));
            assertArrayEquals(new float[] {6.5f, 6, .5f, 2}, TestMemory.floats(y));
            Tensor gate = TestMemory.floats(new float[] {2, 0, 1, 1}, 2, 2);
            linear.run(stream, Activation.NONE, x, gate, y, y, all(scratch));
            assertArrayEquals(new float[] {19.5f, 6, 1, 4}, TestMemory.floats(y));
          }
          Tensor n = TestMemory.poisoned(2, 3);
          Tensor scale = TestMemory.floats(new float[] {1, 1, 1}, 1, 3).broadcast(2, 3);
          Tensor shift = TestMemory.floats(new float[] {3, 0, 0}, 1, 3).broadcast(2, 3);
          LayerNorm.run(stream, x, null, null, scale, shift, 1e-6, n);
          float d = (float) (2 / Math.sqrt(2 / 3.0 + 1e-6));
          float[] expected = {3 - d, 0, d, 3 - d, 0, d};
          float[] actual = TestMemory.floats(n);
          for (int i = 0; i < 6; i++) {
            assertTrue(Math.abs(actual[i] - expected[i]) <= 1e-5, Arrays.toString(actual));
          }
        });
  }

  @Test
  void theNativeAndTheJavaPhiloxAgree() {
    for (int i = 0; i < 1000; i++) {
      long seed = i * 0x9E3779B97F4A7C15L;
      int a = i * 77;
      int b = -i;
      assertArrayEquals(
          io.github.gtr4j.schedule.Philox.words(seed, a, b, i, ~i),
          Noise.philox(seed, a, b, i, ~i));
    }
  }

  @Test
  void theBundledHeadReproducesItsChains() throws Exception {
    // Of the model that the command line bundles, where the working tree has it.
    var model =
        java.nio.file.Path.of(
            "..",
            "cli",
            "src",
            "main",
            "resources",
            "io",
            "github",
            "gtr4j",
            "cli",
            "fashion_mar.safetensors");
    org.junit.jupiter.api.Assumptions.assumeTrue(java.nio.file.Files.exists(model));
    try (Vectors fashion = new Vectors("fashion_cases");
        SafetensorsFile checkpoint = SafetensorsFile.open(model)) {
      HeadShape shape = shapeOf(checkpoint);
      double clip = Double.parseDouble(checkpoint.metadata().get("x0_clip"));
      on(
          CpuTier.AUTO,
          (device, stream) -> {
            try (DiffusionHead head = DiffusionHead.create(device, shape, Precision.F32)) {
              Vectors.setHead(head, checkpoint);
              for (int steps : new int[] {1, 2, 5, 20, 50, 100}) {
                fashionChain(device, stream, head, fashion, steps, false, clip);
                fashionChain(device, stream, head, fashion, steps, true, clip);
              }
            }
          });
    }
  }

  private static HeadShape shapeOf(SafetensorsFile checkpoint) {
    int blocks = 0;
    while (checkpoint
        .tensors()
        .containsKey("diffloss.net.res_blocks." + blocks + ".in_ln.weight")) {
      blocks++;
    }
    long[] input = checkpoint.tensor("diffloss.net.input_proj.weight").shape();
    long[] condition = checkpoint.tensor("diffloss.net.cond_embed.weight").shape();
    return new HeadShape((int) input[1], (int) condition[1], (int) input[0], blocks);
  }

  private static void fashionChain(
      Device device,
      Stream stream,
      DiffusionHead head,
      Vectors fashion,
      int steps,
      boolean guided,
      double clip) {
    int rows = 6;
    Tensor z = fashion.floats("chain.z");
    ChainArguments arguments =
        new ChainArguments(1)
            .addGroup(rows, steps, guided)
            .z(z.rows(0, rows))
            .zUnconditional(guided ? z.rows(rows, rows) : null)
            .seed(TestMemory.longs(fashion.file().readLongs("chain.seed")).broadcast(rows))
            .image(fashion.ints("chain.image", DType.U32))
            .cell(fashion.ints("chain.cell", DType.U32))
            .cfg(guided ? TestMemory.floats(new float[] {3}, 1).broadcast(rows) : null)
            .temperature(TestMemory.floats(new float[] {guided ? 0.9f : 1f}, 1).broadcast(rows))
            .x0Clip(clip);
    Tensor x = TestMemory.poisoned(rows, head.shape().channels());
    try (DeviceBuffer scratch = scratch(device, head.chainScratchBytes(arguments))) {
      head.chain(stream, arguments, x, all(scratch));
    }
    String name = (guided ? "chain.cfg3.x0_T" : "chain.cfg1.x0_T") + steps;
    Vectors.assertClose(fashion.file().readFloats(name), TestMemory.floats(x), 1e-4);
  }
}
