package io.github.gtr4j.bench.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.model.MarConfiguration;
import java.util.List;
import org.junit.jupiter.api.Test;

class StepShapeTest {
  private static final MarConfiguration MODEL = MarConfiguration.marB();

  @Test
  void theFirstStepOfGtrSeesTheBufferAlone() {
    StepShape step = StepShape.gtr(MODEL, Cases.FIRST, 1);
    assertEquals("GtR step 1 of 16, batch 1", step.name());
    assertEquals(128, step.encoderRows());
    assertEquals(640, step.decoderRows());
    assertEquals(10, step.wantedRows());
    assertEquals(List.of(new HeadWorkload.Group(5, 50)), step.groups());
  }

  @Test
  void theLastStepOfGtrReconstructsHalfOfTheGrid() {
    StepShape step = StepShape.gtr(MODEL, Cases.LAST, 8);
    assertEquals(2 * 8 * (64 + 128), step.encoderRows());
    assertEquals(2 * 8 * 128, step.wantedRows());
    assertEquals(
        List.of(new HeadWorkload.Group(8 * 13, 50), new HeadWorkload.Group(8 * 115, 20)),
        step.groups());
  }

  @Test
  void aStepOfMarHasHundredDiffusionSteps() {
    StepShape step = StepShape.mar(MODEL, Cases.MAR_MEDIAN, 1);
    assertEquals("MAR step 33 of 64, batch 1", step.name());
    assertEquals(100, step.groups().get(0).steps());
    assertTrue(step.encoderLength() > 64 && step.encoderLength() < 320);
  }

  @Test
  void everyGoalHasACase() {
    List<Case> all = Cases.of(List.of(ModelSize.values()));
    assertEquals(all.size(), all.stream().map(Case::text).distinct().count());
    assertTrue(all.containsAll(Cases.quick()));
    for (List<Case> cases : List.of(all, Cases.quick())) {
      GoalsTest.goalsOf(cases, 1, 1)
          .forEach(goal -> assertTrue(goal.outcome() != Goal.Outcome.UNKNOWN, goal.what()));
    }
  }

  @Test
  void aWorkloadSurvivesJson() {
    for (Case c : Cases.of(List.of(ModelSize.values()))) {
      assertEquals(c.workload(), Workload.ofJson(c.workload().toJson()));
    }
  }
}
