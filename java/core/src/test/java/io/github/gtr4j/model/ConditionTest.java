package io.github.gtr4j.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.CancelledException;
import io.github.gtr4j.InvalidArgumentException;
import io.github.gtr4j.checkpoint.CheckpointSource;
import io.github.gtr4j.device.CpuTier;
import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.DeviceOptions;
import io.github.gtr4j.device.MemoryStats;
import io.github.gtr4j.device.Stream;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.kernel.Precision;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Condition vectors of encoder and decoder against the golden ones, and against themselves in other
 * company.
 */
class ConditionTest {
  private static final int NO_CLASS = -1;

  static List<CpuTier> tiers() {
    return Arrays.stream(CpuTier.values())
        .filter(tier -> tier != CpuTier.AUTO && tier.isAvailable())
        .toList();
  }

  /** A model with a stream and a workspace, to compute condition vectors with. */
  private static final class Fixture implements AutoCloseable {
    final MarModel model;
    final Stream stream;
    final MarWorkspace workspace;
    final ConditionBatch batch;

    Fixture(Device device, CheckpointSource source, Precision precision, WorkspaceSize size) {
      model = MarModel.load(device, source, precision);
      stream = device.newStream();
      workspace = model.newWorkspace(stream, size);
      batch = new ConditionBatch(model.configuration());
    }

    /** Keeps the tokens [cells, channels] of some cells. */
    void put(int slot, float[] tokens, int... cells) {
      int channels = model.configuration().channels();
      int width = model.configuration().width();
      ByteBuffer x = direct(cells.length * channels);
      ByteBuffer index = direct(cells.length);
      for (int i = 0; i < cells.length; i++) {
        index.putInt(slot * model.configuration().tokens() + cells[i]);
        for (int c = 0; c < channels; c++) {
          x.putFloat(tokens[cells[i] * channels + c]);
        }
      }
      ByteBuffer projection = direct(cells.length * width);
      workspace.putTokens(
          Tensor.wrap(x.flip(), DType.F32, cells.length, channels),
          Tensor.wrap(index.flip(), DType.I32, cells.length),
          Tensor.wrap(projection, DType.F32, cells.length, width));
    }

    private static ByteBuffer direct(int floats) {
      return ByteBuffer.allocateDirect(4 * floats).order(ByteOrder.nativeOrder());
    }

    float[] compute() {
      Tensor z = workspace.compute(batch);
      stream.synchronize();
      float[] values = new float[(int) z.elements()];
      z.asByteBuffer().asFloatBuffer().get(values);
      return values;
    }

    @Override
    public void close() {
      workspace.close();
      stream.close();
      model.close();
    }
  }

  private static int[] allCells(int cells) {
    return IntStream.range(0, cells).toArray();
  }

  private static Device open(CpuTier tier, int threads) {
    return Device.open(DeviceOptions.cpu().withTier(tier).withThreads(threads));
  }

