package io.github.gtr4j.image;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Small letters for labels, drawn from a resource: the fonts of {@code java.awt} need a font
 * configuration that headless installations often lack.
 */
final class BitmapFont {
  /** Rows of a character, the one below the baseline included. */
  static final int HEIGHT = 8;

  private static final int WIDTH = 5;

  /** Columns from one character to the next. */
  private static final int ADVANCE = WIDTH + 1;

  private static final int FIRST = ' ';
  private static final int BOX = 127;
  private static final int PER_BAND = 16;
  private static final int INTRODUCTION_LINES = 2;
  private static final String RESOURCE = "font.txt";

  /** For each character, its rows; bit x is column x. */
  private static final int[][] GLYPHS = load();

  private BitmapFont() {}

  /** Columns that a text takes. */
  static int width(String text) {
    return text.isEmpty() ? 0 : text.length() * ADVANCE - 1;
  }

  /** How many characters fit into a number of columns. */
  static int fitting(int columns) {
    return (columns + 1) / ADVANCE;
  }

  /** Draws a text whose first character's upper left corner is given. */
  static void draw(Raster target, String text, int left, int top, int scale, int rgb) {
    for (int k = 0; k < text.length(); k++) {
      int[] rows = glyph(text.charAt(k));
      for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
          if ((rows[y] >> x & 1) != 0) {
            target.fill(left + (k * ADVANCE + x) * scale, top + y * scale, scale, scale, rgb);
          }
        }
      }
    }
  }

  private static int[] glyph(char character) {
    return GLYPHS[(character < FIRST || character > BOX ? BOX : character) - FIRST];
  }

  private static int[][] load() {
    try (InputStream stream = BitmapFont.class.getResourceAsStream(RESOURCE)) {
      if (stream == null) {
        throw new IllegalStateException("the resource " + RESOURCE + " is missing");
      }
      BufferedReader reader =
          new BufferedReader(new InputStreamReader(stream, StandardCharsets.US_ASCII));
      List<String> rows = reader.lines().skip(INTRODUCTION_LINES).toList();
      int[][] glyphs = new int[BOX - FIRST + 1][HEIGHT];
      for (int glyph = 0; glyph < glyphs.length; glyph++) {
        for (int y = 0; y < HEIGHT; y++) {
          // An empty line stands above each band.
          String row = rows.get(glyph / PER_BAND * (HEIGHT + 1) + 1 + y);
          for (int x = 0; x < WIDTH; x++) {
            if (row.charAt(glyph % PER_BAND * ADVANCE + x) == '#') {
              glyphs[glyph][y] |= 1 << x;
            }
          }
        }
      }
      return glyphs;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
