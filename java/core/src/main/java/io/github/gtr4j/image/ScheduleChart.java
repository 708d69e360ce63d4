package io.github.gtr4j.image;

import io.github.gtr4j.schedule.DecodeOrder;
import io.github.gtr4j.schedule.TokenGrid;

/** Draws when each cell of a grid is decoded: its colour and its number tell the decode step. */
public final class ScheduleChart {
  private static final int BACKGROUND = 0xFFFFFF;
  private static final int KNOWN = 0xD0D0D0;
  private static final int MIN_CELL = 6;
  private static final int MAX_CELL = 48;
  private static final int COMFORTABLE_SIDE = 640;
  private static final int GAP = 1;
  private static final int MARGIN = 8;

  private ScheduleChart() {}

  /** A picture of the grid; grey cells were known from the start. */
  public static Raster draw(DecodeOrder order) {
    TokenGrid grid = order.plan().grid();
    int side = Math.max(grid.width(), grid.height());
    int cellSide = Math.max(MIN_CELL, Math.min(MAX_CELL, COMFORTABLE_SIDE / side));
    int pitch = cellSide + GAP;
    Raster raster =
        new Raster(
            grid.width() * pitch - GAP + 2 * MARGIN, grid.height() * pitch - GAP + 2 * MARGIN, 3);
    raster.fill(0, 0, raster.width(), raster.height(), BACKGROUND);
    int[] step = order.stepOfCell();
    for (int cell = 0; cell < step.length; cell++) {
      int x = MARGIN + grid.column(cell) * pitch;
      int y = MARGIN + grid.row(cell) * pitch;
      int rgb = step[cell] < 0 ? KNOWN : colour(step[cell], order.plan().steps().size());
      raster.fill(x, y, cellSide, cellSide, rgb);
      String number = step[cell] < 0 ? "" : String.valueOf(step[cell] + 1);
      int scale = cellSide >= 2 * (BitmapFont.width(number) + 2) ? 2 : 1;
      if (BitmapFont.width(number) * scale < cellSide
          && BitmapFont.HEIGHT * scale < cellSide + scale) {
        BitmapFont.draw(
            raster,
            number,
            x + (cellSide - BitmapFont.width(number) * scale) / 2,
            y + (cellSide - (BitmapFont.HEIGHT - 1) * scale) / 2,
            scale,
            isLight(rgb) ? 0x000000 : 0xFFFFFF);
      }
    }
    return raster;
  }

  /**
   * The colour of a decode step: from deep blue, the first, through green to yellow, the last, of
   * growing lightness, so that the order shows without colours too.
   *
   * @return red, green and blue, 8 bits each
   */
  public static int colour(int step, int steps) {
    double t = steps == 1 ? 0 : (double) step / (steps - 1);
    int red = level(0.16 + 0.80 * t * t);
    int green = level(0.10 + 0.78 * t);
    int blue = level(0.45 + 0.35 * t * (1 - t) * 2 - 0.30 * t);
    return red << 16 | green << 8 | blue;
  }

  /** Whether black text reads better on a colour than white. */
  public static boolean isLight(int rgb) {
    return 299 * (rgb >> 16 & 0xFF) + 587 * (rgb >> 8 & 0xFF) + 114 * (rgb & 0xFF) > 128_000;
  }

  private static int level(double value) {
    return (int) Math.round(255 * Math.max(0, Math.min(1, value)));
  }
}
