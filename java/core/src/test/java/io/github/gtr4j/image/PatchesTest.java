package io.github.gtr4j.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.gtr4j.InvalidArgumentException;
import io.github.gtr4j.schedule.TokenGrid;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PatchesTest {
  @ParameterizedTest
  @CsvSource({
    "-1, 0",
    "1, 255",
    "0, 128",
    "-2, 0",
    "2, 255",
    "NaN, 0",
    "Infinity, 255",
    "-Infinity, 0",
    "-0.99, 1",
    "0.992, 254"
  })
  void levels(float value, int level) {
    assertEquals(level, Patches.toSample(value));
  }

  @Test
  void greyPixelsLieRowByRowInTheirPatch() {
    // A grid of 2x3 tokens of 2x4 pixels.
    TokenGrid grid = new TokenGrid(2, 3);
    Patches patches = new Patches(2, 4, 1);
    assertEquals(8, patches.tokenChannels());
    float[] latents = new float[8 * 6];
    for (int channel = 0; channel < 8; channel++) {
      for (int cell = 0; cell < 6; cell++) {
        latents[channel * 6 + cell] = (channel * 10 + cell) / 127.5f - 1;
      }
    }
    Raster raster = patches.toRaster(grid, latents);
    assertEquals("12x4 grey", raster.toString());
    for (int y = 0; y < 4; y++) {
      for (int x = 0; x < 12; x++) {
        int cell = y / 2 * 3 + x / 4;
        int channel = y % 2 * 4 + x % 4;
        assertEquals(channel * 10 + cell, raster.sample(x, y, 0));
      }
    }
  }

  @Test
  void coloursOfAPixelLieSideBySide() {
    Patches patches = new Patches(1, 2, 3);
    float[] latents = new float[6];
    for (int channel = 0; channel < 6; channel++) {
      latents[channel] = channel / 127.5f - 1;
    }
    Raster raster = patches.toRaster(new TokenGrid(1, 1), latents);
    for (int channel = 0; channel < 6; channel++) {
      assertEquals(channel, raster.sample(channel / 3, 0, channel % 3));
    }
  }

  @Test
  void sizesAreChecked() {
    Patches patches = new Patches(4, 4, 1);
    InvalidArgumentException e =
        assertThrows(
            InvalidArgumentException.class,
            () -> patches.toRaster(new TokenGrid(2, 2), new float[63]));
    assertEquals("latents: 63 values; 4 tokens of 16 values are 64", e.getMessage());
    assertThrows(InvalidArgumentException.class, () -> new Patches(4, 4, 2));
    assertThrows(InvalidArgumentException.class, () -> new Patches(0, 4, 1));
    assertThrows(InvalidArgumentException.class, () -> new Patches(4, 5000, 1));
    assertThrows(InvalidArgumentException.class, () -> new Raster(0, 1, 1));
    assertThrows(InvalidArgumentException.class, () -> new Raster(1 << 16, 1 << 16, 1));
    assertThrows(InvalidArgumentException.class, () -> new Raster(1, 1, 4));
    assertThrows(IndexOutOfBoundsException.class, () -> new Raster(2, 2, 1).sample(2, 0, 0));
  }
}
