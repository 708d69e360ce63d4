package io.github.gtr4j.sampling;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.OutOfNativeMemoryException;
import io.github.gtr4j.binding.Gtr;
import io.github.gtr4j.device.CpuTier;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.DeviceOptions;
import io.github.gtr4j.device.MemoryStats;
import io.github.gtr4j.kernel.Precision;
import io.github.gtr4j.model.GoldenCases;
import io.github.gtr4j.model.MarModel;
import io.github.gtr4j.schedule.CellSet;
import io.github.gtr4j.schedule.GtrSchedule;
import io.github.gtr4j.schedule.Guidance;
import io.github.gtr4j.schedule.MarSchedule;
import io.github.gtr4j.schedule.TokenGrid;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a sampler promises, whatever the model: here a small random one. */
@Timeout(120)
class SamplerTest {
  private static final TokenGrid GRID = new TokenGrid(8, 8);
  private static final int CHANNELS = 16;

  private Device device;
  private MemoryStats before;
  private MarModel model;

  @BeforeEach
  void open() {
    device = Device.cpu();
    before = device.memoryStats();
    model = MarModel.load(device, GoldenCases.tinyModel(), Precision.F32);
  }

  /** Every test ends with all native memory given back. */
  @AfterEach
  void close() {
    model.close();
    MemoryStats after = device.memoryStats();
    assertEquals(before.liveBytes(), after.liveBytes());
    assertEquals(before.allocations(), after.allocations());
    assertEquals(before.handles(), after.handles());
    device.close();
  }

  private static float[] knownTokens() {
    float[] tokens = new float[64 * CHANNELS];
    for (int i = 0; i < tokens.length; i++) {
      tokens[i] = (float) Math.sin(i);
    }
    return tokens;
  }

  private SamplingRequest.Builder request() {
    return SamplingRequest.builder(model);
  }

  /** Requests that have nothing in common but the model. */
  private List<SamplingRequest> mixedRequests() {
    return List.of(
        request().label(3).guidance(Guidance.linear(2)).seed(7).build(),
        request()
            .label(9)
            .schedule(MarSchedule.builder().steps(7).diffusionSteps(3).build())
            .temperature(0.5)
            .seed(-1)
            .image((1L << 32) - 1)
            .build(),
        request()
            .label(0)
            .plan(
                GtrSchedule.builder()
                    .steps(2, 2)
                    .detailFraction(0.5)
                    .tDetail(7)
                    .tReconstruction(20)
                    .build()
                    .plan(CellSet.of(GRID, 1, 2, 3, 17, 18, 40, 41, 42, 63)))
            .knownTokens(knownTokens())
            .guidance(Guidance.constant(1.5))
            .image(5)
            .build(),
        request().noLabel().guidance(Guidance.linear(3)).seed(7).temperature(0).build(),
        request()
            .label(3)
            .schedule(GtrSchedule.builder().steps(1, 1, 1, 1).detailFraction(1).build())
            .guidance(Guidance.linear(0))
            .seed(8)
            .build(),
        request()
            .label(4)
            .plan(MarSchedule.builder().diffusionSteps(1).build().plan(CellSet.of(GRID, 33)))
            .knownTokens(knownTokens())
            .guidance(Guidance.linear(4))
            .build());
  }

  private static void assertSameImage(SamplingResult expected, SamplingResult actual) {
    assertArrayEquals(expected.latents(), actual.latents());
    assertArrayEquals(expected.trace().order(), actual.trace().order());
    assertArrayEquals(expected.trace().decodeStep(), actual.trace().decodeStep());
    assertArrayEquals(expected.trace().diffusionSteps(), actual.trace().diffusionSteps());
    assertEquals(expected.trace().selections().size(), actual.trace().selections().size());
    for (int i = 0; i < expected.trace().selections().size(); i++) {
      SamplingTrace.Selection e = expected.trace().selections().get(i);
      SamplingTrace.Selection a = actual.trace().selections().get(i);
      assertEquals(e.step(), a.step());
      assertArrayEquals(e.cells(), a.cells());
      assertArrayEquals(e.scores(), a.scores());
      assertArrayEquals(e.selected(), a.selected());
    }
  }

  private static SamplingResult alone(MarModel model, SamplingRequest request)
      throws InterruptedException {
    try (Sampler sampler = new Sampler(model)) {
      return sampler.submit(request).get();
    }
  }