  /** Relative norm of the worst image. */
  private static double error(
      CpuTier tier,
      CheckpointSource source,
      GoldenCases golden,
      String result,
      Precision precision) {
    try (Device device = open(tier, 2);
        golden) {
      int[] labels =
          result.equals("condition.z_unconditional")
              ? null
              : golden.has("condition.labels") ? golden.ints("condition.labels") : new int[] {3, 9};
      float[][] tokens = golden.floatRows("condition.tokens");
      int[][] known = golden.intRows("condition.known");
      float[][] expected = golden.floatRows(result);
      int images = expected.length;
      try (Fixture f =
          new Fixture(device, source, precision, new WorkspaceSize(images, images, images * 64))) {
        for (int i = 0; i < images; i++) {
          f.put(i, tokens[i], known[i]);
          f.batch.add(
              labels == null ? NO_CLASS : labels[i],
              i,
              result.equals("condition.z_nothing_known") ? new int[0] : known[i],
              allCells(64));
        }
        float[] z = f.compute();
        double worst = 0;
        int size = z.length / images;
        for (int i = 0; i < images; i++) {
          double error =
              GoldenCases.relativeNorm(
                  Arrays.copyOfRange(z, i * size, (i + 1) * size), expected[i]);
          assertTrue(error <= 1, "relative error " + error);
          worst = Math.max(worst, error);
        }
        return worst;
      }
    }
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void tinyModelInFloat(CpuTier tier) {
    for (String result :
        List.of("condition.z", "condition.z_unconditional", "condition.z_nothing_known")) {
      double error =
          error(tier, GoldenCases.tinyModel(), GoldenCases.tiny(), result, Precision.F32);
      assertTrue(error <= 1e-5, result + ": " + error);
    }
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void fashionModelInFloat(CpuTier tier) {
    double error =
        error(
            tier, GoldenCases.fashionModel(), GoldenCases.fashion(), "condition.z", Precision.F32);
    assertTrue(error <= 1e-5, "relative error " + error);
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void bothModelsInBfloat16(CpuTier tier) {
    double tiny =
        error(tier, GoldenCases.tinyModel(), GoldenCases.tiny(), "condition.z", Precision.BF16);
    assertTrue(tiny <= 3e-2, "relative error " + tiny);
    double fashion =
        error(
            tier, GoldenCases.fashionModel(), GoldenCases.fashion(), "condition.z", Precision.BF16);
    assertTrue(fashion <= 3e-2, "relative error " + fashion);
    // Something is rounded, or bf16 would not be what it says.
    assertTrue(tiny > 1e-4 && fashion > 1e-4, tiny + ", " + fashion);
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void noBitDependsOnTheCompany(Precision precision) {
    try (Device device = Device.cpu();
        GoldenCases golden = GoldenCases.tiny();
        Fixture f =
            new Fixture(
                device, GoldenCases.tinyModel(), precision, new WorkspaceSize(3, 5, 5 * 64))) {
      float[][] tokens = golden.floatRows("condition.tokens");
      int[] labels = {1, NO_CLASS, 3, 9, NO_CLASS};
      int[] slots = {0, 0, 1, 2, 2};
      int[][] known = {allCells(20), allCells(20), {}, {7, 9, 63}, allCells(63)};
      int[][] wanted = {{40, 41}, {63}, allCells(64), {5, 2, 30}, {63}};
      for (int slot = 0; slot < 3; slot++) {
        f.put(slot, tokens[slot], allCells(64));
      }
      for (int s = 0; s < labels.length; s++) {
        f.batch.add(labels[s], slots[s], known[s], wanted[s]);
      }
      float[] together = f.compute();
      int width = f.model.configuration().width();
      int row = 0;
      for (int s = 0; s < labels.length; s++) {
        f.batch.clear();
        f.batch.add(labels[s], slots[s], known[s], wanted[s]);
        float[] expected =
            Arrays.copyOfRange(together, row * width, (row + wanted[s].length) * width);
        assertArrayEquals(expected, f.compute(), "sequence " + s);
        row += wanted[s].length;
      }
    }
  }

  @Test
  void noBitDependsOnTheNumberOfThreads() {
    float[][] results = new float[3][];
    try (GoldenCases golden = GoldenCases.fashion()) {
      for (int i = 0; i < 3; i++) {
        try (Device device = open(CpuTier.AUTO, new int[] {1, 2, 5}[i]);
            Fixture f =
                new Fixture(
                    device,
                    GoldenCases.fashionModel(),
                    Precision.F32,
                    new WorkspaceSize(1, 1, 64))) {
          f.put(0, golden.floatRows("condition.tokens")[0], golden.intRows("condition.known")[0]);
          f.batch.add(3, 0, golden.intRows("condition.known")[0], allCells(64));
          results[i] = f.compute();
        }
      }
    }
    assertArrayEquals(results[0], results[1]);
    assertArrayEquals(results[0], results[2]);
  }

  @Test
  void weightsDoNotDependOnTheWindowsTheyAreReadIn() {
    // Random weights come in windows of a million values, which split the matrices of this one.
    MarConfiguration wide =
        MarConfiguration.builder()
            .grid(2, 2)
            .channels(4)
            .buffer(2)
            .width(1536)
            .blocks(1, 1)
            .heads(12)
            .mlpWidth(64)
            .head(0, 32)
            .classes(3)
            .build();
    try (Device device = Device.cpu();
        MarModel model = MarModel.random(device, wide, Precision.F32, 5);
        Stream stream = device.newStream();
        MarWorkspace workspace = model.newWorkspace(stream, new WorkspaceSize(1, 1, 4))) {
      ConditionBatch batch = new ConditionBatch(wide);
      batch.add(2, 0, new int[0], allCells(4));
      float[] values = new float[4 * 1536];
      workspace.compute(batch).asByteBuffer().asFloatBuffer().get(values);
      for (float value : values) {
        assertTrue(Float.isFinite(value));
      }
    }
  }

  @Test
  void memoryIsAsPlannedAndGivenBack() {
    try (Device device = Device.cpu()) {
      MemoryStats before = device.memoryStats();
      try (MarModel model = MarModel.load(device, GoldenCases.tinyModel(), Precision.F32)) {
        long loaded = device.memoryStats().liveBytes();
        assertEquals(loaded - before.liveBytes(), model.weightBytes());
        WorkspaceSize size = new WorkspaceSize(2, 3, 100);
        try (Stream stream = device.newStream()) {
          long withStream = device.memoryStats().liveBytes();
          try (MarWorkspace workspace = model.newWorkspace(stream, size)) {
            assertEquals(workspace.bytes(), model.workspaceBytes(size));
            long taken = device.memoryStats().liveBytes() - withStream;
            // The library's own account of an allocation takes some bytes.
            assertTrue(taken >= workspace.bytes() && taken <= workspace.bytes() + 1024, "" + taken);
          }
        }
      }
      assertEquals(before.liveBytes(), device.memoryStats().liveBytes());
      assertEquals(before.allocations(), device.memoryStats().allocations());
      assertEquals(before.handles(), device.memoryStats().handles());
    }
  }

  @Test
  void computingAllocatesNothingNative() {
    try (Device device = Device.cpu();
        Fixture f =
            new Fixture(
                device, GoldenCases.tinyModel(), Precision.F32, new WorkspaceSize(1, 2, 128))) {
      f.batch.add(1, 0, new int[0], allCells(64));
      f.batch.add(NO_CLASS, 0, new int[0], allCells(64));
      f.compute();
      long peak = device.memoryStats().peakBytes();
      long live = device.memoryStats().liveBytes();
      f.compute();
      assertEquals(live, device.memoryStats().liveBytes());
      assertEquals(peak, device.memoryStats().peakBytes());
    }
  }

  @Test
  void refusesWhatDoesNotFit() {
    try (Device device = Device.cpu();
        Fixture f =
            new Fixture(
                device, GoldenCases.tinyModel(), Precision.F32, new WorkspaceSize(1, 1, 2))) {
      ConditionBatch batch = f.batch;
      refused("batch", f::compute);
      batch.add(0, 0, new int[0], new int[] {1, 2, 3});
      refused("batch", f::compute);
      batch.clear();
      batch.add(0, 1, new int[0], new int[] {1});
      refused("batch", f::compute);
      batch.clear();
      batch.add(0, 0, new int[0], new int[] {1});
      batch.add(0, 0, new int[0], new int[] {1});
      refused("batch", f::compute);
      batch.clear();
      int[] one = {1};
      refused("label", () -> batch.add(10, 0, new int[0], one));
      refused("label", () -> batch.add(-2, 0, new int[0], one));
      refused("slot", () -> batch.add(0, -1, new int[0], one));
      refused("knownCells", () -> batch.add(0, 0, new int[] {64}, one));
      refused("knownCells", () -> batch.add(0, 0, new int[] {3, 2}, one));
      refused("knownCells", () -> batch.add(0, 0, new int[] {3, 3}, one));
      refused("wantedCells", () -> batch.add(0, 0, new int[0], new int[] {-1}));
      refused("wantedCells", () -> batch.add(0, 0, new int[0], new int[0]));
      refused("wantedCells", () -> batch.add(0, 0, new int[0], new int[65]));
      refused("images", () -> new WorkspaceSize(0, 1, 1));
      refused(
          "sequences", () -> f.model.workspaceBytes(new WorkspaceSize(1, Integer.MAX_VALUE, 1)));
      assertEquals(0, batch.sequences());
    }
  }

  private static void refused(String argument, Runnable call) {
    InvalidArgumentException e = assertThrows(InvalidArgumentException.class, call::run);
    assertEquals(argument, e.argument(), e.getMessage());
  }

  @Test
  void aCancelledStreamStopsTheComputation() {
    try (Device device = Device.cpu();
        Fixture f =
            new Fixture(
                device, GoldenCases.tinyModel(), Precision.F32, new WorkspaceSize(1, 1, 64))) {
      f.batch.add(1, 0, new int[0], allCells(64));
      float[] expected = f.compute();
      f.stream.cancel();
      assertThrows(CancelledException.class, f::compute);
      f.stream.reset();
      assertArrayEquals(expected, f.compute());
    }
  }

  @Test
  void closesInOrderOnly() {
    Device device = Device.cpu();
    MarModel model = MarModel.load(device, GoldenCases.tinyModel(), Precision.F32);
    Stream stream = device.newStream();
    MarWorkspace workspace = model.newWorkspace(stream, new WorkspaceSize(1, 1, 1));
    assertThrows(IllegalStateException.class, model::close);
    workspace.close();
    assertThrows(IllegalStateException.class, device::close);
    model.close();
    model.close();
    IllegalStateException e =
        assertThrows(
            IllegalStateException.class,
            () -> model.newWorkspace(stream, new WorkspaceSize(1, 1, 1)));
    assertTrue(e.getCause().getMessage().contains("closed here"), e.getCause().getMessage());
    stream.close();
    device.close();
  }
}
