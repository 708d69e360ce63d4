package io.github.gtr4j.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.schedule.CellSet;
import io.github.gtr4j.schedule.DecodeOrder;
import io.github.gtr4j.schedule.GtrSchedule;
import io.github.gtr4j.schedule.TokenGrid;
import org.junit.jupiter.api.Test;

class ScheduleChartTest {
  private static int rgb(Raster raster, int x, int y) {
    return raster.sample(x, y, 0) << 16 | raster.sample(x, y, 1) << 8 | raster.sample(x, y, 2);
  }

  @Test
  void cellsHaveTheColourOfTheirStep() {
    TokenGrid grid = new TokenGrid(4, 6);
    CellSet cells = CellSet.of(grid, 3, 7).complement();
    DecodeOrder order = GtrSchedule.defaults().plan(cells).order(1, 2);
    Raster drawn = ScheduleChart.draw(order);
    assertEquals(6 * 49 - 1 + 16, drawn.width());
    assertEquals(4 * 49 - 1 + 16, drawn.height());
    int[] step = order.stepOfCell();
    for (int cell = 0; cell < grid.cells(); cell++) {
      int expected =
          step[cell] < 0 ? 0xD0D0D0 : ScheduleChart.colour(step[cell], order.plan().steps().size());
      assertEquals(expected, rgb(drawn, 8 + 49 * grid.column(cell), 8 + 49 * grid.row(cell)));
    }
  }

  @Test
  void lightnessGrowsFromStepToStep() {
    for (int steps : new int[] {1, 2, 16, 64}) {
      double last = -1;
      for (int step = 0; step < steps; step++) {
        int rgb = ScheduleChart.colour(step, steps);
        double light = 0.299 * (rgb >> 16) + 0.587 * (rgb >> 8 & 255) + 0.114 * (rgb & 255);
        assertTrue(light > last, step + " of " + steps);
        last = light;
      }
    }
  }

  @Test
  void gridsOfAnySideAreDrawn() {
    for (int[] size : new int[][] {{1, 2}, {2, 1}, {1, 300}, {64, 64}}) {
      TokenGrid grid = new TokenGrid(size[0], size[1]);
      Raster drawn =
          ScheduleChart.draw(GtrSchedule.builder().steps(1, 1).build().plan(grid).order(0, 0));
      assertTrue(drawn.width() > 6 * size[1] && drawn.height() > 6 * size[0]);
    }
  }
}