  private List<SamplingResult> together(Sampler sampler, List<SamplingRequest> requests)
      throws InterruptedException {
    List<SamplingResult> results = new ArrayList<>();
    for (SamplingJob job : sampler.submit(requests)) {
      results.add(job.get());
    }
    return results;
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void imagesDoNotDependOnTheirBatch(Precision precision) throws Exception {
    try (MarModel own = MarModel.load(device, GoldenCases.tinyModel(), precision)) {
      List<SamplingRequest> requests = mixedRequests();
      List<SamplingResult> expected = new ArrayList<>();
      for (SamplingRequest request : requests) {
        expected.add(alone(own, request));
      }
      for (int maxBatch : new int[] {16, 2, 3}) {
        try (Sampler sampler = new Sampler(own, SamplerOptions.defaults().withMaxBatch(maxBatch))) {
          List<SamplingResult> results = together(sampler, requests);
          for (int i = 0; i < requests.size(); i++) {
            assertSameImage(expected.get(i), results.get(i));
          }
        }
      }
      // Requests differ, so equal results would mean that they were mixed up.
      assertFalse(Arrays.equals(expected.get(0).latents(), expected.get(4).latents()));
    }
  }

  @Test
  void imagesDoNotDependOnThreadsNorModulationMemory() throws Exception {
    SamplingRequest request = mixedRequests().get(0);
    SamplingResult expected = alone(model, request);
    for (int threads : new int[] {1, 3}) {
      try (Device other = Device.open(DeviceOptions.cpu().withThreads(threads));
          MarModel same = MarModel.load(other, GoldenCases.tinyModel(), Precision.F32);
          Sampler sampler = new Sampler(same, new SamplerOptions(1, 1L << 16))) {
        assertSameImage(expected, sampler.submit(request).get());
      }
    }
  }

  @Test
  void guidedAndUnguidedImagesOfOneStepShareABatch() throws Exception {
    MarSchedule allAtOnce = MarSchedule.builder().steps(1).diffusionSteps(2).build();
    List<SamplingRequest> requests =
        List.of(
            request().label(1).schedule(allAtOnce).build(),
            request().label(2).schedule(allAtOnce).guidance(Guidance.constant(2)).build(),
            request().label(3).schedule(allAtOnce).build());
    try (Sampler sampler = new Sampler(model)) {
      List<SamplingResult> results = together(sampler, requests);
      for (int i = 0; i < requests.size(); i++) {
        assertSameImage(alone(model, requests.get(i)), results.get(i));
      }
    }
  }

  @Test
  void severalSamplersShareAModel() throws Exception {
    List<SamplingRequest> requests = mixedRequests();
    SamplingResult first = alone(model, requests.get(0));
    SamplingResult second = alone(model, requests.get(1));
    try (Sampler a = new Sampler(model);
        Sampler b = new Sampler(model)) {
      SamplingJob one = a.submit(requests.get(0));
      SamplingJob two = b.submit(requests.get(1));
      assertSameImage(first, one.get());
      assertSameImage(second, two.get());
    }
  }

  @Test
  void requestsMayComeAtAnyTime() throws Exception {
    List<SamplingRequest> requests = mixedRequests();
    List<SamplingResult> expected = new ArrayList<>();
    for (SamplingRequest request : requests) {
      expected.add(alone(model, request));
    }
    List<SamplingJob> late = new ArrayList<>();
    try (Sampler sampler = new Sampler(model)) {
      // The listener submits another request at each of the first steps.
      SamplingRequest first =
          request()
              .label(3)
              .guidance(Guidance.linear(2))
              .seed(7)
              .listener(
                  progress -> {
                    if (progress.phase() == SamplingPhase.HEAD
                        && progress.step() + 1 < requests.size()) {
                      late.add(sampler.submit(requests.get(progress.step() + 1)));
                    }
                  })
              .build();
      assertSameImage(expected.get(0), sampler.submit(first).get());
      assertEquals(requests.size() - 1, late.size());
      for (int i = 0; i < late.size(); i++) {
        assertSameImage(expected.get(i + 1), late.get(i).get());
      }
    }
  }

  @Test
  void decodesOnlyWhatThePlanSaysAndKeepsTheRest() throws Exception {
    SamplingResult result = alone(model, mixedRequests().get(2));
    int[] decodeStep = result.trace().decodeStep();
    float[] known = knownTokens();
    for (int cell = 0; cell < 64; cell++) {
      boolean decoded = result.request().plan().cells().contains(cell);
      assertEquals(decoded, decodeStep[cell] >= 0);
      assertEquals(decoded, result.trace().diffusionSteps()[cell] > 0);
      for (int c = 0; c < CHANNELS; c++) {
        if (!decoded) {
          assertEquals(known[cell * CHANNELS + c], result.latents()[c * 64 + cell]);
        }
      }
    }
  }

  @Test
  void reportsProgress() throws Exception {
    List<SamplingProgress> heard = new ArrayList<>();
    SamplingRequest request =
        request()
            .label(1)
            .schedule(GtrSchedule.builder().steps(2, 1).tMax(2).tMin(1).tReconstruction(1).build())
            .listener(heard::add)
            .build();
    alone(model, request);
    List<SamplingProgress> expected = new ArrayList<>();
    int[] decoded = {0, 16, 32, 64};
    for (int step = 0; step < 3; step++) {
      for (SamplingPhase phase : SamplingPhase.values()) {
        if (phase != SamplingPhase.SELECTION || step == 2) {
          int done = decoded[phase == SamplingPhase.DECODED ? step + 1 : step];
          expected.add(new SamplingProgress(phase, step, 3, done, 64));
        }
      }
    }
    assertEquals(expected, heard);
  }

  @Test
  void cancellingOneLeavesTheBitsOfTheOthers() throws Exception {
    List<SamplingRequest> requests = mixedRequests();
    SamplingResult expected = alone(model, requests.get(0));
    for (SamplingPhase phase : SamplingPhase.values()) {
      AtomicReference<SamplingJob> victim = new AtomicReference<>();
      SamplingRequest cancelling =
          request()
              .label(3)
              .guidance(Guidance.linear(2))
              .seed(7)
              .listener(
                  progress -> {
                    // GtR selects in its last step only, the sixteenth.
                    if (progress.step() == (phase == SamplingPhase.SELECTION ? 15 : 3)
                        && progress.phase() == phase) {
                      victim.get().cancel();
                    }
                  })
              .build();
      try (Sampler sampler = new Sampler(model)) {
        List<SamplingJob> jobs =
            submitHolding(sampler, victim, List.of(cancelling, requests.get(3)));
        assertSameImage(expected, jobs.get(0).get());
        assertThrows(CancellationException.class, () -> jobs.get(1).get());
        assertTrue(jobs.get(1).isCancelled());
        assertTrue(jobs.get(1).isDone());
        assertFalse(jobs.get(0).isCancelled());
        // The sampler goes on as if nothing had happened.
        assertSameImage(expected, sampler.submit(requests.get(0)).get());
      }
    }
  }

  /** Submits requests so that the victim, the last one, is known before any of them begins. */
  private List<SamplingJob> submitHolding(
      Sampler sampler, AtomicReference<SamplingJob> victim, List<SamplingRequest> requests)
      throws Exception {
    CountDownLatch submitted = new CountDownLatch(1);
    SamplingRequest holder =
        request()
            .label(0)
            .schedule(MarSchedule.builder().steps(1).diffusionSteps(1).build())
            .listener(progress -> await(submitted))
            .build();
    sampler.submit(holder);
    List<SamplingJob> jobs = sampler.submit(requests);
    victim.set(jobs.get(jobs.size() - 1));
    submitted.countDown();
    return jobs;
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void cancelsWhatIsQueuedAndWhatRuns() throws Exception {
    CountDownLatch running = new CountDownLatch(1);
    try (Sampler sampler = new Sampler(model, SamplerOptions.defaults().withMaxBatch(1))) {
      SamplingJob first =
          sampler.submit(
              request()
                  .label(1)
                  .schedule(MarSchedule.builder().steps(64).diffusionSteps(1000).build())
                  .listener(progress -> running.countDown())
                  .build());
      SamplingJob second = sampler.submit(request().label(2).build());
      running.await();
      second.cancel();
      assertTrue(second.isCancelled());
      assertFalse(first.isDone());
      first.cancel();
      assertThrows(CancellationException.class, first::get);
      first.cancel();
      SamplingResult next = sampler.submit(mixedRequests().get(1)).get();
      assertSameImage(alone(model, mixedRequests().get(1)), next);
    }
  }

  @Test
  void interruptingAThreadThatWaitsCancels() throws Exception {
    CountDownLatch running = new CountDownLatch(1);
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    try (Sampler sampler = new Sampler(model)) {
      SamplingJob job =
          sampler.submit(
              request()
                  .label(1)
                  .schedule(MarSchedule.builder().steps(64).diffusionSteps(1000).build())
                  .listener(progress -> running.countDown())
                  .build());
      Thread waiting =
          new Thread(
              () -> {
                try {
                  job.get();
                } catch (Throwable e) {
                  thrown.set(e);
                }
              });
      waiting.start();
      running.await();
      waiting.interrupt();
      waiting.join();
      assertInstanceOf(InterruptedException.class, thrown.get());
      assertThrows(CancellationException.class, job::get);
    }
  }

  @Test
  void aListenerThatThrowsEndsItsOwnRequest() throws Exception {
    List<SamplingRequest> requests = mixedRequests();
    SamplingResult expected = alone(model, requests.get(1));
    RuntimeException failure = new RuntimeException("tired");
    try (Sampler sampler = new Sampler(model)) {
      List<SamplingJob> jobs =
          sampler.submit(
              List.of(
                  request()
                      .label(2)
                      .listener(
                          progress -> {
                            if (progress.step() == 4) {
                              throw failure;
                            }
                          })
                      .build(),
                  requests.get(1)));
      SamplingException e = assertThrows(SamplingException.class, () -> jobs.get(0).get());
      assertEquals(4, e.step());
      assertSame(failure, e.getCause());
      assertTrue(e.getMessage().contains("decode step 4"), e.getMessage());
      assertSameImage(expected, jobs.get(1).get());
    }
  }

  @Test
  void latentsThatAreNotFiniteEndTheirOwnRequest() throws Exception {
    List<SamplingRequest> requests = mixedRequests();
    SamplingResult expected = alone(model, requests.get(0));
    float[] huge = new float[64 * CHANNELS];
    Arrays.fill(huge, Float.MAX_VALUE);
    SamplingRequest bad =
        request()
            .label(2)
            .plan(GtrSchedule.defaults().plan(CellSet.of(GRID, 0, 1, 2, 3, 4, 5)))
            .knownTokens(huge)
            .build();
    try (Sampler sampler = new Sampler(model)) {
      List<SamplingJob> jobs = sampler.submit(List.of(bad, requests.get(0)));
      SamplingException e = assertThrows(SamplingException.class, () -> jobs.get(0).get());
      assertEquals(0, e.step());
      assertTrue(
          e.getMessage().matches("decode step 0 of \\d+ gave latents that are not finite: .*"),
          e.getMessage());
      assertSameImage(expected, jobs.get(1).get());
      assertThrows(SamplingException.class, () -> sampler.submit(bad).get());
    }
  }

  @Test
  void closingCancelsAndFreesEverything() throws Exception {
    CountDownLatch running = new CountDownLatch(1);
    Sampler sampler = new Sampler(model, SamplerOptions.defaults().withMaxBatch(1));
    SamplingJob first =
        sampler.submit(
            request()
                .label(1)
                .schedule(MarSchedule.builder().steps(64).diffusionSteps(1000).build())
                .listener(progress -> running.countDown())
                .build());
    SamplingJob second = sampler.submit(request().label(2).build());
    running.await();
    IllegalStateException inUse = assertThrows(IllegalStateException.class, model::close);
    assertTrue(inUse.getMessage().contains("in use by"), inUse.getMessage());
    sampler.close();
    sampler.close();
    assertThrows(CancellationException.class, first::get);
    assertThrows(CancellationException.class, second::get);
    assertEquals(0, sampler.workspaceBytes());
    SamplingRequest request = request().build();
    IllegalStateException closed =
        assertThrows(IllegalStateException.class, () -> sampler.submit(request));
    assertTrue(closed.getMessage().contains("closed"), closed.getMessage());
    assertTrue(closed.getCause().getStackTrace().length > 0);
  }

  @Test
  void anIdleSamplerHoldsItsModel() {
    Sampler sampler = new Sampler(model);
    IllegalStateException e = assertThrows(IllegalStateException.class, model::close);
    assertTrue(e.getMessage().contains("sampling"), e.getMessage());
    sampler.close();
    model.close();
    assertThrows(IllegalStateException.class, () -> new Sampler(model));
  }

  @Test
  void aListenerMustNotWait() throws Exception {
    List<Throwable> thrown = new ArrayList<>();
    AtomicReference<SamplingJob> job = new AtomicReference<>();
    CountDownLatch submitted = new CountDownLatch(1);
    try (Sampler sampler = new Sampler(model)) {
      job.set(
          sampler.submit(
              request()
                  .label(1)
                  .schedule(MarSchedule.builder().steps(1).diffusionSteps(1).build())
                  .listener(
                      progress -> {
                        await(submitted);
                        thrown.add(assertThrows(IllegalStateException.class, job.get()::get));
                        thrown.add(assertThrows(IllegalStateException.class, sampler::close));
                      })
                  .build()));
      submitted.countDown();
      job.get().get();
      assertEquals(6, thrown.size());
    }
  }

  @Test
  void countsWhatItDoes() throws Exception {
    List<SamplingRequest> requests = mixedRequests().subList(0, 2);
    try (Sampler sampler = new Sampler(model)) {
      double flops = 0;
      for (SamplingResult result : together(sampler, requests)) {
        assertTrue(result.nanos() > 0);
        assertEquals(
            Sampler.flopFormula(model.configuration())
                .of(result.request().plan(), result.request().guidance().isActive()),
            result.flops());
        flops += result.flops().total();
      }
      SamplingStatistics s = sampler.statistics();
      assertEquals(2, s.images());
      assertEquals(16 + 7, s.imageSteps());
      assertEquals(16, s.batchSteps());
      assertEquals(128, s.tokens());
      assertEquals(flops, s.flops());
      assertTrue(s.backboneNanos() > 0 && s.headNanos() > 0 && s.selectionNanos() > 0);
      assertTrue(s.backboneNanos() + s.selectionNanos() + s.headNanos() <= s.totalNanos());
      assertTrue(s.backboneShare() > 0 && s.headShare() > 0);
      assertTrue(s.backboneShare() + s.headShare() <= 1);
    }
  }

  @Test
  void memoryIsKnownBeforeAndSteadyAfterwards() throws Exception {
    List<SamplingRequest> requests = mixedRequests();
    MemoryPlan plan = Sampler.memoryPlan(model, SamplerOptions.defaults(), requests);
    assertEquals(model.weightBytes(), plan.weights());
    try (Sampler sampler = new Sampler(model)) {
      together(sampler, requests);
      assertEquals(plan.activations() + plan.scratch(), sampler.workspaceBytes());
      MemoryStats first = device.memoryStats();
      together(sampler, requests);
      assertEquals(first, device.memoryStats());
    }
  }

  @Test
  void everyAllocationMayFail() throws Exception {
    model.close();
    SamplingRequest request = mixedRequests().get(2);
    int failures = 0;
    for (int nth = 1; ; nth++) {
      Gtr.gtr_test_fail_allocation(nth);
      try (MarModel own = MarModel.load(device, GoldenCases.tinyModel(), Precision.F32)) {
        alone(own, request);
        break;
      } catch (OutOfNativeMemoryException e) {
        failures++;
      } catch (SamplingException e) {
        assertInstanceOf(OutOfNativeMemoryException.class, e.getCause());
        failures++;
      } finally {
        Gtr.gtr_test_fail_allocation(0);
      }
      assertEquals(before.liveBytes(), device.memoryStats().liveBytes(), "allocation " + nth);
      assertEquals(before.handles(), device.memoryStats().handles(), "allocation " + nth);
    }
    assertTrue(failures > 10, failures + " failures");
  }

  @Test
  void aFailedAdmissionDoesNotHarmWhatRuns() throws Exception {
    List<SamplingRequest> requests = mixedRequests();
    SamplingResult expected = alone(model, requests.get(1));
    AtomicReference<SamplingJob> late = new AtomicReference<>();
    try (Sampler sampler = new Sampler(model)) {
      SamplingRequest first =
          request()
              .label(9)
              .schedule(MarSchedule.builder().steps(7).diffusionSteps(3).build())
              .temperature(0.5)
              .seed(-1)
              .image((1L << 32) - 1)
              .listener(
                  progress -> {
                    if (progress.step() == 2 && progress.phase() == SamplingPhase.DECODED) {
                      late.set(sampler.submit(requests.get(0)));
                      Gtr.gtr_test_fail_allocation(1);
                    }
                  })
              .build();
      assertSameImage(expected, sampler.submit(first).get());
      SamplingException e = assertThrows(SamplingException.class, () -> late.get().get());
      assertEquals(-1, e.step());
      assertInstanceOf(OutOfNativeMemoryException.class, e.getCause());
    } finally {
      Gtr.gtr_test_fail_allocation(0);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void bothEndsOfTheTiersSampleTheSamePlan(boolean best) throws Exception {
    CpuTier tier = best ? CpuTier.AUTO : CpuTier.SCALAR;
    try (Device other = Device.open(DeviceOptions.cpu().withTier(tier));
        MarModel same = MarModel.load(other, GoldenCases.tinyModel(), Precision.F32)) {
      SamplingResult result = alone(same, mixedRequests().get(1));
      SamplingResult expected = alone(model, mixedRequests().get(1));
      double error = GoldenCases.relativeNorm(result.latents(), expected.latents());
      assertTrue(error <= 1e-4, "relative error " + error);
    }
  }
}
