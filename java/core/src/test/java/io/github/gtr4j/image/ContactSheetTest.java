package io.github.gtr4j.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.gtr4j.InvalidArgumentException;
import java.util.List;
import org.junit.jupiter.api.Test;

class ContactSheetTest {
  private static Raster plain(int side, int level) {
    Raster raster = new Raster(side, side, 1);
    raster.fill(0, 0, side, side, level * 0x010101);
    return raster;
  }

  private static int ink(Raster raster, int left, int top, int width, int height) {
    int dark = 0;
    for (int y = top; y < top + height; y++) {
      for (int x = left; x < left + width; x++) {
        dark += raster.sample(x, y, 0) < 128 ? 1 : 0;
      }
    }
    return dark;
  }

  @Test
  void picturesStandInRowsWithTheirLabelsBelow() {
    ContactSheet sheet = new ContactSheet().columns(2);
    for (int k = 0; k < 3; k++) {
      sheet.add(plain(32, 200 + k), "name" + k);
    }
    Raster drawn = sheet.draw();
    // Pictures of 128 pixels, margins of 8, labels of 16 after a gap of 3.
    assertEquals(8 + 128 + 8 + 128 + 8, drawn.width());
    assertEquals(8 + (128 + 19) + 8 + (128 + 19) + 8, drawn.height());
    assertEquals(200, drawn.sample(8, 8, 0));
    assertEquals(200, drawn.sample(135, 135, 0));
    assertEquals(255, drawn.sample(136, 135, 0));
    assertEquals(201, drawn.sample(144, 8, 0));
    assertEquals(202, drawn.sample(8, 163, 0));
    assertTrue(ink(drawn, 8, 139, 128, 16) > 50);
    assertTrue(ink(drawn, 144, 139, 128, 16) > 50);
    assertEquals(0, ink(drawn, 144, 163, 128, 147), "the fourth place stays empty");
  }

  @Test
  void everyLetterHasAShapeOfItsOwn() {
    Raster[] letters = new Raster[96];
    for (int c = 32; c <= 127; c++) {
      letters[c - 32] = new Raster(5, 8, 1);
      BitmapFont.draw(letters[c - 32], String.valueOf((char) c), 0, 0, 1, 0xFFFFFF);
      for (int other = 32; other < c; other++) {
        assertNotEquals(letters[other - 32], letters[c - 32], (char) other + " and " + (char) c);
      }
    }
    Raster foreign = new Raster(5, 8, 1);
    BitmapFont.draw(foreign, "\u00e9", 0, 0, 1, 0xFFFFFF);
    assertEquals(letters[95], foreign);
  }

  @Test
  void longLabelsShrinkAndAreThenCut() {
    for (String label : new String[] {"x".repeat(15), "x".repeat(500), ""}) {
      Raster drawn = new ContactSheet().add(plain(32, 255), label).draw();
      assertEquals(8 + 128 + 8, drawn.width());
      assertEquals(0, ink(drawn, 0, 0, 8, drawn.height()));
      assertEquals(0, ink(drawn, 136, 0, 8, drawn.height()));
      assertEquals(label.isEmpty(), ink(drawn, 8, 139, 128, 16) == 0);
    }
  }

  @Test
  void sheetsStandSideBySideUnderTheirHeadings() {
    ContactSheet left = new ContactSheet().heading("MAR").add(plain(64, 200), "a");
    ContactSheet right = new ContactSheet().heading("GtR").add(plain(64, 210), "a");
    Raster drawn = ContactSheet.sideBySide(List.of(left, right));
    assertEquals(8 + 128 + 24 + 128 + 8, drawn.width());
    assertTrue(ink(drawn, 8, 8, 128, 16) > 20);
    assertEquals(200, drawn.sample(8, 32, 0));
    assertEquals(210, drawn.sample(160, 32, 0));
  }

  @Test
  void coloursAreKept() {
    Raster red = new Raster(1, 1, 3);
    red.setPixel(0, 0, 0xFF0102);
    Raster drawn = new ContactSheet().add(red, "").draw();
    assertEquals(3, drawn.channels());
    assertEquals(0xFF, drawn.sample(20, 20, 0));
    assertEquals(1, drawn.sample(20, 20, 1));
    assertEquals(2, drawn.sample(20, 20, 2));
  }

  @Test
  void whatCannotBeDrawnIsRefused() {
    assertThrows(InvalidArgumentException.class, () -> new ContactSheet().draw());
    assertThrows(InvalidArgumentException.class, () -> ContactSheet.sideBySide(List.of()));
    assertThrows(InvalidArgumentException.class, () -> new ContactSheet().columns(0));
    ContactSheet sheet = new ContactSheet().add(plain(8, 0), "");
    assertThrows(InvalidArgumentException.class, () -> sheet.add(plain(9, 0), ""));
  }
}
