package io.github.gtr4j.bench.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.device.DType;
import io.github.gtr4j.device.Device;
import io.github.gtr4j.device.DeviceBuffer;
import io.github.gtr4j.device.DeviceOptions;
import io.github.gtr4j.device.Stream;
import io.github.gtr4j.device.Tensor;
import io.github.gtr4j.kernel.KernelListener;
import io.github.gtr4j.kernel.Precision;
import io.github.gtr4j.model.ConditionBatch;
import io.github.gtr4j.model.MarConfiguration;
import io.github.gtr4j.model.MarModel;
import io.github.gtr4j.model.MarWorkspace;
import io.github.gtr4j.model.WorkspaceSize;
import io.github.gtr4j.profile.KernelCount;
import io.github.gtr4j.profile.KernelCounters;
import io.github.gtr4j.sampling.Sampler;
import io.github.gtr4j.schedule.FlopFormula;
import io.github.gtr4j.schedule.GtrSchedule;
import io.github.gtr4j.schedule.TokenGrid;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ImageFlopsTest {
  private static final MarConfiguration SMALL =
      MarConfiguration.builder()
          .grid(16, 16)
          .channels(4)
          .buffer(6)
          .width(32)
          .blocks(3, 2)
          .heads(2)
          .head(2, 48)
          .classes(3)
          .build();

  /** Counts what the model's own calls multiply in a decode step of two guided images. */
  @Test
  void theBackboneIsCountedAsTheModelComputesIt() {
    StepShape step = StepShape.gtr(SMALL, Cases.LAST, 2);
    int known = step.encoderLength() - SMALL.buffer();
    KernelCounters counters = new KernelCounters();
    try (Device device = Device.open(DeviceOptions.cpu());
        MarModel model = MarModel.random(device, SMALL, Precision.F32, 1);
        Stream stream = device.newStream();
        MarWorkspace workspace =
            model.newWorkspace(stream, new WorkspaceSize(2, step.sequences(), step.wantedRows()));
        DeviceBuffer tokens = device.allocate(4L * step.images() * step.tokens() * 4);
        DeviceBuffer places = device.allocate(4L * step.images() * step.tokens());
        DeviceBuffer projection =
            device.allocate(4L * step.images() * step.tokens() * SMALL.width())) {
      KernelListener.attach(stream, counters);
      ConditionBatch batch = new ConditionBatch(SMALL);
      for (int s = 0; s < step.sequences(); s++) {
        batch.add(
            s % 2,
            s / 2,
            IntStream.range(0, known).toArray(),
            IntStream.range(known, known + step.tokens()).toArray());
      }
      workspace.compute(batch);
      long rows = (long) step.images() * step.tokens();
      Tensor x = tokens.tensor(DType.F32, rows, SMALL.channels());
      Tensor place = places.tensor(DType.I32, rows);
      for (int i = 0; i < rows; i++) {
        place.asByteBuffer().putInt(4 * i, i);
      }
      workspace.putTokens(x, place, projection.tensor(DType.F32, rows, SMALL.width()));
    }
    double counted = counters.counts().stream().mapToDouble(KernelCount::flops).sum();
    assertEquals(counted, ImageFlops.backbone(SMALL, step));
  }

  /** What is saved: the formula of the design counts everything as if nothing were shared. */
  @Test
  void lessIsExecutedThanTheFormulaSays() {
    MarConfiguration model = MarConfiguration.marB();
    TokenGrid grid = new TokenGrid(model.gridHeight(), model.gridWidth());
    FlopFormula.Flops all = Sampler.flopFormula(model).of(GtrSchedule.defaults().plan(grid), true);
    ImageFlops executed = ImageFlops.executed(model, 1);
    double backbone = executed.backbone() / all.backbone();
    double head = executed.head() / all.head();
    assertTrue(backbone > 0.9 && backbone < 1, "backbone " + backbone);
    assertTrue(head > 0.9 && head < 1, "head " + head);
    assertEquals(8, ImageFlops.executed(model, 8).backbone() / executed.backbone(), 1e-9);
    assertTrue(ImageFlops.executed(model, 8).head() < 8 * executed.head());
  }
}
