package io.github.gtr4j.sampling;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.MemoryStats;
import io.github.gtr4j.device.Stream;
import io.github.gtr4j.device.TestMemory;
import io.github.gtr4j.kernel.Precision;
import io.github.gtr4j.model.ConditionBatch;
import io.github.gtr4j.model.GoldenCases;
import io.github.gtr4j.model.MarModel;
import io.github.gtr4j.model.MarWorkspace;
import io.github.gtr4j.model.WorkspaceSize;
import io.github.gtr4j.schedule.CellSet;
import io.github.gtr4j.schedule.GtrSchedule;
import io.github.gtr4j.schedule.Guidance;
import io.github.gtr4j.schedule.MarSchedule;
import io.github.gtr4j.schedule.TokenGrid;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What of a sampler's promises may break where calls return before they are done. */
@Tag("emulator")
@Timeout(300)
class CudaSamplerTest {
  private Device device;
  private MemoryStats before;
  private MarModel model;

  @BeforeEach
  void open() {
    device = Device.cuda(0);
    before = device.memoryStats();
    model = MarModel.load(device, GoldenCases.tinyModel(), Precision.F32);
  }

  @AfterEach
  void close() {
    model.close();
    MemoryStats after = device.memoryStats();
    assertEquals(before.liveBytes(), after.liveBytes());
    assertEquals(before.allocations(), after.allocations());
    assertEquals(before.handles(), after.handles());
    device.close();
  }

  /** Few steps, all that differs between images. */
  private static List<SamplingRequest> requests(MarModel model) {
    float[] known = new float[64 * 16];
    for (int i = 0; i < known.length; i++) {
      known[i] = (float) Math.sin(i);
    }
    GtrSchedule fast =
        GtrSchedule.builder().steps(2, 1, 1).tMax(4).tMin(2).tReconstruction(2).tDetail(3).build();
    return List.of(
        SamplingRequest.builder(model)
            .label(3)
            .schedule(fast)
            .guidance(Guidance.linear(2))
            .seed(7)
            .build(),
        SamplingRequest.builder(model)
            .label(9)
            .schedule(MarSchedule.builder().steps(3).diffusionSteps(3).build())
            .temperature(0.5)
            .seed(-1)
            .build(),
        SamplingRequest.builder(model)
            .noLabel()
            .plan(fast.plan(CellSet.of(new TokenGrid(8, 8), 1, 2, 3, 17, 18, 40, 41, 42, 63)))
            .knownTokens(known)
            .image(5)
            .build());
  }

