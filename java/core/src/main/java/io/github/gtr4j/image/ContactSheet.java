package io.github.gtr4j.image;

import io.github.gtr4j.InvalidArgumentException;
import java.util.ArrayList;
import java.util.List;

/**
 * Pictures of one size in rows and columns, each with a label below, small ones enlarged. Several
 * sheets side by side, with a heading each, make a comparison.
 */
public final class ContactSheet {
  private static final int BACKGROUND = 0xFFFFFF;
  private static final int INK = 0x202020;

  /** Pictures are enlarged by whole factors to about this many pixels. */
  private static final int COMFORTABLE_SIDE = 128;

  private static final int MAX_DEFAULT_COLUMNS = 10;
  private static final int MARGIN = 8;
  private static final int LABEL_GAP = 3;
  private static final int LABEL_SCALE = 2;
  private static final int SHEET_GAP = 24;

  private final List<Raster> pictures = new ArrayList<>();
  private final List<String> labels = new ArrayList<>();
  private String heading = "";
  private int columns;

  /** A sheet without pictures yet. */
  public ContactSheet() {}

  /** Adds a picture; all must have the same size. */
  public ContactSheet add(Raster picture, String label) {
    if (!pictures.isEmpty()
        && (picture.width() != pictures.get(0).width()
            || picture.height() != pictures.get(0).height())) {
      throw new InvalidArgumentException(
          "picture",
          picture
              + "; the others of the sheet have "
              + pictures.get(0).width()
              + "x"
              + pictures.get(0).height()
              + " pixels");
    }
    pictures.add(picture);
    labels.add(label);
    return this;
  }

  /** Writes a line above the pictures. */
  public ContactSheet heading(String text) {
    heading = text;
    return this;
  }

  /** Pictures in a row; otherwise a number that suits their count. */
  public ContactSheet columns(int count) {
    if (count < 1) {
      throw new InvalidArgumentException("columns", count + "; allowed from 1 on");
    }
    columns = count;
    return this;
  }

  /**
   * About how many pictures of a size can stand on one sheet.
   *
   * @param channels of the sheet, times the number of such sheets that are to stand side by side
   */
  public static long maxPictures(int width, int height, int channels) {
    int scale = scale(width, height);
    long cell =
        ((long) width * scale + MARGIN)
            * ((long) height * scale + LABEL_GAP + BitmapFont.HEIGHT * LABEL_SCALE + MARGIN);
    // A half is left for headings, margins and a last row that is not full.
    return Math.max(1, Raster.MAX_BYTES / 2 / (cell * channels));
  }

  /** Draws the sheet. */
  public Raster draw() {
    return sideBySide(List.of(this));
  }

  /** Draws several sheets from left to right. */
  public static Raster sideBySide(List<ContactSheet> sheets) {
    if (sheets.isEmpty() || sheets.stream().anyMatch(sheet -> sheet.pictures.isEmpty())) {
      throw new InvalidArgumentException("sheets", "a sheet needs at least one picture");
    }
    boolean colour =
        sheets.stream().flatMap(s -> s.pictures.stream()).anyMatch(p -> p.channels() == 3);
    int headingHeight =
        sheets.stream().allMatch(s -> s.heading.isEmpty())
            ? 0
            : BitmapFont.HEIGHT * LABEL_SCALE + MARGIN;
    long width = sheets.stream().mapToLong(ContactSheet::width).sum();
    width += (long) SHEET_GAP * (sheets.size() - 1) + 2 * MARGIN;
    long height = sheets.stream().mapToLong(ContactSheet::height).max().orElseThrow();
    height += headingHeight + 2 * MARGIN;
    if (width > Integer.MAX_VALUE || height > Integer.MAX_VALUE) {
      throw new InvalidArgumentException("size", width + "x" + height + " pixels are too many");
    }
    Raster raster = new Raster((int) width, (int) height, colour ? 3 : 1);
    raster.fill(0, 0, raster.width(), raster.height(), BACKGROUND);
    int left = MARGIN;
    for (ContactSheet sheet : sheets) {
      sheet.drawText(raster, sheet.heading, left, MARGIN, (int) sheet.width());
      sheet.drawPictures(raster, left, MARGIN + headingHeight);
      left += (int) sheet.width() + SHEET_GAP;
    }
    return raster;
  }

  private void drawPictures(Raster raster, int left, int top) {
    for (int k = 0; k < pictures.size(); k++) {
      int x = left + k % columnCount() * (cellWidth() + MARGIN);
      int y = top + k / columnCount() * (cellHeight() + MARGIN);
      raster.draw(pictures.get(k), x, y, scale());
      drawText(raster, labels.get(k), x, y + pictureHeight() + LABEL_GAP, cellWidth());
    }
  }

  /** Centred if it fits at the usual size, else small, else cut short. */
  private void drawText(Raster raster, String text, int left, int top, int room) {
    int textScale = BitmapFont.width(text) * LABEL_SCALE <= room ? LABEL_SCALE : 1;
    int fitting = BitmapFont.fitting(room / textScale);
    String shown = text.length() <= fitting ? text : text.substring(0, Math.max(0, fitting));
    int x = left + (room - BitmapFont.width(shown) * textScale) / 2;
    int y = top + BitmapFont.HEIGHT * (LABEL_SCALE - textScale) / 2;
    BitmapFont.draw(raster, shown, x, y, textScale, INK);
  }

  private int scale() {
    return scale(pictures.get(0).width(), pictures.get(0).height());
  }

  private static int scale(int width, int height) {
    return Math.max(1, COMFORTABLE_SIDE / Math.max(width, height));
  }

  private int cellWidth() {
    return pictures.get(0).width() * scale();
  }

  private int pictureHeight() {
    return pictures.get(0).height() * scale();
  }

  private int cellHeight() {
    return pictureHeight() + LABEL_GAP + BitmapFont.HEIGHT * LABEL_SCALE;
  }

  private int columnCount() {
    if (columns > 0) {
      return Math.min(columns, pictures.size());
    }
    return Math.min(pictures.size(), MAX_DEFAULT_COLUMNS);
  }

  private long width() {
    return (long) columnCount() * (cellWidth() + MARGIN) - MARGIN;
  }

  private long height() {
    int rows = (pictures.size() + columnCount() - 1) / columnCount();
    return (long) rows * (cellHeight() + MARGIN) - MARGIN;
  }
}