  private static List<SamplingResult> draw(
      MarModel model, SamplerOptions options, List<SamplingRequest> requests)
      throws InterruptedException {
    List<SamplingResult> results = new ArrayList<>();
    try (Sampler sampler = new Sampler(model, options)) {
      for (SamplingJob job : sampler.submit(requests)) {
        results.add(job.get());
      }
    }
    return results;
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void imagesDoNotDependOnTheirBatchAndAreThoseOfTheCpu(Precision precision) throws Exception {
    try (MarModel own = MarModel.load(device, GoldenCases.tinyModel(), precision);
        Device cpu = Device.cpu();
        MarModel onCpu = MarModel.load(cpu, GoldenCases.tinyModel(), precision)) {
      List<SamplingRequest> requests = requests(own);
      List<SamplingResult> together = draw(own, SamplerOptions.defaults(), requests);
      List<SamplingResult> expected = draw(onCpu, SamplerOptions.defaults(), requests(onCpu));
      for (int i = 0; i < requests.size(); i++) {
        SamplingResult alone =
            draw(own, SamplerOptions.defaults(), List.of(requests.get(i))).get(0);
        assertArrayEquals(alone.latents(), together.get(i).latents());
        assertArrayEquals(
            expected.get(i).trace().decodeStep(), together.get(i).trace().decodeStep());
        double error =
            GoldenCases.relativeNorm(together.get(i).latents(), expected.get(i).latents());
        double tolerance = precision == Precision.F32 ? 1e-4 : 5e-2;
        assertTrue(error <= tolerance, "image " + i + ": relative error " + error);
      }
    }
  }

  @Test
  void phasesAreTimedIfThatIsWanted() throws Exception {
    List<SamplingRequest> requests = requests(model).subList(0, 1);
    float[] latents = null;
    for (boolean wanted : new boolean[] {false, true}) {
      SamplerOptions options = SamplerOptions.defaults().withTimePhases(wanted);
      try (Sampler sampler = new Sampler(model, options)) {
        float[] drawn = sampler.submit(requests).get(0).get().latents();
        assertEquals(wanted, sampler.statistics().hasPhases());
        assertEquals(wanted, sampler.statistics().backboneNanos() > 0);
        assertEquals(wanted, sampler.statistics().selectionNanos() > 0);
        if (latents != null) {
          assertArrayEquals(latents, drawn);
        }
        latents = drawn;
      }
    }
  }

  @Test
  void aCancelledRequestLeavesTheOthersAsTheyWere() throws Exception {
    List<SamplingRequest> requests = requests(model);
    float[] expected =
        draw(model, SamplerOptions.defaults(), requests.subList(0, 1)).get(0).latents();
    try (Sampler sampler = new Sampler(model)) {
      CountDownLatch began = new CountDownLatch(1);
      SamplingRequest endless =
          SamplingRequest.builder(model)
              .label(1)
              .schedule(MarSchedule.builder().steps(64).diffusionSteps(1000).build())
              .listener(
                  progress -> {
                    if (progress.phase() == SamplingPhase.HEAD) {
                      began.countDown();
                    }
                  })
              .build();
      List<SamplingJob> jobs = sampler.submit(List.of(endless, requests.get(0)));
      began.await();
      jobs.get(0).cancel();
      assertThrows(CancellationException.class, () -> jobs.get(0).get());
      assertArrayEquals(expected, jobs.get(1).get().latents());
    }
  }

  @Test
  void closingASamplerEndsWhatIsEnqueued() throws Exception {
    CountDownLatch began = new CountDownLatch(1);
    SamplingJob job;
    try (Sampler sampler = new Sampler(model)) {
      job =
          sampler.submit(
              SamplingRequest.builder(model)
                  .label(1)
                  .schedule(MarSchedule.builder().steps(64).diffusionSteps(1000).build())
                  .listener(progress -> began.countDown())
                  .build());
      began.await();
    }
    assertThrows(CancellationException.class, job::get);
  }

  /** A batch whose indices were overwritten by the next one's would give the next one's vectors. */
  @Test
  void batchesInARowDoNotDisturbEachOther() {
    WorkspaceSize size = new WorkspaceSize(1, 1, 64);
    try (Stream stream = device.newStream();
        MarWorkspace workspace = model.newWorkspace(stream, size)) {
      float[] first = conditions(stream, workspace, 3);
      float[] second = conditions(stream, workspace, 4);
      assertFalse(java.util.Arrays.equals(first, second));
      try (var kept = device.allocate(4L * first.length)) {
        var copy = kept.tensor(io.github.gtr4j.device.DType.F32, first.length);
        stream.copy(copy, workspace.compute(batch(3)).reshape(first.length));
        workspace.compute(batch(4));
        var host = TestMemory.poisoned(first.length);
        stream.copy(host, copy);
        stream.synchronize();
        assertArrayEquals(first, TestMemory.floats(host));
      }
    }
  }

  private ConditionBatch batch(int label) {
    ConditionBatch batch = new ConditionBatch(model.configuration());
    int[] cells = new int[64];
    for (int i = 0; i < 64; i++) {
      cells[i] = i;
    }
    batch.add(label, 0, new int[0], cells);
    return batch;
  }

  private float[] conditions(Stream stream, MarWorkspace workspace, int label) {
    var device = workspace.compute(batch(label));
    var host = TestMemory.poisoned(device.shape());
    stream.copy(host, device);
    stream.synchronize();
    return TestMemory.floats(host);
  }

  @Test
  void aWorkspaceWaitsBeforeItsMemoryIsFreed() {
    try (Stream stream = device.newStream()) {
      MarWorkspace workspace = model.newWorkspace(stream, new WorkspaceSize(1, 1, 64));
      workspace.compute(batch(1));
      IllegalStateException e = assertThrows(IllegalStateException.class, model::close);
      assertTrue(e.getMessage().contains("which is enqueued"), e.getMessage());
      assertFalse(model.isClosed());
      workspace.close();
      assertTrue(stream.isIdle());
    }
  }
}
